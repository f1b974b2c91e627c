// How a queue gets more workers when it is stuck, and fewer again when too many are idle: the supervisor's
// look at it, and how a worker leaves. The rules are in doc/threading.md, "Growth" and "Fewer again"; the
// rest of RingQueue is in ring_queue.cpp.
#include "base/log.hpp"
#include "transport/ring_dispatcher.hpp"
#include "transport/ring_queue.hpp"
#include "transport/ring_worker.hpp"

#include <algorithm>

namespace rf {
namespace {

// Supervisor ticks (ms) before a growth that failed is tried, and complained about, again.
constexpr unsigned kTicksAfterFailure = 200;

} // namespace

bool RingQueue::supervise(bool full)
{
    EntryList overdue;
    bool answers_wait = false;
    {
        const MutexLock lock(mutex_);
        for (const std::unique_ptr<RingWorker>& worker : workers_) {
            answers_wait |= worker->holds_answer();
            if (RingEntry* entry = worker->take_overdue())
                overdue.push(*entry);
        }
    }
    while (RingEntry* entry = overdue.pop())
        (void)entry->queue->hand_over(*entry);
    bury();

    const ring_policy::QueueView now{available.load(std::memory_order_seq_cst),
                                     held.load(std::memory_order_relaxed),
                                     deliveries.load(std::memory_order_relaxed)};
    // When as many handlers block as are allowed the rest waits, as it would for /dev/fuse readers; but one
    // request of each queue is taken out of the kernel even then. Kernel: a signal for a request that waits
    // in a ring's queue never becomes an INTERRUPT (dev_uring.c, v6.18), for one that was taken it does.
    const bool dry = ring_policy::is_stuck(last_view_, now);
    const bool stuck = full ? dry && !host_->has_waiting() : waits_too_long() || dry;
    const bool busy =
        now.deliveries != last_view_.deliveries || answers_wait || stuck || (!full && has_waiting());
    if (refused_.exchange(false, std::memory_order_relaxed))
        ticks_to_skip_ = kTicksAfterFailure;
    if (ticks_to_skip_ > 0)
        --ticks_to_skip_;
    else if (stuck)
        grow_stuck();
    last_view_ = now;
    return busy;
}

/// Requests were given to nobody: at this look, or where workers are shared, since the last one.
bool RingQueue::waits_too_long() noexcept
{
    const bool waiting = has_waiting();
    const unsigned taken = waiting_taken_.load(std::memory_order_relaxed);
    const bool waited = std::exchange(last_waiting_, waiting);
    const bool none_taken = std::exchange(last_taken_, taken) == taken;
    return waiting && (place_.floating == 0 || (waited && none_taken));
}

/// A worker that waits with an entry of its own. Requests that entry receives while it runs another handler
/// wait, as they would for /dev/fuse readers when max_threads handlers block.
RingWorker* RingQueue::idle_worker_locked()
{
    for (const std::unique_ptr<RingWorker>& candidate : workers_) {
        const Inbox& mail = candidate->inbox;
        if (candidate->is_waiting() && mail.run.empty() && mail.commits.empty() && !mail.grow)
            return candidate.get();
    }
    return nullptr;
}

void RingQueue::grow_stuck()
{
    // Where workers are shared, one is found for whatever request comes.
    if (shares_workers() && !has_waiting())
        return shared_.dispatcher->add_entry(*this);
    {
        const MutexLock lock(mutex_);
        const bool full = workers_.size() >= ring_policy::most_workers(shared_.limit->most());
        RingWorker* worker = take_parked_locked();
        if (!worker && full && has_waiting())
            worker = idle_worker_locked();
        if (worker) {
            if (RingEntry* entry = pop_waiting_locked())
                worker->inbox.run.push(*entry);
            else
                worker->inbox.grow = true;
            worker->wake();
            return;
        }
        if (full)
            return;
    }
    Inbox first;
    if (RingEntry* entry = take_waiting())
        first.run.push(*entry);
    else
        first.grow = true;
    const int rc = add_worker(first);
    if (rc < 0) {
        log::error("ring worker not started: qid=%u (%s), requests wait for the present ones", qid_,
                   log::errno_name(rc));
        while (RingEntry* entry = first.run.pop())
            dispatch(*entry);
        ticks_to_skip_ = kTicksAfterFailure;
    }
}

bool RingQueue::has_too_many_idle() const noexcept
{
    const unsigned workers = shared_.workers.load(std::memory_order_relaxed);
    const unsigned most = shared_.idle_limit.load(std::memory_order_relaxed);
    return workers > most && shared_.can_withhold.load(std::memory_order_relaxed) &&
           workers - std::min(workers, shared_.limit->inside()) > most;
}

bool RingQueue::retire_with(RingEntry& entry)
{
    {
        const MutexLock lock(mutex_);
        if (workers_end_ || !may_lose_worker_locked())
            return false;
        ++leaving_;
    }
    if (shared_.dispatcher->take_retired(entry) == 0)
        return true;
    const MutexLock lock(mutex_);
    --leaving_;
    return false;
}

bool RingQueue::leave(RingWorker& worker)
{
    const MutexLock lock(mutex_);
    --leaving_;
    const Inbox& mail = worker.inbox;
    if (workers_end_ || mail.grow || !mail.commits.empty() || !mail.run.empty())
        return false;
    const auto mine =
        std::find_if(workers_.begin(), workers_.end(),
                     [&](const std::unique_ptr<RingWorker>& each) { return each.get() == &worker; });
    if (mine == workers_.end()) { // still being added
        parked_.push_back(&worker);
        return false;
    }
    gone_.push_back(std::move(*mine));
    workers_.erase(mine);
    shared_.workers.fetch_sub(1, std::memory_order_relaxed);
    return true;
}

/// Joins the threads of workers that left.
void RingQueue::bury()
{
    std::vector<std::unique_ptr<RingWorker>> gone;
    {
        const MutexLock lock(mutex_);
        gone.swap(gone_);
    }
    for (const std::unique_ptr<RingWorker>& worker : gone)
        worker->join();
}

bool RingQueue::withhold(RingEntry& entry)
{
    // Whoever takes the entry we see here holds a request then, and brings one back or is seen to be stuck.
    if (available.load(std::memory_order_seq_cst) <= 0)
        return false;
    keep_withheld(entry);
    return true;
}

void RingQueue::keep_withheld(RingEntry& entry)
{
    const MutexLock lock(mutex_);
    held.fetch_sub(1, std::memory_order_relaxed); // nobody waits for its answer
    withheld_.push(entry);
}

RingEntry* RingQueue::take_withheld()
{
    const MutexLock lock(mutex_);
    RingEntry* entry = withheld_.pop();
    if (entry)
        held.fetch_add(1, std::memory_order_relaxed);
    return entry;
}

} // namespace rf
