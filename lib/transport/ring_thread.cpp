#include "transport/ring_thread.hpp"

#include "base/cpu.hpp"
#include "base/log.hpp"
#include "base/tsan.hpp"
#include "proto/opcodes.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstring>

namespace rf {
namespace {

thread_local RingThread* t_current = nullptr;

std::size_t total_bytes(std::span<const iovec> body) noexcept
{
    std::size_t bytes = 0;
    for (const iovec& piece : body)
        bytes += piece.iov_len;
    return bytes;
}

void gather(std::span<const iovec> body, std::byte* to) noexcept
{
    for (const iovec& piece : body) {
        // An answer built in place (fuse_req_get_payload, file data read straight into it) is where it
        // belongs; memmove because a caller may also pass a part of the payload that lies elsewhere.
        if (piece.iov_len > 0 && piece.iov_base != to)
            std::memmove(to, piece.iov_base, piece.iov_len);
        to += piece.iov_len;
    }
}

} // namespace

int write_answer(RingEntry& entry, std::uint64_t unique, int error, std::span<const iovec> body)
{
    std::size_t bytes = error == 0 ? total_bytes(body) : 0;
    int rc = 0;
    if (bytes > entry.payload.size()) {
        error = -EIO; // as the device path answers a reply that is too long
        bytes = 0;
        rc = -EINVAL;
    }
    if (bytes > 0) {
        // Relaxed: a handler that returns meanwhile makes staging unnecessary, not wrong.
        const bool handler_reads = entry.pending.load(std::memory_order_relaxed) > 1;
        std::byte* to = entry.payload.data();
        if (handler_reads && bytes <= entry.stage.size()) {
            to = entry.stage.data();
            entry.staged = {to, bytes};
        } else if (handler_reads) {
            // Behind the arguments if there is room; otherwise the handler has to have read what it answers.
            const std::size_t behind = (entry.header->ring_ent_in_out.payload_sz + 63) & ~std::size_t{63};
            if (behind + bytes <= entry.payload.size()) {
                to += behind;
                entry.staged = {to, bytes};
            }
        }
        gather(body, to);
    }
    kern::fuse_out_header out{};
    out.len = static_cast<std::uint32_t>(sizeof(out) + bytes);
    out.error = error;
    out.unique = unique;
    std::memcpy(entry.header->in_out, &out, sizeof(out));
    return rc;
}

RingThread::~RingThread()
{
    if (t_current == this)
        t_current = nullptr;
    if (slot_)
        shared_.sink->release_slot(*slot_);
}

RingThread* RingThread::current() noexcept
{
    return t_current;
}

void RingThread::become_current() noexcept
{
    t_current = this;
}

void RingThread::resign() noexcept
{
    t_current = nullptr;
}

int RingThread::open_ring(unsigned entries)
{
    if (const int rc = wake_.fd() >= 0 ? 0 : wake_.open(); rc < 0)
        return rc;
    if (const int rc = ring_.open(entries, shared_.device->fd(), shared_.companion_fd); rc < 0)
        return rc;
    ring_.prepare_poll(wake_.fd(), kWakeTag);
    return 0;
}

void RingThread::commit(RingEntry& entry)
{
    kern::fuse_out_header out;
    std::memcpy(&out, entry.header->in_out, sizeof(out));
    if (!entry.staged.empty()) {
        std::memmove(entry.payload.data(), entry.staged.data(), entry.staged.size());
        entry.staged = {};
    }
    entry.header->ring_ent_in_out.payload_sz = out.len - static_cast<std::uint32_t>(sizeof(out));
    tsan::to_kernel();
    RingQueue& queue = *entry.queue;
    queue.held.fetch_sub(1, std::memory_order_relaxed);
    queue.available.fetch_add(1, std::memory_order_seq_cst);
    ++owned_;
    entry.home.store(this, std::memory_order_relaxed);
    entry.used_bytes = std::max<std::size_t>(entry.used_bytes, entry.header->ring_ent_in_out.payload_sz);
    large_ |= entry.used_bytes > ring_policy::kKeptBytes;
    ring_.prepare_commit(entry, queue.qid());
}

void RingThread::enter(RingEntry& entry)
{
    RingQueue& queue = *entry.queue;
    queue.available.fetch_add(1, std::memory_order_seq_cst);
    ++owned_;
    entry.home.store(this, std::memory_order_relaxed);
    ring_.prepare_register(entry, queue.qid());
}

int RingThread::send_and_wait()
{
    // Two calls where one would do: the first wakes the client that was answered, and with fstat from one
    // client on this CPU the pair makes 282 k/s where the combined call makes 250 k/s. No sched_yield()
    // between them: it gains nothing on a quiet machine, and beside a busy process every yield gives away a
    // whole time slice (140 k/s becomes 0.6 k/s).
    if (!ring_.has_completions()) {
        if (const int rc = ring_.submit(); rc < 0 && rc != -EINTR && rc != -EBUSY && rc != -EAGAIN)
            return rc;
    }
    cpu_.before_wait();
    const int rc = ring_.submit_and_wait(large_ ? ring_policy::kQuietSeconds : 0);
    cpu_.after_wait();
    if (rc == -ETIME && !ring_.has_unsubmitted() && !ring_.has_completions()) {
        large_ = false;
        give_pages_back();
    }
    return rc == -EINTR || rc == -EBUSY || rc == -EAGAIN || rc == -ETIME ? 0 : rc;
}

void RingThread::reap(EntryList& ready)
{
    std::uint64_t tag = 0;
    int res = 0;
    while (ring_.take(tag, res)) {
        if (tag <= kStopTag)
            on_tag(tag, res);
        else
            on_entry(*reinterpret_cast<RingEntry*>(tag), res, ready);
    }
}

void RingThread::on_entry(RingEntry& entry, int res, EntryList& ready)
{
    using ring_policy::Completion;
    RingQueue& queue = *entry.queue;
    switch (ring_policy::classify(entry.command, res)) {
    case Completion::kRequest:
        tsan::from_kernel();
        --owned_;
        entry.home.store(nullptr, std::memory_order_relaxed);
        queue.held.fetch_add(1, std::memory_order_relaxed);
        queue.deliveries.fetch_add(1, std::memory_order_relaxed);
        queue.available.fetch_sub(1, std::memory_order_seq_cst);
        shared_.rouse_supervisor();
        ready.push(entry);
        return;
    case Completion::kRetry:
        if (shared_.ended())
            break;
        if (entry.command == ring_policy::Command::kCommit)
            ring_.prepare_commit(entry, queue.qid());
        else
            ring_.prepare_register(entry, queue.qid());
        return;
    case Completion::kGone:
        shared_.stop->stop(StopCause::kUnmounted, 0);
        break;
    case Completion::kReenter:
        log::error("answer refused: qid=%u unique=%" PRIu64 " (%s), the kernel no longer waits for it",
                   queue.qid(), entry.commit_id, log::errno_name(res));
        ring_.prepare_register(entry, queue.qid());
        return;
    case Completion::kBroken:
        if (entry.command == ring_policy::Command::kCommit) {
            log::error("commit refused: qid=%u unique=%" PRIu64 " (%s), the entry is registered anew",
                       queue.qid(), entry.commit_id, log::errno_name(res));
            ring_.prepare_register(entry, queue.qid());
            return;
        }
        --owned_;
        queue.available.fetch_sub(1, std::memory_order_seq_cst);
        on_refused(entry, res);
        return;
    }
    --owned_;
    queue.available.fetch_sub(1, std::memory_order_seq_cst);
}

void RingThread::on_refused(RingEntry& entry, int res)
{
    log::error("ring entry refused: qid=%u (%s), the queue has one entry less", entry.queue->qid(),
               log::errno_name(res));
}

/// Fills a slot from what the kernel wrote into `entry`; nullptr if the request cannot be run (then it is
/// answered).
Slot* RingThread::prepare_slot(RingEntry& entry)
{
    const kern::fuse_uring_ent_in_out& meta = entry.header->ring_ent_in_out;
    entry.commit_id = meta.commit_id;
    entry.staged = {};
    entry.pending.store(1, std::memory_order_relaxed);

    proto::Incoming in;
    const auto area = [](const char* bytes) {
        return std::span<const std::byte, kern::kRingAreaBytes>(reinterpret_cast<const std::byte*>(bytes),
                                                                kern::kRingAreaBytes);
    };
    int error = meta.payload_sz <= entry.payload.size() ? 0 : -EIO;
    std::span<const std::byte> payload;
    if (error == 0) {
        entry.used_bytes = std::max<std::size_t>(entry.used_bytes, meta.payload_sz);
        payload = entry.payload.first(meta.payload_sz);
        if (payload.size() <= arguments_.size()) {
            if (!payload.empty())
                std::memcpy(arguments_.data(), payload.data(), payload.size());
            payload = std::span<const std::byte>(arguments_).first(payload.size());
        } else {
            entry.pending.store(2, std::memory_order_relaxed);
        }
        error = proto::parse_ring_message(area(entry.header->in_out), area(entry.header->op_in), payload, in);
    }
    Slot* slot = error == 0 ? (slot_ ? slot_ : shared_.sink->acquire_slot()) : nullptr;
    if (!slot) {
        log::error("request refused: qid=%u unique=%" PRIu64 " (%s), answered EIO", entry.queue->qid(),
                   entry.commit_id, log::errno_name(error ? error : -ENOMEM));
        (void)write_answer(entry, entry.commit_id, error ? -EIO : -ENOMEM, {});
        return nullptr;
    }
    slot_ = nullptr;
    slot->transport = shared_.transport;
    slot->in = in;
    // Not while the handler reads its arguments there.
    if (entry.pending.load(std::memory_order_relaxed) == 1)
        slot->payload = entry.payload;
    else
        slot->payload = {};
    slot->channel = nullptr;
    slot->entry = &entry;
    slot->queue = static_cast<int>(entry.queue->qid());
    slot->add_references(2);
    return slot;
}

void RingThread::keep_what_comes()
{
    EntryList taken;
    ring_.receive();
    reap(taken);
    while (RingEntry* entry = taken.pop()) {
        kern::fuse_in_header header;
        std::memcpy(&header, entry->header->in_out, sizeof(header));
        if (!Kicker::is_to_withhold(header)) {
            entry->queue->put_off(*entry, nullptr);
            continue;
        }
        (void)answer_kick(*entry);
        entry->queue->keep_withheld(*entry);
    }
}

void RingThread::withdraw_from(RingQueue& queue)
{
    // Each takes one entry, perhaps another thread's, which then is on its way out as well; under load real
    // requests are faster now and then.
    constexpr unsigned kMostKicks = 32;
    if (owned_ == 0 || pin_to_cpu(queue.cpu()) < 0)
        return;
    for (unsigned i = 0; i < kMostKicks && owned_ > 0; ++i) {
        if (queue.available.load(std::memory_order_seq_cst) <= 0 || shared_.kicker->kick_to_withhold() < 0)
            return;
        keep_what_comes();
    }
}

bool RingThread::answer_kick(RingEntry& entry)
{
    kern::fuse_in_header header;
    std::memcpy(&header, entry.header->in_out, sizeof(header));
    std::span<const std::byte> answer;
    if (!shared_.kicker->is_kick(header, answer))
        return false;
    entry.commit_id = entry.header->ring_ent_in_out.commit_id;
    entry.staged = {};
    entry.pending.store(1, std::memory_order_relaxed);
    const iovec body{const_cast<std::byte*>(answer.data()), answer.size()};
    (void)write_answer(entry, entry.commit_id, 0, {&body, 1});
    return true;
}

RingEntry* RingThread::run(RingEntry& entry)
{
    Slot* slot = prepare_slot(entry);
    if (!slot)
        return &entry;
    const bool in_place = entry.pending.load(std::memory_order_relaxed) > 1;
    if (in_place)
        in_place_.begin(entry);

    cpu_.loosen();
    running_ = slot;
    shared_.sink->deliver(*slot);
    running_ = nullptr;

    if (slot->drop_reference())
        slot_ = slot; // answered: ours again
    if (in_place)
        return in_place_.end(entry) ? &entry : nullptr;
    // Not through `entry`: another thread may have answered, and the entry may serve a new request by now.
    return deferred_.exchange(nullptr, std::memory_order_acq_rel);
}

} // namespace rf
