// Answers come from any thread, in any order, any time.
#include "mount.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <mutex>
#include <random>
#include <sys/syscall.h>
#include <utility>

using namespace rf::contract;

namespace {

std::mutex s_mutex;
std::vector<fuse_req_t> s_held;

std::vector<fuse_req_t> take_held()
{
    const std::lock_guard lock(s_mutex);
    return std::exchange(s_held, {});
}

void hold(Call& call)
{
    const std::lock_guard lock(s_mutex);
    s_held.push_back(call.req);
}

bool hold_reads(Call& call)
{
    if (call.op != Op::kRead)
        return false;
    hold(call);
    call.shared.gate[0].open();
    return true;
}

void start_pool(Server& server)
{
    for (int i = 0; i < 4; i++) {
        server.background.emplace_back([shared = &server.shared] {
            while (shared->n[1] == 0) {
                (void)shared->gate[0].pass(50);
                for (const fuse_req_t req : take_held())
                    reply_bytes(req, 16);
            }
            shared->gate[1].open();
        });
    }
}

/// Eight clients on both CPUs read `count` times each.
void claim_reads_are_answered(Mount& mount, int count)
{
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::vector<Client> clients;
    for (unsigned i = 0; i < 8; i++) {
        clients.emplace_back(cpu(i), [fd, count] {
            for (int n = 0; n < count; n++) {
                if (read_at(fd, 4096 + n) != 16 || file_status(fd) != 0)
                    return -1L;
            }
            return 0L;
        });
    }
    for (Client& client : clients) {
        CLAIM(client.done_within(4 * kSoonMs), "a client hangs");
        ck_assert_int_eq(client.result(), 0);
    }
    close(fd);
}

START_TEST(a_pool_of_threads_answers)
{
    const Setup setup{.hook = hold_reads, .before_loop = start_pool};
    Mount mount(setup);
    claim_reads_are_answered(mount, 500);
    mount.shared().n[1] = 1;
    for (int i = 0; i < 4; i++)
        ck_assert(mount.shared().gate[1].pass(kSoonMs));
    mount.end();
    mount.claim_transport_used(4000);
}
END_TEST

bool answer_from_new_thread(Call& call)
{
    if (call.op != Op::kRead)
        return false;
    std::thread([req = call.req, shared = &call.shared] {
        reply_bytes(req, 16);
        shared->n[0]++;
    }).detach();
    return true;
}

START_TEST(threads_that_exit_at_once_answer)
{
    const Setup setup{.hook = answer_from_new_thread};
    Mount mount(setup);
    claim_reads_are_answered(mount, 100);
    ck_assert(soon([&] { return mount.shared().n[0] == 800; }));
    mount.end();
}
END_TEST

void start_signal_thread(Server& server)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, nullptr); // inherited by the threads of the loop
    server.background.emplace_back([shared = &server.shared, set] {
        while (shared->n[1] == 0) {
            int signo = 0;
            if (sigwait(&set, &signo) == 0) {
                for (const fuse_req_t req : take_held())
                    reply_bytes(req, 16);
            }
        }
        shared->gate[1].open();
    });
}

bool hold_reads_and_signal(Call& call)
{
    if (call.op != Op::kRead)
        return false;
    hold(call);
    kill(getpid(), SIGUSR2);
    return true;
}

START_TEST(a_thread_that_waits_for_signals_answers)
{
    const Setup setup{.hook = hold_reads_and_signal, .before_loop = start_signal_thread};
    Mount mount(setup);
    claim_reads_are_answered(mount, 200);
    mount.shared().n[1] = 1;
    kill(mount.server(), SIGUSR2);
    ck_assert(mount.shared().gate[1].pass(kSoonMs));
    mount.end();
}
END_TEST

/// Every other read waits until the next one's handler answers both, the older one last.
bool answer_in_pairs(Call& call)
{
    if (call.op != Op::kRead)
        return false;
    fuse_req_t other = nullptr;
    {
        const std::lock_guard lock(s_mutex);
        if (s_held.empty()) {
            s_held.push_back(call.req);
            return true;
        }
        other = s_held.front();
        s_held.clear();
    }
    reply_bytes(call.req, 16);
    reply_bytes(other, 16);
    return true;
}

START_TEST(the_handler_of_another_request_answers)
{
    const Setup setup{.hook = answer_in_pairs};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    // In lockstep, so that an even number is outstanding at the end.
    for (unsigned round = 0; round < 150; round++) {
        Client first(cpu(round), [fd] { return read_at(fd, 1); });
        Client second(cpu(round / 2), [fd] { return read_at(fd, 2); });
        CLAIM(first.done_within(kSoonMs) && first.result() == 16, "round %u: the first hangs", round);
        CLAIM(second.done_within(kSoonMs) && second.result() == 16, "round %u: the second hangs", round);
    }
    close(fd);
    mount.end();
}
END_TEST

// --- ten thousand
// ---------------------------------------------------------------------------------------------

constexpr unsigned kMany = 10000;

bool hold_and_count(Call& call)
{
    if (call.op != Op::kRead || call.at >= off_t{kMany} * 4096)
        return false;
    hold(call);
    call.shared.n[0]++;
    return true;
}

void answer_all_in_random_order(Server& server)
{
    server.background.emplace_back([shared = &server.shared] {
        if (!shared->gate[2].pass(12 * kSoonMs))
            return;
        std::vector<fuse_req_t> all = take_held();
        std::shuffle(all.begin(), all.end(), std::mt19937(4711));
        shared->n[1] = static_cast<long>(all.size());
        for (const fuse_req_t req : all)
            reply_bytes(req, 4096);
        shared->gate[3].open();
    });
}

