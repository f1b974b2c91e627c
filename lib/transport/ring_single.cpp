#include "transport/ring_single.hpp"

#include "base/cpu.hpp"
#include "base/log.hpp"
#include "transport/ring_worker.hpp"

namespace rf {
namespace {

constexpr unsigned kRingEntries = 64;

// Requests in a row from one CPU after which this thread moves there. Waking a thread on another CPU costs
// several times the request (doc/threading.md, measured); moving costs about as much as a few requests.
constexpr unsigned kStreakToFollow = 16;

} // namespace

int RingSingle::open()
{
    become_current();
    for (const std::unique_ptr<RingQueue>& queue : queues_) {
        first_.push_back(queue->create_entry());
        if (!first_.back())
            return -ENOMEM;
    }
    return open_ring(kRingEntries);
}

int RingSingle::register_all()
{
    EntryList ready;
    refused_ = 0;
    for (RingEntry* entry : first_) {
        // What an earlier ring left is with the kernel already, and its commit also fetches what waits.
        if (RingEntry* left = entry->queue->take_withheld())
            commit(*left);
        else
            enter(*entry);
        if (const int rc = ring_.submit(); rc < 0)
            return rc;
    }
    reap(ready);
    while (RingEntry* entry = ready.pop())
        handle(*entry);
    return refused_;
}

void RingSingle::serve(int (*read_device)(void*), void* context, int device_fd)
{
    device_fd_ = device_fd;
    device_ready_ = true;
    ring_.prepare_poll(shared_.stop->stop_fd(), kStopTag);
    ring_.prepare_poll(device_fd_, kDeviceTag);
    EntryList ready;
    while (!shared_.ended()) {
        if (device_ready_) {
            device_ready_ = false;
            begin_handler();
            if (read_device(context) < 0)
                break;
        }
        run_waiting();
        // Last, so that what was pushed meanwhile is followed by a wake-up that the wait below sees.
        take_mail(/* then_busy= */ false);
        const int rc = send_and_wait();
        if (rc < 0) {
            log::error("ring wait failed (%s), the session ends", log::errno_name(rc));
            shared_.stop->stop(StopCause::kFailed, rc);
            break;
        }
        reap(ready);
        while (RingEntry* entry = ready.pop())
            handle(*entry);
    }
}

/// Prepares what other threads answered. With `then_busy`, what they answer from now on goes to a dispatcher.
void RingSingle::take_mail(bool then_busy)
{
    EntryList answered;
    {
        const MutexLock lock(mutex_);
        answered = std::exchange(answered_, EntryList{});
        busy_ = then_busy;
    }
    while (RingEntry* entry = answered.pop())
        commit(*entry);
}

/// Goes where the requests come from: the caller that waits for the answer is there.
void RingSingle::follow(unsigned qid)
{
    if (qid != streak_qid_) {
        streak_qid_ = qid;
        streak_ = 0;
    }
    if (++streak_ == kStreakToFollow && cpu_.cpu() != static_cast<int>(qid))
        (void)cpu_.settle(qid);
}

/// From here on this thread looks at nothing for a while: sends what is ready, and has others send the rest.
void RingSingle::begin_handler()
{
    take_mail(/* then_busy= */ true);
    if (ring_.has_unsubmitted())
        (void)ring_.submit();
}

void RingSingle::handle(RingEntry& entry)
{
    RingQueue& queue = *entry.queue;
    if (answer_kick(entry)) {
        commit(entry);
        return;
    }
    follow(queue.qid());
    begin_handler();
    // Either the answer is there and nobody else commits it, or it left while the handler ran, or it comes
    // later.
    if (RingEntry* answered = run(entry))
        commit(*answered);
    restock(queue);
}

/// What a dispatcher received while a handler ran here.
void RingSingle::run_waiting()
{
    for (const std::unique_ptr<RingQueue>& queue : queues_) {
        while (queue->has_waiting()) {
            if (RingEntry* entry = queue->take_waiting())
                handle(*entry);
        }
    }
}

/// Requests may be held for long without blocking this thread; the next one must find an entry.
void RingSingle::restock(RingQueue& queue)
{
    if (queue.available.load(std::memory_order_relaxed) > 0)
        return;
    RingEntry* entry = queue.create_entry();
    if (!entry) {
        log::error("no memory for a ring entry: qid=%u, requests may wait for answers", queue.qid());
        return;
    }
    enter(*entry);
    if (const int rc = ring_.submit(); rc < 0 && rc != -EINTR && rc != -EBUSY)
        log::error("ring submit failed: qid=%u (%s), the entry is registered later", queue.qid(),
                   log::errno_name(rc));
    if (shared_.ended())
        return;
    // What waits in the kernel already is not picked up by that, and the kick has to come from the queue's
    // CPU.
    cpu_set_t before;
    const bool visiting = get_affinity(before) == 0 && pin_to_cpu(queue.qid()) == 0;
    shared_.kicker->kick(queue.qid(), visiting);
    if (visiting)
        (void)set_affinity(before);
}

void RingSingle::answered(RingEntry& entry)
{
    // At once, as on the device: the filesystem may go on after the answer. Whatever request this fetches
    // waits for the one thread there is.
    commit(entry);
    if (const int rc = ring_.submit(); rc < 0 && rc != -EBUSY)
        log::error("ring submit failed: qid=%u (%s), sent later", entry.queue->qid(), log::errno_name(rc));
}

int RingSingle::hand_over(RingEntry& entry)
{
    {
        const MutexLock lock(mutex_);
        if (closed_)
            return -ENOTCONN;
        if (!busy_) {
            answered_.push(entry);
            wake();
            return 0;
        }
    }
    return entry.queue->hand_over(entry);
}

void RingSingle::close()
{
    {
        const MutexLock lock(mutex_);
        closed_ = true;
    }
    // What was answered before the end is sent, though nothing is taken any more.
    take_mail(/* then_busy= */ false);
    if (ring_.is_open()) {
        (void)ring_.submit();
        keep_what_comes();
        for (const std::unique_ptr<RingQueue>& queue : queues_) {
            if (shared_.succeeded.load(std::memory_order_acquire))
                withdraw_from(*queue);
        }
    }
    ring_.close();
    cpu_.leave();
    // Withdrawing went to the queues' CPUs; the thread is the application's again.
    if (shared_.succeeded.load(std::memory_order_acquire))
        (void)set_affinity(shared_.affinity);
    resign();
}

void RingSingle::flush() noexcept
{
    if (RingEntry* entry = in_place_.take())
        answered(*entry);
}

void RingSingle::give_pages_back()
{
    for (const std::unique_ptr<RingQueue>& queue : queues_)
        queue->give_pages_back(*this);
}

void RingSingle::on_tag(std::uint64_t tag, int)
{
    if (tag == kWakeTag) {
        wake_.drain();
        ring_.prepare_poll(wake_.fd(), kWakeTag);
    } else if (tag == kDeviceTag) {
        device_ready_ = true;
        ring_.prepare_poll(device_fd_, kDeviceTag);
    }
}

void RingSingle::on_refused(RingEntry& entry, int res)
{
    refused_ = res;
    RingThread::on_refused(entry, res);
}

} // namespace rf
