// Attributes: getattr, setattr, statx, access, and what options make of the answers.
#include "highlevel/ops.hpp"

#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <new>

namespace rf::hl {
namespace {

/// The permission bits that -o umask=, fmask= and dmask= leave.
mode_t adjusted_mode(const fuse_config& options, mode_t mode) noexcept
{
    std::uint32_t mask = options.umask;
    if (S_ISDIR(mode) && options.dmask)
        mask = options.dmask;
    else if (!S_ISDIR(mode) && options.fmask)
        mask = options.fmask;
    return (mode & S_IFMT) | (0777 & ~mask);
}

bool is_hidden(const ::fuse& f, fuse_ino_t ino) noexcept
{
    const Node* node = f.nodes.find(ino);
    return node && node->hidden.load(std::memory_order_relaxed); // a hint for st_nlink, no more
}

/// The node's rarely needed part; null if memory is short. With the extra mutex.
NodeExtra* extra_of(Node& node) noexcept
{
    if (!node.extra)
        node.extra = new (std::nothrow) NodeExtra;
    return node.extra;
}

bool is_older_than(const timespec& then, double seconds) noexcept
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const double age =
        static_cast<double>(now.tv_sec - then.tv_sec) + static_cast<double>(now.tv_nsec - then.tv_nsec) / 1e9;
    return age > seconds;
}

void take_attr(NodeExtra& extra, const struct stat& st) noexcept
{
    const bool same = st.st_mtim.tv_sec == extra.mtime.tv_sec && st.st_mtim.tv_nsec == extra.mtime.tv_nsec &&
                      st.st_size == extra.size;
    if (!same)
        extra.cache_valid = false;
    extra.mtime = st.st_mtim;
    extra.size = st.st_size;
    ::clock_gettime(CLOCK_MONOTONIC, &extra.looked_at);
}

/// What setattr decomposes into, in libfuse's order. 0 or -errno.
int apply_changes(fuse_fs& fs, const char* path, const struct stat& attr, int to_set, fuse_file_info* fi)
{
    int rc = 0;
    if (to_set & FUSE_SET_ATTR_MODE)
        rc = fs_chmod(fs, path, attr.st_mode, fi);
    if (rc >= 0 && (to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))) {
        const uid_t uid = to_set & FUSE_SET_ATTR_UID ? attr.st_uid : static_cast<uid_t>(-1);
        const gid_t gid = to_set & FUSE_SET_ATTR_GID ? attr.st_gid : static_cast<gid_t>(-1);
        rc = fs_chown(fs, path, uid, gid, fi);
    }
    if (rc >= 0 && (to_set & FUSE_SET_ATTR_SIZE))
        rc = fs_truncate(fs, path, attr.st_size, fi);
    if (rc >= 0 && (to_set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME))) {
        const auto time_of = [to_set](int given, int now, const timespec& value) {
            if (to_set & now)
                return timespec{0, UTIME_NOW};
            return to_set & given ? value : timespec{0, UTIME_OMIT};
        };
        const timespec times[2] = {time_of(FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, attr.st_atim),
                                   time_of(FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, attr.st_mtim)};
        rc = fs_utimens(fs, path, times, fi);
    }
    return rc;
}

void answer_attr(Operation& op, fuse_ino_t ino, struct stat& st)
{
    if (op.options().auto_cache)
        if (Node* node = op.nodes().find(ino))
            note_attr(op.core(), *node, st);
    adjust_attr(op.core(), ino, st);
    fuse_reply_attr(op.answer(), &st, op.options().attr_timeout);
}

} // namespace

void adjust_attr(const ::fuse& f, fuse_ino_t ino, struct stat& st)
{
    const fuse_config& options = f.options();
    if (!options.use_ino)
        st.st_ino = ino;
    if (options.set_mode)
        st.st_mode = adjusted_mode(options, st.st_mode);
    if (options.set_uid)
        st.st_uid = options.uid;
    if (options.set_gid)
        st.st_gid = options.gid;
}

void note_attr(::fuse& f, Node& node, const struct stat& st)
{
    const MutexLock lock(f.nodes.extra_mutex(node));
    if (NodeExtra* extra = extra_of(node))
        take_attr(*extra, st);
}

bool cache_is_valid(::fuse& f, Node& node, const char* path, fuse_file_info* fi)
{
    Mutex& mutex = f.nodes.extra_mutex(node);
    bool look = false;
    {
        const MutexLock lock(mutex);
        NodeExtra* extra = extra_of(node);
        if (!extra)
            return false;
        look = extra->cache_valid && is_older_than(extra->looked_at, f.options().ac_attr_timeout);
    }
    struct stat st {};
    const int rc = look ? fs_getattr(*f.fs, path, &st, fi) : 0;
    const MutexLock lock(mutex);
    NodeExtra& extra = *node.extra;
    if (look && rc == 0)
        take_attr(extra, st);
    else if (rc < 0)
        extra.cache_valid = false;
    return std::exchange(extra.cache_valid, true);
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino, /* open= */ fi != nullptr);
    struct stat st {};
    int rc = path.lock();
    if (rc == 0)
        rc = fs_getattr(op.fs(), path.text(), &st, fi);
    path.release();
    if (rc < 0)
        return op.answer_status(rc);
    if (is_hidden(op.core(), ino) && st.st_nlink > 0)
        --st.st_nlink; // the hidden name is none the user gave
    answer_attr(op, ino, st);
}

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat* attr, int to_set, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino, /* open= */ fi != nullptr);
    struct stat st {};
    int rc = path.lock();
    if (rc == 0)
        rc = apply_changes(op.fs(), path.text(), *attr, to_set, fi);
    if (rc >= 0)
        rc = fs_getattr(op.fs(), path.text(), &st, fi);
    path.release();
    if (rc < 0)
        return op.answer_status(rc);
    answer_attr(op, ino, st);
}

void op_statx(fuse_req_t req, fuse_ino_t ino, int flags, int mask, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino, /* open= */ fi != nullptr);
    struct statx stx {};
    int rc = path.lock();
    if (rc == 0)
        rc = fs_statx(op.fs(), path.text(), flags, mask, &stx, fi);
    path.release();
    if (rc < 0)
        return op.answer_status(rc);
    const fuse_config& options = op.options();
    if (is_hidden(op.core(), ino) && stx.stx_nlink > 0)
        --stx.stx_nlink;
    if (!options.use_ino)
        stx.stx_ino = ino;
    if (options.set_mode)
        stx.stx_mode = static_cast<std::uint16_t>(adjusted_mode(options, stx.stx_mode));
    if (options.set_uid)
        stx.stx_uid = options.uid;
    if (options.set_gid)
        stx.stx_gid = options.gid;
    fuse_reply_statx(op.answer(), 0, &stx, options.attr_timeout);
}

void op_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
    Operation op(req);
    LockedPath path(op.nodes());
    path.aim_at(ino);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_access(op.fs(), path.c_str(), mask);
    path.release();
    op.answer_status(rc);
}

} // namespace rf::hl
