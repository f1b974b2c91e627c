// The statistics file of one session, as it lies in shared memory: written by the library (recorder.hpp),
// read by the `ringfuse` command while the library runs, hangs or is stopped.
//
// The file is a memfd of the serving process, found through /proc/PID/fd: only the same user (or root) gets
// at it, and it goes with the process however that ends. Counters are single 64-bit words, each with one
// writer or changed by atomic additions only; nothing is locked, so two numbers need not be of the same
// instant. Who reads must not trust any of it.
//
// File: Facts | Block[nr_blocks] | Record[nr_records], at the offsets that Facts gives.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace rf::stat {

/// The memfd's name: /proc/PID/fd shows "/memfd:ringfuse-stat (deleted)".
inline constexpr char kFileName[] = "ringfuse-stat";
inline constexpr std::uint64_t kMagic = 0x3174617453467252; // "RrFStat1", little-endian
/// Changes whenever a member moves or changes its meaning.
inline constexpr std::uint32_t kVersion = 1;

/// Rows of a block: one per opcode, the last for those beyond.
inline constexpr std::uint32_t kRows = 64;
inline constexpr std::uint32_t kOtherRow = kRows - 1;
inline constexpr std::uint32_t kBuckets = 29;

/// What a tick of the time stamps is.
enum class Clock : std::uint32_t { kMonotonicNs = 0, kTsc = 1 };

enum class State : std::uint32_t { kNotServed = 0, kServing = 1, kEnded = 2 };

/// Texts end in NUL. Written before INIT is answered, but for `state`, `pid` and the counters.
struct alignas(64) Facts {
    std::uint64_t magic = 0;
    std::uint32_t version = 0;
    std::uint32_t facts_bytes = 0;
    std::uint64_t total_bytes = 0;
    std::uint64_t blocks_at = 0;
    std::uint64_t records_at = 0;
    std::uint32_t block_bytes = 0;
    std::uint32_t nr_blocks = 0;
    std::uint32_t record_bytes = 0;
    std::uint32_t nr_records = 0;

    std::uint32_t clock = 0; // enum Clock
    std::uint32_t state = 0; // enum State
    std::int32_t pid = 0;    // of the process that runs the loop, in its own pid namespace
    std::int32_t connection = -1;
    std::uint64_t started_ns = 0; // CLOCK_REALTIME

    std::uint32_t nr_queues = 0;
    std::uint32_t max_threads = 0;
    std::uint32_t ring_depth = 0;
    std::uint32_t protocol_minor = 0;
    std::uint32_t max_background = 0;
    std::uint32_t congestion_threshold = 0;
    std::uint32_t max_write = 0;
    std::uint32_t max_readahead = 0;
    std::uint64_t payload_bytes = 0; // of one ring entry

    // Changed by several threads, seldom.
    std::uint64_t interrupts = 0;
    std::uint64_t fallbacks = 0;

    std::array<char, 32> library{};   // the library's release
    std::array<char, 16> transport{}; // "fuse_uring", "dev", ...
    std::array<char, 256> reason{};   // why that one
    std::array<char, 1024> mountpoint{};
};

/// What one thread counted for one opcode.
struct Row {
    std::uint64_t requests = 0;                    // taken from the kernel
    std::uint64_t errors = 0;                      // answered with an errno
    std::uint64_t ticks = 0;                       // from the request's arrival to its answer, summed up
    std::array<std::uint64_t, kBuckets> buckets{}; // answers by how long they took, see bucket_of()
};
static_assert(sizeof(Row) == 256);

/// The counters of one thread. A thread that goes leaves its block, numbers and all, to one that comes.
struct alignas(128) Block {
    std::int32_t tid = 0;        // 0: nobody's yet, or shared
    std::int32_t queue = -1;     // ring queue of its latest request, -1: none
    std::uint64_t bytes_in = 0;  // of whole messages
    std::uint64_t bytes_out = 0; // of answers, without their headers
    alignas(128) std::array<Row, kRows> rows{};
};
static_assert(sizeof(Block) == 128 + kRows * sizeof(Row));

/// A request that was delivered and not answered yet: `started` is 0 between requests. Written by whoever
/// delivers and then whoever answers; `started` is set last and cleared first.
struct alignas(64) Record {
    std::uint64_t started = 0; // ticks
    std::uint64_t unique = 0;
    std::uint64_t nodeid = 0;
    std::uint32_t opcode = 0;
    std::uint32_t caller_pid = 0; // who waits
    std::int32_t tid = 0;         // the thread that the handler was started on
    std::int32_t queue = -1;
};
static_assert(sizeof(Record) == 64);

constexpr std::uint32_t row_of(std::uint32_t opcode) noexcept
{
    return std::min(opcode, kOtherRow);
}

/// Bucket 0 holds what took less than 512 ticks, each further one twice as much as the one before, the last
/// all the rest.
constexpr std::uint32_t bucket_of(std::uint64_t ticks) noexcept
{
    const int width = std::bit_width(ticks);
    return static_cast<std::uint32_t>(std::clamp(width - 9, 0, static_cast<int>(kBuckets) - 1));
}

/// The first tick of a bucket.
constexpr std::uint64_t bucket_begin(std::uint32_t bucket) noexcept
{
    return bucket == 0 ? 0 : std::uint64_t{1} << (bucket + 8);
}
static_assert(bucket_of(bucket_begin(1) - 1) == 0 && bucket_of(bucket_begin(1)) == 1);
static_assert(bucket_of(bucket_begin(kBuckets - 1)) == kBuckets - 1 &&
              bucket_of(~std::uint64_t{0}) == kBuckets - 1);

} // namespace rf::stat
