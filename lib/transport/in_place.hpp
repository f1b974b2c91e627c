// A handler that reads large arguments (WRITE data) where the kernel put them, and an answer that must not
// wait for it.
//
// The answer of such a request may be committed when the handler has returned, since the kernel then puts the
// next request into the entry. A handler that answers and goes on for long is parted from the entry: it keeps
// the pages it reads, and the entry gets fresh ones.
#pragma once

#include "base/mutex.hpp"
#include "transport/ring_entry.hpp"

namespace rf {

/// One thread's handler in progress. The entry's `pending` counts the answer and this.
class InPlace {
public:
    /// Around the handler, by its thread. end(): true if the answer is there and the entry is the caller's to
    /// commit.
    void begin(RingEntry& entry) noexcept;
    [[nodiscard]] bool end(RingEntry& entry) noexcept RF_EXCLUDES(mutex_);

    /// The answer is there and waits for the handler. Any thread; out of date at once.
    [[nodiscard]] bool holds_answer() const noexcept;
    /// Takes the entry of such an answer away; nullptr if there is none. The caller's to commit. The
    /// handler's own thread.
    [[nodiscard]] RingEntry* take() noexcept;
    /// The same for an answer that has waited since the last call. One watching thread.
    [[nodiscard]] RingEntry* take_overdue() noexcept;

private:
    [[nodiscard]] RingEntry* part(std::uint64_t run) noexcept RF_EXCLUDES(mutex_);

    // Which run of how many is in progress, 0 for none; kParting while somebody takes its entry away. Says
    // who was first: a handler that finds its number in end() has the entry, else the taker has it.
    static constexpr std::uint64_t kParting = ~std::uint64_t{0};
    std::atomic<std::uint64_t> run_{0};
    std::atomic<RingEntry*> entry_{nullptr}; // of that run
    std::uint64_t runs_ = 0;                 // the handler's thread
    std::uint64_t seen_ = 0;                 // the watching thread

    Mutex mutex_;
    MappedMemory parted_ RF_GUARDED_BY(mutex_); // what a parted handler still reads
};

} // namespace rf
