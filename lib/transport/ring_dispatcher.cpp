#include "transport/ring_dispatcher.hpp"

#include "base/log.hpp"

#include <cstring>

namespace rf {
namespace {

// Whole batches are submitted at once.
constexpr unsigned kDispatcherRingEntries = 64;

} // namespace

int RingDispatcher::start()
{
    if (const int rc = wake_.open(); rc < 0)
        return rc;
    return thread_.start("fuse-ring-disp", &RingDispatcher::thread_main, this);
}

void RingDispatcher::end()
{
    end_.store(true, std::memory_order_release);
    wake();
    thread_.join();
}

void RingDispatcher::thread_main(void* argument)
{
    RingDispatcher& self = *static_cast<RingDispatcher*>(argument);
    self.become_current();
    (void)self.cpu_.settle(self.queue_.qid());
    if (const int rc = self.open_ring(kDispatcherRingEntries); rc < 0) {
        // Answers are already waiting here; without a ring they cannot be sent.
        log::error("ring dispatcher failed: qid=%u (%s), the session ends", self.queue_.qid(),
                   log::errno_name(rc));
        self.shared_.stop->stop(StopCause::kFailed, rc);
        RingQueue::Inbox lost;
        self.queue_.retire(self, lost);
        return;
    }
    self.serve();
    RingQueue::Inbox last;
    self.queue_.retire(self, last);
    while (RingEntry* entry = last.commits.pop())
        self.commit(*entry);
    while (RingEntry* entry = last.retired.pop())
        self.commit(*entry);
    (void)self.ring_.submit();
    self.ring_.close();
}

void RingDispatcher::serve()
{
    EntryList ready;
    while (!end_.load(std::memory_order_acquire)) {
        take_mail();
        const int rc = send_and_wait();
        if (rc < 0) {
            log::error("ring wait failed: qid=%u (%s), the session ends", queue_.qid(), log::errno_name(rc));
            shared_.stop->stop(StopCause::kFailed, rc);
            break;
        }
        reap(ready);
        while (RingEntry* entry = ready.pop())
            take_request(*entry);
    }
}

void RingDispatcher::take_mail()
{
    RingQueue::Inbox mail;
    queue_.take(inbox, mail);
    while (RingEntry* entry = mail.commits.pop())
        commit(*entry);
    while (RingEntry* entry = mail.retired.pop()) {
        // The entry committed last is the first to get a request. If another one is faster, or the kernel
        // takes no such notification, the entry merely stays in service here.
        commit(*entry);
        if (ring_.submit() < 0 || !cpu_.bound() || shared_.kicker->kick_to_withhold() < 0)
            queue_.shared().can_withhold.store(false, std::memory_order_relaxed);
    }
}

void RingDispatcher::take_request(RingEntry& entry)
{
    kern::fuse_in_header header;
    std::memcpy(&header, entry.header->in_out, sizeof(header));
    if (!answer_kick(entry))
        queue_.dispatch(entry);
    else if (!Kicker::is_to_withhold(header) || !queue_.withhold(entry))
        commit(entry);
}

void RingDispatcher::on_tag(std::uint64_t tag, int)
{
    if (tag == kWakeTag) {
        wake_.drain();
        ring_.prepare_poll(wake_.fd(), kWakeTag);
    }
}

} // namespace rf
