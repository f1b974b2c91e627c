// One thread means one thread: fuse_session_loop() and max_threads=1.
#include "mount.hpp"

#include <fcntl.h>
#include <mutex>

using namespace rf::contract;

namespace {

long busy_client(int fd, const std::string& dir)
{
    for (int i = 0; i < 200; i++) {
        if (file_status(fd) < 0 || read_at(fd, 1 << 20) != 16 || write_at(fd, 1 << 20) != 16 ||
            path_status(dir + "/f" + std::to_string(i)) < 0)
            return -1;
    }
    return 0;
}

void eight_clients(Mount& mount)
{
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::vector<Client> clients;
    for (unsigned i = 0; i < 8; i++)
        clients.emplace_back(cpu(i), [&] { return busy_client(fd, mount.path()); });
    for (Client& client : clients) {
        CLAIM(client.done_within(4 * kSoonMs), "a client hangs");
        ck_assert_int_eq(client.result(), 0);
    }
    close(fd);
}

START_TEST(the_loop_runs_handlers_on_its_caller_only)
{
    const Setup setup{.single = true};
    Mount mount(setup);
    eight_clients(mount);
    mount.end();
    const Shared& shared = mount.shared();
    ck_assert_int_eq(shared.nr_handler_threads, 1);
    ck_assert_int_eq(shared.handler_threads[0], shared.loop_tid);
    ck_assert_int_eq(shared.inside_most, 1);
    mount.claim_transport_used(8 * 200 * 4);
}
END_TEST

START_TEST(max_threads_1_is_one_handler_thread)
{
    const Setup setup{.max_threads = 1};
    Mount mount(setup);
    eight_clients(mount);
    mount.end();
    const Shared& shared = mount.shared();
    ck_assert_int_eq(shared.nr_handler_threads, 1);
    ck_assert_int_eq(shared.inside_most, 1);
    mount.claim_transport_used(8 * 200 * 4);
    if (!is_reference()) // libfuse starts a thread for it
        ck_assert_int_eq(shared.handler_threads[0], shared.loop_tid);
}
END_TEST

bool block_on_offset_1(Call& call)
{
    if (call.op != Op::kRead || call.at != 1)
        return false;
    call.shared.n[0]++;
    (void)call.shared.gate[0].pass(kSoonMs);
    call.shared.n[0]--;
    return false;
}

START_TEST(nothing_else_runs_beside_a_blocked_handler_and_nothing_is_lost)
{
    const Setup setup{.hook = block_on_offset_1, .single = true};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Client blocked(cpu(0), [&] { return read_at(fd, 1); });
    CLAIM(soon([&] { return shared.n[0] == 1; }), "the handler was not called");
    std::vector<Client> others;
    for (unsigned i = 0; i < 6; i++)
        others.emplace_back(cpu(i), [&] { return read_at(fd, 1 << 20); });
    ck_assert(!others.front().done_within(200));
    shared.gate[0].open();
    CLAIM(blocked.done_within(kSoonMs), "the blocked client hangs");
    for (Client& other : others)
        CLAIM(other.done_within(kSoonMs) && other.result() == 16, "a client behind it hangs");
    close(fd);
    mount.end();
    ck_assert_int_eq(shared.inside_most, 1);
}
END_TEST

std::mutex s_mutex;
std::vector<fuse_req_t> s_held;

bool hold_reads(Call& call)
{
    if (call.op != Op::kRead)
        return false;
    const std::lock_guard lock(s_mutex);
    s_held.push_back(call.req);
    return true;
}

void start_replier(Server& server)
{
    server.background.emplace_back([shared = &server.shared] {
        while (shared->n[1] == 0) {
            std::vector<fuse_req_t> some;
            {
                const std::lock_guard lock(s_mutex);
                some.swap(s_held);
            }
            for (const fuse_req_t req : some)
                reply_bytes(req, 16);
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        shared->gate[1].open();
    });
}

START_TEST(answers_from_another_thread_reach_a_single_threaded_loop_that_sleeps)
{
    const Setup setup{.hook = hold_reads, .single = true, .before_loop = start_replier};
    Mount mount(setup);
    Shared& shared = mount.shared();
    eight_clients(mount);
    shared.n[1] = 1;
    ck_assert(shared.gate[1].pass(kSoonMs));
    mount.end();
    ck_assert_int_eq(shared.nr_handler_threads, 1);
    ck_assert_int_eq(shared.handler_threads[0], shared.loop_tid);
    ck_assert_int_eq(shared.inside_most, 1);
    mount.claim_transport_used(8 * 200 * 4);
}
END_TEST

/// Reads at 1 are held for another thread; those at 2 block the only handler thread.
bool hold_or_block(Call& call)
{
    if (call.op == Op::kRead && call.at == 2) {
        call.shared.n[0]++;
        (void)call.shared.gate[2].pass(2 * kSoonMs);
    }
    return call.op == Op::kRead && call.at == 1 && hold_reads(call);
}

void start_late_replier(Server& server)
{
    server.background.emplace_back([shared = &server.shared] {
        (void)shared->gate[0].pass(4 * kSoonMs);
        const std::lock_guard lock(s_mutex);
        for (const fuse_req_t req : s_held)
            reply_bytes(req, 16);
        shared->n[2] = static_cast<long>(s_held.size());
    });
}

START_TEST(answers_from_another_thread_leave_while_the_only_thread_is_in_a_handler)
{
    const Setup setup{.hook = hold_or_block, .single = true, .before_loop = start_late_replier};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::vector<Client> held;
    for (unsigned i = 0; i < 6; i++)
        held.emplace_back(cpu(i), [fd] { return read_at(fd, 1); });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    Client blocker(cpu(0), [fd] { return read_at(fd, 2); });
    CLAIM(soon([&] { return shared.n[0] == 1; }), "the handler was not called");
    shared.gate[0].open();
    for (Client& client : held)
        CLAIM(client.done_within(kSoonMs) && client.result() == 16,
              "an answer waits for the handler of another request");
    CLAIM(soon([&] { return shared.n[2] == 6; }), "not all were answered while the handler was busy");
    shared.gate[2].open();
    CLAIM(blocker.done_within(kSoonMs) && blocker.result() == 16, "the blocked client hangs");
    close(fd);
    mount.end();
    ck_assert_int_eq(shared.nr_handler_threads, 1);
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        the_loop_runs_handlers_on_its_caller_only,
        max_threads_1_is_one_handler_thread,
        nothing_else_runs_beside_a_blocked_handler_and_nothing_is_lost,
        answers_from_another_thread_reach_a_single_threaded_loop_that_sleeps,
        answers_from_another_thread_leave_while_the_only_thread_is_in_a_handler,
    };
    return run_tests("contract_single", tests);
}
