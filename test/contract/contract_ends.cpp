// Lookups are balanced by forgets, destroy comes once, and a session under load ends in bounded time however
// it is ended.
#include "mount.hpp"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/mount.h>

using namespace rf::contract;

namespace {

// --- forgets
// --------------------------------------------------------------------------------------------------

long look_up_many(const std::string& dir, unsigned first)
{
    for (unsigned i = 0; i < 1500; i++) {
        if (path_status(dir + "/f" + std::to_string(first + i)) < 0)
            return -1;
    }
    return 0;
}

START_TEST(lookups_are_balanced_by_forgets)
{
    const Setup setup{.single = _i == 1, .cached = true};
    Mount mount(setup);
    const Shared& shared = mount.shared();
    std::vector<Client> clients;
    // Half of the names are looked up by two clients each.
    for (unsigned i = 0; i < 4; i++)
        clients.emplace_back(cpu(i), [&, i] { return look_up_many(mount.path(), i / 2 * 3000); });
    for (Client& client : clients)
        CLAIM(client.done_within(2 * kSoonMs) && client.result() == 0, "a client hangs");
    ck_assert_int_ge(shared.lookups, 3000);
    Client unlinker(cpu(0), [&] {
        for (int i = 0; i < 100; i++) {
            if (unlink(mount.path("f" + std::to_string(i)).c_str()) != 0)
                return -1L;
        }
        return 0L;
    });
    CLAIM(unlinker.done_within(kSoonMs) && unlinker.result() == 0, "unlink fails");
    CLAIM(soon([&] { return shared.forgotten >= 100; }), "unlinked files: %ld forgets",
          shared.forgotten.load());
    std::ofstream("/proc/sys/vm/drop_caches") << "2";
    CLAIM(soon([&] { return shared.forgotten == shared.lookups; }),
          "%ld lookups, %ld forgets after caches were dropped", shared.lookups.load(),
          shared.forgotten.load());
    mount.end();
    ck_assert_int_eq(shared.forgotten, shared.lookups);
    ck_assert_int_eq(shared.inits, 1);
    ck_assert_int_eq(shared.destroys, 1);
}
END_TEST

START_TEST(forgets_are_never_more_than_lookups_under_load)
{
    const Setup setup{};
    Mount mount(setup);
    const Shared& shared = mount.shared();
    std::vector<Client> clients;
    for (unsigned i = 0; i < 4; i++) {
        clients.emplace_back(cpu(i), [&] {
            for (int n = 0; n < 500; n++) {
                const std::string name = mount.path("f" + std::to_string(n % 20));
                if (path_status(name) < 0)
                    return -1L;
                if (n % 5 == 0)
                    (void)unlink(name.c_str());
            }
            return 0L;
        });
    }
    for (Client& client : clients)
        CLAIM(client.done_within(2 * kSoonMs), "a client hangs");
    std::ofstream("/proc/sys/vm/drop_caches") << "2";
    CLAIM(soon([&] { return shared.forgotten == shared.lookups; }),
          "%ld lookups, %ld forgets after caches were dropped", shared.lookups.load(),
          shared.forgotten.load());
    mount.end();
    ck_assert_int_eq(shared.forgotten, shared.lookups);
}
END_TEST

// --- ends
// -----------------------------------------------------------------------------------------------------

enum End { kExit, kTerminate, kDetach, kAbort, kKill, kNrEnds };
constexpr std::array<const char*, kNrEnds> kNames = {"exit from a handler", "SIGTERM", "umount -l", "abort",
                                                     "kill -9"};

// Kernel: fuse_dev_do_read(), fs/fuse/dev.c (v6.18): a reader that holds a request while the connection is
// aborted gets ECONNABORTED, any other ENODEV. libfuse3 passes the former on; here both are the end of the
// mount.
#ifdef CONTRACT_REFERENCE
constexpr bool kReference = true;
#else
constexpr bool kReference = false;
#endif

bool exit_at_offset_1(Call& call)
{
    if (call.op == Op::kRead && call.at == 1)
        fuse_session_exit(call.server.session);
    return false;
}

/// Requests until the mount is gone.
long until_the_end(int fd, const std::atomic<bool>& stop)
{
    while (!stop) {
        if (file_status(fd) < 0 || read_at(fd, 1 << 20) < 0 || write_at(fd, 1 << 20) < 0)
            return 1;
    }
    return 0;
}

START_TEST(a_session_under_load_ends_in_bounded_time)
{
    const int end = _i % kNrEnds;
    const Setup setup{.hook = exit_at_offset_1, .single = _i >= kNrEnds};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::atomic<bool> stop{false};
    std::vector<Client> clients;
    for (unsigned i = 0; i < 8; i++)
        clients.emplace_back(cpu(i), [&] { return until_the_end(fd, stop); });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::optional<Client> last;
    switch (end) {
    case kExit:
        last.emplace(cpu(0), [fd] { return read_at(fd, 1); });
        break;
    case kTerminate:
        kill(mount.server(), SIGTERM);
        break;
    case kDetach:
        mount.detach();
        stop = true;
        for (Client& client : clients)
            CLAIM(client.done_within(kSoonMs), "a client hangs on a detached mount");
        close(fd); // the last user
        break;
    case kAbort:
        mount.abort_connection();
        break;
    default:
        kill(mount.server(), SIGKILL);
        break;
    }
    if (end == kKill) {
        for (Client& client : clients)
            CLAIM(client.done_within(kSoonMs), "a client hangs after kill -9");
        mount.killed();
    } else {
        // What a session returns that was told to end: the signal, or 0.
        CLAIM(shared.looped.pass(kSoonMs), "the loop does not end after %s",
              kNames[static_cast<unsigned>(end)]);
        const bool passed_on = kReference && end == kAbort && shared.loop_result == -ECONNABORTED;
        ck_assert_msg(shared.loop_result == (end == kTerminate ? SIGTERM : 0) || passed_on,
                      "the loop returns %d after %s", shared.loop_result.load(),
                      kNames[static_cast<unsigned>(end)]);
        for (Client& client : clients)
            CLAIM(client.done_within(kSoonMs), "a client hangs after %s", kNames[static_cast<unsigned>(end)]);
        CLAIM(!last || last->done_within(kSoonMs), "the client of the exiting handler hangs");
        (void)mount.ended();
        ck_assert_int_eq(shared.destroys, 1);
    }
    if (end != kDetach)
        close(fd);
}
END_TEST

START_TEST(the_end_waits_for_handlers_in_progress_and_no_longer)
{
    const Setup setup{.hook = [](Call& call) {
        if (call.op == Op::kRead && call.at == 2) {
            call.shared.n[0]++;
            std::this_thread::sleep_for(std::chrono::milliseconds(400));
            call.shared.n[1]++;
        }
        return false;
    }};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::vector<Client> clients;
    for (unsigned i = 0; i < 4; i++)
        clients.emplace_back(cpu(0), [fd] { return read_at(fd, 2); });
    CLAIM(soon([&] { return shared.n[0] == 4; }), "%ld of 4 handlers were called", shared.n[0].load());
    kill(mount.server(), SIGTERM);
    CLAIM(shared.looped.pass(kSoonMs), "the loop does not end");
    ck_assert_int_eq(shared.loop_result, SIGTERM);
    for (Client& client : clients)
        CLAIM(client.done_within(kSoonMs), "a client hangs");
    close(fd);
    (void)mount.ended();
    ck_assert_int_eq(shared.destroys, 1);
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        {lookups_are_balanced_by_forgets, 0, 2},
        forgets_are_never_more_than_lookups_under_load,
        {a_session_under_load_ends_in_bounded_time, 0, 2 * kNrEnds},
        the_end_waits_for_handlers_in_progress_and_no_longer,
    };
    return run_tests("contract_ends", tests);
}
