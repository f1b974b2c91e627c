// stat/recorder.cpp: what is counted, by which thread, and where it can be read. The file is read as the
// `ringfuse` command reads it, through /proc.
#include "stat/recorder.hpp"

#include "base/fd.hpp"
#include "check/runner.hpp"

#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <vector>

// Behind the others: it defines macros with everyday names.

namespace {

using namespace rf::stat;

/// Paths of all statistics files of this process.
std::vector<std::string> files()
{
    std::vector<std::string> found;
    DIR* directory = ::opendir("/proc/self/fd");
    while (const dirent* entry = ::readdir(directory)) {
        const std::string path = std::string("/proc/self/fd/") + entry->d_name;
        char target[64] = {};
        if (::readlink(path.c_str(), target, sizeof(target) - 1) > 0 &&
            std::string(target) == "/memfd:ringfuse-stat (deleted)")
            found.push_back(path);
    }
    ::closedir(directory);
    return found;
}

/// The file's content, looked at in place.
class View {
public:
    View()
    {
        const std::vector<std::string> paths = files();
        ck_assert_uint_eq(paths.size(), 1);
        const rf::UniqueFd fd(::open(paths[0].c_str(), O_RDONLY | O_CLOEXEC));
        struct ::stat st {};
        ck_assert_int_eq(::fstat(fd.get(), &st), 0);
        ck_assert_int_eq(st.st_mode & 0777, 0600);
        bytes_ = static_cast<std::size_t>(st.st_size);
        at_ = ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, fd.get(), 0);
        ck_assert_ptr_ne(at_, MAP_FAILED);
    }
    ~View() { ::munmap(at_, bytes_); }

    [[nodiscard]] const Facts& facts() const { return *static_cast<const Facts*>(at_); }
    [[nodiscard]] const Block& block(std::uint32_t i) const
    {
        return reinterpret_cast<const Block*>(static_cast<const char*>(at_) + facts().blocks_at)[i];
    }
    [[nodiscard]] const Record& record(std::uint32_t i) const
    {
        return reinterpret_cast<const Record*>(static_cast<const char*>(at_) + facts().records_at)[i];
    }
    [[nodiscard]] unsigned threads() const
    {
        unsigned count = 0;
        for (std::uint32_t i = 0; i < facts().nr_blocks; ++i)
            count += block(i).tid != 0;
        return count;
    }
    [[nodiscard]] Row total(std::uint32_t row) const
    {
        Row sum;
        for (std::uint32_t i = 0; i < facts().nr_blocks; ++i) {
            sum.requests += block(i).rows[row].requests;
            sum.errors += block(i).rows[row].errors;
            for (std::uint32_t b = 0; b < kBuckets; ++b)
                sum.buckets[b] += block(i).rows[row].buckets[b];
        }
        return sum;
    }
    [[nodiscard]] std::uint64_t answers(std::uint32_t row) const
    {
        std::uint64_t sum = 0;
        for (const std::uint64_t bucket : total(row).buckets)
            sum += bucket;
        return sum;
    }

private:
    void* at_ = nullptr;
    std::size_t bytes_ = 0;
};

constexpr Arrival kRead{.unique = 8, .nodeid = 5, .opcode = 15, .caller_pid = 77, .bytes = 80, .queue = 1};

START_TEST(a_request_is_counted_and_shows_until_it_is_answered)
{
    Recorder recorder;
    ck_assert_int_eq(recorder.open(), 0);
    ck_assert_int_eq(recorder.open(), 0);
    const View view;
    Ticket ticket;
    recorder.begin(ticket, kRead);
    ck_assert_uint_eq(view.total(15).requests, 1);
    ck_assert_uint_eq(view.answers(15), 0);
    ck_assert_uint_ne(view.record(0).started, 0);
    ck_assert_uint_eq(view.record(0).unique, 8);
    ck_assert_uint_eq(view.record(0).caller_pid, 77);
    ck_assert_int_eq(view.record(0).queue, 1);
    recorder.end(ticket, true, 100);
    ck_assert_uint_eq(view.record(0).started, 0);
    ck_assert_uint_eq(view.answers(15), 1);
    ck_assert_uint_eq(view.total(15).errors, 1);
    recorder.begin(ticket, kRead); // the same request object again
    recorder.end(ticket, false, 0);
    ck_assert_uint_eq(view.record(1).unique, 0);
    ck_assert_uint_eq(view.answers(15), 2);
}
END_TEST

START_TEST(an_answer_nobody_began_counts_nothing)
{
    Recorder recorder;
    ck_assert_int_eq(recorder.open(), 0);
    const View view;
    Ticket ticket;
    recorder.end(ticket, false, 10);
    ck_assert_uint_eq(view.answers(0), 0);
}
END_TEST

START_TEST(threads_that_come_and_go_share_their_blocks)
{
    Recorder recorder;
    ck_assert_int_eq(recorder.open(), 0);
    const View view;
    for (int i = 0; i < 300; ++i) {
        std::thread([&] {
            Ticket ticket;
            recorder.begin(ticket, kRead);
            recorder.end(ticket, false, 0);
        }).join();
    }
    ck_assert_uint_eq(view.answers(15), 300);
    // A thread that was joined may be gone a moment later.
    ck_assert_uint_le(view.threads(), 10);
}
END_TEST

