#include "transport/in_place.hpp"

#include <cstring>
#include <utility>

namespace rf {
namespace {

/// The answer in `entry` goes from the pages `old` to its new ones.
void move_answer(RingEntry& entry, const MappedMemory& old) noexcept
{
    kern::fuse_out_header out;
    std::memcpy(&out, entry.header->in_out, sizeof(out));
    std::span<const std::byte> answer = old.bytes().first(out.len - sizeof(out));
    if (!entry.staged.empty())
        answer = std::exchange(entry.staged, {});
    if (!answer.empty())
        std::memcpy(entry.payload.data(), answer.data(), answer.size());
}

} // namespace

void InPlace::begin(RingEntry& entry) noexcept
{
    entry_.store(&entry, std::memory_order_relaxed);
    run_.store(++runs_, std::memory_order_release);
}

bool InPlace::end(RingEntry& entry) noexcept
{
    const std::uint64_t run = run_.exchange(0, std::memory_order_acq_rel);
    // acq_rel: either the answer's thread sees that we are done reading, or we see its answer.
    if (run != 0 && run != kParting)
        return entry.pending.fetch_sub(1, std::memory_order_acq_rel) == 1;
    MappedMemory unread;
    const MutexLock lock(mutex_);
    std::swap(unread, parted_);
    return false;
}

bool InPlace::holds_answer() const noexcept
{
    const std::uint64_t run = run_.load(std::memory_order_seq_cst);
    return run != 0 && run != kParting &&
           entry_.load(std::memory_order_relaxed)->pending.load(std::memory_order_seq_cst) == 1;
}

RingEntry* InPlace::take() noexcept
{
    return holds_answer() ? part(run_.load(std::memory_order_relaxed)) : nullptr;
}

RingEntry* InPlace::take_overdue() noexcept
{
    const std::uint64_t run = run_.load(std::memory_order_acquire);
    const std::uint64_t now = holds_answer() ? run : 0;
    const std::uint64_t before = std::exchange(seen_, now);
    return now != 0 && now == before ? part(now) : nullptr;
}

/// REQUIRES: `run`, if still in progress, is answered: it was seen so after `run` was read, and an answer
/// stays.
RingEntry* InPlace::part(std::uint64_t run) noexcept
{
    std::uint64_t expected = run;
    if (!run_.compare_exchange_strong(expected, kParting, std::memory_order_acq_rel))
        return nullptr;
    RingEntry& entry = *entry_.load(std::memory_order_relaxed);
    MappedMemory old;
    if (entry.payload_memory.renew(old) < 0) {
        // Put back, unless the handler is gone by now; then nobody reads it any more.
        expected = kParting;
        return run_.compare_exchange_strong(expected, run, std::memory_order_acq_rel) ? nullptr : &entry;
    }
    entry.payload = entry.payload_memory.ours().first(entry.payload.size());
    move_answer(entry, old);
    {
        const MutexLock lock(mutex_);
        std::swap(parted_, old);
    }
    if (run_.exchange(0, std::memory_order_acq_rel) == 0) {
        // The handler is gone, and may have looked before there was anything to give up.
        MappedMemory unread;
        const MutexLock lock(mutex_);
        std::swap(unread, parted_);
    }
    return &entry;
}

} // namespace rf
