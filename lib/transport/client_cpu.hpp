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
    static constexpr unsigned kSettled = 8;    // samples in agreement: the client stays where it is
    static constexpr unsigned kStrikes = 2;    // samples from one other CPU: the client has moved
    static constexpr unsigned kFirstRest = 16; // samples
    static constexpr unsigned kLongestRest = 1024;

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
    /// Looks where `tid` is. Returns the requests until the next look.
    [[nodiscard]] unsigned look(std::uint32_t tid, bool alone) noexcept RF_EXCLUDES(mutex_);

private:
    std::atomic<int> home_{-1};
    Mutex mutex_;
    HomePolicy policy_ RF_GUARDED_BY(mutex_);
};

/// What one reader has to do, smoothed over some 8 requests. Owner thread only.
class Load {
public:
    /// A request took `ns` to read and handle. `queued`: it was there already, or somebody else sent the one
    /// before.
    void add(std::uint64_t ns, bool queued) noexcept
    {
        // A handler that blocks says nothing about the others.
        work_ns_ += (static_cast<std::int64_t>(std::min(ns, kMostNs)) - work_ns_) / 8;
        queued_ += ((queued ? kOne : 0) - queued_) / 8;
    }
    /// Requests come one at a time, from one thread: its CPU is free while it waits.
    [[nodiscard]] bool alone() const noexcept { return queued_ < kOne / 4; }
    /// A request costs less than waking another CPU for it.
    [[nodiscard]] bool is_short() const noexcept { return work_ns_ < kShortNs; }

private:
    static constexpr std::uint64_t kMostNs = 200'000;
    static constexpr std::int64_t kShortNs = 25'000;
    static constexpr std::int64_t kOne = 1024;
    std::int64_t work_ns_ = 0;
    std::int64_t queued_ = 0;
};

} // namespace rf
