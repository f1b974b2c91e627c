#include "transport/ring_queue.hpp"

#include "base/log.hpp"
#include "transport/ring_dispatcher.hpp"
#include "transport/ring_worker.hpp"

#include <algorithm>
#include <new>

namespace rf {
namespace {

constexpr std::size_t kHeaderBytes = 4096;

} // namespace

RingQueue::RingQueue(RingShared& shared, unsigned qid, const placement::QueuePlace& place)
    : shared_(shared), qid_(qid), place_(place)
{}

RingQueue::~RingQueue() = default;

RingEntry* RingQueue::create_entry()
{
    const std::size_t bytes = shared_.payload_bytes + ring_policy::kPayloadSlack;
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

void RingQueue::retire(RingWorker& worker, Inbox& last)
{
    const MutexLock lock(mutex_);
    std::erase(parked_, &worker);
    workers_end_ = true; // one goes only when all do
    last = std::exchange(worker.inbox, Inbox{});
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
