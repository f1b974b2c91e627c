// The low-level operations of the path-based API, and what they share.
#include "highlevel/ops.hpp"

#include <cerrno>

namespace rf::hl {

Operation::Operation(fuse_req_t request)
    : core_(*static_cast<::fuse*>(fuse_req_userdata(request))), request_(request), outer_(thread_request())
{
    const fuse_ctx& asks = *fuse_req_ctx(request);
    fuse_context& context = thread_context();
    context.fuse = &core_;
    context.uid = asks.uid;
    context.gid = asks.gid;
    context.pid = asks.pid;
    context.umask = asks.umask;
    thread_request() = request;
    if (options().intr)
        interruptible_.emplace(request, options().intr_signal);
}

int OpenPath::lock()
{
    if (!needed_)
        return 0;
    const int rc = path_.lock();
    if (rc == 0)
        text_ = path_.c_str();
    return rc == -ESTALE && open_ ? 0 : rc;
}

int OpenPath::lock_both(OpenPath& first, OpenPath& second)
{
    if (!first.needed_)
        return 0;
    const int rc = LockedPath::lock_both(first.path_, second.path_);
    if (rc == 0) {
        first.text_ = first.path_.c_str();
        second.text_ = second.path_.c_str();
        return 0;
    }
    if (rc != -ESTALE)
        return rc;
    // One of them has no name any more. Taken one after the other they may wait, but only for operations that
    // change names, and those do not wait for anything while they hold a path.
    const int first_rc = first.lock();
    return first_rc < 0 ? first_rc : second.lock();
}

constinit const fuse_lowlevel_ops kPathOperations{
    .init = op_init,
    .destroy = op_destroy,
    .lookup = op_lookup,
    .forget = op_forget,
    .getattr = op_getattr,
    .setattr = op_setattr,
    .readlink = op_readlink,
    .mknod = op_mknod,
    .mkdir = op_mkdir,
    .unlink = op_unlink,
    .rmdir = op_rmdir,
    .symlink = op_symlink,
    .rename = op_rename,
    .link = op_link,
    .open = op_open,
    .read = op_read,
    .write = nullptr, // write_buf
    .flush = op_flush,
    .release = op_release,
    .fsync = op_fsync,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .releasedir = op_releasedir,
    .fsyncdir = op_fsyncdir,
    .statfs = op_statfs,
    .setxattr = op_setxattr,
    .getxattr = op_getxattr,
    .listxattr = op_listxattr,
    .removexattr = op_removexattr,
    .access = op_access,
    .create = op_create,
    .getlk = op_getlk,
    .setlk = op_setlk,
    .bmap = op_bmap,
    .ioctl = op_ioctl,
    .poll = op_poll,
    .write_buf = op_write_buf,
    .retrieve_reply = nullptr,
    .forget_multi = op_forget_multi,
    .flock = op_flock,
    .fallocate = op_fallocate,
    .readdirplus = op_readdirplus,
    .copy_file_range = op_copy_file_range,
    .lseek = op_lseek,
    .tmpfile = nullptr, // the path-based API has none
    .statx = op_statx,
    .syncfs = op_syncfs,
};

} // namespace rf::hl
