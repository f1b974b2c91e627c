// Keeps the statistics of one session in shared memory (layout.hpp). On the request's way: begin() when it is
// delivered, end() when it is answered. Both are a time stamp and some additions to memory of the calling
// thread's own: no lock, no system call, no cache line that two workers write.
#pragma once

#include "base/fd.hpp"
#include "base/mutex.hpp"
#include "stat/clock.hpp"
#include "stat/layout.hpp"

#include <atomic>
#include <string_view>

namespace rf::stat {

/// A request's share in the statistics. Belongs to the request; the thread that delivers it, then the one
/// that answers it.
struct Ticket {
    std::uint64_t started = 0;
    Record* record = nullptr;
    std::uint32_t row = 0;
    bool asked_for_record = false;
};

/// All threads' counters added up, at about one moment.
struct Totals {
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t in_flight = 0; // of those that show among the records
};

/// What begin() wants to know.
struct Arrival {
    std::uint64_t unique = 0;
    std::uint64_t nodeid = 0;
    std::uint32_t opcode = 0;
    std::uint32_t caller_pid = 0;
    std::uint32_t bytes = 0;
    std::int32_t queue = -1;
};

class Recorder {
public:
    Recorder() noexcept;
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    /// Creates the file. 0 or -errno; without it nothing is counted. Any thread, again and again: once is
    /// enough. The environment's RINGFUSE_STATISTICS=0 keeps it from being there.
    int open() noexcept RF_EXCLUDES(mutex_);

    /// Any thread. `ticket` is that of the same request; REQUIRES: end() after begin(), once.
    void begin(Ticket& ticket, const Arrival& arrival) noexcept;
    void end(Ticket& ticket, bool failed, std::size_t bytes) noexcept;

    /// Changes the facts; nothing happens before open(). One thread at a time.
    template <class Change>
    void change(Change&& change) noexcept
    {
        if (Facts* facts = facts_.load(std::memory_order_acquire))
            change(*facts);
    }
    void set_state(State state) noexcept;
    // Any thread.
    [[nodiscard]] Totals totals() const noexcept;
    void count_interrupt() noexcept;
    void count_fallback() noexcept;

private:
    struct Counters {
        Block* block;
        bool shared; // by several threads, so additions have to be atomic
    };
    [[nodiscard]] int create_file() noexcept RF_REQUIRES(mutex_);
    [[nodiscard]] Block* block(std::uint32_t index) const noexcept;
    [[nodiscard]] Counters mine() noexcept;
    [[nodiscard]] Counters mine_or_shared() noexcept;
    [[nodiscard]] Counters shared() const noexcept;
    [[nodiscard]] Block* adopt_block() noexcept RF_EXCLUDES(mutex_);
    [[nodiscard]] Record* claim_record() noexcept;

    // Nobody else's ever: sessions come and go at the same address, and threads remember whose block they
    // have.
    const std::uint64_t id_;

    // Written once by open(), with facts_ last (release).
    std::size_t bytes_ = 0;
    std::uint32_t nr_shared_ = 0;
    Clock clock_ = Clock::kMonotonicNs;
    UniqueFd file_;
    std::atomic<Facts*> facts_{nullptr};

    std::atomic<std::uint32_t> used_records_{0};

    Mutex mutex_;
    bool tried_ RF_GUARDED_BY(mutex_) = false;
    std::uint32_t used_blocks_ RF_GUARDED_BY(mutex_) = 0;
};

/// Copies `text` into a field of Facts, cut to fit, NUL at its end.
template <std::size_t kBytes>
void set_text(std::array<char, kBytes>& field, std::string_view text) noexcept
{
    const std::size_t bytes = std::min(text.size(), kBytes - 1);
    text.copy(field.data(), bytes);
    field[bytes] = '\0';
}

} // namespace rf::stat
