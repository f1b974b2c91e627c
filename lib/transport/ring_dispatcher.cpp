#include "transport/ring_dispatcher.hpp"

#include "base/cpu.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <cstring>

namespace rf {
namespace {

// Whole batches are submitted at once. Beyond the upper bound completions that come all at once wait in lists
// of the kernel.
constexpr std::size_t kFewestRingEntries = 64;
constexpr std::size_t kMostRingEntries = 512;

} // namespace

RingDispatcher::RingDispatcher(RingShared& shared, const std::vector<std::unique_ptr<RingQueue>>& queues,
                               std::size_t entries) noexcept
    : RingThread(shared), queues_(queues),
      ring_entries_(static_cast<unsigned>(std::clamp(entries / 4, kFewestRingEntries, kMostRingEntries)))
{}

int RingDispatcher::start_locked()
{
    if (life_ != Life::kNotStarted)
        return life_ == Life::kRuns ? 0 : -ENOTCONN;
    int rc = wake_.fd() >= 0 ? 0 : wake_.open();
    if (rc == 0) {
        report_.store(kWaiting, std::memory_order_relaxed);
        rc = thread_.start("fuse-ring-disp", &RingDispatcher::thread_main, this);
    }
    if (rc == 0) {
        report_.wait(kWaiting, std::memory_order_acquire);
        rc = report_.load(std::memory_order_acquire);
    }
    if (rc < 0) {
        thread_.join();
        log::error("ring dispatcher not started (%s), answers go out with a worker's", log::errno_name(rc));
        return rc;
    }
    life_ = Life::kRuns;
    return 0;
}

int RingDispatcher::start()
{
    const MutexLock lock(mutex_);
    return start_locked();
}

void RingDispatcher::end()
{
    {
        const MutexLock lock(mutex_);
        if (life_ == Life::kNotStarted)
            life_ = Life::kEnded;
    }
    end_.store(true, std::memory_order_release);
    wake();
    thread_.join();
}

int RingDispatcher::take_answered(RingEntry& entry)
{
    const MutexLock lock(mutex_);
    if (const int rc = start_locked(); rc < 0)
        return rc;
    mail_.answered.push(entry);
    wake();
    return 0;
}

int RingDispatcher::take_retired(RingEntry& entry)
{
    const MutexLock lock(mutex_);
    if (const int rc = start_locked(); rc < 0)
        return rc;
    mail_.retired.push(entry);
    wake();
    return 0;
}

int RingDispatcher::register_spares(RingQueue& queue, unsigned count)
{
    {
        const MutexLock lock(mutex_);
        if (life_ != Life::kRuns)
            return -ENOTCONN;
        report_.store(kWaiting, std::memory_order_relaxed);
        mail_.wanted.push_back({&queue, count, false});
        wake();
    }
    report_.wait(kWaiting, std::memory_order_acquire);
    return report_.load(std::memory_order_acquire);
}

void RingDispatcher::add_entry(RingQueue& queue)
{
    if (queue.entry_wanted.exchange(true, std::memory_order_acq_rel))
        return;
    const MutexLock lock(mutex_);
    if (start_locked() < 0) {
        queue.entry_wanted.store(false, std::memory_order_release);
        return;
    }
    // One: the kick fetches one request, and more of them could wait beside an entry that is AVAILABLE.
    mail_.wanted.push_back({&queue, 1, true});
    wake();
}

void RingDispatcher::report(int result) noexcept
{
    report_.store(result, std::memory_order_release);
    report_.notify_all();
}

void RingDispatcher::thread_main(void* argument)
{
    RingDispatcher& self = *static_cast<RingDispatcher*>(argument);
    self.become_current();
    // It may have been started by a thread that is bound.
    (void)set_affinity(self.shared_.affinity);
    const int rc = self.open_ring(self.ring_entries_);
    self.report(rc);
    if (rc < 0)
        return;
    self.serve();
    Mail last;
    {
        const MutexLock lock(self.mutex_);
        self.life_ = Life::kEnded;
        last = std::exchange(self.mail_, Mail{});
    }
    while (RingEntry* entry = last.answered.pop())
        self.commit(*entry);
    while (RingEntry* entry = last.retired.pop())
        self.commit(*entry);
    (void)self.ring_.submit();
    self.keep_what_comes();
    for (const std::unique_ptr<RingQueue>& queue : self.queues_) {
        if (self.shared_.succeeded.load(std::memory_order_acquire))
            self.withdraw_from(*queue);
    }
    while (RingEntry* entry = self.ready_.pop())
        entry->queue->put_off(*entry, nullptr);
    self.ring_.close();
    self.report(-ENOTCONN); // to whoever waits for spares
}

void RingDispatcher::serve()
{
    while (!end_.load(std::memory_order_acquire)) {
        take_mail();
        while (RingEntry* entry = ready_.pop())
            take_request(*entry);
        if (look_again_)
            continue;
        const int rc = send_and_wait();
        if (rc < 0) {
            log::error("ring wait failed: dispatcher (%s), the session ends", log::errno_name(rc));
            shared_.stop->stop(StopCause::kFailed, rc);
            break;
        }
        reap(ready_);
        while (RingEntry* entry = ready_.pop())
            take_request(*entry);
    }
}

void RingDispatcher::take_mail()
{
    Mail mail;
    look_again_ = false;
    {
        const MutexLock lock(mutex_);
        mail = std::exchange(mail_, Mail{});
    }
    while (RingEntry* entry = mail.answered.pop())
        put_into_service(*entry);
    for (const Wanted& wanted : mail.wanted) {
        refused_ = 0;
        add_entries(*wanted.queue, wanted.count, wanted.kick);
        if (wanted.kick)
            wanted.queue->entry_wanted.store(false, std::memory_order_release);
        else
            report(refused_);
    }
    while (RingEntry* entry = mail.retired.pop())
        retire(*entry);
}

void RingDispatcher::put_into_service(RingEntry& entry)
{
    ++entry.queue->spares;
    commit(entry);
}

/// With `kick`: requests may wait there, which REGISTER does not pick up.
void RingDispatcher::add_entries(RingQueue& queue, unsigned count, bool kick_queue)
{
    RingEntry* entry = kick_queue ? queue.take_withheld() : nullptr;
    if (entry) {
        put_into_service(*entry); // its commit fetches what waits
        (void)ring_.submit();
        return;
    }
    for (unsigned i = 0; i < count; ++i) {
        entry = queue.take_stock();
        if (!entry) {
            log::error("no memory for a ring entry: qid=%u, requests may wait for busy workers", queue.qid());
            queue.note_refusal();
            refused_ = -ENOMEM;
            break;
        }
        ++queue.spares;
        enter(*entry);
    }
    const int rc = ring_.submit();
    if (rc < 0 && rc != -EINTR && rc != -EBUSY)
        log::error("ring submit failed: qid=%u (%s), the entry is registered later", queue.qid(),
                   log::errno_name(rc));
    // A refusal is posted within the call that submitted; acceptance posts nothing.
    reap(ready_);
    if (kick_queue && refused_ == 0 && !shared_.ended())
        kick(queue);
}

/// Goes to the CPU whose requests `queue` gets, since what makes the kernel look has to come from there; true
/// if that worked, then come_back() is due.
bool RingDispatcher::visit(const RingQueue& queue) noexcept
{
    return queue.place().cpu != placement::kAnywhere && shared_.options.pin != ring_policy::Pin::kNone &&
           pin_to_cpu(queue.cpu()) == 0;
}

void RingDispatcher::come_back() noexcept
{
    (void)set_affinity(shared_.affinity);
}

void RingDispatcher::kick(RingQueue& queue)
{
    const bool there = visit(queue);
    shared_.kicker->kick(queue.cpu(), there);
    if (there)
        come_back();
}

void RingDispatcher::retire(RingEntry& entry)
{
    RingQueue& queue = *entry.queue;
    put_into_service(entry);
    if (queue.spares <= static_cast<int>(queue.place().spares) || queue.place().cpu == placement::kAnywhere)
        return;
    // The entry committed last is the first to get a request. If another one is faster, or the kernel takes
    // no such notification, the entry merely stays in service here.
    const bool there = visit(queue);
    if (ring_.submit() < 0 || !there || shared_.kicker->kick_to_withhold() < 0)
        shared_.can_withhold.store(false, std::memory_order_relaxed);
    if (there)
        come_back();
}

void RingDispatcher::take_request(RingEntry& entry)
{
    RingQueue& queue = *entry.queue;
    --queue.spares;
    kern::fuse_in_header header;
    std::memcpy(&header, entry.header->in_out, sizeof(header));
    if (!answer_kick(entry))
        queue.dispatch(entry);
    else if (!Kicker::is_to_withhold(header) || !queue.withhold(entry))
        put_into_service(entry);
    // Where nobody can make the kernel look again, the queue must not run dry.
    const placement::QueuePlace& place = queue.place();
    if (queue.spares < static_cast<int>(place.refill) && !shared_.ended()) {
        const auto missing = static_cast<unsigned>(static_cast<int>(place.spares) - queue.spares);
        refused_ = 0;
        add_entries(queue, missing, /* kick_queue= */ false);
    }
}

void RingDispatcher::on_tag(std::uint64_t tag, int)
{
    if (tag == kWakeTag) {
        look_again_ = true;
        wake_.drain();
        ring_.prepare_poll(wake_.fd(), kWakeTag);
    }
}

void RingDispatcher::on_refused(RingEntry& entry, int res)
{
    RingThread::on_refused(entry, res);
    refused_ = res;
    --entry.queue->spares;
    entry.queue->put_into_stock(entry);
    entry.queue->note_refusal();
}

void RingDispatcher::give_pages_back()
{
    for (const std::unique_ptr<RingQueue>& queue : queues_)
        queue->give_pages_back(*this);
}

} // namespace rf
