// One thread's way of reading a FUSE device: a buffer, a slot, and a wait that a stop can end.
#pragma once

#include "base/memory.hpp"
#include "transport/client_cpu.hpp"
#include "transport/cpu_binding.hpp"
#include "transport/dev_uring.hpp"
#include "transport/device.hpp"

#include <memory>

namespace rf {

/// Where the readers of one loop wait. `pin`: resolved.
struct ReaderPlace {
    ring_policy::Pin pin = ring_policy::Pin::kNone;
    ClientCpu clients;
};

/// Reads messages and hands them to the sink, on the thread that calls it. Owner thread only.
class DeviceReader {
public:
    DeviceReader(DeviceTransport& device, RequestSink& sink, StopSignal& stop, ReaderPlace& place) noexcept
        : device_(device), sink_(sink), stop_(stop), place_(place), binding_(home_mask_, place.pin)
    {}
    ~DeviceReader();
    DeviceReader(const DeviceReader&) = delete;
    DeviceReader& operator=(const DeviceReader&) = delete;

    /// Reads through an io_uring, which is opened by the first wait(), on its thread; without one to be had
    /// it reads like the others. `late`: see DeviceRing. Before open(). 0 or -errno.
    [[nodiscard]] int use_ring(DevUring& transport, LateAnswers* late);

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

    /// The thread waits elsewhere from now on, or is the application's again: it gets its affinity back.
    void leave() noexcept { binding_.leave(); }
    /// The thread does not wait here any more: handles what was read meanwhile, ends the io_uring.
    void close();
    /// nullptr: none is used. Any thread.
    [[nodiscard]] DeviceRing* ring() const noexcept { return ring_.get(); }

    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    [[nodiscard]] int open_epoll();
    [[nodiscard]] int wait_for_message();
    [[nodiscard]] int cpu_to_wait_on() const noexcept;
    void bind() noexcept;
    void account(std::uint32_t tid) noexcept;

    DeviceTransport& device_;
    RequestSink& sink_;
    StopSignal& stop_;
    ReaderPlace& place_;
    cpu_set_t home_mask_{}; // the thread's affinity when it is not bound
    CpuBinding binding_;
    Load load_;
    std::uint64_t began_ns_ = 0; // when the last wait or the last request ended
    bool waited_ = true;         // since the last request
    unsigned until_look_ = HomePolicy::kEagerPause;
    DeviceChannel* channel_ = nullptr; // held; the session's own, or a clone
    UniqueFd epoll_;
    MappedMemory buffer_;
    enum class RingUse : std::uint8_t { kNone, kWanted, kOpen };
    RingUse ring_use_ = RingUse::kNone;
    DevUring* ring_transport_ = nullptr;
    std::unique_ptr<DeviceRing> ring_; // constant after use_ring()
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

    /// It stays so: others read the same open file.
    void keep() noexcept { flags_ = -1; }

private:
    int fd_ = -1;
    int flags_ = -1;
};

} // namespace rf
