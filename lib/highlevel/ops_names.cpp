// Names: lookup and forget, and everything that makes a name.
#include "highlevel/ops.hpp"

#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>

namespace rf::hl {
namespace {

/// Answers a request that asked for a name. `e` counts one lookup if rc is 0 and e.ino is not.
void answer_entry(Operation& op, int rc, const fuse_entry_param& e)
{
    if (rc < 0)
        return op.answer_status(rc);
    NodeTable& nodes = op.nodes();
    // Kernel: ENOENT says that nobody waits for the answer any more, so nobody will forget what it counted.
    if (fuse_reply_entry(op.answer(), &e) == -ENOENT && e.ino != 0)
        nodes.forget(e.ino, 1);
}

void set_timeouts(const fuse_config& options, fuse_entry_param& e) noexcept
{
    e.entry_timeout = options.entry_timeout;
    e.attr_timeout = options.attr_timeout;
}

/// Makes a name with make(path), and answers with what it stands for then.
template <class Make>
void make_name(fuse_req_t req, fuse_ino_t parent, const char* name, Make&& make)
{
    Operation op(req);
    LockedPath path(op.nodes());
    path.aim_at(parent, name);
    fuse_entry_param e{};
    int rc = path.lock();
    if (rc == 0)
        rc = make(op, path.c_str());
    if (rc >= 0)
        rc = look_up(op.core(), path.base(), name, path.c_str(), e, nullptr);
    path.release();
    answer_entry(op, rc, e);
}

/// "." or "..": how a kernel that serves NFS finds a directory again. 0 or -errno; counts a lookup.
int look_up_dots(::fuse& f, fuse_ino_t ino, bool up, fuse_entry_param& e)
{
    if (!f.nodes.count_lookup_again(ino))
        return -ESTALE;
    LockedPath own(f.nodes);
    own.aim_at(ino);
    int rc = own.lock();
    fuse_ino_t found = ino;
    if (rc == 0 && up) {
        const Node* directory = own.base().parent;
        found = directory ? directory->number() : 0;
        rc = found != 0 && f.nodes.count_lookup_again(found) ? 0 : -ENOENT;
    }
    own.release();
    if (up)
        f.nodes.forget(ino, 1);
    if (rc < 0) {
        if (!up)
            f.nodes.forget(ino, 1);
        return rc;
    }
    LockedPath path(f.nodes);
    path.aim_at(found);
    rc = path.lock();
    if (rc == 0)
        rc = fs_getattr(*f.fs, path.c_str(), &e.attr, nullptr);
    path.release();
    if (rc < 0) {
        f.nodes.forget(found, 1);
        return rc;
    }
    e.ino = found;
    set_timeouts(f.options(), e);
    adjust_attr(f, found, e.attr);
    return 0;
}

} // namespace

int fill_entry(::fuse& f, Node& directory, std::string_view name, fuse_entry_param& e)
{
    Node* node = f.nodes.count_lookup(directory, name);
    if (!node)
        return -ENOMEM;
    e.ino = node->number();
    set_timeouts(f.options(), e);
    if (f.options().auto_cache)
        note_attr(f, *node, e.attr);
    adjust_attr(f, e.ino, e.attr);
    return 0;
}

int look_up(::fuse& f, Node& directory, const char* name, const char* path, fuse_entry_param& e,
            fuse_file_info* fi)
{
    const int rc = fs_getattr(*f.fs, path, &e.attr, fi);
    return rc < 0 ? rc : fill_entry(f, directory, name, e);
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    Operation op(req);
    fuse_entry_param e{};
    if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0)
        return answer_entry(op, look_up_dots(op.core(), parent, /* up= */ name[1] == '.', e), e);
    LockedPath path(op.nodes());
    path.aim_at(parent, name);
    int rc = path.lock();
    if (rc == 0)
        rc = look_up(op.core(), path.base(), name, path.c_str(), e, nullptr);
    path.release();
    if (rc == -ENOENT && op.options().negative_timeout != 0) {
        e = {}; // inode 0: may be remembered as missing
        e.entry_timeout = op.options().negative_timeout;
        rc = 0;
    }
    answer_entry(op, rc, e);
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
    static_cast<::fuse*>(fuse_req_userdata(req))->nodes.forget(ino, nlookup);
    fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count, fuse_forget_data* forgets)
{
    NodeTable& nodes = static_cast<::fuse*>(fuse_req_userdata(req))->nodes;
    for (size_t i = 0; i < count; ++i)
        nodes.forget(forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t rdev)
{
    Operation op(req);
    LockedPath path(op.nodes());
    path.aim_at(parent, name);
    fuse_entry_param e{};
    int rc = path.lock();
    if (rc < 0)
        return op.answer_status(rc);
    rc = -ENOSYS;
    if (S_ISREG(mode)) {
        // Filesystems with create need no mknod for regular files.
        fuse_file_info fi{};
        fi.flags = O_CREAT | O_EXCL | O_WRONLY;
        rc = fs_create(op.fs(), path.c_str(), mode, &fi);
        if (rc >= 0) {
            rc = look_up(op.core(), path.base(), name, path.c_str(), e, &fi);
            fs_release(op.fs(), path.c_str(), &fi);
        }
    }
    if (rc == -ENOSYS) {
        rc = fs_mknod(op.fs(), path.c_str(), mode, rdev);
        if (rc >= 0)
            rc = look_up(op.core(), path.base(), name, path.c_str(), e, nullptr);
    }
    path.release();
    answer_entry(op, rc, e);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode)
{
    make_name(req, parent, name,
              [mode](Operation& op, const char* path) { return fs_mkdir(op.fs(), path, mode); });
}

void op_symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name)
{
    make_name(req, parent, name,
              [target](Operation& op, const char* path) { return fs_symlink(op.fs(), target, path); });
}

void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
    Operation op(req);
    LockedPath path(op.nodes());
    path.aim_at(ino);
    char target[PATH_MAX + 1];
    int rc = path.lock();
    if (rc == 0)
        rc = fs_readlink(op.fs(), path.c_str(), target, sizeof(target));
    path.release();
    if (rc < 0)
        return op.answer_status(rc);
    target[PATH_MAX] = '\0';
    fuse_reply_readlink(op.answer(), target);
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char* newname)
{
    Operation op(req);
    LockedPath from(op.nodes());
    LockedPath to(op.nodes());
    from.aim_at(ino);
    to.aim_at(newparent, newname);
    fuse_entry_param e{};
    int rc = LockedPath::lock_both(from, to);
    if (rc == 0) {
        rc = fs_link(op.fs(), from.c_str(), to.c_str());
        if (rc >= 0)
            rc = look_up(op.core(), to.base(), newname, to.c_str(), e, nullptr);
    }
    to.release();
    from.release();
    answer_entry(op, rc, e);
}

} // namespace rf::hl
