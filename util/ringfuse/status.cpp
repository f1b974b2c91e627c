#include "status.hpp"

#include "text.hpp"

#include <cstdio>

namespace rf::command {
namespace {

// An oldest request of that age is pointed out.
constexpr double kSuspiciousNs = 10e9;

void line(const char* key, const std::string& value)
{
    std::printf("  %-12s %s\n", key, value.c_str());
}

std::string transport_of(const Snapshot& stats)
{
    std::string text = stats.transport.empty() ? "not chosen yet" : stats.transport;
    if (!stats.reason.empty())
        text += " (" + stats.reason + ")";
    if (stats.state == stat::State::kEnded)
        text += "; the loop has ended";
    return text;
}

std::string queues_of(const Session& session)
{
    const Snapshot& stats = session.stats;
    std::string text = stats.nr_queues == 0 ? "none" : format("%u", stats.nr_queues);
    for (const QueueCounts& queue : stats.queues)
        text += format("%s#%d %llu", &queue == &stats.queues.front() ? ", in flight: " : ", ", queue.queue,
                       static_cast<unsigned long long>(queue.in_flight));
    return text;
}

std::string workers_of(const Session& session)
{
    if (session.stats.max_threads <= 1)
        return format("one thread serves alone, %u threads in all", session.process.threads);
    return format("%u for the ring, %u for the device, %u threads in all; max_threads=%u",
                  session.process.ring_threads, session.process.device_threads, session.process.threads,
                  session.stats.max_threads);
}

std::string in_flight_of(const Session& session)
{
    std::string text = format("%llu", static_cast<unsigned long long>(in_flight(session.stats)));
    if (session.kernel_waiting)
        text += format(" (the kernel counts %lu waiting)", *session.kernel_waiting);
    return text;
}

std::string oldest_of(const Snapshot& stats)
{
    if (stats.pending.empty())
        return "none";
    const PendingRequest& oldest = stats.pending.front();
    std::string text = format("%s for %s, unique=%llu nodeid=%llu caller=%u", oldest.op.c_str(),
                              duration(oldest.age_ns).c_str(), static_cast<unsigned long long>(oldest.unique),
                              static_cast<unsigned long long>(oldest.nodeid), oldest.caller_pid);
    if (oldest.tid != 0)
        text += format(" thread=%d", oldest.tid);
    return text;
}

std::string limits_of(const Snapshot& stats)
{
    return format("max_background=%u%s congestion_threshold=%u max_write=%s max_readahead=%s protocol=7.%u",
                  stats.max_background, stats.max_background == 0 ? " (kernel: 12)" : "",
                  stats.congestion_threshold, bytes(stats.max_write).c_str(),
                  bytes(stats.max_readahead).c_str(), stats.protocol_minor);
}

std::string memory_of(const Session& session)
{
    std::string text = format("%s resident, %s of it anonymous",
                              bytes(static_cast<double>(session.process.resident_bytes)).c_str(),
                              bytes(static_cast<double>(session.process.anonymous_bytes)).c_str());
    if (session.stats.nr_queues > 0)
        text += format("; %s for each ring entry at most",
                       bytes(static_cast<double>(session.stats.payload_bytes)).c_str());
    return text;
}

void print_operations(const Snapshot& stats)
{
    std::printf("  %-16s %10s %8s %10s %10s %10s\n", "operation", "requests", "errors", "median", "99%",
                "mean");
    const auto row = [&](const std::string& name, const OpCounts& op) {
        const std::uint64_t answers = op.answers();
        std::printf("  %-16s %10llu %8llu %10s %10s %10s\n", name.c_str(),
                    static_cast<unsigned long long>(op.requests), static_cast<unsigned long long>(op.errors),
                    duration(quantile_ns(op, 0.5, stats.ticks_per_ns)).c_str(),
                    duration(quantile_ns(op, 0.99, stats.ticks_per_ns)).c_str(),
                    duration(answers > 0 ? op.busy_ns / static_cast<double>(answers) : 0).c_str());
    };
    for (std::uint32_t i = 0; i < stat::kRows; ++i) {
        if (stats.ops[i].requests > 0 || stats.ops[i].answers() > 0)
            row(row_name(i), stats.ops[i]);
    }
    row("all", stats.total());
}

void print_histogram(const Snapshot& stats)
{
    const OpCounts total = stats.total();
    const std::uint64_t answers = total.answers();
    if (answers == 0)
        return;
    std::printf("  how long answers took:\n");
    for (std::uint32_t i = 0; i < stat::kBuckets; ++i) {
        if (total.buckets[i] == 0)
            continue;
        const double share = static_cast<double>(total.buckets[i]) / static_cast<double>(answers);
        const std::string bar(static_cast<std::size_t>(share * 40 + 0.5), '#');
        std::printf("  from %10s %10llu %5.1f%% %s\n",
                    duration(static_cast<double>(stat::bucket_begin(i)) / stats.ticks_per_ns).c_str(),
                    static_cast<unsigned long long>(total.buckets[i]), share * 100, bar.c_str());
    }
}

void print_advice(const Session& session)
{
    const std::string where = session.mount ? quoted(session.mount->path) : std::string("MOUNTPOINT");
    if (session.process.state == 'T' || session.process.state == 't')
        std::printf("  ! the process is stopped: kill -CONT %d\n", session.pid);
    if (!session.stats.pending.empty() && session.stats.pending.front().age_ns >= kSuspiciousNs)
        std::printf("  ! a request waits for long: ringfuse abort %s ends the mount\n", where.c_str());
    if (session.stats.connection >= 0 && !session.mount)
        std::printf("  ! not in this mount table: unmounted, or mounted in another namespace\n");
}

void print_session(const Session& session)
{
    const Snapshot& stats = session.stats;
    std::printf("%s: %s, pid %d, uid %u", session.name().c_str(), session.process.program.c_str(),
                session.pid, session.process.uid);
    if (stats.connection >= 0)
        std::printf(", connection %d", stats.connection);
    if (!session.problem.empty()) {
        std::printf("\n  ! %s: %s\n", session.file.c_str(), session.problem.c_str());
        return;
    }
    std::printf(", ringfuse %s\n", stats.library.empty() ? "(unknown)" : stats.library.c_str());
    line("transport", transport_of(stats));
    line("queues", queues_of(session));
    line("workers", workers_of(session));
    line("in flight", in_flight_of(session));
    line("oldest", oldest_of(stats));
    line("interrupts", std::to_string(stats.interrupts));
    line("fallbacks", std::to_string(stats.fallbacks));
    line("limits", limits_of(stats));
    line("memory", memory_of(session));
    line("bytes", format("%s in, %s out", bytes(static_cast<double>(stats.bytes_in)).c_str(),
                         bytes(static_cast<double>(stats.bytes_out)).c_str()));
    print_advice(session);
    print_operations(stats);
    print_histogram(stats);
}

void write_operations(Json& json, const Snapshot& stats)
{
    json.begin_array("operations");
    for (std::uint32_t i = 0; i < stat::kRows; ++i) {
        const OpCounts& op = stats.ops[i];
        if (op.requests == 0 && op.answers() == 0)
            continue;
        json.begin_object()
            .text("name", row_name(i))
            .number("requests", op.requests)
            .number("answers", op.answers())
            .number("errors", op.errors)
            .real("busy_ns", op.busy_ns)
            .real("median_ns", quantile_ns(op, 0.5, stats.ticks_per_ns))
            .real("p99_ns", quantile_ns(op, 0.99, stats.ticks_per_ns));
        json.begin_array("histogram");
        for (std::uint32_t b = 0; b < stat::kBuckets; ++b) {
            if (op.buckets[b] > 0)
                json.begin_object()
                    .real("from_ns", static_cast<double>(stat::bucket_begin(b)) / stats.ticks_per_ns)
                    .number("answers", op.buckets[b])
                    .end_object();
        }
        json.end_array().end_object();
    }
    json.end_array();
}

void write_pending(Json& json, const Snapshot& stats)
{
    constexpr std::size_t kMostShown = 100;
    json.begin_array("pending");
    for (std::size_t i = 0; i < std::min(stats.pending.size(), kMostShown); ++i) {
        const PendingRequest& request = stats.pending[i];
        json.begin_object()
            .text("operation", request.op)
            .real("age_ns", request.age_ns)
            .number("unique", request.unique)
            .number("nodeid", request.nodeid)
            .number("caller_pid", request.caller_pid)
            .number_signed("thread", request.tid)
            .number_signed("queue", request.queue)
            .end_object();
    }
    json.end_array();
}

void write_queues(Json& json, const Snapshot& stats)
{
    json.begin_array("queues");
    for (const QueueCounts& queue : stats.queues)
        json.begin_object()
            .number_signed("queue", queue.queue)
            .number("threads", queue.threads)
            .number("in_flight", queue.in_flight)
            .end_object();
    json.end_array();
}

const char* word_for(stat::State state)
{
    switch (state) {
    case stat::State::kServing:
        return "serving";
    case stat::State::kEnded:
        return "ended";
    default:
        return "not served";
    }
}

} // namespace

std::uint64_t in_flight(const Snapshot& stats)
{
    const OpCounts total = stats.total();
    const std::uint64_t answers = total.answers();
    const std::uint64_t open = total.requests > answers ? total.requests - answers : 0;
    // The records are exact as far as they go; the counters, which are read one after the other, are not.
    return stats.pending.size() < 1000 ? stats.pending.size()
                                       : std::max<std::uint64_t>(open, stats.pending.size());
}

void write_session(Json& json, const Session& session)
{
    const Snapshot& stats = session.stats;
    json.begin_object()
        .number_signed("pid", session.pid)
        .text("program", session.process.program)
        .number("uid", session.process.uid)
        .text("process_state", std::string(1, session.process.state))
        .number("threads", session.process.threads)
        .number("ring_threads", session.process.ring_threads)
        .number("device_threads", session.process.device_threads)
        .number("resident_bytes", session.process.resident_bytes)
        .number("anonymous_bytes", session.process.anonymous_bytes);
    if (!session.problem.empty()) {
        json.text("problem", session.problem).end_object();
        return;
    }
    json.text("mountpoint", session.mount ? session.mount->path : stats.mountpoint)
        .boolean("mounted_here", session.mount.has_value())
        .number_signed("connection", stats.connection)
        .text("library", stats.library)
        .text("state", word_for(stats.state))
        .text("transport", stats.transport)
        .text("reason", stats.reason)
        .number("started_ns", stats.started_ns)
        .number("nr_queues", stats.nr_queues)
        .number("max_threads", stats.max_threads)
        .number("protocol_minor", stats.protocol_minor)
        .number("max_background", stats.max_background)
        .number("congestion_threshold", stats.congestion_threshold)
        .number("max_write", stats.max_write)
        .number("max_readahead", stats.max_readahead)
        .number("payload_bytes", stats.payload_bytes)
        .number("interrupts", stats.interrupts)
        .number("fallbacks", stats.fallbacks)
        .number("bytes_in", stats.bytes_in)
        .number("bytes_out", stats.bytes_out)
        .number("in_flight", in_flight(stats));
    if (session.kernel_waiting)
        json.number("kernel_waiting", *session.kernel_waiting);
    write_queues(json, stats);
    write_pending(json, stats);
    write_operations(json, stats);
    json.end_object();
}

int run_status(const Which& which, bool json)
{
    std::vector<Session> sessions;
    std::string why;
    const int rc = find_sessions(which, sessions, why);
    const bool all = which.pid == 0 && which.mountpoint.empty();
    if (json) {
        Json out;
        out.begin_object().begin_array("sessions");
        for (const Session& session : sessions)
            write_session(out, session);
        out.end_array().end_object();
        std::printf("%s\n", out.str().c_str());
    } else {
        for (const Session& session : sessions)
            print_session(session);
    }
    if (rc < 0)
        std::fprintf(stderr, "ringfuse: %s\n", why.c_str());
    return rc < 0 && !all ? 1 : 0;
}

} // namespace rf::command
