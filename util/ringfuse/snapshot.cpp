#include "snapshot.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"
#include "proto/opcodes.hpp"
#include "text.hpp"

#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace rf::command {
namespace {

using stat::Block;
using stat::Facts;
using stat::Record;

constexpr std::uint64_t kMostFileBytes = 256 << 20;

template <std::size_t kBytes>
std::string text_of(const std::array<char, kBytes>& field)
{
    return printable({field.data(), ::strnlen(field.data(), kBytes)});
}

double measure_tsc_per_ns()
{
#if defined(__x86_64__)
    const std::uint64_t tsc = stat::ticks(stat::Clock::kTsc);
    const std::uint64_t ns = stat::monotonic_ns();
    const timespec nap{0, 10 * 1000 * 1000};
    ::nanosleep(&nap, nullptr);
    const std::uint64_t later = stat::ticks(stat::Clock::kTsc);
    return static_cast<double>(later - tsc) / static_cast<double>(stat::monotonic_ns() - ns);
#else
    return 1;
#endif
}

/// Whether `count` things of `each` bytes lie within the file from `at` on.
bool lies_within(std::uint64_t at, std::uint64_t count, std::uint64_t each, std::uint64_t file_bytes) noexcept
{
    return at <= file_bytes && count <= (file_bytes - at) / each;
}

/// "", or what is wrong.
std::string problem_with(const Facts& facts, std::uint64_t file_bytes)
{
    if (facts.facts_bytes != sizeof(Facts) || facts.block_bytes != sizeof(Block) ||
        facts.record_bytes != sizeof(Record))
        return "its parts have other sizes than they should";
    if (facts.total_bytes != file_bytes || facts.blocks_at < sizeof(Facts) ||
        facts.records_at < sizeof(Facts) ||
        !lies_within(facts.blocks_at, facts.nr_blocks, sizeof(Block), file_bytes) ||
        !lies_within(facts.records_at, facts.nr_records, sizeof(Record), file_bytes))
        return "its parts do not lie within it";
    if (facts.clock > static_cast<std::uint32_t>(stat::Clock::kTsc))
        return "its clock is unknown";
    return "";
}

void take_facts(const Facts& facts, Snapshot& out)
{
    out.library = text_of(facts.library);
    out.transport = text_of(facts.transport);
    out.reason = text_of(facts.reason);
    out.mountpoint = text_of(facts.mountpoint);
    out.state = facts.state <= static_cast<std::uint32_t>(stat::State::kEnded)
                    ? static_cast<stat::State>(facts.state)
                    : stat::State::kNotServed;
    out.pid = facts.pid;
    out.connection = facts.connection;
    out.started_ns = facts.started_ns;
    out.nr_queues = facts.nr_queues;
    out.max_threads = facts.max_threads;
    out.ring_depth = facts.ring_depth;
    out.protocol_minor = facts.protocol_minor;
    out.max_background = facts.max_background;
    out.congestion_threshold = facts.congestion_threshold;
    out.max_write = facts.max_write;
    out.max_readahead = facts.max_readahead;
    out.payload_bytes = facts.payload_bytes;
    out.interrupts = facts.interrupts;
    out.fallbacks = facts.fallbacks;
}

QueueCounts& queue_of(Snapshot& out, std::int32_t queue)
{
    for (QueueCounts& known : out.queues) {
        if (known.queue == queue)
            return known;
    }
    out.queues.push_back({queue, 0, 0});
    return out.queues.back();
}

void take_block(const Block& block, Snapshot& out)
{
    out.bytes_in += block.bytes_in;
    out.bytes_out += block.bytes_out;
    for (std::uint32_t i = 0; i < stat::kRows; ++i) {
        const stat::Row& row = block.rows[i];
        OpCounts& op = out.ops[i];
        op.requests += row.requests;
        op.errors += row.errors;
        op.busy_ns += static_cast<double>(row.ticks) / out.ticks_per_ns;
        for (std::uint32_t b = 0; b < stat::kBuckets; ++b)
            op.buckets[b] += row.buckets[b];
    }
    if (block.tid != 0 && block.queue >= 0 && static_cast<std::uint32_t>(block.queue) < out.nr_queues)
        ++queue_of(out, block.queue).threads;
}

void take_record(const Record& record, std::uint64_t now, Snapshot& out)
{
    if (record.started == 0)
        return;
    PendingRequest pending;
    pending.op = row_name(stat::row_of(record.opcode));
    pending.age_ns = now > record.started ? static_cast<double>(now - record.started) / out.ticks_per_ns : 0;
    pending.unique = record.unique;
    pending.nodeid = record.nodeid;
    pending.caller_pid = record.caller_pid;
    pending.tid = record.tid;
    pending.queue = record.queue;
    if (record.queue >= 0 && static_cast<std::uint32_t>(record.queue) < out.nr_queues)
        ++queue_of(out, record.queue).in_flight;
    out.pending.push_back(std::move(pending));
}

/// Calls take(copy) for each of `count` things at `at`. The copy is aligned whatever the offset.
template <class Thing, class Take>
void for_each(std::span<const std::byte> file, std::uint64_t at, std::uint32_t count, Take&& take)
{
    Thing thing;
    for (std::uint32_t i = 0; i < count; ++i) {
        std::memcpy(static_cast<void*>(&thing), file.data() + at + std::uint64_t{i} * sizeof(Thing),
                    sizeof(Thing));
        take(thing);
    }
}

} // namespace

