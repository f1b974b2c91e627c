#include "transport/ring_queue.hpp"

#include "base/log.hpp"
#include "transport/ring_dispatcher.hpp"
#include "transport/ring_worker.hpp"

#include <algorithm>
#include <new>

namespace rf {
namespace {

constexpr std::size_t kHeaderBytes = 4096;

// Supervisor ticks (ms) before a growth that failed is tried, and complained about, again.
constexpr unsigned kTicksAfterFailure = 200;

// Kernels from 7.3 on use the whole registered length: room for the header of a NOTIFY_REPLY beside a full
// payload.
constexpr std::size_t kPayloadSlack = 4096;

} // namespace

RingQueue::RingQueue(RingShared& shared, unsigned qid, const placement::QueuePlace& place)
    : shared_(shared), qid_(qid), place_(place)
{}

RingQueue::~RingQueue() = default;

RingEntry* RingQueue::create_entry()
{
    const std::size_t bytes = shared_.payload_bytes + kPayloadSlack;
    const std::size_t most = shared_.options.memory_bytes;
    if (shared_.payload_total.fetch_add(bytes, std::memory_order_relaxed) + bytes > most && most != 0) {
        shared_.payload_total.fetch_sub(bytes, std::memory_order_relaxed);
        return nullptr;
    }
    std::unique_ptr<RingEntry> entry(new (std::nothrow) RingEntry);
    if (!entry || entry->header_memory.map(kHeaderBytes) < 0 ||
        entry->payload_memory.map(bytes, place_.node) < 0) {
        shared_.payload_total.fetch_sub(bytes, std::memory_order_relaxed);
        return nullptr;
    }
    entry->queue = this;
    entry->header = reinterpret_cast<kern::fuse_uring_req_header*>(entry->header_memory.bytes().data());
    entry->payload = entry->payload_memory.ours().first(shared_.payload_bytes);
    entry->iov[0] = {entry->header, sizeof(*entry->header)};
    entry->iov[1] = {entry->payload_memory.kernels().data(), bytes};

    const MutexLock lock(mutex_);
    entries_.push_back(std::move(entry));
    return entries_.back().get();
}

int RingQueue::fill_stock(unsigned count)
{
    for (unsigned i = 0; i < count; ++i) {
        RingEntry* entry = create_entry();
        if (!entry)
            return -ENOMEM;
        put_into_stock(*entry);
    }
    return 0;
}

RingEntry* RingQueue::take_stock()
{
    {
        const MutexLock lock(mutex_);
        if (RingEntry* entry = stock_.pop())
            return entry;
    }
    return create_entry();
}

void RingQueue::put_into_stock(RingEntry& entry)
{
    const MutexLock lock(mutex_);
    stock_.push(entry);
}

void RingQueue::give_pages_back(const RingThread& owner)
{
    std::vector<RingEntry*> mine;
    {
        const MutexLock lock(mutex_);
        for (const std::unique_ptr<RingEntry>& entry : entries_) {
            // Relaxed: only the owner itself sets or clears its name there.
            if (entry->home.load(std::memory_order_relaxed) == &owner)
                mine.push_back(entry.get());
        }
    }
    for (RingEntry* entry : mine) {
        if (entry->used_bytes > ring_policy::kKeptBytes)
            entry->payload_memory.give_back(ring_policy::kKeptBytes);
        entry->used_bytes = 0;
    }
}

int RingQueue::add_worker(Inbox& first)
{
    std::unique_ptr<RingWorker> worker(new (std::nothrow) RingWorker(*this));
    if (!worker)
        return -ENOMEM;
    worker->inbox = first; // not shared yet
    const unsigned workers = shared_.workers.fetch_add(1, std::memory_order_relaxed) + 1;
    shared_.limit->note_workers(workers);
    if (const int rc = worker->start(); rc < 0) {
        shared_.workers.fetch_sub(1, std::memory_order_relaxed);
        return rc;
    }
    first = {};
    const MutexLock lock(mutex_);
    workers_.push_back(std::move(worker));
    return 0;
}

std::vector<RingWorker*> RingQueue::workers()
{
    const MutexLock lock(mutex_);
    std::vector<RingWorker*> all;
    for (const std::unique_ptr<RingWorker>& worker : workers_)
        all.push_back(worker.get());
    return all;
}

RingWorker* RingQueue::take_parked_locked()
{
    if (parked_.empty())
        return nullptr;
    // The one that parked last: its stack and ring are the warmest.
    RingWorker* worker = parked_.back();
    parked_.pop_back();
    return worker;
}

bool RingQueue::may_keep(const RingEntry& entry)
{
    if (entry.queue != this)
        return false;
    if (place_.floating == 0)
        return true;
    const MutexLock lock(mutex_);
    return has_enough_parked_locked();
}

void RingQueue::note_unanswered()
{
    if (shares_workers() && available.load(std::memory_order_seq_cst) <= 0)
        shared_.dispatcher->add_entry(*this);
}

int RingQueue::hand_over(RingEntry& entry)
{
    {
        const MutexLock lock(mutex_);
        RingThread* to = nullptr;
        if (!workers_end_ && parked_.size() > place_.floating)
            to = take_parked_locked();
        else if (shared_.options.nonblocking && !workers_end_ && !workers_.empty())
            to = workers_.front().get(); // back in a moment, and the answer leaves with its next ones
        if (to) {
            to->inbox.commits.push(entry);
            to->wake();
            return 0;
        }
    }
    const int rc = shared_.dispatcher->take_answered(entry);
    if (rc == 0 || rc == -ENOTCONN)
        return rc;
    const MutexLock lock(mutex_);
    if (workers_end_ || workers_.empty())
        return -ENOTCONN;
    workers_.front()->inbox.commits.push(entry);
    workers_.front()->wake();
    return 0;
}

void RingQueue::push_waiting_locked(RingEntry& entry)
{
    waiting_.push(entry);
    waiting_count_.fetch_add(1, std::memory_order_seq_cst);
}

RingEntry* RingQueue::pop_waiting_locked()
{
    RingEntry* entry = waiting_.pop();
    if (entry) {
        waiting_count_.fetch_sub(1, std::memory_order_seq_cst);
        waiting_taken_.fetch_add(1, std::memory_order_relaxed);
    }
    return entry;
}

void RingQueue::dispatch(RingEntry& entry)
{
    if (is_guest())
        return host_->dispatch(entry);
    {
        const MutexLock lock(mutex_);
        RingWorker* worker = workers_end_ ? nullptr : take_parked_locked();
        if (worker) {
            worker->inbox.run.push(entry);
            worker->wake();
            return;
        }
        push_waiting_locked(entry);
    }
    if (shared_.single)
        shared_.single->wake();
    else
        shared_.rouse_supervisor();
}

RingEntry* RingQueue::take_waiting()
{
    const MutexLock lock(mutex_);
    return pop_waiting_locked();
}

void RingQueue::put_off(RingEntry& entry, RingWorker* worker)
{
    if (is_guest())
        return host_->put_off(entry, worker);
    {
        const MutexLock lock(mutex_);
        push_waiting_locked(entry);
        if (worker)
            parked_.push_back(worker);
    }
    // The handler it waits for may have returned before it was on the list.
    shared_.rouse_supervisor();
}

bool RingQueue::run_waiting()
{
    const MutexLock lock(mutex_);
    RingEntry* entry = parked_.empty() ? nullptr : pop_waiting_locked();
    if (!entry)
        return false;
    RingWorker* worker = take_parked_locked();
    worker->inbox.run.push(*entry);
    worker->wake();
    return true;
}

RingQueue::Next RingQueue::park(RingWorker& worker, RingEntry*& entry)
{
    const MutexLock lock(mutex_);
    if (!shared_.limit->reached()) {
        entry = pop_waiting_locked();
        if (entry)
            return Next::kRun;
    }
    // Nobody else holds a spare entry: this worker has to, unless guests need it.
    if (available.load(std::memory_order_seq_cst) <= 0 && has_enough_parked_locked())
        return Next::kRegister;
    if (has_too_many_idle() && may_lose_worker_locked()) {
        ++leaving_;
        return Next::kLeave;
    }
    parked_.push_back(&worker);
    return Next::kParked;
}

void RingQueue::take(Inbox& from, Inbox& to)
{
    const MutexLock lock(mutex_);
    to = std::exchange(from, Inbox{});
}

void RingQueue::repark(RingWorker& worker)
{
    const MutexLock lock(mutex_);
    parked_.push_back(&worker);
}

bool RingQueue::has_too_many_idle() const noexcept
{
    const unsigned workers = shared_.workers.load(std::memory_order_relaxed);
    return workers > shared_.idle_limit && shared_.can_withhold.load(std::memory_order_relaxed) &&
           workers - std::min(workers, shared_.limit->inside()) > shared_.idle_limit;
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

void RingQueue::retire(RingWorker& worker, Inbox& last)
{
    const MutexLock lock(mutex_);
    std::erase(parked_, &worker);
    workers_end_ = true; // one goes only when all do
    last = std::exchange(worker.inbox, Inbox{});
}

bool RingQueue::supervise()
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
    const bool full = shared_.limit->reached();
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

bool RingQueue::await_rest(unsigned asked)
{
    bool all = true;
    for (RingWorker* worker : workers()) {
        worker->wake();
        all &= worker->await_rest(asked);
    }
    return all;
}

void RingQueue::end_rest()
{
    while (run_waiting()) {
    }
    // The supervisor runs what is left; without one, the worker that has all entries does.
    const MutexLock lock(mutex_);
    if (!shared_.options.nonblocking || workers_.empty())
        return;
    RingWorker& worker = *workers_.front();
    while (RingEntry* entry = pop_waiting_locked())
        worker.inbox.run.push(*entry);
    worker.wake();
}

void RingQueue::inherit(RingQueue& old)
{
    while (RingEntry* entry = old.take_withheld()) {
        entry->queue = this;
        held.fetch_add(1, std::memory_order_relaxed);
        keep_withheld(*entry);
    }
    while (RingEntry* entry = old.take_waiting()) {
        entry->queue = this; // its memory stays with the old one
        held.fetch_add(1, std::memory_order_relaxed);
        const MutexLock lock(host_->mutex_);
        host_->push_waiting_locked(*entry);
    }
}

void RingQueue::send_guests_home()
{
    EntryList all;
    while (RingEntry* entry = take_waiting())
        all.push(*entry);
    while (RingEntry* entry = all.pop()) {
        RingQueue& home = *entry->queue;
        const MutexLock lock(home.mutex_);
        home.push_waiting_locked(*entry);
    }
}

void RingQueue::stop_workers()
{
    const MutexLock lock(mutex_);
    workers_end_ = true;
    for (const std::unique_ptr<RingWorker>& worker : workers_)
        worker->wake();
}

void RingQueue::join_workers()
{
    // Nobody adds workers any more, and the threads themselves need the mutex to end.
    for (RingWorker* worker : workers())
        worker->join();
    bury();
}

} // namespace rf
