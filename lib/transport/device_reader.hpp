// One thread's way of reading a FUSE device: a buffer, a slot, and a wait that a stop can end.
#pragma once

#include "base/memory.hpp"
#include "transport/device.hpp"

namespace rf {

/// Reads messages and hands them to the sink, on the thread that calls it. Owner thread only.
class DeviceReader {
public:
    DeviceReader(DeviceTransport& device, RequestSink& sink, StopSignal& stop) noexcept
        : device_(device), sink_(sink), stop_(stop)
    {}
    ~DeviceReader();
    DeviceReader(const DeviceReader&) = delete;
    DeviceReader& operator=(const DeviceReader&) = delete;

    /// Reads from the session's descriptor, or from a clone of it. 0 or -errno.
    [[nodiscard]] int open(std::size_t buffer_bytes, bool clone_fd);

    /// Takes one message into the buffer without waiting: its size, 0 at the end of the connection, or -errno
    /// (-EAGAIN: nothing there).
    [[nodiscard]] ssize_t receive();

    /// Waits until there may be a message or the session stops. 0 or -errno.
    [[nodiscard]] int wait();

    /// Handles the message of `bytes` bytes that receive() took. 0 or -errno (no memory; the message is
    /// answered).
    [[nodiscard]] int handle(std::size_t bytes);

    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    DeviceTransport& device_;
    RequestSink& sink_;
    StopSignal& stop_;
    DeviceChannel* channel_ = nullptr; // held; the session's own, or a clone
    UniqueFd epoll_;
    MappedMemory buffer_;
    Slot* slot_ = nullptr;
    int fd_ = -1;
};

/// Makes reads of the device return at once while it lives; then the descriptor is as it was. A reader must
/// never sleep inside read(): nothing but a request could wake it there, and it waits in epoll instead. An
/// application's own I/O functions are left alone: their descriptor is theirs.
class NonblockingDevice {
public:
    explicit NonblockingDevice(const DeviceTransport& device) noexcept;
    ~NonblockingDevice();
    NonblockingDevice(const NonblockingDevice&) = delete;
    NonblockingDevice& operator=(const NonblockingDevice&) = delete;

private:
    int fd_ = -1;
    int flags_ = -1;
};

} // namespace rf
