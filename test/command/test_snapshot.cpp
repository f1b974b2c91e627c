// snapshot.cpp: what the reader makes of a statistics file, above all of one that lies.
#include "same_text.hpp"
#include "snapshot.hpp"

#include "check/runner.hpp"
#include "top.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace rf::command;
namespace stat = rf::stat;

constexpr Moment kNow{.tsc = 2'000'000'000'000, .monotonic_ns = 1'000'000'000'000, .tsc_per_ns = 2};

/// A valid file of two blocks and four records.
struct File {
    stat::Facts facts;
    alignas(128) stat::Block blocks[2];
    stat::Record records[4];

    File()
    {
        facts.magic = stat::kMagic;
        facts.version = stat::kVersion;
        facts.facts_bytes = sizeof(facts);
        facts.total_bytes = sizeof(File);
        facts.blocks_at = offsetof(File, blocks);
        facts.records_at = offsetof(File, records);
        facts.block_bytes = sizeof(stat::Block);
        facts.nr_blocks = 2;
        facts.record_bytes = sizeof(stat::Record);
        facts.nr_records = 4;
        facts.clock = static_cast<std::uint32_t>(stat::Clock::kTsc);
        facts.nr_queues = 2;
        std::strcpy(facts.transport.data(), "fuse_uring");
    }
    [[nodiscard]] std::span<const std::byte> bytes() const
    {
        return {reinterpret_cast<const std::byte*>(this), sizeof(File)};
    }
};

int parse(const File& file, Snapshot& out)
{
    std::string why;
    const int rc = parse_snapshot(file.bytes(), kNow, out, why);
    ck_assert_msg((rc == 0) == why.empty(), "%s", why.c_str());
    return rc;
}

START_TEST(threads_are_summed_up)
{
    File file;
    file.blocks[0].rows[15].requests = 3;
    file.blocks[0].rows[15].buckets[4] = 2;
    file.blocks[1].rows[15].buckets[4] = 1;
    file.blocks[1].rows[15].errors = 1;
    file.blocks[1].rows[15].ticks = 4000;
    file.blocks[1].bytes_in = 10;
    file.blocks[0].bytes_in = 1;
    Snapshot stats;
    ck_assert_int_eq(parse(file, stats), 0);
    ck_assert_uint_eq(stats.ops[15].requests, 3);
    ck_assert_uint_eq(stats.ops[15].answers(), 3);
    ck_assert_uint_eq(stats.total().errors, 1);
    ck_assert(std::fabs(stats.ops[15].busy_ns - 2000) < 1);
    ck_assert_uint_eq(stats.bytes_in, 11);
    same_text(stats.transport, "fuse_uring");
    same_text(row_name(15), "READ");
    same_text(row_name(stat::kOtherRow), "other");
}
END_TEST

START_TEST(pending_requests_come_oldest_first)
{
    File file;
    file.records[1] = {.started = kNow.tsc - 2000, .unique = 7, .nodeid = 1, .opcode = 15, .queue = 1};
    file.records[3] = {.started = kNow.tsc - 4000, .unique = 9, .nodeid = 1, .opcode = 4096, .queue = 5};
    file.records[2] = {
        .started = kNow.tsc + 4000, .unique = 11, .nodeid = 1, .opcode = 1}; // another CPU's clock
    Snapshot stats;
    ck_assert_int_eq(parse(file, stats), 0);
    ck_assert_uint_eq(stats.pending.size(), 3);
    ck_assert_uint_eq(stats.pending[0].unique, 9);
    same_text(stats.pending[0].op, "other");
    ck_assert(std::fabs(stats.pending[0].age_ns - 2000) < 1);
    ck_assert_uint_eq(stats.pending[1].unique, 7);
    ck_assert(stats.pending[2].age_ns == 0);
    // A queue that cannot be is no queue.
    ck_assert_uint_eq(stats.queues.size(), 1);
    ck_assert_uint_eq(stats.queues[0].in_flight, 1);
}
END_TEST

const struct {
    const char* name;
    void (*apply)(File&);
} kLies[] = {
    {"magic", [](File& f) { f.facts.magic ^= 1; }},
    {"version", [](File& f) { f.facts.version += 1; }},
    {"facts_bytes", [](File& f) { f.facts.facts_bytes -= 1; }},
    {"block_bytes", [](File& f) { f.facts.block_bytes = 0; }},
    {"record_bytes", [](File& f) { f.facts.record_bytes = 1; }},
    {"total_bytes", [](File& f) { f.facts.total_bytes += 1; }},
    {"too many blocks", [](File& f) { f.facts.nr_blocks = 3; }},
    {"far too many blocks", [](File& f) { f.facts.nr_blocks = ~0u; }},
    {"too many records", [](File& f) { f.facts.nr_records = 5; }},
    {"far too many records", [](File& f) { f.facts.nr_records = ~0u; }},
    {"blocks in the facts", [](File& f) { f.facts.blocks_at = 0; }},
    {"blocks behind the end", [](File& f) { f.facts.blocks_at = sizeof(File) + 1; }},
    {"blocks that wrap around", [](File& f) { f.facts.blocks_at = ~std::uint64_t{0} - 4096; }},
    {"records in the facts", [](File& f) { f.facts.records_at = 8; }},
    {"records that wrap around", [](File& f) { f.facts.records_at = ~std::uint64_t{0} - 63; }},
    {"clock", [](File& f) { f.facts.clock = 2; }},
};

