// fusermount3: starting it and receiving the device it opened.
#include "mount/fusermount.hpp"

#include "base/log.hpp"
#include "mount/config.hpp"
#include "mount/process.hpp"

#include <array>
#include <cstring>
#include <sys/socket.h>

namespace rf::mount {
namespace {

constexpr char kName[] = "fusermount3";

void log_missing(int error)
{
    log::error("%s not found: tried %s and PATH (%s), install it (package fuse3) or mount as root", kName,
               kFusermountPath, log::errno_name(error));
}

// Takes the one message: a byte with a descriptor beside it. Without a descriptor the byte is the errno of
// the exec that failed, see process.hpp; end of file: the helper gave up.
int receive_device(int socket, UniqueFd& device)
{
    char byte = 0;
    iovec iov{.iov_base = &byte, .iov_len = sizeof(byte)};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &iov;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();

    ssize_t n = 0;
    do {
        n = from_libc(recvmsg(socket, &message, MSG_CMSG_CLOEXEC));
    } while (n == -EINTR);
    if (n < 0)
        return static_cast<int>(n);
    if (n == 0)
        return -EIO;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (!header) {
        log_missing(byte);
        return -ENOENT;
    }
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(sizeof(int)))
        return -EPROTO;
    int fd = -1;
    memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    device = UniqueFd(fd);
    return 0;
}

} // namespace

int fusermount_mount(const char* mountpoint, const std::string& options, bool auto_unmount, bool quiet,
                     FusermountResult& out)
{
    std::array<int, 2> pair{-1, -1};
    const int rc = from_libc(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()));
    if (rc < 0)
        return rc;
    UniqueFd ours(pair[0]);
    UniqueFd theirs(pair[1]);

    const Program program{
        .candidates = search_path(kFusermountPath, kName),
        .argv = {kName, "-o", options, "--", mountpoint},
        .environment = {"_FUSE_COMMFD=" + std::to_string(theirs.get())},
        .inherited_fd = theirs.get(),
        .quiet = quiet,
        // It stays to watch the socket. As our child it would be a zombie after every unmount.
        .detached = auto_unmount,
    };
    const int status = run(program);
    theirs.reset(); // or a helper that died would never show as end of file
    if (status < 0)
        return status;
    const int received = receive_device(ours.get(), out.device);
    if (received < 0)
        return received;
    if (auto_unmount)
        out.keep_alive = std::move(ours);
    return 0;
}

int fusermount_unmount(const char* mountpoint)
{
    const Program program{
        .candidates = search_path(kFusermountPath, kName),
        .argv = {kName, "-u", "-q", "-z", "--", mountpoint},
    };
    const int status = run(program);
    if (status == kExitNotFound) {
        log_missing(ENOENT);
        return -ENOENT;
    }
    return status > 0 ? -EIO : status;
}

} // namespace rf::mount
