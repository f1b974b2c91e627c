// /dev/fuse read and answered through io_uring: what a reader waits for, reads and answers is one system
// call. For kernels that have io_uring and no FUSE-over-io_uring. Beside DeviceReader, which it serves.
#pragma once

#include "base/event.hpp"
#include "base/mutex.hpp"
#include "transport/device.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <liburing.h>

namespace rf {

/// Tells the supervisor that answers wait for handlers to return. Shared by the readers of one loop.
class LateAnswers {
public:
    /// 0 or -errno.
    [[nodiscard]] int open() noexcept { return wake_.open(); }
    [[nodiscard]] int fd() const noexcept { return wake_.fd(); }

    /// An answer was kept. Any thread.
    void kept() noexcept
    {
        if (resting_.load() && resting_.exchange(false))
            wake_.signal();
    }
    /// The supervisor looks again only when kept() wakes it. It must look once more after this, since an
    /// answer may have been kept just before.
    void rest() noexcept
    {
        wake_.drain();
        resting_.store(true);
    }
    /// From now on answers leave at once: nobody looks after them any more.
    void end() noexcept { ended_.store(true); }
    [[nodiscard]] bool ended() const noexcept { return ended_.load(); }

private:
    EventFd wake_;
    std::atomic<bool> resting_{true};
    std::atomic<bool> ended_{false};
};

/// One reader's io_uring. A thread inside a handler has nothing in flight: the wait for a request is armed
/// only by a thread that then waits, so no request and no wake-up can reach a busy one. Owner thread only,
/// except where noted.
class DeviceRing {
public:
    /// `late`: who sends an answer whose handler goes on; nullptr: nobody, answers leave at once.
    explicit DeviceRing(LateAnswers* late) noexcept : late_(late) {}
    ~DeviceRing() { close(); }
    DeviceRing(const DeviceRing&) = delete;
    DeviceRing& operator=(const DeviceRing&) = delete;

    /// `fd`: the device, non-blocking; `stop_fd` ends every wait. Both are borrowed. 0 or -errno.
    [[nodiscard]] int open(int fd, int stop_fd);
    [[nodiscard]] bool is_open() const noexcept { return open_; }

    /// Sends the answer that was kept, waits until a message was read into `buffer` or the stop came. 0 or
    /// -errno. `buffer` is the kernel's from here until take() has returned something else than -EAGAIN, or
    /// disarm().
    [[nodiscard]] int wait(std::span<std::byte> buffer);
    /// What the last read came to, once: bytes, 0 at the end of the connection, -errno; -EAGAIN: nothing yet.
    [[nodiscard]] ssize_t take() noexcept;
    /// Afterwards the kernel does not write into the buffer any more. A message may have come meanwhile:
    /// take(). False: it could not be had back, the buffer must stay mapped.
    [[nodiscard]] bool disarm();
    /// REQUIRES: disarm() before, if wait() was called.
    void close() noexcept;

    /// The handler of `slot` runs on this thread from here to leave_handler().
    void enter_handler(const Slot& slot) noexcept
    {
        running_ = &slot;
        current_ = this;
    }
    void leave_handler() noexcept
    {
        running_ = nullptr;
        current_ = nullptr;
    }
    /// The ring whose thread calls this inside a handler; nullptr elsewhere.
    [[nodiscard]] static DeviceRing* current() noexcept { return current_; }

    /// Takes over the answer of the handler that runs here, to be sent together with the next wait. False:
    /// the caller must send it.
    [[nodiscard]] bool keep(const Slot& slot, int error, std::span<const iovec> body);
    /// Sends what was kept now. Any thread.
    void flush() noexcept;
    /// The supervisor's look: sends what was there at the look before. True if an answer was kept since then.
    [[nodiscard]] bool look() noexcept;

private:
    static constexpr std::size_t kMostKept = 8192; // larger answers leave at once, uncopied

    [[nodiscard]] bool has_room(unsigned count);
    void arm(std::span<std::byte> buffer);
    void prepare_kept();
    void reap();
    void write_now() noexcept RF_REQUIRES(mutex_);
    static void report(int error) noexcept;

    static thread_local constinit DeviceRing* current_;

    LateAnswers* const late_;
    io_uring ring_{};
    bool open_ = false;
    bool armed_ = false; // a read into the buffer is in flight
    ssize_t result_ = -EAGAIN;
    int fd_ = -1;
    const Slot* running_ = nullptr;
    std::array<std::byte, kMostKept> leaving_; // what the kernel reads during wait()

    Mutex mutex_;
    std::size_t kept_bytes_ RF_GUARDED_BY(mutex_) = 0;
    bool seen_ RF_GUARDED_BY(mutex_) = false; // by the last look
    std::uint64_t count_ RF_GUARDED_BY(mutex_) = 0;
    std::uint64_t counted_ RF_GUARDED_BY(mutex_) = 0;
    std::array<std::byte, kMostKept> kept_ RF_GUARDED_BY(mutex_);
};

/// Answers requests that a DeviceRing read. Outlives the readers, since filesystems hold requests. Any
/// thread.
class DevUring final : public Transport {
public:
    explicit DevUring(DeviceTransport& device) noexcept : device_(device) {}

    [[nodiscard]] const char* name() const noexcept override { return "dev_uring"; }
    int commit(Slot& slot, int error, std::span<const iovec> body) override;
    void recycle(Slot& slot) override { device_.recycle(slot); }
    void flush() noexcept override;

private:
    DeviceTransport& device_;
};

/// Whether the answer may leave after its handler returned. Not those whose sender wants to know at once
/// whether the kernel took them: they hand out a file handle or a reference to a node, or begin or end the
/// session.
[[nodiscard]] bool may_leave_later(std::uint32_t opcode, int error) noexcept;

} // namespace rf
