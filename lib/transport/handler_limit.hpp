// How many handlers may run at once on the ring: the cap that max_threads means.
#pragma once

#include "base/mutex.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace rf {

class RingQueue;

/// While there are no more workers than handlers may run, the cap cannot be reached and starting a handler
/// costs one count on its queue's own cache line. From the first worker beyond it, handlers start under a
/// lock that adds up the counts of all queues. Any thread.
class HandlerLimit {
public:
    /// `queues` must be complete before the first worker runs.
    HandlerLimit(const std::vector<std::unique_ptr<RingQueue>>& queues) noexcept : queues_(queues) {}

    void set(unsigned most) noexcept { most_.store(most, std::memory_order_relaxed); }
    [[nodiscard]] unsigned most() const noexcept { return most_.load(std::memory_order_relaxed); }

    /// There are `workers` in all from now on. Before the newest can take a request.
    void note_workers(unsigned workers) noexcept
    {
        if (workers > most())
            active_.store(true, std::memory_order_seq_cst);
    }

    /// A handler of `queue` wants to start; false if as many as allowed run already. Each true needs one
    /// leave().
    [[nodiscard]] bool enter(RingQueue& queue) RF_EXCLUDES(mutex_);
    /// It returned. Lets a request run that waited for that, in another queue.
    void leave(RingQueue& queue);
    /// Handlers that run, and whether as many do as may. Out of date at once.
    [[nodiscard]] unsigned inside() const noexcept;
    [[nodiscard]] bool reached() const noexcept { return inside() >= most(); }

private:
    const std::vector<std::unique_ptr<RingQueue>>& queues_;
    std::atomic<unsigned> most_{0}; // constant while a loop runs
    std::atomic<bool> active_{false};
    Mutex mutex_; // makes "compare, then count" one step
};

} // namespace rf
