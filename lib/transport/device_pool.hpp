// The threads that read /dev/fuse: all of the work on the device transport, the small companion work beside a
// ring.
#pragma once

#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "transport/device_reader.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace rf {

/// Grows by one thread whenever the last idle one takes a request, up to max_threads; a thread that finds
/// more than max_idle_threads idle ends itself.
class DevicePool {
public:
    /// `uring`: answers what readers with an io_uring read.
    DevicePool(DeviceTransport& device, DevUring& uring, RequestSink& sink, StopSignal& stop) noexcept
        : device_(device), uring_(uring), sink_(sink), stop_(stop)
    {}
    ~DevicePool() { join(); }

    /// Starts the first thread. `pin`: resolved. 0 or -errno.
    [[nodiscard]] int start(const LoopConfig& config, std::size_t buffer_bytes, ring_policy::Pin pin);

    /// Until the stop: sends answers whose handlers go on. With config.device_uring, on a thread that runs no
    /// handlers.
    void watch_answers();

    /// Waits for all threads. REQUIRES: the stop signal was given, or start() failed.
    void join();

    [[nodiscard]] unsigned threads() const noexcept { return count_.load(std::memory_order_relaxed); }

private:
    struct Worker {
        explicit Worker(DevicePool& owner) noexcept
            : pool(owner), reader(owner.device_, owner.sink_, owner.stop_, owner.place_)
        {}
        DevicePool& pool;
        DeviceReader reader;
        Thread thread;
        std::atomic<bool> finished{false};
    };

    [[nodiscard]] int open_reader(DeviceReader& reader, bool clone_fd);
    [[nodiscard]] bool look_after_answers() RF_EXCLUDES(mutex_);
    [[nodiscard]] int add_worker() RF_EXCLUDES(mutex_);
    void grow_if_last_idle();
    void report_no_thread(int error);
    void run(Worker& worker);
    [[nodiscard]] bool work_once(Worker& worker);
    [[nodiscard]] bool leave_if_superfluous();
    static void thread_main(void* worker);

    DeviceTransport& device_;
    DevUring& uring_;
    RequestSink& sink_;
    StopSignal& stop_;

    LateAnswers late_;
    ReaderPlace place_; // pin: constant after start()

    // Constant after start().
    LoopConfig config_;
    std::size_t buffer_bytes_ = 0;

    // Any thread. A count that is off for a moment starts one thread too many or one request too late, no
    // more.
    std::atomic<unsigned> count_{0};
    std::atomic<unsigned> idle_{0};
    std::atomic<std::int64_t> next_report_s_{0};

    Mutex mutex_;
    std::vector<std::unique_ptr<Worker>> workers_ RF_GUARDED_BY(mutex_);
    bool closed_ RF_GUARDED_BY(mutex_) = false;

    // An application's read function may block, so only the thread that saw the descriptor readable calls it.
    Mutex custom_read_;
};

} // namespace rf
