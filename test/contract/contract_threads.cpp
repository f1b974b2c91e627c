// How many threads there are: max_threads is a cap, bursts start none, an idle mount wakes none.
#include "mount.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <string_view>

using namespace rf::contract;

namespace {

/// Reads at 1 block until the gate is open; reads at 2 tell the last process id in the server's namespace.
bool block_or_count(Call& call)
{
    if (call.op != Op::kRead)
        return false;
    if (call.at == 1) {
        call.shared.n[0]++;
        (void)call.shared.gate[0].pass(2 * kSoonMs);
        call.shared.n[1]++;
    } else if (call.at == 2) {
        long last = 0;
        std::ifstream("/proc/sys/kernel/ns_last_pid") >> last;
        call.shared.n[2] = last;
    }
    return false;
}

/// Requests that block, more than threads are allowed, from both CPUs.
void many_blockers(Mount& mount, int fd, unsigned count, long expected)
{
    Shared& shared = mount.shared();
    shared.n[0] = shared.n[1] = 0;
    std::vector<Client> clients;
    for (unsigned i = 0; i < count; i++)
        clients.emplace_back(cpu(i), [fd] { return read_at(fd, 1); });
    CLAIM(soon([&] { return shared.n[0] >= expected; }), "%ld handlers run at a time, %ld are allowed",
          shared.n[0].load(), expected);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const long most = shared.n[0];
    shared.gate[0].open(count);
    for (Client& client : clients)
        CLAIM(client.done_within(kSoonMs) && client.result() == 16, "a blocked client hangs");
    CLAIM(most <= expected, "%ld handlers run at a time, %ld are allowed", most, expected);
}

START_TEST(max_threads_is_a_cap_that_is_reached)
{
    const unsigned allowed = handlers_allowed(static_cast<unsigned>(_i));
    const Setup setup{.hook = block_or_count, .max_threads = static_cast<unsigned>(_i)};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    for (int round = 0; round < 2; round++)
        many_blockers(mount, fd, allowed + 8, allowed);
    close(fd);
    mount.end();
    ck_assert_int_le(mount.shared().inside_most, allowed);
}
END_TEST

long last_pid(Mount& mount, int fd)
{
    Client client(cpu(0), [fd] { return read_at(fd, 2); });
    CLAIM(client.done_within(kSoonMs) && client.result() == 16, "the count is not to be had");
    return mount.shared().n[2];
}

START_TEST(bursts_start_no_threads)
{
    const Setup setup{.hook = block_or_count, .count_threads = true};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    const auto burst = [&](int ms) {
        Hammer hammer(fd, {cpu(0), cpu(1), cpu(0), cpu(1), cpu(0), cpu(1), cpu(0), cpu(1)});
        std::this_thread::sleep_for(std::chrono::milliseconds(ms));
        ck_assert_int_gt(hammer.stop(), 0);
    };
    burst(500);
    many_blockers(mount, fd, 8, 8);
    burst(200);
    const long before = last_pid(mount, fd);
    ck_assert_int_gt(before, 1);
    for (int i = 0; i < 25; i++) {
        burst(40);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    const long started = last_pid(mount, fd) - before;
    ck_assert_msg(started <= 2, "%ld threads were started during 25 bursts", started);
    close(fd);
    mount.end();
}
END_TEST

/// Times any of the server's tasks was switched to.
long switches(const Mount& mount)
{
    long total = 0;
    for (const pid_t task : mount.tasks()) {
        std::ifstream file("/proc/" + std::to_string(mount.server()) + "/task/" + std::to_string(task) +
                           "/status");
        std::string word;
        long value = 0;
        while (file >> word) {
            if (word == "voluntary_ctxt_switches:" && file >> value)
                total += value;
        }
    }
    return total;
}

START_TEST(an_idle_mount_wakes_nobody)
{
    const Setup setup{.hook = block_or_count, .single = _i == 1};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    if (_i == 0)
        many_blockers(mount, fd, 5, 5);
    {
        Hammer hammer(fd, {cpu(0), cpu(1), cpu(0), cpu(1)});
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        ck_assert_int_gt(hammer.stop(), 0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1000));
    const long before = switches(mount);
    std::this_thread::sleep_for(std::chrono::milliseconds(3000));
    const long woken = switches(mount) - before;
#ifdef __SANITIZE_THREAD__
    constexpr long kAllowed = 3 * 30; // the tool's own thread wakes up ten times a second
#else
    constexpr long kAllowed = 1;
#endif
    ck_assert_msg(woken <= kAllowed, "an idle mount woke up %ld times in 3 s", woken);
    close(fd);
    mount.end();
}
END_TEST

START_TEST(max_idle_threads_is_honoured)
{
    const Setup setup{.hook = block_or_count, .max_threads = 12, .max_idle_threads = 2};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    many_blockers(mount, fd, 1, 1);
    const std::size_t before = mount.tasks().size();
    many_blockers(mount, fd, 9, 9);
    const auto few = [&] {
        // libfuse's threads look at the limit when they have served something.
        Client client(cpu(0), [fd] { return read_at(fd, 1 << 20); });
        CLAIM(client.done_within(kSoonMs), "a client hangs");
        return mount.tasks().size() <= before + 3;
    };
    CLAIM(soon(few), "%zu threads are left, %zu before nine handlers blocked", mount.tasks().size(), before);
    close(fd);
    mount.end();
}
END_TEST

/// Workers go and come again and again beside clients that do not wait.
START_TEST(nothing_is_lost_while_threads_go_and_come)
{
    const Setup setup{.hook = block_or_count, .max_threads = 12, .max_idle_threads = 1};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Hammer hammer(fd, {cpu(0), cpu(1), cpu(0), cpu(1)});
    for (int round = 0; round < 20; round++)
        many_blockers(mount, fd, 9, 9);
    ck_assert_int_gt(hammer.stop(), 0);
    close(fd);
    mount.end();
}
END_TEST

} // namespace

int main(int argc, char* argv[])
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        {max_threads_is_a_cap_that_is_reached, 10, 11},
        {max_threads_is_a_cap_that_is_reached, 14, 15},
        bursts_start_no_threads,
        {an_idle_mount_wakes_nobody, 0, 2},
    };
    // A test of its own for the build, which asks for it with "idle".
    const Tests about_idle_threads = {
        max_idle_threads_is_honoured,
        nothing_is_lost_while_threads_go_and_come,
    };
    const bool idle = argc > 1 && std::string_view(argv[1]) == "idle";
    return run_tests("contract_threads", idle ? about_idle_threads : tests);
}
