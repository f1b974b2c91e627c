// A handler that blocks delays nobody else, on its CPU or another, as long as threads are allowed.
#include "mount.hpp"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <mutex>

using namespace rf::contract;

namespace {

// Ways to block, by the offset that is read.
enum Way { kGate = 1, kSleep, kSpin, kMutex, kPipe, kAfterReply, kNrWays };
constexpr std::array<const char*, kNrWays> kNames = {"",      "gate", "sleep",      "spin",
                                                     "mutex", "pipe", "after reply"};
constexpr std::array<unsigned, 4> kCounts = {1, 2, 5, 9};
constexpr long kVictimRequests = 200;

std::mutex s_mutex;
std::array<int, 2> s_pipe{-1, -1};

void prepare(Server& server)
{
    if (pipe2(s_pipe.data(), O_CLOEXEC) != 0)
        abort();
    // Owns the mutex and the pipe's other end until the test opens the gate.
    server.background.emplace_back([shared = &server.shared] {
        s_mutex.lock();
        shared->gate[1].open();
        while (shared->n[1] == 0)
            (void)shared->gate[2].pass(100);
        s_mutex.unlock();
        close(s_pipe[1]);
    });
    (void)server.shared.gate[1].pass(kSoonMs);
}

void block(Shared& shared, off_t way)
{
    const Clock::time_point start = Clock::now();
    char byte = 0;
    switch (way) {
    case kGate:
    case kAfterReply:
        (void)shared.gate[0].pass(2 * kSoonMs);
        break;
    case kSleep:
        while (shared.n[1] == 0 && milliseconds_since(start) < 2 * kSoonMs)
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
        break;
    case kSpin:
        while (shared.n[1] == 0 && milliseconds_since(start) < 2 * kSoonMs)
            continue;
        break;
    case kMutex:
        s_mutex.lock();
        s_mutex.unlock();
        break;
    case kPipe:
        (void)!read(s_pipe[0], &byte, 1);
        break;
    default:
        break;
    }
}

bool block_by_offset(Call& call)
{
    if (call.op != Op::kRead || call.at <= 0 || call.at >= kNrWays)
        return false;
    if (call.at == kAfterReply)
        reply_bytes(call.req, 16);
    call.shared.n[0]++;
    block(call.shared, call.at);
    return call.at == kAfterReply;
}

void release(Shared& shared, unsigned count)
{
    shared.n[1] = 1;
    shared.gate[0].open(count);
    shared.gate[2].open();
}

/// Requests of several kinds by one client.
long victim(int fd, const std::string& dir, long requests)
{
    for (long i = 0; i < requests; i++) {
        if (file_status(fd) < 0 || read_at(fd, 1 << 20) != 16 || write_at(fd, 1 << 20) != 16 ||
            path_status(dir + "/f" + std::to_string(i % 50)) < 0)
            return -1;
    }
    return 0;
}

void claim_nobody_is_delayed(Mount& mount, int fd, const char* what, long requests, long ms)
{
    for (unsigned i = 0; i < 2; i++) {
        Client client(cpu(i), [&] { return victim(fd, mount.path(), requests); });
        CLAIM(client.done_within(ms), "beside %s a client on CPU %d hangs", what, cpu(i));
        ck_assert_int_eq(client.result(), 0);
    }
}

void blockers_delay_nobody(Way way, unsigned count, bool spread)
{
    const Setup setup{.hook = block_by_offset, .before_loop = prepare};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::vector<Client> blockers;
    for (unsigned i = 0; i < count; i++)
        blockers.emplace_back(cpu(spread ? i : 0), [fd, way] { return read_at(fd, way); });
    CLAIM(soon([&] { return shared.n[0] == count; }), "%ld of %u blocking handlers were called (%s)",
          shared.n[0].load(), count, kNames[way]);
    // Spinners take their share of the CPU whatever the library does.
    claim_nobody_is_delayed(mount, fd, kNames[way], way == kSpin ? 10 : kVictimRequests, kSoonMs);
    if (way == kAfterReply) {
        for (Client& client : blockers)
            CLAIM(client.done_within(0) && client.result() == 16, "an answer waits for its handler to end");
    }
    release(shared, count);
    for (Client& client : blockers)
        CLAIM(client.done_within(kSoonMs) && client.result() == 16, "a blocked client hangs");
    close(fd);
    mount.end();
    mount.claim_transport_used(kVictimRequests / 20);
    ck_assert_uint_le(static_cast<unsigned>(shared.inside_most), handlers_allowed());
}

START_TEST(handlers_that_wait_at_a_gate_delay_nobody)
{
    blockers_delay_nobody(kGate, kCounts[static_cast<unsigned>(_i)], false);
}
END_TEST

START_TEST(handlers_that_wait_on_both_cpus_delay_nobody)
{
    blockers_delay_nobody(kGate, kCounts[static_cast<unsigned>(_i)], true);
}
END_TEST

START_TEST(handlers_that_sleep_delay_nobody)
{
    blockers_delay_nobody(kSleep, kCounts[static_cast<unsigned>(_i)], false);
}
END_TEST

START_TEST(handlers_that_spin_delay_nobody)
{
    blockers_delay_nobody(kSpin, kCounts[static_cast<unsigned>(_i)], false);
}
END_TEST

START_TEST(handlers_that_wait_for_a_mutex_delay_nobody)
{
    blockers_delay_nobody(kMutex, kCounts[static_cast<unsigned>(_i)], false);
}
END_TEST

START_TEST(handlers_that_read_a_pipe_delay_nobody)
{
    blockers_delay_nobody(kPipe, kCounts[static_cast<unsigned>(_i)], false);
}
END_TEST

START_TEST(handlers_that_block_after_their_answer_delay_nobody)
{
    blockers_delay_nobody(kAfterReply, kCounts[static_cast<unsigned>(_i)], false);
}
END_TEST

START_TEST(an_answer_does_not_wait_for_its_handler)
{
    const Setup setup{.hook = block_by_offset, .before_loop = prepare};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    for (unsigned i = 0; i < 4; i++) {
        Client client(cpu(0), [fd] { return read_at(fd, kAfterReply); });
        CLAIM(client.done_within(kSoonMs), "the answer waits for its handler to end");
        ck_assert_int_eq(client.result(), 16);
        ck_assert_msg(client.milliseconds() < 500, "the answer took %ld ms", client.milliseconds());
    }
    release(mount.shared(), 4);
    close(fd);
    mount.end();
}
END_TEST

// Every kind of request may block, large WRITEs with their data still in the request's own memory included.
bool block_by_file(Call& call)
{
    const bool transfer = call.op == Op::kRead || call.op == Op::kWrite;
    const bool meant = call.ino == kFirstFile + 90 ||
                       (call.ino == kFirstDirectory + 90 && call.op != Op::kLookup) ||
                       (transfer && (call.ino == kFirstFile + 91 || call.ino == kFirstFile + 92));
    if (!meant)
        return false;
    call.shared.n[0]++;
    (void)call.shared.gate[0].pass(2 * kSoonMs);
    if (call.op == Op::kWrite) {
        for (std::size_t i = 0; i < call.bytes; i++)
            call.shared.n[2] += call.data[i] != 'w';
    }
    return false;
}

START_TEST(every_kind_of_request_may_block)
{
    const Setup setup{.hook = block_by_file};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    const int source = open_on(cpu(0), mount.path("f91"), O_RDONLY);
    const int target = open_on(cpu(0), mount.path("f92"), O_WRONLY);
    const std::string blocked = mount.path("d80/f90"); // the kernel may take lookups in one directory in turn
    const std::string directory = mount.path("d90");
    std::vector<Client> clients;
    clients.emplace_back(cpu(0), [&] { return path_status(blocked); });
    clients.emplace_back(cpu(0), [&] { return read_at(source, 5); });
    clients.emplace_back(cpu(0), [&] { return write_at(target, 5, 64); });
    clients.emplace_back(cpu(0), [&] { return list_directory(directory); });
    CLAIM(soon([&] { return shared.n[0] == 4; }), "%ld of 4 handlers were called", shared.n[0].load());
    claim_nobody_is_delayed(mount, fd, "lookup, read, write, opendir", kVictimRequests, kSoonMs);
    shared.gate[0].open(1000);
    for (Client& client : clients)
        CLAIM(client.done_within(kSoonMs) && client.result() >= 0, "a blocked client hangs");
    ck_assert_int_eq(shared.n[2], 0);
    close(fd);
    close(source);
    close(target);
    mount.end();
}
END_TEST

START_TEST(data_of_a_blocked_write_stays_what_it_was)
{
    const Setup setup{.hook = block_by_file};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::vector<int> files;
    std::vector<Client> clients;
    for (unsigned i = 0; i < 4; i++)
        files.push_back(open_on(cpu(0), mount.path("f91"), O_RDWR));
    // Direct writes of one file take turns in the kernel, so each gets released before the next comes.
    for (const int file : files)
        clients.emplace_back(cpu(0), [file] { return write_at(file, 0, 128 * 1024); });
    CLAIM(soon([&] { return shared.n[0] >= 1; }), "no handler was called");
    claim_nobody_is_delayed(mount, fd, "big writes", kVictimRequests, kSoonMs);
    shared.gate[0].open(1000);
    for (Client& client : clients)
        CLAIM(client.done_within(kSoonMs) && client.result() == 128 * 1024, "a blocked client hangs");
    ck_assert_int_eq(shared.n[2], 0);
    for (const int file : files)
        close(file);
    close(fd);
    mount.end();
}
END_TEST

// Answers a large WRITE at once, from the handler or from another thread, and goes on reading its data.
constexpr std::size_t kLarge = 256 * 1024;

bool answer_large_write_first(Call& call)
{
    if (call.op != Op::kWrite || call.bytes != kLarge)
        return false;
    const std::vector<char> before(call.data, call.data + call.bytes);
    if (call.ino % 2 == 0)
        answer_normally(call);
    else
        std::thread([&call] { answer_normally(call); }).join();
    call.shared.n[0]++;
    (void)call.shared.gate[0].pass(2 * kSoonMs);
    call.shared.n[1] += std::memcmp(before.data(), call.data, call.bytes) != 0;
    call.shared.n[2]++;
    return true;
}

long write_bytes(int fd, char byte, std::size_t bytes)
{
    const std::vector<char> buffer(bytes, byte);
    return pwrite(fd, buffer.data(), bytes, 0);
}

START_TEST(the_answer_of_a_large_write_does_not_wait_and_its_data_stays)
{
    const Setup setup{.hook = answer_large_write_first};
    Mount mount(setup);
    Shared& shared = mount.shared();
    std::vector<int> files;
    for (int i = 0; i < 4; i++)
        files.push_back(open_on(cpu(0), mount.path("f" + std::to_string(60 + i)), O_RDWR));
    // One after the other: each answer has to come while the handlers before still read.
    for (int i = 0; i < 4; i++) {
        const int fd = files[static_cast<std::size_t>(i)];
        Client client(cpu(0), [fd, i] { return write_bytes(fd, static_cast<char>('a' + i), kLarge); });
        CLAIM(client.done_within(kSoonMs), "the answer of a large write waits for its handler to end");
        ck_assert_int_eq(client.result(), static_cast<long>(kLarge));
    }
    // What comes now goes over the same entries.
    const int other = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Client over(cpu(0), [other] {
        long sum = 0;
        for (int i = 0; i < 50; i++)
            sum += write_bytes(other, 'z', 2 * kLarge);
        return sum;
    });
    CLAIM(over.done_within(kSoonMs), "writes beside handlers that read on hang");
    ck_assert_int_eq(over.result(), 50L * 2 * static_cast<long>(kLarge));
    ck_assert_int_eq(shared.n[2], 0);
    shared.gate[0].open(4);
    CLAIM(soon([&] { return shared.n[2] == 4; }), "%ld of 4 handlers went on", shared.n[2].load());
    ck_assert_int_eq(shared.n[1], 0);
    for (const int fd : files)
        close(fd);
    close(other);
    mount.end();
}
END_TEST

START_TEST(more_blockers_than_threads_lose_nothing)
{
    const unsigned allowed = handlers_allowed();
    const unsigned many = allowed + 14;
    const Setup setup{.hook = block_by_offset, .before_loop = prepare};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::vector<Client> blockers;
    for (unsigned i = 0; i < many; i++)
        blockers.emplace_back(cpu(i), [fd] { return read_at(fd, kGate); });
    CLAIM(soon([&] { return shared.n[0] == allowed; }), "%ld of %u handlers were called", shared.n[0].load(),
          allowed);
    std::vector<Client> late;
    for (unsigned i = 0; i < 4; i++)
        late.emplace_back(cpu(i), [fd] { return file_status(fd); });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    release(shared, many);
    for (Client& client : blockers)
        CLAIM(client.done_within(kSoonMs) && client.result() == 16, "a blocked client hangs");
    for (Client& client : late)
        CLAIM(client.done_within(kSoonMs) && client.result() == 0, "a late client hangs");
    close(fd);
    mount.end();
    ck_assert_uint_le(static_cast<unsigned>(shared.inside_most), allowed);
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        {handlers_that_wait_at_a_gate_delay_nobody, 0, 4},
        {handlers_that_wait_on_both_cpus_delay_nobody, 1, 4},
        {handlers_that_sleep_delay_nobody, 0, 4},
        {handlers_that_spin_delay_nobody, 0, 3},
        {handlers_that_wait_for_a_mutex_delay_nobody, 2, 4},
        {handlers_that_read_a_pipe_delay_nobody, 2, 4},
        {handlers_that_block_after_their_answer_delay_nobody, 0, 4},
        an_answer_does_not_wait_for_its_handler,
        every_kind_of_request_may_block,
        data_of_a_blocked_write_stays_what_it_was,
        the_answer_of_a_large_write_does_not_wait_and_its_data_stays,
        more_blockers_than_threads_lose_nothing,
    };
    return run_tests("contract_blocking", tests);
}
