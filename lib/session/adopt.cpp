// One connection, several sessions after each other or at a time: what this one agreed on is written down, or
// taken from another's writing instead of INIT. Only over /dev/fuse.
//
// Kernel: a ring's entries belong to the task that registered them (dev_uring.c, v6.18), and a connection
// that uses a ring never goes back to the device: another process could not be given the requests.
#include "session/capabilities.hpp"
#include "session/handover.hpp"
#include "session/session.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace rf {
namespace {

// Between the numbers of retrieve requests of one session and of the next on the same connection.
constexpr std::uint64_t kRetrieveGap = std::uint64_t{1} << 32;

constexpr unsigned kDeviceMajor = 10; // the kernel's numbers of /dev/fuse
constexpr unsigned kDeviceMinor = 229;

/// Is `fd` a FUSE device that a mount uses?
bool is_device_in_use(int fd) noexcept
{
    struct stat st {};
    if (::fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(kDeviceMajor, kDeviceMinor))
        return false;
    // Kernel: fuse_dev_poll(), fs/fuse/dev.c: POLLERR if no mount uses it, or none does any more.
    pollfd state{fd, 0, 0};
    return ::poll(&state, 1, 0) == 0;
}

int keep_nonblocking(int fd) noexcept
{
    const int flags = from_libc(::fcntl(fd, F_GETFL));
    return flags < 0 ? flags : from_libc(::fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

} // namespace

int Session::describe(Handover& out)
{
    if (!got_init_.load(std::memory_order_acquire))
        return -EAGAIN;
    const char* why = nullptr;
    if (agreed_.ring)
        why = "the ring is in use, and the kernel hands it to no other process";
    else if (cuse_)
        why = "it is a character device";
    else if (device().custom())
        why = "the application moves the messages itself";
    else if (fd_ < 0)
        return -EAGAIN;
    if (why) {
        log::error("session not exported: %s (EOPNOTSUPP)%s", why,
                   agreed_.ring ? "; remedy: transport=dev" : "");
        return -EOPNOTSUPP;
    }
    // Whoever else reads the descriptor must not be made to sleep in read() by the end of a loop here.
    if (const int rc = keep_nonblocking(fd_); rc < 0)
        return rc;
    engine_.share_device();
    out.flags = agreed_.flags;
    out.minor = agreed_.minor;
    out.max_write = agreed_.max_write;
    out.max_readahead = agreed_.out.max_readahead;
    out.max_background = agreed_.out.max_background;
    out.congestion_threshold = agreed_.out.congestion_threshold;
    out.retrieve_limit = retrieve_limit_;
    out.max_read = mount_max_read_;
    out.default_permissions = default_permissions_;
    out.connection = connection_number(fd_);
    const MutexLock lock(retrieve_mutex_);
    out.next_retrieve = next_retrieve_ + kRetrieveGap;
    return 0;
}

int Session::check_adoption(int fd, const Handover& from) const
{
    if (fd_ >= 0 || got_init_.load(std::memory_order_acquire)) {
        log::error("mount not adopted: the session has one already (EBUSY)");
        return -EBUSY;
    }
    if (cuse_) {
        log::error("mount not adopted: the session is a character device's (EOPNOTSUPP)");
        return -EOPNOTSUPP;
    }
    if (options_.transport == Choice::kFuseUring) {
        log::error("mount not adopted: transport=fuse_uring was asked for, and a ring cannot be handed over "
                   "(EOPNOTSUPP)");
        return -EOPNOTSUPP;
    }
    if (!is_device_in_use(fd)) {
        log::error("mount not adopted: descriptor %d is no FUSE device in use (EBADF)", fd);
        return -EBADF;
    }
    const int number = connection_number(fd);
    if (number >= 0 && from.connection >= 0 && number != from.connection) {
        log::error("mount not adopted: descriptor %d belongs to connection=%d, the state to %d (EXDEV)", fd,
                   number, from.connection);
        return -EXDEV;
    }
    return 0;
}

int Session::adopt(int fd, const Handover& from)
{
    int rc = check_adoption(fd, from);
    if (rc == 0)
        rc = keep_nonblocking(fd);
    if (rc < 0)
        return rc;
    attach(fd, /* owned= */ true, {});
    set_mount_facts(from.external ? std::string() : from.mountpoint, from.max_read, from.default_permissions);
    buffer_bytes_ = std::max(buffer_bytes_, device_buffer_bytes(from.max_write));
    agreed_ = {};
    agreed_.flags = from.flags;
    agreed_.minor = from.minor;
    agreed_.max_write = from.max_write;
    agreed_.out.max_readahead = from.max_readahead;
    agreed_.out.max_background = static_cast<std::uint16_t>(from.max_background);
    agreed_.out.congestion_threshold = static_cast<std::uint16_t>(from.congestion_threshold);
    peer_.minor = from.minor;
    peer_.setxattr_ext = (from.flags & kern::INIT_SETXATTR_EXT) != 0;
    wanted_ = capabilities_of(from.flags);
    retrieve_limit_ = static_cast<std::size_t>(from.retrieve_limit);
    {
        const MutexLock lock(retrieve_mutex_);
        next_retrieve_ = from.next_retrieve;
    }
    engine_.set_device_uring(options_.transport == Choice::kDeviceUring);
    record_reason("adopted from another session");
    record_agreement(agreed_);
    got_init_.store(true, std::memory_order_release);
    announce(transport_name(), transport_reason().c_str());
    return 0;
}

} // namespace rf