Moment this_moment()
{
    static const double tsc_per_ns = measure_tsc_per_ns();
    return {stat::ticks(stat::Clock::kTsc), stat::monotonic_ns(), tsc_per_ns};
}

std::uint64_t OpCounts::answers() const noexcept
{
    std::uint64_t sum = 0;
    for (const std::uint64_t bucket : buckets)
        sum += bucket;
    return sum;
}

void OpCounts::add(const OpCounts& other) noexcept
{
    requests += other.requests;
    errors += other.errors;
    busy_ns += other.busy_ns;
    for (std::size_t i = 0; i < buckets.size(); ++i)
        buckets[i] += other.buckets[i];
}

OpCounts OpCounts::since(const OpCounts& before) const noexcept
{
    const auto difference = [](std::uint64_t now, std::uint64_t then) { return now > then ? now - then : 0; };
    OpCounts out;
    out.requests = difference(requests, before.requests);
    out.errors = difference(errors, before.errors);
    out.busy_ns = std::max(busy_ns - before.busy_ns, 0.0);
    for (std::size_t i = 0; i < buckets.size(); ++i)
        out.buckets[i] = difference(buckets[i], before.buckets[i]);
    return out;
}

double quantile_ns(const OpCounts& counts, double share, double ticks_per_ns)
{
    const std::uint64_t answers = counts.answers();
    double left = std::ceil(share * static_cast<double>(answers));
    for (std::uint32_t i = 0; i < stat::kBuckets && answers > 0; ++i) {
        const double here = static_cast<double>(counts.buckets[i]);
        if (here > 0 && left <= here) {
            const double begin = static_cast<double>(stat::bucket_begin(i));
            const double width = i == 0 ? static_cast<double>(stat::bucket_begin(1)) : begin;
            return (begin + width * std::max(left, 1.0) / here) / ticks_per_ns;
        }
        left -= here;
    }
    return 0;
}

OpCounts Snapshot::total() const noexcept
{
    OpCounts sum;
    for (const OpCounts& op : ops)
        sum.add(op);
    return sum;
}

std::string row_name(std::uint32_t row)
{
    return row == stat::kOtherRow || !find_op(row) ? "other" : op_name(row);
}

int parse_snapshot(std::span<const std::byte> file, const Moment& now, Snapshot& out, std::string& why)
{
    out = {};
    Facts facts;
    if (file.size() < sizeof(facts)) {
        why = "too short to be a statistics file";
        return -EBADMSG;
    }
    std::memcpy(static_cast<void*>(&facts), file.data(), sizeof(facts));
    if (facts.magic != stat::kMagic) {
        why = "no statistics file";
        return -EBADMSG;
    }
    if (facts.version != stat::kVersion) {
        why = format("written by another release of the library (format %u, this command reads %u)",
                     facts.version, stat::kVersion);
        return -EPROTO;
    }
    why = problem_with(facts, file.size());
    if (!why.empty())
        return -EBADMSG;

    const bool tsc = facts.clock == static_cast<std::uint32_t>(stat::Clock::kTsc);
    out.ticks_per_ns = tsc ? now.tsc_per_ns : 1;
    take_facts(facts, out);
    for_each<Block>(file, facts.blocks_at, facts.nr_blocks,
                    [&](const Block& block) { take_block(block, out); });
    for_each<Record>(file, facts.records_at, facts.nr_records, [&](const Record& record) {
        take_record(record, tsc ? now.tsc : now.monotonic_ns, out);
    });
    std::sort(out.pending.begin(), out.pending.end(),
              [](const PendingRequest& a, const PendingRequest& b) { return a.age_ns > b.age_ns; });
    std::sort(out.queues.begin(), out.queues.end(),
              [](const QueueCounts& a, const QueueCounts& b) { return a.queue < b.queue; });
    return 0;
}

int read_snapshot(const std::string& path, const Moment& now, Snapshot& out, std::string& why)
{
    const UniqueFd file(from_libc(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
    struct ::stat st {};
    int rc = file ? from_libc(::fstat(file.get(), &st)) : file.get();
    if (rc < 0) {
        why = format("cannot be opened (%s)", log::errno_name(rc));
        return rc;
    }
    if (!S_ISREG(st.st_mode) || st.st_size < 0 || static_cast<std::uint64_t>(st.st_size) > kMostFileBytes) {
        why = "no statistics file";
        return -EBADMSG;
    }
    // Read, not mapped: a file that shrinks then gives a short read instead of SIGBUS.
    std::vector<std::byte> content(static_cast<std::size_t>(st.st_size));
    std::size_t have = 0;
    while (have < content.size()) {
        const ssize_t n = from_libc(
            ::pread(file.get(), content.data() + have, content.size() - have, static_cast<off_t>(have)));
        if (n <= 0) {
            why = n == 0 ? "shrinks while it is read"
                         : format("cannot be read (%s)", log::errno_name(static_cast<int>(n)));
            return n == 0 ? -EBADMSG : static_cast<int>(n);
        }
        have += static_cast<std::size_t>(n);
    }
    return parse_snapshot(content, now, out, why);
}

} // namespace rf::command
