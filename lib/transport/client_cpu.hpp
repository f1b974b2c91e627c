// Where the readers of a device wait. The kernel wakes a reader wherever the scheduler likes, often on an
// idle CPU; waking that one costs more than all the rest of a short request. So readers of short requests
// wait on the CPU their client runs on. Nothing in a request says which that is, so /proc is asked now and
// then.
#pragma once

#include "base/mutex.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace rf {

/// The CPU that thread `tid` last ran on; -errno if it is not to be found out.
[[nodiscard]] int cpu_of_thread(std::uint32_t tid) noexcept;

/// The decisions, without a kernel. Not thread-safe.
class HomePolicy {
public:
    /// A client was seen on `cpu`. `alone`: no other request was under way, so following this client hurts no
    /// other.
    void sample(int cpu, bool alone) noexcept;
    /// The CPU to wait on; -1: any.
    [[nodiscard]] int home() const noexcept { return home_; }
    /// Requests a reader may serve before it asks again.
    [[nodiscard]] unsigned pause() const noexcept { return agreed_ < kSettled ? kEagerPause : kSettledPause; }

    static constexpr unsigned kEagerPause = 16;
    static constexpr unsigned kSettledPause = 128;
    static constexpr unsigned kSettled = 8;   // samples in agreement: the client stays where it is
    static constexpr unsigned kStrikes = 2;   // samples from one other CPU: the client has moved
    static constexpr unsigned kFirstRest = 8; // samples
    static constexpr unsigned kLongestRest = 64;

private:
    void move(int cpu) noexcept;

    int home_ = -1;
    int seen_ = -1; // where the last sample from elsewhere was
    unsigned strikes_ = 0;
    unsigned agreed_ = 0;
    unsigned resting_ = 0;
    unsigned next_rest_ = kFirstRest;
};

/// Shared by all readers of one loop.
class ClientCpu {
public:
    [[nodiscard]] int home() const noexcept { return home_.load(std::memory_order_relaxed); }
    /// Requests come from `tid` now. True: somebody else sent the one before, whichever reader got it.
    [[nodiscard]] bool changes_to(std::uint32_t tid) noexcept
    {
        if (last_tid_.load(std::memory_order_relaxed) == tid)
            return false;
        last_tid_.store(tid, std::memory_order_relaxed);
        return true;
    }
    /// Looks where `tid` is. Returns the requests until the next look.
    [[nodiscard]] unsigned look(std::uint32_t tid, bool alone) noexcept RF_EXCLUDES(mutex_);

private:
    std::atomic<int> home_{-1};
    std::atomic<std::uint32_t> last_tid_{0};
    Mutex mutex_;
    HomePolicy policy_ RF_GUARDED_BY(mutex_);
};

/// What one reader has to do, smoothed over some 8 requests. Owner thread only.
class Load {
public:
    /// A request took `ns` to read and handle. `queued`: it was there before the reader waited for it.
    /// `other`: another thread sent it than the one before.
    void add(std::uint64_t ns, bool queued, bool other) noexcept
    {
        // Follows the median: handlers that block, and threads that lose their CPU, say nothing about the
        // rest.
        const std::int64_t step = std::max(kLeastStepNs, work_ns_ / 8);
        work_ns_ =
            std::max<std::int64_t>(0, work_ns_ + (ns > static_cast<std::uint64_t>(work_ns_) ? step : -step));
        queued_ += ((queued ? kOne : 0) - queued_) / 8;
        others_ += ((other ? kOne : 0) - others_) / 8;
    }
    /// All requests come from one thread.
    [[nodiscard]] bool one_client() const noexcept { return others_ < kOne / 4; }
    /// They come one at a time, so that a client's CPU is free meanwhile. A client that runs before the
    /// reader gets round to waiting makes some look queued.
    [[nodiscard]] bool one_at_a_time() const noexcept { return queued_ < kOne * 3 / 4; }
    /// A request costs less than waking another CPU for it.
    [[nodiscard]] bool is_short() const noexcept { return work_ns_ < kShortNs; }

private:
    static constexpr std::int64_t kLeastStepNs = 500;
    static constexpr std::int64_t kShortNs = 25'000;
    static constexpr std::int64_t kOne = 1024;
    std::int64_t work_ns_ = 0;
    std::int64_t queued_ = 0;
    std::int64_t others_ = 0;
};

} // namespace rf
