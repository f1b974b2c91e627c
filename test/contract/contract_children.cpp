// What a handler starts is not tied to the CPU of the thread that ran it, and has the signal mask that the
// classic loop's threads have.
#include "mount.hpp"

#include <cinttypes>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>

extern char** environ;

using namespace rf::contract;

namespace {

// What a handler starts, by the offset that is read.
enum Child { kForkExec = 1, kVforkExec, kSpawn, kPopen, kSystem, kThread, kThreadOfThread, kNrChildren };
constexpr unsigned kLooks = 2; // from each CPU
constexpr std::array<const char*, kNrChildren> kNames = {
    "", "fork + exec", "vfork + exec", "posix_spawn", "popen", "system", "a thread", "a thread's thread"};

std::uint64_t cpus_of_caller()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    std::uint64_t bits = 0;
    for (unsigned i = 0; i < 64; i++) {
        if (CPU_ISSET(i, &set))
            bits |= std::uint64_t{1} << i;
    }
    return bits;
}

std::uint64_t signals_of_caller()
{
    sigset_t set;
    sigemptyset(&set);
    pthread_sigmask(SIG_BLOCK, nullptr, &set);
    std::uint64_t bits = 0;
    for (int signo = 1; signo < 64; signo++) {
        if (sigismember(&set, signo) == 1)
            bits |= std::uint64_t{1} << (signo - 1);
    }
    return bits;
}

void record(Shared& shared, std::uint64_t cpus, std::uint64_t signals)
{
    shared.n[0] = static_cast<long>(cpus);
    shared.n[1] = static_cast<long>(signals);
}

/// Takes both from the text of /proc/self/status.
void record_status(Shared& shared, const std::string& text)
{
    const auto value = [&](const char* key) {
        const std::size_t at = text.find(key);
        return at == std::string::npos ? 0 : strtoull(text.c_str() + at + strlen(key), nullptr, 16);
    };
    record(shared, value("Cpus_allowed:"), value("SigBlk:"));
}

std::string read_all(int fd)
{
    std::string text;
    std::array<char, 1024> buffer;
    ssize_t n = 0;
    while ((n = read(fd, buffer.data(), buffer.size())) > 0)
        text.append(buffer.data(), static_cast<std::size_t>(n));
    return text;
}

constexpr char kCat[] = "/bin/cat";
constexpr char kStatus[] = "/proc/self/status";

pid_t start_cat(Child how, int out)
{
    std::array<char*, 3> argv{const_cast<char*>(kCat), const_cast<char*>(kStatus), nullptr};
    if (how == kSpawn) {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        pid_t pid = -1;
        const int rc = posix_spawn(&pid, kCat, &actions, nullptr, argv.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        return rc == 0 ? pid : -1;
    }
    const pid_t pid = how == kVforkExec ? vfork() : fork();
    if (pid == 0) {
        dup2(out, STDOUT_FILENO);
        execv(kCat, argv.data());
        _exit(127);
    }
    return pid;
}

void run_cat(Child how, Shared& shared)
{
    std::array<int, 2> ends{-1, -1};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        return;
    const pid_t pid = start_cat(how, ends[1]);
    close(ends[1]);
    record_status(shared, read_all(ends[0]));
    close(ends[0]);
    waitpid(pid, nullptr, 0);
}

void run_popen(Shared& shared)
{
    FILE* file = popen("cat /proc/self/status", "re");
    if (!file)
        return;
    record_status(shared, read_all(fileno(file)));
    pclose(file);
}

void run_system(Shared& shared)
{
    std::array<int, 2> ends{-1, -1};
    if (pipe2(ends.data(), 0) != 0)
        return;
    std::array<char, 64> command;
    snprintf(command.data(), command.size(), "cat /proc/self/status > /dev/fd/%d", ends[1]);
    const int rc = system(command.data());
    close(ends[1]);
    if (rc == 0)
        record_status(shared, read_all(ends[0]));
    close(ends[0]);
}

void start(Child how, Shared& shared)
{
    const auto look = [&shared] { record(shared, cpus_of_caller(), signals_of_caller()); };
    switch (how) {
    case kPopen:
        run_popen(shared);
        break;
    case kSystem:
        run_system(shared);
        break;
    case kThread:
        std::thread(look).join();
        break;
    case kThreadOfThread:
        std::thread([&] { std::thread(look).join(); }).join();
        break;
    default:
        run_cat(how, shared);
        break;
    }
}

bool start_something(Call& call)
{
    if (call.op != Op::kRead || call.at <= 0 || call.at >= kNrChildren)
        return false;
    start(static_cast<Child>(call.at), call.shared);
    return false;
}

void note_before(Server& server)
{
    server.shared.n[2] = static_cast<long>(cpus_of_caller());
    server.shared.n[3] = static_cast<long>(signals_of_caller());
}

void claim_free(Child how, bool single)
{
    const Setup setup{.hook = start_something, .single = single, .before_loop = note_before};
    Mount mount(setup);
    Shared& shared = mount.shared();
    const int fd = open_on(cpu(0), mount.path("f1"), O_RDWR);
    // The threads of libfuse's multi-threaded loop block what would end the session; its caller's thread does
    // not.
    std::uint64_t expected = static_cast<std::uint64_t>(shared.n[3].load());
    if (!single) {
        for (const int signo : {SIGHUP, SIGINT, SIGQUIT, SIGTERM})
            expected |= std::uint64_t{1} << (signo - 1);
    }
    // The first look is at the very first thing the process starts in a handler. Before the others come many
    // requests in a row, so that a thread that learns, or follows its clients, has settled.
    for (unsigned i = 0; i < 2 * kLooks; i++) {
        Client fast(cpu(i), [fd, i] {
            for (int n = 0; i > 0 && n < 1000; n++) {
                if (file_status(fd) < 0)
                    return -1L;
            }
            return 0L;
        });
        CLAIM(fast.done_within(kSoonMs) && fast.result() == 0, "a client hangs");
        shared.n[0] = 0;
        shared.n[1] = -1;
        Client client(cpu(i), [fd, how] { return read_at(fd, how); });
        CLAIM(client.done_within(kSoonMs) && client.result() == 16, "starting %s hangs", kNames[how]);
        ck_assert_msg(shared.n[0] == shared.n[2], "%s has CPUs %#lx, the loop's caller %#lx", kNames[how],
                      shared.n[0].load(), shared.n[2].load());
        if (how == kPopen || how == kSystem)
            continue; // shells clear it
        ck_assert_msg(static_cast<std::uint64_t>(shared.n[1]) == expected,
                      "%s has signal mask %#lx instead of %#" PRIx64, kNames[how], shared.n[1].load(),
                      expected);
    }
    close(fd);
    mount.end();
}

START_TEST(what_a_handler_starts_is_free)
{
    claim_free(static_cast<Child>(_i), false);
}
END_TEST

START_TEST(what_a_handler_of_a_single_threaded_loop_starts_is_free)
{
    claim_free(static_cast<Child>(_i), true);
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        {what_a_handler_starts_is_free, kForkExec, kNrChildren},
        {what_a_handler_of_a_single_threaded_loop_starts_is_free, kForkExec, kNrChildren},
    };
    return run_tests("contract_children", tests);
}
