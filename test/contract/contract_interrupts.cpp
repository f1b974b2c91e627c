// A signal to a client reaches the handler, or the asynchronous wait, of its request; and killed clients die.
#include "mount.hpp"

#include <csignal>
#include <fcntl.h>
#include <mutex>
#include <sys/prctl.h>
#include <sys/wait.h>

using namespace rf::contract;

namespace {

// What a read asks for, by its offset.
// n[0]: handlers called, n[1]: interrupt functions called, n[2]: milliseconds kPolling polls, 0: long.
enum What { kFunction = 1, kPolling, kAsync, kLateFunction, kBlock, kAnswerAtOnce, kDeaf };

std::mutex s_mutex;
std::vector<fuse_req_t> s_held;

void on_interrupt(fuse_req_t, void* data)
{
    Shared& shared = *static_cast<Shared*>(data);
    shared.n[1]++;
    shared.gate[0].open();
}

/// Answers from a thread of its own when the interrupt function was called.
void answer_when_interrupted(fuse_req_t req, Shared& shared)
{
    std::thread([req, &shared] {
        const bool came = shared.gate[0].pass(2 * kSoonMs);
        fuse_req_interrupt_func(req, nullptr, nullptr);
        fuse_reply_err(req, came ? EINTR : ETIMEDOUT);
    }).detach();
}

bool interrupted_within(fuse_req_t req, long ms)
{
    return soon([req] { return fuse_req_interrupted(req) != 0; }, ms);
}

bool interruptible(Call& call)
{
    if (call.op != Op::kRead || call.at > kDeaf)
        return false;
    Shared& shared = call.shared;
    if (call.at == kFunction || call.at == kAsync)
        fuse_req_interrupt_func(call.req, on_interrupt, &shared);
    shared.n[0]++;
    switch (call.at) {
    case kFunction: {
        const bool came = shared.gate[0].pass(2 * kSoonMs);
        fuse_req_interrupt_func(call.req, nullptr, nullptr);
        fuse_reply_err(call.req, came ? EINTR : ETIMEDOUT);
        return true;
    }
    case kPolling:
        fuse_reply_err(call.req,
                       interrupted_within(call.req, shared.n[2] > 0 ? shared.n[2].load() : 2 * kSoonMs)
                           ? EINTR
                           : ETIMEDOUT);
        return true;
    case kAsync:
        answer_when_interrupted(call.req, shared);
        return true;
    case kLateFunction:
        // The interrupt comes first: the function is called by the call that sets it.
        if (interrupted_within(call.req, 2 * kSoonMs))
            fuse_req_interrupt_func(call.req, on_interrupt, &shared);
        fuse_reply_err(call.req, shared.gate[0].pass(0) ? EINTR : ETIMEDOUT);
        return true;
    case kBlock:
        (void)shared.gate[1].pass(2 * kSoonMs);
        return false;
    case kDeaf: {
        const std::lock_guard lock(s_mutex);
        s_held.push_back(call.req);
        return true;
    }
    default:
        return false;
    }
}

/// Signals whose handler does nothing but interrupt.
void take_signals()
{
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, nullptr);
}

/// Sends the signal until the client is done: one that comes before the system call is of no use.
void claim_interrupted(Client& client, const char* when)
{
    for (int i = 0; i < 40 && !client.done_within(50); i++)
        pthread_kill(client.thread(), SIGUSR1);
    CLAIM(client.done_within(kSoonMs), "the client hangs, interrupted %s", when);
    CLAIM(client.result() == -EINTR, "the client got %ld, interrupted %s", client.result(), when);
}

START_TEST(an_interrupt_reaches_the_request)
{
    take_signals();
    const Setup setup{.hook = interruptible};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    Client client(cpu(0), [fd, at = _i] { return read_at(fd, at); });
    CLAIM(soon([&] { return shared.n[0] == 1; }), "the handler was not called");
    claim_interrupted(client, _i == kAsync ? "during an asynchronous wait" : "during the handler");
    ck_assert_int_eq(shared.n[1], _i == kPolling ? 0 : 1);
    Client after(cpu(0), [fd] { return read_at(fd, 1 << 20); });
    CLAIM(after.done_within(kSoonMs) && after.result() == 16, "nothing is served afterwards");
    close(fd);
    mount.end();
}
END_TEST

START_TEST(interrupts_reach_requests_while_handlers_block)
{
    take_signals();
    const Setup setup{.hook = interruptible};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::vector<Client> blocked;
    for (unsigned i = 0; i < 6; i++)
        blocked.emplace_back(cpu(0), [fd] { return read_at(fd, kBlock); });
    CLAIM(soon([&] { return shared.n[0] == 6; }), "%ld of 6 handlers were called", shared.n[0].load());
    Client client(cpu(0), [fd] { return read_at(fd, kFunction); });
    CLAIM(soon([&] { return shared.n[0] == 7; }), "the handler was not called");
    claim_interrupted(client, "beside blocked handlers");
    shared.gate[1].open(6);
    for (Client& one : blocked)
        CLAIM(one.done_within(kSoonMs) && one.result() == 16, "a blocked client hangs");
    close(fd);
    mount.end();
}
END_TEST

