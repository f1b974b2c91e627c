// Where processes wait for each other: a counting gate in memory they share. Every wait ends.
#pragma once

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace rf::contract {

using Clock = std::chrono::steady_clock;

inline long milliseconds_since(Clock::time_point start)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

/// Lets through as many as it was opened for. Any thread of any process that maps it.
class Gate {
public:
    void open(unsigned count = 1) noexcept
    {
        tokens_.fetch_add(count, std::memory_order_release);
        ::syscall(SYS_futex, &tokens_, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
    }

    /// False if nobody opened it within `ms` milliseconds.
    [[nodiscard]] bool pass(long ms) noexcept
    {
        const Clock::time_point start = Clock::now();
        for (;;) {
            std::uint32_t seen = tokens_.load(std::memory_order_acquire);
            while (seen > 0) {
                if (tokens_.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel))
                    return true;
            }
            const long left = ms - milliseconds_since(start);
            if (left <= 0)
                return false;
            const timespec wait{left / 1000, left % 1000 * 1000000};
            ::syscall(SYS_futex, &tokens_, FUTEX_WAIT, 0, &wait, nullptr, 0);
        }
    }

private:
    std::atomic<std::uint32_t> tokens_{0};
};

} // namespace rf::contract
