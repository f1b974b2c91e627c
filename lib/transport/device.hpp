// The /dev/fuse side: one message a read, one answer a writev. Also carries what never goes over a ring:
// notifications, INIT, FORGET, INTERRUPT.
#pragma once

#include "base/fd.hpp"
#include "transport/transport.hpp"

#include <atomic>
#include <sys/types.h>

namespace rf {

/// How bytes are moved; the application may bring its own (fuse_session_custom_io). Unset members: not
/// available.
struct DeviceIo {
    ssize_t (*writev)(int fd, iovec* iov, int count, void* userdata) = nullptr;
    ssize_t (*read)(int fd, void* buf, std::size_t len, void* userdata) = nullptr;
    int (*clone_fd)(int fd) = nullptr;
    void* userdata = nullptr;
    [[nodiscard]] bool custom() const noexcept { return read != nullptr; }
};

/// Bytes a device read buffer needs for writes of up to `max_write`, headers included.
[[nodiscard]] std::size_t device_buffer_bytes(std::size_t max_write) noexcept;

/// Reads requests from and answers them on a FUSE device descriptor. Any thread.
class DeviceTransport final : public Transport {
public:
    /// `fd` is borrowed and must stay open while requests are outstanding.
    void attach(int fd, const DeviceIo& io) noexcept
    {
        fd_ = fd;
        io_ = io;
    }
    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] bool custom() const noexcept { return io_.custom(); }

    /// One message into `buffer`: its size; 0 at the end of the connection; -errno. Retries what the kernel
    /// asks to be retried (ENOENT: the request vanished before it was read). -EAGAIN: nothing there.
    [[nodiscard]] ssize_t read(int fd, std::span<std::byte> buffer) const;

    /// Writes one message (a notification) as it stands; 0 or -errno. The kernel takes it whole or not at
    /// all.
    [[nodiscard]] int write_message(std::span<iovec> message) const;

    /// A descriptor of the same connection with a request queue of its own; -errno if there is none to be
    /// had.
    [[nodiscard]] int clone() const;

    [[nodiscard]] const char* name() const noexcept override { return custom() ? "custom_io" : "dev"; }
    int commit(Slot& slot, int error, std::span<const iovec> body) override;
    void recycle(Slot&) override {}

private:
    [[nodiscard]] int write_on(int fd, iovec* iov, int count) const;

    // Constant once the session is mounted.
    int fd_ = -1;
    DeviceIo io_;
};

} // namespace rf
