// The decisions of the ring, without the ring: pure functions, tested without a kernel.
#pragma once

#include "transport/ring_options.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace rf::ring_policy {

/// What a completion of an entry's command means.
enum class Completion {
    kRequest, // a request was copied into the entry
    kRetry,   // the command did not run; submit the same again
    kGone,    // the connection ended, the kernel is done with this entry
    kReenter, // the kernel does not know the request any more: the entry is free and must be registered anew
    kBroken,  // the kernel refused the command
};

enum class Command : std::uint8_t { kRegister, kCommit };

// Kernels from 7.3 on use the whole registered length: room for the header of a NOTIFY_REPLY beside a full
// payload.
constexpr std::size_t kPayloadSlack = 4096;

/// Kernel: fuse_uring_cmd(), fuse_uring_commit_fetch(), fs/fuse/dev_uring.c (v6.18).
constexpr Completion classify(Command command, int res) noexcept
{
    switch (res) {
    case 0:
        return Completion::kRequest;
    case -EAGAIN: // the INIT reply is not processed yet
    case -EINTR:
        return Completion::kRetry;
    case -ENOTCONN:
    case -ECONNABORTED:
    case -ENODEV:
    case -ECANCELED:
        return Completion::kGone;
    case -ENOMEM: // a commit fails so only if io_uring could not start it; the entry is as it was
        return command == Command::kCommit ? Completion::kRetry : Completion::kBroken;
    case -ENOENT:
        return command == Command::kCommit ? Completion::kReenter : Completion::kBroken;
    default:
        return Completion::kBroken;
    }
}

/// Handlers each queue may run from the start: one, and another that comes while the first waits.
constexpr unsigned kHandlersPerQueue = 2;

/// Payload bytes an entry keeps for good; what a burst of large requests used beyond is given back when the
/// thread that has the entry was idle for so long.
constexpr std::size_t kKeptBytes = 16384;
constexpr unsigned kQuietSeconds = 2;

/// Threads that may be idle. A queue keeps what it started with (`from_start` in all), whatever
/// `max_idle_threads` (-1: no limit) says.
constexpr unsigned kNoIdleLimit = ~0U;
constexpr unsigned idle_limit(int max_idle_threads, unsigned from_start) noexcept
{
    if (max_idle_threads < 0)
        return kNoIdleLimit;
    const auto most = static_cast<unsigned>(max_idle_threads);
    return most > from_start ? most : from_start;
}

/// Handlers that may run at once. `max_threads` is a cap, but the default (10) only ever meant "more than
/// one", and is far too low for a machine with many CPUs: from the default upwards every queue may use its
/// share.
constexpr unsigned kDefaultMaxThreads = 10;
constexpr unsigned handler_limit(unsigned max_threads, unsigned nr_queues) noexcept
{
    const unsigned from_start = nr_queues * kHandlersPerQueue;
    return max_threads >= kDefaultMaxThreads && max_threads < from_start ? from_start : max_threads;
}

/// Workers one queue may have. All the handlers that may run could be its own, and as many may wait with an
/// entry each while the dispatcher holds a request they must not run; beyond that something is wrong, and one
/// of them does.
constexpr unsigned most_workers(unsigned limit) noexcept
{
    return 2 * (limit + kHandlersPerQueue);
}

/// What the supervisor saw of one queue, now and one tick ago.
struct QueueView {
    int available = 0;            // entries the kernel may deliver to, by our count
    unsigned held = 0;            // requests inside handlers or waiting for an answer
    std::uint64_t deliveries = 0; // requests taken so far
};

/// Handlers hold every entry of the queue and not one request was taken for a whole tick: whoever waits in
/// the kernel's queue may wait for ever. A queue that merely is busy passes: its next commit fetches the next
/// request.
constexpr bool is_stuck(const QueueView& before, const QueueView& now) noexcept
{
    return now.available <= 0 && before.available <= 0 && now.held > 0 && now.deliveries == before.deliveries;
}

} // namespace rf::ring_policy