START_TEST(more_threads_than_blocks_lose_no_count)
{
    Recorder recorder;
    ck_assert_int_eq(recorder.open(), 0);
    const View view;
    const unsigned threads = view.facts().nr_blocks + 20;
    constexpr unsigned kEach = 50;
    std::vector<std::thread> running;
    for (unsigned i = 0; i < threads; ++i) {
        running.emplace_back([&] {
            Ticket ticket;
            for (unsigned n = 0; n < kEach; ++n) {
                recorder.begin(ticket, kRead);
                recorder.end(ticket, false, 1);
            }
        });
    }
    for (std::thread& thread : running)
        thread.join();
    ck_assert_uint_eq(view.total(15).requests, threads * kEach);
    ck_assert_uint_eq(view.answers(15), threads * kEach);
}
END_TEST

START_TEST(answers_of_other_threads_are_counted_beside_the_workers)
{
    Recorder recorder;
    ck_assert_int_eq(recorder.open(), 0);
    const View view;
    constexpr unsigned kEach = 400;
    std::vector<std::thread> running;
    for (int i = 0; i < 4; ++i) {
        running.emplace_back([&] {
            Ticket ticket;
            for (unsigned n = 0; n < kEach; ++n) {
                recorder.begin(ticket, kRead);
                std::thread([&] { recorder.end(ticket, false, 1); }).join();
                ++n;
                recorder.begin(ticket, kRead);
                recorder.end(ticket, false, 1);
            }
        });
    }
    for (std::thread& thread : running)
        thread.join();
    ck_assert_uint_eq(view.answers(15), 4 * kEach);
}
END_TEST

START_TEST(a_new_session_in_the_old_ones_place_starts_at_nothing)
{
    std::optional<Recorder> recorder;
    for (int i = 0; i < 3; ++i) {
        recorder.emplace();
        ck_assert_int_eq(recorder->open(), 0);
        const View view;
        Ticket ticket;
        recorder->begin(ticket, kRead);
        recorder->end(ticket, false, 0);
        ck_assert_uint_eq(view.answers(15), 1);
        recorder.reset();
        ck_assert_uint_eq(files().size(), 0);
    }
}
END_TEST

START_TEST(more_requests_than_records_are_counted_all_the_same)
{
    Recorder recorder;
    ck_assert_int_eq(recorder.open(), 0);
    const View view;
    std::vector<Ticket> tickets(view.facts().nr_records + 10);
    for (Ticket& ticket : tickets)
        recorder.begin(ticket, kRead);
    ck_assert_uint_eq(view.total(15).requests, tickets.size());
    ck_assert_ptr_null(tickets.back().record);
    for (Ticket& ticket : tickets)
        recorder.end(ticket, false, 0);
    ck_assert_uint_eq(view.answers(15), tickets.size());
}
END_TEST

START_TEST(nobody_can_write_to_the_file_or_cut_it)
{
    Recorder recorder;
    ck_assert_int_eq(recorder.open(), 0);
    const View view;
    const rf::UniqueFd fd(::open(files().at(0).c_str(), O_RDWR | O_CLOEXEC));
    if (fd) {
        ck_assert_int_eq(::ftruncate(fd.get(), 0), -1);
        ck_assert_int_eq(::write(fd.get(), "x", 1), -1);
        ck_assert_ptr_eq(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0), MAP_FAILED);
    }
    ck_assert_uint_eq(view.facts().magic, kMagic);
}
END_TEST

START_TEST(a_small_file_size_limit_costs_the_statistics_and_not_the_process)
{
    const rlimit small{4096, 4096};
    ck_assert_int_eq(::setrlimit(RLIMIT_FSIZE, &small), 0);
    Recorder recorder;
    ck_assert_int_eq(recorder.open(), -EFBIG);
    ck_assert_uint_eq(files().size(), 0);
    Ticket ticket;
    recorder.begin(ticket, kRead);
    recorder.end(ticket, false, 0);
}
END_TEST

START_TEST(the_environment_switches_it_off)
{
    ::setenv("RINGFUSE_STATISTICS", "0", 1);
    Recorder recorder;
    ck_assert_int_eq(recorder.open(), 0);
    ck_assert_uint_eq(files().size(), 0);
    recorder.set_state(State::kServing);
    recorder.count_interrupt();
}
END_TEST

START_TEST(facts_are_there_for_the_reader)
{
    Recorder recorder;
    ck_assert_int_eq(recorder.open(), 0);
    recorder.change([](Facts& facts) { set_text(facts.transport, "a transport with far too long a name"); });
    recorder.set_state(State::kServing);
    recorder.count_interrupt();
    recorder.count_fallback();
    const View view;
    ck_assert_uint_eq(view.facts().version, kVersion);
    ck_assert_uint_eq(std::strlen(view.facts().transport.data()), view.facts().transport.size() - 1);
    ck_assert_int_eq(view.facts().pid, ::getpid());
    ck_assert_uint_eq(view.facts().state, static_cast<std::uint32_t>(State::kServing));
    ck_assert_uint_eq(view.facts().interrupts, 1);
    ck_assert_uint_eq(view.facts().fallbacks, 1);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        a_request_is_counted_and_shows_until_it_is_answered,
        an_answer_nobody_began_counts_nothing,
        threads_that_come_and_go_share_their_blocks,
        more_threads_than_blocks_lose_no_count,
        answers_of_other_threads_are_counted_beside_the_workers,
        a_new_session_in_the_old_ones_place_starts_at_nothing,
        more_requests_than_records_are_counted_all_the_same,
        nobody_can_write_to_the_file_or_cut_it,
        a_small_file_size_limit_costs_the_statistics_and_not_the_process,
        the_environment_switches_it_off,
        facts_are_there_for_the_reader,
    };
    return rf::test::run_tests("recorder", tests);
}
