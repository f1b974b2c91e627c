#include "transport/ring_worker.hpp"

#include "base/log.hpp"

#include <array>
#include <cstdio>

namespace rf {
namespace {

// A worker has one entry, its wake-up and its stop watch in flight.
constexpr unsigned kWorkerRingEntries = 8;
} // namespace

int RingWorker::start()
{
    std::array<char, 16> name;
    snprintf(name.data(), name.size(), "fuse-ring-%u", queue_.qid());
    if (const int rc = thread_.start(name.data(), &RingWorker::thread_main, this); rc < 0)
        return rc;
    report_.wait(kWaiting, std::memory_order_acquire);
    const int rc = report_.load(std::memory_order_acquire);
    // Its end is reported here as well, and may be what we see: it has started, and run what it was given.
    return rc == -ESHUTDOWN ? 0 : rc;
}

void RingWorker::report(int result) noexcept
{
    report_.store(result, std::memory_order_release);
    report_.notify_all();
}

int RingWorker::prepare_first()
{
    first_ = queue_.create_entry();
    return first_ ? 0 : -ENOMEM;
}

int RingWorker::register_first()
{
    // seq_cst: either we see that the thread has ended, or it sees that somebody waits and reports its end.
    report_.store(kWaiting, std::memory_order_seq_cst);
    if (ended_.load(std::memory_order_seq_cst))
        return -ESHUTDOWN;
    RingQueue::Inbox mail;
    mail.grow = true;
    queue_.take(mail, inbox);
    wake();
    report_.wait(kWaiting, std::memory_order_acquire);
    return report_.load(std::memory_order_acquire);
}

void RingWorker::thread_main(void* argument)
{
    RingWorker& worker = *static_cast<RingWorker*>(argument);
    worker.become_current();
    if (const int cpu = worker.queue_.place().wait_on; cpu >= 0)
        (void)worker.cpu_.settle(static_cast<unsigned>(cpu));
    const int rc = worker.open_ring(kWorkerRingEntries);
    worker.report(rc);
    if (rc < 0)
        return;
    if (!worker.serve())
        worker.send_last_answers();
    // Gives back what the kernel still holds of ours; the buffers live on with the queue.
    worker.ring_.close();
    worker.see_rest(kNoMoreRests);
    worker.ended_.store(true, std::memory_order_seq_cst);
    worker.report(-ESHUTDOWN);
}

/// Until the end, then false; or until it leaves the queue, then true.
bool RingWorker::serve()
{
    EntryList ready;
    while (!shared_.ended()) {
        if (const unsigned asked = shared_.rests_asked.load(std::memory_order_acquire);
            asked != rest_seen_.load(std::memory_order_relaxed))
            see_rest(asked);
        if (std::exchange(leaving_, false) && queue_.leave(*this))
            return true;
        take_mail();
        if (leaving_)
            continue;
        if (shared_.ended())
            break;
        waiting_.store(true, std::memory_order_relaxed);
        const int rc = send_and_wait();
        waiting_.store(false, std::memory_order_relaxed);
        if (rc < 0) {
            log::error("ring wait failed: qid=%u (%s), the session ends", queue_.qid(), log::errno_name(rc));
            shared_.stop->stop(StopCause::kFailed, rc);
            break;
        }
        reap(ready);
        if (shared_.options.nonblocking) {
            while (RingEntry* entry = ready.pop())
                handle_in_batch(*entry);
            continue;
        }
        RingEntry* const first = ready.pop();
        // More than one only if it owned more than one, see finish(): the others must not wait behind this
        // handler.
        while (RingEntry* more = ready.pop())
            queue_.dispatch(*more);
        handle(first);
    }
    return false;
}

/// What was answered before the end is sent, though nothing is taken any more.
void RingWorker::send_last_answers()
{
    RingQueue::Inbox mail;
    queue_.retire(*this, mail);
    while (RingEntry* entry = mail.commits.pop())
        commit(*entry);
    (void)ring_.submit();
    keep_what_comes();
    if (shared_.succeeded.load(std::memory_order_acquire))
        withdraw_from(queue_);
}

void RingWorker::see_rest(unsigned number) noexcept
{
    rest_seen_.store(number, std::memory_order_release);
    rest_seen_.notify_all();
}

bool RingWorker::await_rest(unsigned asked) const noexcept
{
    for (;;) {
        const unsigned seen = rest_seen_.load(std::memory_order_acquire);
        if (seen == asked || seen == kNoMoreRests)
            return seen == asked;
        rest_seen_.wait(seen, std::memory_order_acquire);
    }
}

void RingWorker::take_mail()
{
    RingQueue::Inbox mail;
    queue_.take(inbox, mail);
    while (RingEntry* entry = mail.commits.pop())
        commit(*entry);
    if (mail.grow)
        report_.load(std::memory_order_relaxed) == kWaiting ? begin() : grow();
    if (shared_.options.nonblocking) {
        while (RingEntry* entry = mail.run.pop())
            handle_in_batch(*entry);
        return;
    }
    RingEntry* const first = mail.run.pop();
    while (RingEntry* more = mail.run.pop())
        queue_.dispatch(*more);
    handle(first);
}

/// Registers the first entry, before the ring is in use, and reports how that went.
void RingWorker::begin()
{
    refused_ = 0;
    // What an earlier ring left is with the kernel already, and its commit also fetches what waits.
    if (RingEntry* left = queue_.take_withheld())
        commit(*left);
    else
        enter(*std::exchange(first_, nullptr));
    if (shared_.options.nonblocking)
        enter_batch();
    const int rc = ring_.submit();
    // A refusal is posted within the call that submitted; acceptance posts nothing.
    EntryList ready;
    reap(ready);
    if (refused_ != 0)
        queue_.repark(*this);
    report(rc < 0 ? rc : refused_);
    while (RingEntry* early = ready.pop())
        shared_.options.nonblocking ? handle_in_batch(*early) : handle(early);
    if (!shared_.options.nonblocking)
        return;
    // What an earlier ring had taken; no supervisor looks after it here.
    while (!shared_.rests()) {
        RingEntry* left = queue_.take_waiting();
        if (!left)
            break;
        handle_in_batch(*left);
    }
}

/// Where handlers never block, one worker has all entries of its queue: answers of one round leave together.
void RingWorker::enter_batch()
{
    for (unsigned i = 1; i < shared_.options.depth; ++i) {
        if (RingEntry* entry = queue_.create_entry())
            enter(*entry);
    }
}

void RingWorker::handle_in_batch(RingEntry& entry)
{
    RingEntry* answered = &entry;
    if (!answer_kick(entry)) {
        if (shared_.rests()) {
            queue_.put_off(entry, nullptr);
            return;
        }
        queue_.inside.fetch_add(1, std::memory_order_relaxed);
        answered = run(entry);
        queue_.inside.fetch_sub(1, std::memory_order_relaxed);
    }
    if (answered)
        commit(*answered);
    else if (queue_.available.load(std::memory_order_relaxed) <= 0)
        grow(); // held for a later answer; the next request must find an entry
}

/// Registers one more entry. Requests may wait in the kernel already, which REGISTER does not pick up.
void RingWorker::grow()
{
    if (RingEntry* withheld = queue_.take_withheld()) {
        commit(*withheld);
        (void)ring_.submit(); // if it fails it is sent before the next wait
        return;
    }
    RingEntry* entry = first_ ? std::exchange(first_, nullptr) : queue_.create_entry();
    if (!entry) {
        log::error("no memory for a ring entry: qid=%u, requests may wait for busy workers", queue_.qid());
        queue_.note_refusal();
        if (owned_ == 0)
            queue_.repark(*this);
        return;
    }
    enter(*entry);
    const int rc = ring_.submit();
    if (rc < 0 && rc != -EINTR && rc != -EBUSY)
        log::error("ring submit failed: qid=%u (%s), the entry is registered later", queue_.qid(),
                   log::errno_name(rc));
    if (shared_.ended())
        return;
    cpu_.tighten();
    shared_.kicker->kick(queue_.cpu(), cpu_.bound() && cpu_.cpu() == queue_.place().cpu);
}

/// Runs the handler for `entry`, and for others that wait for a worker, until there is nothing left to run.
void RingWorker::handle(RingEntry* entry)
{
    while (entry) {
        RingQueue& from = *entry->queue; // the entry may serve another request when the handler returns
        RingEntry* answered = entry;
        if (!answer_kick(*entry)) {
            if (shared_.rests() || !shared_.limit->enter(queue_)) {
                queue_.put_off(*entry, owned_ == 0 ? this : nullptr);
                return;
            }
            // Nothing that is ready to go may wait for the handler's end.
            if (ring_.has_unsubmitted())
                (void)ring_.submit();
            answered = run(*entry);
            shared_.limit->leave(queue_);
        }
        entry = nullptr;
        if (!answered)
            from.note_unanswered();
        finish(answered, entry);
    }
}

void RingWorker::finish(RingEntry* answered, RingEntry*& next)
{
    if (owned_ > 0) {
        // It ran this as the last one free, with an entry of its own (RingQueue::grow_stuck()), and must not
        // get another one.
        if (answered && answered->queue->hand_over(*answered) < 0)
            commit(*answered);
        if (queue_.has_waiting())
            shared_.rouse_supervisor();
        return;
    }
    const bool may_keep = answered && queue_.may_keep(*answered);
    if (may_keep && !queue_.has_waiting()) {
        leaving_ = queue_.has_too_many_idle() && queue_.retire_with(*answered);
        if (!leaving_)
            commit(*answered);
        return;
    }
    if (may_keep) {
        // Somebody waits for a worker: run that, and let the dispatcher send this answer. Committing it here
        // would make us own an AVAILABLE entry inside the next handler.
        next = queue_.take_waiting();
        if (!next || queue_.hand_over(*answered) < 0)
            commit(*answered);
        return;
    }
    // This worker is to be free for whatever request comes: the dispatcher sends the answer.
    if (answered && answered->queue->hand_over(*answered) < 0) {
        commit(*answered);
        return;
    }
    switch (queue_.park(*this, next)) {
    case RingQueue::Next::kRegister:
        grow();
        break;
    case RingQueue::Next::kLeave:
        leaving_ = true;
        break;
    case RingQueue::Next::kParked:
    case RingQueue::Next::kRun:
        break;
    }
}

void RingWorker::answered(RingEntry& entry)
{
    // seq_cst: the supervisor, before it goes to sleep, must see either this or our look at its flag.
    deferred_.store(&entry, std::memory_order_seq_cst);
    shared_.rouse_supervisor();
}

void RingWorker::flush() noexcept
{
    for (RingEntry* entry : {deferred_.exchange(nullptr, std::memory_order_acq_rel), in_place_.take()}) {
        if (!entry)
            continue;
        if (shared_.options.nonblocking)
            commit(*entry); // the queue's one worker is this one
        else
            (void)entry->queue->hand_over(*entry);
    }
    // Earlier answers of the same batch as well: the kernel may wait for one of them in the notification.
    if (shared_.options.nonblocking && ring_.has_unsubmitted())
        (void)ring_.submit(); // if it fails they are sent before the next wait
}

RingEntry* RingWorker::take_overdue() noexcept
{
    if (RingEntry* entry = in_place_.take_overdue())
        return entry;
    RingEntry* const now = deferred_.load(std::memory_order_acquire);
    RingEntry* const before = std::exchange(seen_deferred_, now);
    if (!now || now != before)
        return nullptr;
    seen_deferred_ = nullptr;
    return deferred_.exchange(nullptr, std::memory_order_acq_rel);
}

void RingWorker::on_tag(std::uint64_t tag, int)
{
    if (tag == kWakeTag) {
        wake_.drain();
        ring_.prepare_poll(wake_.fd(), kWakeTag);
    }
}

void RingWorker::on_refused(RingEntry& entry, int res)
{
    refused_ = res;
    RingThread::on_refused(entry, res);
    first_ = &entry; // for the next attempt
    queue_.note_refusal();
    // At the start, register_first() reports it and parks us.
    if (owned_ == 0 && report_.load(std::memory_order_relaxed) != kWaiting)
        queue_.repark(*this);
}

} // namespace rf
