// Unmounting: umount2(2) where we may, fusermount3 where we may not, nothing where it is not ours any more.
#include "mount/unmount.hpp"

#include "base/log.hpp"
#include "mount/fusermount.hpp"
#include "mount/utab.hpp"

#include <poll.h>
#include <sys/mount.h>

namespace rf::mount {
namespace {

// False only if we know that the uppermost mount on the path is not the one we made. Device numbers of FUSE
// mounts are reused, but not while our own superblock lives.
bool still_ours(const Mounted& mounted)
{
    bool readable = false;
    const std::optional<MountId> now = find_mount(mounted.mountpoint, readable);
    if (!readable || !mounted.id)
        return true;
    if (now == mounted.id)
        return true;
    if (now)
        log::warning("unmount skipped: %s dev=%u:%u is another mount now, leaving it alone",
                     mounted.mountpoint.c_str(), now->major, now->minor);
    return false;
}

int detach(const Mounted& mounted)
{
    const char* path = mounted.mountpoint.c_str();
    int rc = from_libc(umount2(path, UMOUNT_NOFOLLOW));
    if (rc == -EBUSY) // open files: off the tree now, gone with the last of them
        rc = from_libc(umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH));
    if (rc == -EPERM)
        rc = fusermount_unmount(path);
    return rc == -EINVAL || rc == -ENOENT ? 0 : rc; // somebody was faster
}

} // namespace

bool connection_is_gone(int fd)
{
    // Kernel: fuse_dev_poll(), fs/fuse/dev.c: POLLERR as soon as the connection is no longer connected.
    pollfd poll_fd{.fd = fd, .events = 0, .revents = 0};
    int rc = 0;
    do {
        rc = from_libc(poll(&poll_fd, 1, 0));
    } while (rc == -EINTR);
    return rc == 1 && (poll_fd.revents & (POLLERR | POLLNVAL));
}

int unmount(Mounted& mounted)
{
    // The socket of auto_unmount closes on return: fusermount3 then finds the mount gone, or ends a dead one.
    Mounted doomed = std::move(mounted);
    mounted = Mounted();
    if (doomed.external || doomed.mountpoint.empty())
        return 0;
    if (doomed.fd && connection_is_gone(doomed.fd.get()))
        return 0;
    doomed.fd.reset();
    if (!still_ours(doomed))
        return 0;
    if (doomed.in_utab)
        remove_from_utab(doomed.mountpoint);
    const int rc = detach(doomed);
    if (rc < 0)
        log::error("unmount failed: %s (%s), it stays mounted", doomed.mountpoint.c_str(),
                   log::errno_name(rc));
    return rc;
}

} // namespace rf::mount
