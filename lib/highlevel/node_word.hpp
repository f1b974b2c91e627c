// Lock and reference count of a node in one atomic word, so that a lock is also a reference.
//
//   | references (32) | writer | want | sleepers | readers (29) |
//
// A word without references, readers and writer is dead: its node is about to be freed. It becomes dead only
// in drop() with may_die, which needs the mutex of the node's home (node_table.hpp).
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>

namespace rf::hl {

/// One way to keep a node.
enum class Hold : std::uint8_t { kReference, kReader, kWriter };

/// What a dropped hold leaves. kSleepers: the lock is free now and somebody sleeps for it. kNobody: the last
/// hold.
enum class Left : std::uint8_t { kOthers, kSleepers, kNobody };

/// Any thread. What a writer did to the node happens before what the next holder sees: every change is
/// acq_rel, or acquire where it only takes.
class NodeWord {
public:
    /// A node that nobody else knows yet.
    void revive() noexcept { word_.store(kReferenceUnit, std::memory_order_release); }

    /// REQUIRES: the caller has a hold, or the home's mutex and the node is not dead.
    void add_reference() noexcept
    {
        const std::uint64_t before = word_.fetch_add(kReferenceUnit, std::memory_order_acq_rel);
        assert(!is_dead(before));
        (void)before;
    }

    /// Fails while somebody writes or waits to write.
    [[nodiscard]] bool try_read() noexcept
    {
        std::uint64_t now = word_.load(std::memory_order_relaxed);
        while ((now & (kWriterBit | kWantBit)) == 0) {
            assert((now & kReaderMask) != kReaderMask);
            if (word_.compare_exchange_weak(now, now + 1, std::memory_order_acquire,
                                            std::memory_order_relaxed))
                return true;
        }
        return false;
    }

    /// Fails while somebody reads or writes. Ends the wish of whoever waits to write.
    [[nodiscard]] bool try_write() noexcept
    {
        std::uint64_t now = word_.load(std::memory_order_relaxed);
        while ((now & (kWriterBit | kReaderMask)) == 0) {
            if (word_.compare_exchange_weak(now, (now | kWriterBit) & ~kWantBit, std::memory_order_acquire,
                                            std::memory_order_relaxed))
                return true;
        }
        return false;
    }

    /// Gives a hold back. Without may_die the last one is kept and kNobody returned: come again with the home
    /// locked.
    [[nodiscard]] Left drop(Hold hold, bool may_die) noexcept
    {
        std::uint64_t now = word_.load(std::memory_order_relaxed);
        for (;;) {
            std::uint64_t next = now - unit(hold);
            const bool frees = hold != Hold::kReference && (next & (kWriterBit | kReaderMask)) == 0;
            if (frees)
                next &= ~kSleepersBit;
            const bool last = is_dead(next);
            if (last && !may_die)
                return Left::kNobody;
            if (!word_.compare_exchange_weak(now, next, std::memory_order_acq_rel, std::memory_order_relaxed))
                continue;
            if (last)
                return Left::kNobody; // nobody sleeps: sleepers have a reference
            return frees && (now & kSleepersBit) ? Left::kSleepers : Left::kOthers;
        }
    }

    /// For parking.cpp, with the parking place's mutex: notes a sleeper and says whether the lock is still
    /// taken.
    [[nodiscard]] bool note_sleeper(bool writes, bool wants) noexcept
    {
        const std::uint64_t add = kSleepersBit | (wants ? kWantBit : 0);
        const std::uint64_t before = word_.fetch_or(add, std::memory_order_acq_rel);
        return (before & (writes ? kWriterBit | kReaderMask : kWriterBit | kWantBit)) != 0;
    }

    /// Takes a wish to write back, or does nothing if there is none. True: wake the sleepers.
    [[nodiscard]] bool withdraw() noexcept
    {
        std::uint64_t now = word_.load(std::memory_order_relaxed);
        while (now & kWantBit) {
            if (word_.compare_exchange_weak(now, now & ~(kWantBit | kSleepersBit), std::memory_order_acq_rel,
                                            std::memory_order_relaxed))
                return (now & kSleepersBit) != 0;
        }
        return false;
    }

    // For tests.
    [[nodiscard]] std::uint32_t references() const noexcept
    {
        return static_cast<std::uint32_t>(word_.load(std::memory_order_relaxed) >> 32);
    }
    [[nodiscard]] std::uint32_t readers() const noexcept
    {
        return static_cast<std::uint32_t>(word_.load(std::memory_order_relaxed) & kReaderMask);
    }
    [[nodiscard]] bool written() const noexcept { return word_.load(std::memory_order_relaxed) & kWriterBit; }
    [[nodiscard]] bool wanted() const noexcept { return word_.load(std::memory_order_relaxed) & kWantBit; }

private:
    static constexpr std::uint64_t kReaderMask = (std::uint64_t{1} << 29) - 1;
    static constexpr std::uint64_t kSleepersBit = std::uint64_t{1} << 29;
    static constexpr std::uint64_t kWantBit = std::uint64_t{1} << 30;
    static constexpr std::uint64_t kWriterBit = std::uint64_t{1} << 31;
    static constexpr std::uint64_t kReferenceUnit = std::uint64_t{1} << 32;

    static constexpr std::uint64_t unit(Hold hold) noexcept
    {
        switch (hold) {
        case Hold::kReference:
            return kReferenceUnit;
        case Hold::kReader:
            return 1;
        case Hold::kWriter:
            return kWriterBit;
        }
        return 0;
    }
    static constexpr bool is_dead(std::uint64_t word) noexcept
    {
        return (word & ~(kSleepersBit | kWantBit)) == 0;
    }

    std::atomic<std::uint64_t> word_{0};
};

} // namespace rf::hl
