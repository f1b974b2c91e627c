// Beginning, end, and operations that belong to no family: statfs, ioctl, poll, bmap, syncfs.
#include "highlevel/ops.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace rf::hl {

void op_init(void* userdata, fuse_conn_info* conn)
{
    ::fuse& f = *static_cast<::fuse*>(userdata);
    thread_context() = {.fuse = &f, .uid = 0, .gid = 0, .pid = 0, .private_data = nullptr, .umask = 0};
    // "." and ".." are looked up by number, so NFS can be served.
    (void)fuse_set_feature_flag(conn, FUSE_CAP_EXPORT_SUPPORT);
    f.shown_config.emplace(f.config.options);
    f.initialised = true;
    fs_init(*f.fs, *conn, f.shown_config->get());
    f.shown_config->read_back();

    const fuse_config& options = f.options();
    f.nodes.set_remember(options.remember);
    if (const int rc = f.cleanup.start(f.nodes); rc < 0)
        log::warning("forgotten nodes are kept for good: no thread to remove them (%s), ignoring",
                     log::errno_name(rc));
    if (options.intr)
        if (const int rc = f.interrupt_signal.install(options.intr_signal); rc < 0)
            log::error("interrupt signal not installed: signal=%d (%s), ignoring", options.intr_signal,
                       log::errno_name(rc));
}

void op_destroy(void* userdata)
{
    ::fuse& f = *static_cast<::fuse*>(userdata);
    thread_context() = {.fuse = &f, .uid = 0, .gid = 0, .pid = 0, .private_data = nullptr, .umask = 0};
    fs_destroy(std::exchange(f.fs, nullptr));
}

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    Operation op(req);
    LockedPath path(op.nodes());
    path.aim_at(ino != 0 ? ino : FUSE_ROOT_ID);
    struct statvfs st {};
    int rc = path.lock();
    if (rc == 0)
        rc = fs_statfs(op.fs(), path.c_str(), &st);
    path.release();
    if (rc < 0)
        return op.answer_status(rc);
    fuse_reply_statfs(op.answer(), &st);
}

void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void* arg, fuse_file_info* fi, unsigned flags,
              const void* in_buf, size_t in_bytes, size_t out_bytes)
{
    Operation op(req);
    if (flags & FUSE_IOCTL_UNRESTRICTED)
        return op.answer_status(-EPERM);
    fuse_file_info of_directory{};
    if (flags & FUSE_IOCTL_DIR) {
        of_directory = directory_info(*fi);
        fi = &of_directory;
    }
    // One buffer for both ways, as with ioctl(2).
    const size_t bytes = std::max(in_bytes, out_bytes);
    const std::unique_ptr<char[]> buffer(bytes != 0 ? new (std::nothrow) char[bytes]() : nullptr);
    if (bytes != 0 && !buffer)
        return op.answer_status(-ENOMEM);
    if (in_bytes != 0)
        std::memcpy(buffer.get(), in_buf, in_bytes);
    void* data = buffer.get();
    OpenPath path(op, ino);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_ioctl(op.fs(), path.text(), cmd, arg, fi, flags, data);
    path.release();
    if (rc < 0)
        return op.answer_status(rc);
    fuse_reply_ioctl(op.answer(), rc, out_bytes != 0 ? data : nullptr, out_bytes);
}

void op_poll(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, fuse_pollhandle* ph)
{
    Operation op(req);
    if (!op.fs().op.poll) {
        fuse_pollhandle_destroy(ph);
        return op.answer_status(-ENOSYS);
    }
    OpenPath path(op, ino);
    unsigned ready = 0;
    int rc = path.lock();
    if (rc == 0)
        rc = fs_poll(op.fs(), path.text(), fi, ph, &ready);
    else
        fuse_pollhandle_destroy(ph);
    path.release();
    if (rc < 0)
        return op.answer_status(rc);
    fuse_reply_poll(op.answer(), ready);
}

void op_bmap(fuse_req_t req, fuse_ino_t ino, size_t block_bytes, uint64_t index)
{
    Operation op(req);
    LockedPath path(op.nodes());
    path.aim_at(ino);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_bmap(op.fs(), path.c_str(), block_bytes, &index);
    path.release();
    if (rc < 0)
        return op.answer_status(rc);
    fuse_reply_bmap(op.answer(), index);
}

void op_syncfs(fuse_req_t req, fuse_ino_t ino)
{
    Operation op(req);
    LockedPath path(op.nodes());
    path.aim_at(ino);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_syncfs(op.fs(), path.c_str());
    path.release();
    op.answer_status(rc);
}

} // namespace rf::hl