/// Submits `kMany` reads of 4096 bytes, then waits for all; 0, or how many went wrong.
long read_many(int fd, Shared& shared)
{
    aio_context_t context = 0;
    if (syscall(SYS_io_setup, kMany, &context) != 0)
        return -errno;
    char* buffer = static_cast<char*>(aligned_alloc(4096, 4096));
    std::vector<iocb> blocks(kMany);
    long submitted = 0;
    for (unsigned i = 0; i < kMany; i++) {
        blocks[i].aio_lio_opcode = IOCB_CMD_PREAD;
        blocks[i].aio_fildes = static_cast<unsigned>(fd);
        blocks[i].aio_buf = reinterpret_cast<std::uintptr_t>(buffer);
        blocks[i].aio_nbytes = 4096;
        blocks[i].aio_offset = static_cast<long>(i) * 4096;
        iocb* one = &blocks[i];
        if (syscall(SYS_io_submit, context, 1, &one) != 1)
            return -errno;
        shared.n[2] = ++submitted;
    }
    long left = submitted;
    long wrong = 0;
    std::vector<io_event> events(512);
    while (left > 0) {
        const long got = syscall(SYS_io_getevents, context, 1, events.size(), events.data(), nullptr);
        if (got < 0)
            return -errno;
        for (long i = 0; i < got; i++)
            wrong += events[static_cast<std::size_t>(i)].res != 4096;
        left -= got;
        shared.n[3] = left;
    }
    syscall(SYS_io_destroy, context);
    free(buffer);
    return wrong;
}

START_TEST(ten_thousand_outstanding_requests_are_answered_in_random_order)
{
    const Setup setup{
        .hook = hold_and_count, .max_background = 12000, .before_loop = answer_all_in_random_order};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDONLY | O_DIRECT);
    const int other = open_on(cpu(0), mount.path("f2"), O_RDWR);
    Client reader(cpu(0), [&] { return read_many(fd, shared); });
    CLAIM(soon([&] { return shared.n[0] == kMany; }, 6 * kSoonMs),
          "%ld of %u requests are held, %ld were submitted", shared.n[0].load(), kMany, shared.n[2].load());
    for (unsigned i = 0; i < 2; i++) {
        Client beside(cpu(i), [&] { return read_at(other, off_t{1} << 29); });
        CLAIM(beside.done_within(kSoonMs) && beside.result() == 16, "nothing else is served");
    }
    shared.gate[2].open();
    CLAIM(reader.done_within(6 * kSoonMs), "%ld of %u requests hang", shared.n[3].load(), kMany);
    ck_assert_int_eq(reader.result(), 0);
    ck_assert_int_eq(shared.n[1], kMany);
    ck_assert(shared.gate[3].pass(kSoonMs));
    close(fd);
    close(other);
    mount.end();
    mount.claim_transport_used(kMany);
}
END_TEST

// --- wrong answers
// ---------------------------------------------------------------------------------------------

bool answer_twice(Call& call)
{
    if (call.op != Op::kRead)
        return false;
    reply_bytes(call.req, 16);
    if (call.at == 1)
        call.shared.n[0] = fuse_reply_err(call.req, EIO);
    if (call.at == 2) {
        std::thread other([&] { call.shared.n[0] = fuse_reply_err(call.req, EIO); });
        other.join();
    }
    return true;
}

START_TEST(a_second_answer_is_refused)
{
    const Setup setup{.hook = answer_twice};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Client client(cpu(0), [fd, at = _i] { return read_at(fd, at); });
    CLAIM(client.done_within(kSoonMs) && client.result() == 16, "the client got %ld", client.result());
    ck_assert(soon([&] { return mount.shared().n[0] != 0; }));
    ck_assert_msg(mount.shared().n[0] < 0, "the second answer was taken: %ld", mount.shared().n[0].load());
    close(fd);
    mount.end();
}
END_TEST

bool hold_or_exit(Call& call)
{
    if (call.op != Op::kRead)
        return false;
    if (call.at == 2) {
        fuse_session_exit(call.server.session);
        return false;
    }
    hold(call);
    call.shared.n[0]++;
    return true;
}

void answer_held(Server& server)
{
    for (const fuse_req_t req : take_held()) {
        reply_bytes(req, 16);
        server.shared.n[1]++;
    }
}

START_TEST(answers_after_the_loop_do_no_harm)
{
    const Setup setup{.hook = hold_or_exit, .after_loop = answer_held};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::vector<Client> held;
    for (unsigned i = 0; i < 4; i++)
        held.emplace_back(cpu(i), [fd] { return read_at(fd, 1); });
    CLAIM(soon([&] { return shared.n[0] == 4; }), "%ld of 4 handlers were called", shared.n[0].load());
    Client last(cpu(0), [fd] { return read_at(fd, 2); });
    CLAIM(shared.looped.pass(kSoonMs), "the loop does not end");
    for (Client& client : held) {
        CLAIM(client.done_within(kSoonMs), "a client whose request was held hangs after the session's end");
        ck_assert_msg(client.result() == 16 || client.result() < 0, "got %ld", client.result());
    }
    CLAIM(last.done_within(kSoonMs), "the client of the exiting handler hangs");
    close(fd);
    ck_assert_int_eq(mount.ended(), 0);
    ck_assert_int_eq(shared.n[1], 4);
    ck_assert_int_eq(shared.destroys, 1);
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        a_pool_of_threads_answers,
        threads_that_exit_at_once_answer,
        a_thread_that_waits_for_signals_answers,
        the_handler_of_another_request_answers,
        ten_thousand_outstanding_requests_are_answered_in_random_order,
        {a_second_answer_is_refused, 1, is_reference() ? 1 : 3}, // undefined there
        answers_after_the_loop_do_no_harm,
    };
    return run_tests("contract_replies", tests, {.seconds = 120});
}
