// One look at a session's statistics file (lib/stat/layout.hpp), checked and summed up. The file belongs to
// another process: nothing in it is believed that could lead outside of it or steer a terminal.
#pragma once

#include "stat/clock.hpp"

#include <span>
#include <string>
#include <vector>

namespace rf::command {

/// What converts the file's time stamps: this machine's clocks at the moment of the look.
struct Moment {
    std::uint64_t tsc = 0;
    std::uint64_t monotonic_ns = 0;
    double tsc_per_ns = 1;
};

/// Takes some milliseconds the first time, to see how fast the TSC is.
[[nodiscard]] Moment this_moment();

/// All threads' counts of one opcode.
struct OpCounts {
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    double busy_ns = 0; // sum over all answers
    std::array<std::uint64_t, stat::kBuckets> buckets{};

    [[nodiscard]] std::uint64_t answers() const noexcept;
    void add(const OpCounts& other) noexcept;
    /// What came since `before`, a look at the same session. Counters that went back count as nothing.
    [[nodiscard]] OpCounts since(const OpCounts& before) const noexcept;
};

/// Time below which `share` (0 to 1) of the answers took, by the histogram: exact to a factor of two, evened
/// out within. 0 without answers.
[[nodiscard]] double quantile_ns(const OpCounts& counts, double share, double ticks_per_ns);

struct PendingRequest {
    std::string op;
    double age_ns = 0;
    std::uint64_t unique = 0;
    std::uint64_t nodeid = 0;
    std::uint32_t caller_pid = 0;
    std::int32_t tid = 0;
    std::int32_t queue = -1;
};

struct QueueCounts {
    std::int32_t queue = 0;
    unsigned threads = 0; // that took a request of it last
    std::uint64_t in_flight = 0;
};

struct Snapshot {
    std::string library, transport, reason, mountpoint;
    stat::State state = stat::State::kNotServed;
    std::int32_t pid = 0;
    std::int32_t connection = -1;
    std::uint64_t started_ns = 0;
    std::uint32_t nr_queues = 0, max_threads = 0, ring_depth = 0, protocol_minor = 0;
    std::uint32_t max_background = 0, congestion_threshold = 0, max_write = 0, max_readahead = 0;
    std::uint64_t payload_bytes = 0, interrupts = 0, fallbacks = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0;
    double ticks_per_ns = 1;

    std::array<OpCounts, stat::kRows> ops;
    std::vector<PendingRequest> pending; // oldest first
    std::vector<QueueCounts> queues;

    [[nodiscard]] OpCounts total() const noexcept;
};

/// "READ", "other"
[[nodiscard]] std::string row_name(std::uint32_t row);

/// 0, or -errno with `why`: -EBADMSG for what is no such file, -EPROTO for one of another version.
[[nodiscard]] int parse_snapshot(std::span<const std::byte> file, const Moment& now, Snapshot& out,
                                 std::string& why);

/// Reads `path` (a /proc/PID/fd/N) and parses it.
[[nodiscard]] int read_snapshot(const std::string& path, const Moment& now, Snapshot& out, std::string& why);

} // namespace rf::command