START_TEST(an_interrupt_before_delivery_is_not_lost)
{
    take_signals();
    const Setup setup{.hook = interruptible, .single = true};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    shared.n[2] = 300;
    Client blocker(cpu(0), [fd] { return read_at(fd, kBlock); });
    CLAIM(soon([&] { return shared.n[0] == 1; }), "the handler was not called");
    Client client(cpu(0), [fd] { return read_at(fd, kPolling); });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    pthread_kill(client.thread(), SIGUSR1);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    shared.gate[1].open();
    CLAIM(blocker.done_within(kSoonMs), "the blocked client hangs");
    CLAIM(client.done_within(3 * kSoonMs), "the interrupted client hangs");
    // With one thread nobody reads the INTERRUPT while the handler polls for it: the handler gives up.
    ck_assert_msg(client.result() == -EINTR || client.result() == -ETIMEDOUT, "got %ld", client.result());
    close(fd);
    mount.end();
}
END_TEST

START_TEST(an_interrupt_in_the_queue_behind_all_handlers_is_not_lost)
{
    take_signals();
    const Setup setup{.hook = interruptible};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::vector<Client> blocked;
    const unsigned allowed = handlers_allowed();
    for (unsigned i = 0; i < allowed; i++)
        blocked.emplace_back(cpu(i), [fd] { return read_at(fd, kBlock); });
    CLAIM(soon([&] { return shared.n[0] >= allowed; }), "%ld of %u handlers were called", shared.n[0].load(),
          allowed);
    Client client(cpu(0), [fd] { return read_at(fd, kPolling); });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    pthread_kill(client.thread(), SIGUSR1);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ck_assert(!client.done_within(0));
    shared.gate[1].open(allowed);
    for (Client& one : blocked)
        CLAIM(one.done_within(kSoonMs) && one.result() == 16, "a blocked client hangs");
    CLAIM(client.done_within(kSoonMs) && client.result() == -EINTR, "the client got %ld", client.result());
    close(fd);
    mount.end();
}
END_TEST

START_TEST(an_interrupt_that_races_with_the_answer_is_harmless)
{
    take_signals();
    const Setup setup{.hook = interruptible};
    Mount mount(setup);
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    std::atomic<bool> stop{false};
    Client client(cpu(0), [&] {
        for (int i = 0; i < 3000; i++) {
            const long rc = read_at(fd, kAnswerAtOnce);
            if (rc != 16 && rc != -EINTR)
                return rc;
        }
        return 0L;
    });
    Client shooter(cpu(1), [&] {
        while (!stop) {
            pthread_kill(client.thread(), SIGUSR1);
            std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
        return 0L;
    });
    CLAIM(client.done_within(4 * kSoonMs), "the client hangs");
    stop = true;
    CLAIM(client.result() == 0, "the client got %ld", client.result());
    ck_assert(shooter.done_within(kSoonMs));
    close(fd);
    mount.end();
}
END_TEST

/// A client process that reads `path` at `at`. It is its own, so that it can be killed.
pid_t start_process(const std::string& path, off_t at)
{
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        bind_to_cpu(cpu(0));
        const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
        std::array<char, 16> buffer;
        (void)!pread(fd, buffer.data(), buffer.size(), at);
        _exit(0);
    }
    return pid;
}

void claim_gone(pid_t pid, const char* what)
{
    int status = 0;
    const bool gone = soon([&] { return waitpid(pid, &status, WNOHANG) == pid; });
    CLAIM(gone, "%s does not die", what);
}

START_TEST(a_killed_client_dies_when_its_handler_gives_up)
{
    const Setup setup{.hook = interruptible};
    Mount mount(setup);
    const pid_t pid = start_process(mount.path("f1"), _i);
    CLAIM(soon([&] { return mount.shared().n[0] == 1; }), "the handler was not called");
    kill(pid, SIGKILL);
    claim_gone(pid, "a killed client");
    mount.end();
}
END_TEST

void answer_held_when_told(Server& server)
{
    server.background.emplace_back([shared = &server.shared] {
        if (shared->gate[2].pass(3 * kSoonMs)) {
            const std::lock_guard lock(s_mutex);
            for (const fuse_req_t req : s_held)
                reply_bytes(req, 16);
        }
        shared->gate[3].open();
    });
}

START_TEST(answers_to_dead_clients_are_harmless)
{
    const Setup setup{.hook = interruptible, .before_loop = answer_held_when_told};
    Mount mount(setup);
    Shared& shared = mount.shared();
    std::vector<pid_t> clients;
    for (int i = 0; i < 5; i++)
        clients.push_back(start_process(mount.path("f1"), kDeaf));
    CLAIM(soon([&] { return shared.n[0] == 5; }), "%ld of 5 handlers were called", shared.n[0].load());
    for (const pid_t pid : clients)
        kill(pid, SIGKILL);
    const int fd = open_on(cpu(0), mount.path("f2"), O_RDWR);
    for (unsigned i = 0; i < 2; i++) {
        Client other(cpu(i), [fd] {
            for (int n = 0; n < 100; n++) {
                if (read_at(fd, 1 << 20) != 16)
                    return -1L;
            }
            return 0L;
        });
        CLAIM(other.done_within(kSoonMs) && other.result() == 0,
              "others hang while dead clients' requests are held");
    }
    shared.gate[2].open();
    CLAIM(shared.gate[3].pass(kSoonMs), "the replies hang");
    for (const pid_t pid : clients)
        claim_gone(pid, "a killed client whose request was answered");
    close(fd);
    mount.end();
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        {an_interrupt_reaches_the_request, kFunction, kLateFunction + 1},
        interrupts_reach_requests_while_handlers_block,
        an_interrupt_before_delivery_is_not_lost,
        an_interrupt_in_the_queue_behind_all_handlers_is_not_lost,
        an_interrupt_that_races_with_the_answer_is_harmless,
        {a_killed_client_dies_when_its_handler_gives_up, kFunction, kAsync + 1},
        answers_to_dead_clients_are_harmless,
    };
    return run_tests("contract_interrupts", tests);
}
