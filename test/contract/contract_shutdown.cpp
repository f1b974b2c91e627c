// A shutdown loses nothing: what was delivered is answered before the loop returns, and what was not is
// served by the next loop. Not for the classic loop, which has no such call.
#include "mount.hpp"

#include <csignal>
#include <fcntl.h>
#include <mutex>
#include <ringfuse/ringfuse.h>
#include <utility>

using namespace rf::contract;

namespace {

// Generous: these are no claims about speed.
constexpr long kLongMs = 30000;

// What a read at one of these offsets means.
enum Offset : off_t {
    kLate = 7,     // answered by another thread after a while
    kSlow = 8,     // answered by its handler after a while
    kShutdown = 9, // its handler calls for the shutdown
    kHeld = 11,    // answered when the test says so
};

enum Number {
    kLateAnswers,
    kSlowAnswers,
    kAtReturn,
    kExported,
    kLoops,
    kTimeout,
    kSecondResult,
    kOver,
    kAlternate,
    kDelivered,
    kLeftBound
};
enum GateNumber { kTrigger, kRelease };

std::mutex s_mutex;
std::vector<fuse_req_t> s_held;
fuse_session* s_session = nullptr;

bool hook(Call& call)
{
    if (call.op != Op::kRead)
        return false;
    const fuse_req_t req = call.req;
    Shared* const shared = &call.shared;
    switch (call.at) {
    case kLate:
        shared->n[kDelivered]++;
        std::thread([req, shared] {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            shared->n[kLateAnswers]++;
            reply_bytes(req, 16);
        }).detach();
        return true;
    case kSlow:
        shared->n[kDelivered]++;
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        shared->n[kSlowAnswers]++;
        return false;
    case kShutdown:
        (void)ringfuse_session_shutdown(call.server.session, static_cast<int>(shared->n[kTimeout]));
        return false;
    case kHeld: {
        const std::lock_guard lock(s_mutex);
        s_held.push_back(req);
        shared->n[kDelivered]++;
        return true;
    }
    default:
        return false;
    }
}

void prepare(Server& server)
{
    s_session = server.session;
    struct sigaction action {};
    action.sa_handler = [](int) { (void)ringfuse_session_shutdown(s_session, static_cast<int>(kLongMs)); };
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    server.background.emplace_back([&server] {
        if (server.shared.gate[kTrigger].pass(2 * kLongMs) && server.shared.n[kOver] == 0)
            (void)ringfuse_session_shutdown(server.session, static_cast<int>(server.shared.n[kTimeout]));
    });
}

int loop_again(Server& server)
{
    return server.setup.single ? fuse_session_loop(server.session)
                               : fuse_session_loop_mt(server.session, nullptr);
}

/// The thread of prepare() may still wait, and the session is about to go.
void dismiss_trigger(Shared& shared)
{
    shared.n[kOver] = 1;
    shared.gate[kTrigger].open();
}

/// Notes how things are at the loop's return, and begins another loop, which the end of the mount ends.
void note_and_go_on(Server& server)
{
    Shared& shared = server.shared;
    shared.n[kAtReturn] = shared.n[kLateAnswers] + shared.n[kSlowAnswers];
    std::array<char, RINGFUSE_STATE_BYTES> state;
    shared.n[kExported] = ringfuse_session_export(server.session, state.data(), state.size());
    shared.n[kSecondResult] = loop_again(server);
    dismiss_trigger(shared);
}

void release_held()
{
    std::vector<fuse_req_t> held;
    {
        const std::lock_guard lock(s_mutex);
        held.swap(s_held);
    }
    for (const fuse_req_t req : held)
        reply_bytes(req, 16);
}

// --- requests in progress
// -------------------------------------------------------------------------------------

enum Trigger { kForeignThread, kHandler, kSignalHandler, kNrTriggers };

START_TEST(a_shutdown_under_load_loses_no_request)
{
    const int trigger = _i % kNrTriggers;
    const Setup setup{
        .hook = hook, .single = _i >= kNrTriggers, .before_loop = prepare, .after_loop = note_and_go_on};
    Mount mount(setup);
    Shared& shared = mount.shared();
    shared.n[kTimeout] = kLongMs;
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Hammer hammer(fd, {cpu(0), cpu(1), cpu(0), cpu(1)});
    std::vector<Client> clients;
    for (unsigned i = 0; i < 4; i++)
        clients.emplace_back(cpu(i), [fd] { return read_at(fd, kLate); });
    const int slow = setup.single ? 1 : 2; // one after the other there
    for (int i = 0; i < slow; i++)
        clients.emplace_back(cpu(static_cast<unsigned>(i)), [fd] { return read_at(fd, kSlow); });
    CLAIM(soon([&] { return shared.n[kDelivered] == 4 + slow; }, kLongMs), "%ld requests were delivered",
          shared.n[kDelivered].load());
    std::optional<Client> last;
    if (trigger == kForeignThread)
        shared.gate[kTrigger].open();
    else if (trigger == kHandler)
        last.emplace(cpu(0), [fd] { return read_at(fd, kShutdown); });
    else
        kill(mount.server(), SIGUSR1);
    CLAIM(shared.looped.pass(kLongMs), "the loop does not end");
    ck_assert_int_eq(shared.loop_result, 0);
    for (Client& client : clients) {
        CLAIM(client.done_within(kLongMs), "a client of a request in progress hangs");
        CLAIM(client.result() == 16, "a request in progress got %ld", client.result());
    }
    CLAIM(!last || (last->done_within(kLongMs) && last->result() > 0), "the client of the handler hangs");
    // The other loop serves, and what came between the loops was not lost.
    CLAIM(hammer.stop() > 0, "the hammer did nothing");
    ck_assert_int_eq(shared.n[kAtReturn], 4 + slow);
    if (over_ring())
        ck_assert_int_eq(shared.n[kExported], -EOPNOTSUPP);
    else
        ck_assert_int_gt(shared.n[kExported], 0);
    close(fd);
    mount.end();
    ck_assert_int_eq(shared.n[kSecondResult], 0);
}
END_TEST

// --- loops that come and go
// -----------------------------------------------------------------------------------

/// A loop may not leave its caller bound to a CPU.
cpu_set_t own_affinity()
{
    cpu_set_t set;
    (void)sched_getaffinity(0, sizeof(set), &set);
    return set;
}

void loop_many_times(Server& server)
{
    const cpu_set_t before = own_affinity();
    for (int i = 0; i < 20; i++) {
        server.shared.n[kLoops]++;
        std::thread stopper([&server] {
            std::this_thread::sleep_for(std::chrono::milliseconds(25));
            (void)ringfuse_session_shutdown(server.session, static_cast<int>(kLongMs));
        });
        // Test 2 has loops of both kinds.
        const bool single = server.setup.single || (server.shared.n[kAlternate] != 0 && i % 2 == 1);
        const int result =
            single ? fuse_session_loop(server.session) : fuse_session_loop_mt(server.session, nullptr);
        stopper.join();
        const cpu_set_t after = own_affinity();
        server.shared.n[kLeftBound] += CPU_EQUAL(&before, &after) == 0;
        if (result != 0)
            return;
        std::this_thread::sleep_for(std::chrono::milliseconds(5)); // requests come, and nobody serves
    }
    server.shared.n[kSecondResult] = loop_again(server);
    dismiss_trigger(server.shared);
}

START_TEST(requests_between_loops_wait_for_the_next_one)
{
    const Setup setup{.hook = hook, .single = _i == 1, .before_loop = prepare, .after_loop = loop_many_times};
    Mount mount(setup);
    Shared& shared = mount.shared();
    shared.n[kTimeout] = kLongMs;
    shared.n[kAlternate] = _i == 2;
    shared.n[kSecondResult] = -1;
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Hammer hammer(fd, {cpu(0), cpu(1), cpu(0), cpu(1)});
    shared.gate[kTrigger].open();
    CLAIM(soon([&] { return shared.n[kLoops] == 20; }, kLongMs), "%ld loops", shared.n[kLoops].load());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CLAIM(hammer.stop() > 0, "the hammer did nothing");
    close(fd);
    mount.end();
    ck_assert_int_eq(shared.n[kSecondResult], 0);
    ck_assert_int_eq(shared.n[kLeftBound], 0);
}
END_TEST

// --- the bound
// ------------------------------------------------------------------------------------------------

void release_and_go_on(Server& server)
{
    release_held();
    note_and_go_on(server);
}

START_TEST(a_shutdown_waits_no_longer_than_it_was_told)
{
    const Setup setup{
        .hook = hook, .single = _i == 1, .before_loop = prepare, .after_loop = release_and_go_on};
    Mount mount(setup);
    Shared& shared = mount.shared();
    shared.n[kTimeout] = 200;
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Client held(cpu(0), [fd] { return read_at(fd, kHeld); });
    CLAIM(soon([&] { return shared.n[kDelivered] == 1; }, kLongMs), "not delivered");
    shared.gate[kTrigger].open();
    CLAIM(shared.looped.pass(kLongMs), "the loop does not end");
    ck_assert_int_eq(shared.loop_result, -ETIMEDOUT);
    // The single-threaded ring has gone with its loop, and the request with it.
    if (!over_ring() || !setup.single)
        CLAIM(held.done_within(kLongMs) && held.result() == 16, "an answer after the loop is lost");
    else
        mount.abort_connection();
    CLAIM(held.done_within(kLongMs), "the client hangs");
    close(fd);
    mount.detach();
    (void)mount.ended(kLongMs);
    ck_assert_int_eq(shared.destroys, 1);
}
END_TEST

START_TEST(a_signal_ends_the_waiting_of_a_shutdown)
{
    const Setup setup{.hook = hook, .before_loop = prepare, .after_loop = release_and_go_on};
    Mount mount(setup);
    Shared& shared = mount.shared();
    shared.n[kTimeout] = -1;
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Client held(cpu(0), [fd] { return read_at(fd, kHeld); });
    CLAIM(soon([&] { return shared.n[kDelivered] == 1; }, kLongMs), "not delivered");
    shared.gate[kTrigger].open();
    CLAIM(!shared.looped.pass(300), "the loop ends with a request unanswered");
    kill(mount.server(), SIGTERM);
    CLAIM(shared.looped.pass(kLongMs), "the loop does not end");
    ck_assert_int_eq(shared.loop_result, 0);
    CLAIM(held.done_within(kLongMs) && held.result() == 16, "an answer after the loop is lost");
    close(fd);
    mount.end();
}
END_TEST

START_TEST(the_end_of_the_mount_ends_the_waiting_of_a_shutdown)
{
    const Setup setup{.hook = hook, .before_loop = prepare, .after_loop = release_and_go_on};
    Mount mount(setup);
    Shared& shared = mount.shared();
    shared.n[kTimeout] = -1;
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Client held(cpu(0), [fd] { return read_at(fd, kHeld); });
    CLAIM(soon([&] { return shared.n[kDelivered] == 1; }, kLongMs), "not delivered");
    shared.gate[kTrigger].open();
    CLAIM(!shared.looped.pass(300), "the loop ends with a request unanswered");
    mount.abort_connection();
    CLAIM(shared.looped.pass(kLongMs), "the loop does not end");
    ck_assert_int_eq(shared.loop_result, 0);
    CLAIM(held.done_within(kLongMs), "the client hangs");
    close(fd);
    mount.detach();
    (void)mount.ended(kLongMs);
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        {a_shutdown_under_load_loses_no_request, 0, 2 * kNrTriggers},
        {requests_between_loops_wait_for_the_next_one, 0, 3},
        {a_shutdown_waits_no_longer_than_it_was_told, 0, 2},
        a_signal_ends_the_waiting_of_a_shutdown,
        the_end_of_the_mount_ends_the_waiting_of_a_shutdown,
    };
    return run_tests("contract_shutdown", tests, {.seconds = 120});
}