START_TEST(lies_about_its_shape_are_refused)
{
    File file;
    kLies[_i].apply(file);
    Snapshot stats;
    ck_assert_msg(parse(file, stats) < 0, "%s", kLies[_i].name);
}
END_TEST

START_TEST(parts_at_odd_places_are_read_all_the_same)
{
    File file;
    file.facts.blocks_at += 1;
    file.facts.nr_blocks = 1;
    file.facts.records_at = sizeof(File) - 3 * sizeof(stat::Record) + 1;
    file.facts.nr_records = 2;
    Snapshot stats;
    ck_assert_int_eq(parse(file, stats), 0);
}
END_TEST

START_TEST(texts_without_an_end_or_with_escapes_are_tamed)
{
    File file;
    file.facts.reason.fill('x');
    std::memcpy(file.facts.mountpoint.data(), "/a\033]0;evil\a\n", 12);
    Snapshot stats;
    ck_assert_int_eq(parse(file, stats), 0);
    ck_assert_uint_eq(stats.reason.size(), file.facts.reason.size());
    same_text(stats.mountpoint, "/a?]0;evil??");
}
END_TEST

START_TEST(changed_bytes_are_survived)
{
    unsigned seed = 1;
    for (int round = 0; round < 2000; ++round) {
        File file;
        for (int i = 0; i < 4; ++i)
            reinterpret_cast<unsigned char*>(&file.facts)[static_cast<unsigned>(::rand_r(&seed)) % 256] =
                static_cast<unsigned char>(::rand_r(&seed));
        Snapshot stats;
        (void)parse(file, stats);
    }
}
END_TEST

START_TEST(every_shorter_file_is_refused)
{
    const File file;
    Snapshot stats;
    std::string why;
    for (std::size_t bytes = 0; bytes < sizeof(File); bytes += 61)
        ck_assert_int_lt(parse_snapshot(file.bytes().first(bytes), kNow, stats, why), 0);
}
END_TEST

START_TEST(what_is_no_regular_file_is_not_waited_for)
{
    char folder[] = "/tmp/ringfuse-test-XXXXXX";
    ck_assert_ptr_nonnull(::mkdtemp(folder));
    const std::string fifo = std::string(folder) + "/fifo";
    ck_assert_int_eq(::mkfifo(fifo.c_str(), 0600), 0);
    Snapshot stats;
    std::string why;
    ck_assert_int_eq(read_snapshot(fifo, kNow, stats, why), -EBADMSG);
    ck_assert_int_eq(read_snapshot(folder, kNow, stats, why), -EBADMSG);
    ck_assert_int_eq(read_snapshot("/dev/zero", kNow, stats, why), -EBADMSG);
    ck_assert_int_eq(read_snapshot(std::string(folder) + "/none", kNow, stats, why), -ENOENT);
    ck_assert_int_eq(::unlink(fifo.c_str()), 0);
    ck_assert_int_eq(::rmdir(folder), 0);
}
END_TEST

START_TEST(a_huge_file_is_not_read)
{
    const int fd = ::memfd_create("huge", MFD_CLOEXEC);
    ck_assert_int_eq(::ftruncate(fd, off_t{1} << 40), 0);
    Snapshot stats;
    std::string why;
    ck_assert_int_eq(read_snapshot("/proc/self/fd/" + std::to_string(fd), kNow, stats, why), -EBADMSG);
    ::close(fd);
}
END_TEST

START_TEST(quantiles_follow_the_histogram)
{
    OpCounts counts;
    ck_assert(quantile_ns(counts, 0.5, 1) == 0);
    counts.buckets[3] = 98; // from 2048 ticks
    counts.buckets[10] = 2; // from 262144
    const double median = quantile_ns(counts, 0.5, 2);
    ck_assert(median >= 1024 && median <= 2048);
    ck_assert(quantile_ns(counts, 0.99, 2) >= 131072);
    ck_assert(quantile_ns(counts, 0.98, 2) <= 2048);
}
END_TEST

START_TEST(rates_are_what_came_in_between)
{
    Snapshot before;
    before.ops[15].requests = 100;
    before.ops[3].requests = 50;
    Snapshot now = before;
    now.ops[15].requests = 300;
    now.ops[3].requests = 40; // went back: counts as nothing
    now.ops[1].requests = 10;
    now.bytes_in = 4000;
    const Rates rates = rates_between(before, now, 2);
    ck_assert(std::fabs(rates.requests - 105) < 0.01);
    ck_assert(std::fabs(rates.bytes - 2000) < 0.01);
    ck_assert_uint_eq(rates.busiest.size(), 2);
    same_text(rates.busiest[0].first, "READ");
    ck_assert(rates_between(before, now, 0).requests == 0);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        threads_are_summed_up,
        pending_requests_come_oldest_first,
        {lies_about_its_shape_are_refused, 0, static_cast<int>(sizeof(kLies) / sizeof(kLies[0]))},
        parts_at_odd_places_are_read_all_the_same,
        texts_without_an_end_or_with_escapes_are_tamed,
        changed_bytes_are_survived,
        every_shorter_file_is_refused,
        what_is_no_regular_file_is_not_waited_for,
        a_huge_file_is_not_read,
        quantiles_follow_the_histogram,
        rates_are_what_came_in_between,
    };
    return rf::test::run_tests("snapshot", tests);
}
