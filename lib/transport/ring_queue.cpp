#include "transport/ring_queue.hpp"

#include "base/log.hpp"
#include "transport/ring_worker.hpp"

#include <new>

namespace rf {
namespace {

constexpr std::size_t kHeaderBytes = 4096;
// Kernels from 7.3 on use the whole registered length: room for the header of a NOTIFY_REPLY beside a full
// payload.
constexpr std::size_t kPayloadSlack = 4096;

} // namespace

RingQueue::RingQueue(RingShared& shared, unsigned qid) : shared_(shared), qid_(qid) {}

RingQueue::~RingQueue()
{
    stop_threads();
    join_threads();
}

RingEntry* RingQueue::create_entry()
{
    std::unique_ptr<RingEntry> entry(new (std::nothrow) RingEntry);
    if (!entry || entry->memory.map(kHeaderBytes + shared_.payload_bytes + kPayloadSlack) < 0)
        return nullptr;
    const std::span<std::byte> bytes = entry->memory.bytes();
    entry->queue = this;
    entry->header = reinterpret_cast<kern::fuse_uring_req_header*>(bytes.data());
    entry->payload = bytes.subspan(kHeaderBytes, shared_.payload_bytes);
    entry->iov[0] = {entry->header, sizeof(*entry->header)};
    entry->iov[1] = {entry->payload.data(), shared_.payload_bytes + kPayloadSlack};

    const MutexLock lock(mutex_);
    entries_.push_back(std::move(entry));
    return entries_.back().get();
}

int RingQueue::add_worker(bool grow)
{
    std::unique_ptr<RingWorker> worker(new (std::nothrow) RingWorker(*this));
    if (!worker)
        return -ENOMEM;
    if (grow)
        worker->inbox.grow = true; // not shared yet
    if (const int rc = worker->start(); rc < 0)
        return rc;
    shared_.workers.fetch_add(1, std::memory_order_relaxed);
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

RingDispatcher* RingQueue::dispatcher_locked()
{
    if (!dispatcher_) {
        dispatcher_.reset(new (std::nothrow) RingDispatcher(*this));
        const int rc = dispatcher_ ? dispatcher_->start() : -ENOMEM;
        if (rc < 0) {
            log::error("ring dispatcher not started: qid=%u (%s), answers go out with a worker's", qid_,
                       log::errno_name(rc));
            dispatcher_.reset();
        }
    }
    return dispatcher_.get();
}

int RingQueue::hand_over(RingEntry& entry)
{
    const MutexLock lock(mutex_);
    if (closed_)
        return -ENOTCONN;
    RingThread* to = take_parked_locked();
    if (!to)
        to = dispatcher_locked();
    if (!to && !workers_.empty())
        to = workers_.front().get();
    if (!to)
        return -ENOTCONN;
    to->inbox.commits.push(entry);
    to->wake();
    return 0;
}

void RingQueue::dispatch(RingEntry& entry)
{
    const MutexLock lock(mutex_);
    if (RingWorker* worker = take_parked_locked()) {
        worker->inbox.run.push(entry);
        worker->wake();
        return;
    }
    waiting_.push(entry);
    waiting_count_.fetch_add(1, std::memory_order_relaxed);
}

RingEntry* RingQueue::take_waiting()
{
    const MutexLock lock(mutex_);
    RingEntry* entry = waiting_.pop();
    if (entry)
        waiting_count_.fetch_sub(1, std::memory_order_relaxed);
    return entry;
}

RingQueue::Next RingQueue::park(RingWorker& worker, RingEntry*& entry)
{
    const MutexLock lock(mutex_);
    entry = waiting_.pop();
    if (entry) {
        waiting_count_.fetch_sub(1, std::memory_order_relaxed);
        return Next::kRun;
    }
    // Nobody else holds a spare entry: this worker has to.
    if (available.load(std::memory_order_seq_cst) <= 0)
        return Next::kRegister;
    parked_.push_back(&worker);
    return Next::kParked;
}

void RingQueue::take(Inbox& from, Inbox& to)
{
    const MutexLock lock(mutex_);
    to = std::exchange(from, Inbox{});
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
        (void)hand_over(*entry);

    const ring_policy::QueueView now{available.load(std::memory_order_seq_cst),
                                     held.load(std::memory_order_relaxed),
                                     deliveries.load(std::memory_order_relaxed)};
    const bool stuck = ring_policy::is_stuck(last_view_, now) || has_waiting();
    const bool busy = now.deliveries != last_view_.deliveries || answers_wait;
    if (stuck)
        grow_stuck();
    last_view_ = now;
    return busy;
}

void RingQueue::grow_stuck()
{
    {
        const MutexLock lock(mutex_);
        const bool at_cap = shared_.workers.load(std::memory_order_relaxed) >= shared_.worker_cap;
        RingWorker* worker = take_parked_locked();
        if (!worker && at_cap && has_waiting()) {
            // Every other thread blocks. One that waits with an entry of its own may run this; requests that
            // entry receives meanwhile wait, as they would for /dev/fuse readers when max_threads handlers
            // block.
            for (const std::unique_ptr<RingWorker>& candidate : workers_) {
                if (candidate->is_waiting())
                    worker = candidate.get();
            }
        }
        if (worker) {
            RingEntry* entry = waiting_.pop();
            if (entry) {
                waiting_count_.fetch_sub(1, std::memory_order_relaxed);
                worker->inbox.run.push(*entry);
            } else {
                worker->inbox.grow = true;
            }
            worker->wake();
            return;
        }
        if (at_cap)
            return; // as many handlers block as were allowed: the rest waits
    }
    if (const int rc = add_worker(/* grow= */ true); rc < 0)
        log::error("ring worker not started: qid=%u (%s), requests wait for the present ones", qid_,
                   log::errno_name(rc));
}

void RingQueue::stop_threads()
{
    const MutexLock lock(mutex_);
    closed_ = true;
    for (const std::unique_ptr<RingWorker>& worker : workers_)
        worker->wake();
    if (dispatcher_)
        dispatcher_->wake();
}

void RingQueue::join_threads()
{
    // Nobody adds workers any more, and the threads themselves need the mutex to end.
    for (RingWorker* worker : workers())
        worker->join();
    RingDispatcher* dispatcher = nullptr;
    {
        const MutexLock lock(mutex_);
        dispatcher = dispatcher_.get();
    }
    if (dispatcher)
        dispatcher->join();
}

} // namespace rf
