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

/// A descriptor that requests were read from, for as long as one of them is not answered: the number alone
/// may be somebody else's file by then. Any thread.
class DeviceChannel {
public:
    DeviceChannel() = default;
    DeviceChannel(const DeviceChannel&) = delete;
    DeviceChannel& operator=(const DeviceChannel&) = delete;

    /// A channel that owns `fd` and itself: it goes with the last release(). nullptr when memory is short
    /// (then `fd` is closed).
    [[nodiscard]] static DeviceChannel* own(int fd) noexcept;

    /// For a channel that somebody else owns: what it stands for; -1: nothing any more, answers are refused.
    void set(int fd) noexcept { fd_.store(fd, std::memory_order_release); }
    [[nodiscard]] int fd() const noexcept { return fd_.load(std::memory_order_acquire); }

    void hold() noexcept
    {
        if (owned_)
            holders_.fetch_add(1, std::memory_order_relaxed);
    }
    void release() noexcept;

private:
    std::atomic<int> fd_{-1};
    std::atomic<unsigned> holders_{0};
    UniqueFd owned_;
};

/// Reads requests from and answers them on a FUSE device descriptor. Any thread.
class DeviceTransport final : public Transport {
public:
    /// `fd` is borrowed until the next attach(); -1 for none.
    void attach(int fd, const DeviceIo& io) noexcept
    {
        main_.set(fd);
        io_ = io;
    }
    [[nodiscard]] int fd() const noexcept { return main_.fd(); }
    [[nodiscard]] DeviceChannel& main_channel() noexcept { return main_; }
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
    /// For a request there is no memory to handle: tells the kernel so, if it waits for an answer.
    void refuse(const proto::Incoming& in, DeviceChannel& channel, int error) const;
    void recycle(Slot& slot) override { release_channel(slot); }

private:
    [[nodiscard]] int write_on(int fd, iovec* iov, int count) const;
    [[nodiscard]] int send(const Slot& slot, int error, std::span<const iovec> body) const;
    [[nodiscard]] int send_joined(const Slot& slot, std::span<const iovec> body) const;
    static void release_channel(Slot& slot) noexcept;

    DeviceChannel main_;
    DeviceIo io_; // constant while a loop runs
};

} // namespace rf
