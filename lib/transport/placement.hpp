// Where the ring's threads, entries and memory go: decided once, before the first of them exists. Pure,
// tested for machines nobody here has.
#pragma once

#include <cstddef>
#include <vector>

namespace rf::placement {

/// The machine, as far as it matters here. Index of the vectors: CPU number; what is beyond their end is
/// false, or node 0.
struct Machine {
    unsigned nr_queues = 0;        // possible CPUs: the kernel wants one queue for each
    std::vector<bool> possible;    // CPUs that can ever come online; may have holes
    std::vector<bool> allowed;     // the process runs there (taskset, cpuset, online)
    std::vector<bool> reachable;   // a thread can go there for a moment (cpuset, online)
    std::vector<unsigned> node_of; // NUMA node of a CPU; empty: there is one
};

/// What was asked for.
struct Wishes {
    unsigned workers = 0;         // threads that run handlers, from the start; 0: as the machine suggests
    bool nonblocking = false;     // one worker has all entries of its queue
    std::size_t entry_bytes = 0;  // payload memory an entry takes
    std::size_t memory_bytes = 0; // most of it in all; 0: no bound
};

constexpr int kAnywhere = -1;

/// What one queue begins with. A queue without workers is a guest: its entries are the dispatcher's, the
/// workers of its host run its requests.
struct QueuePlace {
    unsigned workers = 0;    // each begins with an entry of this queue
    unsigned floating = 0;   // workers that begin with none, and are kept so, for the guests of this queue
    unsigned spares = 0;     // entries the dispatcher begins with
    unsigned refill = 0;     // fewer of those left: it adds some
    unsigned host = 0;       // whose workers run the requests; the queue itself if it has any
    int cpu = kAnywhere;     // whose requests come here; kAnywhere: none can, or nobody can go there
    int wait_on = kAnywhere; // where its workers wait
    int node = kAnywhere;    // the memory of its payloads; kAnywhere: there is only one
};

struct Plan {
    std::vector<QueuePlace> queues;
    std::vector<unsigned> order;  // in which they get their entries; the last one puts the ring in use
    bool workers_ignored = false; // fewer workers than queues were asked for and cannot be had

    [[nodiscard]] unsigned workers() const noexcept;
    [[nodiscard]] std::size_t entries(unsigned per_worker = 1) const noexcept;
    [[nodiscard]] bool has_spares() const noexcept;
};

/// 0, or -ENOBUFS: memory_bytes is less than two entries for each queue.
[[nodiscard]] int make_plan(const Machine& machine, const Wishes& wishes, Plan& plan);

/// The queue that gets the requests of `cpu`. Kernel: fuse_uring_task_to_queue(), fs/fuse/dev_uring.c
/// (v6.18).
[[nodiscard]] constexpr unsigned queue_of(unsigned cpu, unsigned nr_queues) noexcept
{
    return cpu < nr_queues ? cpu : 0;
}

/// Machines up to this size keep two workers for each queue: a request that comes while a handler runs then
/// meets a thread on its own CPU. On larger ones that is too many threads for what mostly are idle queues.
constexpr unsigned kSmallMachine = 4;

/// The dispatcher's entries of a queue: beside one worker, for a guest, and where nobody can make the kernel
/// look at the queue again, so that it must never run dry.
constexpr unsigned kSparesBesideWorker = 1;
constexpr unsigned kSparesOfGuest = 4;
constexpr unsigned kSparesUnreachable = 16;

} // namespace rf::placement
