// Runs one cell of the teardown matrix (cell.hpp says what a cell is): brings a server into the state, orders
// the end, and claims what must follow. Every wait has an end; what hangs is shown, set free and reported.
// Longer than other files: one cell from its start to its end, read in order; what it is made of has files of
// its own.
//
//   teardown_cell --list
//   teardown_cell TRANSPORT/LOOP/STATE/END/SEED [SECONDS]      default: 30 s for the whole cell
//
// Exit 0: all as it must be; 1: not; 2: wrong arguments; 77: not possible here. Works in a mount namespace of
// its own.
#include "clients.hpp"
#include "server.hpp"
#include "witness.hpp"

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <optional>
#include <random>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace rf::teardown {
namespace {

constexpr char kDir[] = "/mnt/teardown";
constexpr int kRunning = -1000; // Shared::loop_result before the loop has returned

/// libfuse's classic loop, which is measured by the same claims but for two: an exit from another thread is
/// noticed with the next request, and an aborted connection may be passed on as ECONNABORTED.
constexpr bool kIsReference =
#ifdef TEARDOWN_REFERENCE
    true;
#else
    false;
#endif

void nap(long ms)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

class Run {
public:
    Run(const Cell& cell, Shared& shared, long limit_ms)
        : cell_(cell), shared_(shared), clients_(cell, shared, kDir), limit_ms_(limit_ms), random_(cell.seed)
    {}

    void all()
    {
        start_server();
        reach_state();
        order_end();
        let_go();
        expect_end();
    }

private:
    // The steps.
    void start_server();
    void reach_state();
    void order_end();
    void order_from_handler();
    void umount_when_free(bool by_helper);
    void umount_lazily();
    void umount_by_force();
    void lose_clients();
    void let_go();
    void expect_end();
    void expect_server();
    void expect_counts();
    void expect_mount();

    // Parts of them.
    void end_clients();
    void unlink_names(int first, int last);
    void await_transport();
    void claim_session_goes_on();
    void claim_forgets_balanced();
    [[nodiscard]] int umount_once(bool by_helper);
    template <class Job>
    [[nodiscard]] int in_child(const char* what, Job job);
    [[nodiscard]] bool server_ended();
    [[nodiscard]] bool loop_runs() const { return shared_.loop_result == kRunning; }
    void pass(Door door, const char* what);
    template <class Condition>
    void until(Condition condition, const char* what);
    [[gnu::format(printf, 3, 4)]] void claim(bool holds, const char* format, ...);
    [[noreturn]] void give_up();
    long some(long most) { return std::uniform_int_distribution<long>(0, most)(random_); }

    const Cell& cell_;
    Shared& shared_;
    Clients clients_;
    const long limit_ms_;
    std::minstd_rand random_;
    const contract::Clock::time_point start_ = contract::Clock::now();
    pid_t server_ = -1;
    pid_t helper_ = -1;
    std::optional<int> status_;
    Connection connection_;
    bool stays_listed_ = false;
};

// --- waiting and failing
// -----------------------------------------------------------------------------------------

void Run::claim(bool holds, const char* format, ...)
{
    if (holds)
        return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s after %ld ms: ", cell_.name().c_str(), contract::milliseconds_since(start_));
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    give_up();
}

template <class Condition>
void Run::until(Condition condition, const char* what)
{
    while (!condition()) {
        claim(contract::milliseconds_since(start_) < limit_ms_, "does not happen: %s", what);
        nap(1);
    }
}

void Run::pass(Door door, const char* what)
{
    claim(shared_.gate[door].pass(limit_ms_ - contract::milliseconds_since(start_)), "does not happen: %s",
          what);
}

/// Shows who does what, sets everybody free, and ends the process with 1.
void Run::give_up()
{
    fprintf(
        stderr,
        "loop result %d, init %d, destroy %d, lookups %ld, forgotten %ld, blocked %ld, kept %ld, inside %d\n",
        shared_.loop_result.load(), shared_.inits.load(), shared_.destroys.load(), shared_.lookups.load(),
        shared_.forgotten.load(), shared_.n[kBlocked].load(), shared_.n[kKept].load(), shared_.inside.load());
    if (server_ > 0 && !server_ended())
        show_process("server", server_);
    (void)clients_.all_ended();
    for (const pid_t client : clients_.running())
        show_process("client", client);
    if (helper_ > 0)
        show_process("helper", helper_);
    fflush(nullptr);
    (void)connection_.abort();
    clients_.kill_all();
    if (helper_ > 0)
        kill(helper_, SIGKILL);
    if (server_ > 0 && !status_)
        kill(server_, SIGKILL);
    const contract::Clock::time_point begin = contract::Clock::now();
    while ((!clients_.all_ended() || !server_ended()) && contract::milliseconds_since(begin) < 5000)
        nap(5);
    // Otherwise the mount goes with the namespace.
    (void)connection_.abort();
    _exit(1);
}

bool Run::server_ended()
{
    int status = 0;
    if (!status_ && waitpid(server_, &status, WNOHANG) == server_)
        status_ = status;
    return status_.has_value();
}

/// What `job` returned, run in a child, which may hang where we must not.
template <class Job>
int Run::in_child(const char* what, Job job)
{
    fflush(nullptr);
    helper_ = fork();
    claim(helper_ >= 0, "fork: %s", strerror(errno));
    if (helper_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(job());
    }
    int status = 0;
    until([&] { return waitpid(helper_, &status, WNOHANG) == helper_; }, what);
    helper_ = -1;
    claim(WIFEXITED(status), "%s: status %#x", what, static_cast<unsigned>(status));
    return WEXITSTATUS(status);
}

// --- to the state
// ------------------------------------------------------------------------------------------------

void Run::start_server()
{
    fflush(nullptr);
    server_ = fork();
    claim(server_ >= 0, "fork: %s", strerror(errno));
    if (server_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        exit(serve(cell_, shared_, kDir));
    }
    claim(shared_.mounted.pass(limit_ms_), "the server does not mount");
    connection_ = {shared_.connection, shared_.n[kConnectionInode]};
    printf("connection %ld inode %ld\n", connection_.number, connection_.inode);
    fflush(stdout);
}

/// While the ring is being set up the device serves, and an end at that moment is the state `register`. So:
/// requests until one has come over the ring.
void Run::await_transport()
{
#ifndef TEARDOWN_REFERENCE
    if (!cell_.ring || cell_.state == State::kFirst || cell_.state == State::kRegister)
        return;
    until(
        [&] {
            claim_session_goes_on();
            return shared_.ring_requests > 0;
        },
        "the ring serves");
#endif
}

void Run::reach_state()
{
    await_transport();
    switch (cell_.state) {
    case State::kFirst:
        if (cell_.end == End::kLastClient)
            clients_.start_stat();
        std::this_thread::sleep_for(std::chrono::microseconds(some(3000)));
        break;
    case State::kRegister:
        clients_.start_stat();
        nap(some(2));
        shared_.gate[kLoopMayBegin].open();
        pass(kInitDone, "init");
        std::this_thread::sleep_for(std::chrono::microseconds(some(3000)));
        break;
    case State::kIdle:
        claim_session_goes_on();
        claim_forgets_balanced();
        if (cell_.end == End::kLastClient) {
            clients_.start_holder();
            pass(kClientReady, "a client's open");
        }
        break;
    case State::kBusy:
    case State::kRacing:
    case State::kBlocked:
    case State::kAsync:
        clients_.start_all();
        for (int i = 0; i < kClients; i++)
            pass(kClientReady, "a client's open");
        shared_.gate[kClientGo].open(kClients);
        break;
    }
    if (cell_.state == State::kBlocked)
        until([&] { return shared_.n[kBlocked] >= handler_threads(cell_); }, "handlers block");
    if (cell_.state == State::kAsync)
        until([&] { return shared_.n[kKept] == kClients; }, "requests are kept");
    // Half of the seeds meet clients in full swing, the others the moment they begin.
    if (cell_.has_clients())
        nap((cell_.seed & 2) != 0 ? 10 + some(30) : some(2));
}

void Run::claim_session_goes_on()
{
    const int error = in_child("requests while the session goes on", [] {
        return static_cast<int>(-look_up_and_unlink(kDir, kNames - 10, kNames - 1));
    });
    claim(error == 0, "a session that goes on: %s", strerror(error));
}

/// REQUIRES: every name with an inode was unlinked, and nobody does anything.
void Run::claim_forgets_balanced()
{
    until([&] { return shared_.forgotten == shared_.lookups; }, "all forgets come");
}

// --- the end
// -----------------------------------------------------------------------------------------------------

void Run::order_end()
{
    switch (cell_.end) {
    case End::kTerm:
    case End::kInt:
    case End::kHup:
        kill(server_, cell_.signal_number());
        break;
    case End::kKill:
        kill(server_, SIGKILL);
        break;
    case End::kExitSignal:
        kill(server_, SIGUSR1);
        break;
    case End::kSegv:
    case End::kExitHandler:
        order_from_handler();
        break;
    case End::kExitThread:
        shared_.gate[kThreadExits].open();
        if (kIsReference) {
            nap(50);
            clients_.start_stat();
        }
        break;
    case End::kUmount:
        umount_when_free(/* by_helper= */ false);
        break;
    case End::kFusermount:
        umount_when_free(/* by_helper= */ true);
        break;
    case End::kUmountLazy:
        umount_lazily();
        break;
    case End::kUmountForce:
        umount_by_force();
        break;
    case End::kAbort:
        claim(connection_.abort(), "the connection is gone before it was aborted");
        stays_listed_ = true;
        break;
    case End::kLastClient:
        lose_clients();
        break;
    }
    if (cell_.holds_loop())
        shared_.gate[kLoopMayBegin].open();
}

void Run::order_from_handler()
{
    if (cell_.state == State::kFirst || cell_.state == State::kRegister)
        return; // in init(), or in the handler of the client that waits
    if (cell_.state == State::kBlocked)
        shared_.n[kEndNow] = 1;
    else
        clients_.start_orderer();
}

int Run::umount_once(bool by_helper)
{
    return in_child("umount", [by_helper] {
        if (!by_helper)
            return umount2(kDir, 0) == 0 ? 0 : errno;
        const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDERR_FILENO);
        execlp("fusermount3", "fusermount3", "-u", kDir, nullptr);
        return ENOEXEC;
    });
}

void Run::umount_when_free(bool by_helper)
{
    int rc = umount_once(by_helper);
    if (cell_.has_clients()) {
        claim(by_helper ? rc == 1 : rc == EBUSY, "umount beside clients with open files: %d", rc);
        nap(20);
        claim(loop_runs() && is_mounted(kDir), "an umount that failed ended the session");
        end_clients();
        rc = umount_once(by_helper);
    } else if (cell_.state == State::kRegister && rc != 0) {
        end_clients(); // it met the client on its way
        rc = umount_once(by_helper);
    }
    claim(rc == 0, "umount of a mount without users: %d", rc);
}

/// Lets all clients come to their end and waits for it.
void Run::end_clients()
{
    shared_.n[kReleased] = 1;
    shared_.gate[kRelease].open(kClients);
    shared_.gate[kAnswerKept].open();
    shared_.n[kStop] = 1;
    until([&] { return clients_.all_ended(); }, "clients end");
}

void Run::umount_lazily()
{
    const int rc = in_child("umount -l", [] { return umount2(kDir, MNT_DETACH) == 0 ? 0 : errno; });
    claim(rc == 0, "umount -l: %s", strerror(rc));
    claim(!is_mounted(kDir), "listed after umount -l");
    if (cell_.state == State::kBlocked || cell_.state == State::kAsync) {
        nap(30);
        claim(loop_runs() && connection_.alive(), "the session ended though files are open");
    }
    if (cell_.has_clients())
        end_clients();
}

void Run::umount_by_force()
{
    const int rc = in_child("umount -f", [] { return umount2(kDir, MNT_FORCE) == 0 ? 0 : errno; });
    claim(rc == 0 || (rc == EBUSY && (cell_.has_clients() || cell_.state == State::kRegister)),
          "umount -f: %s", strerror(rc));
    stays_listed_ = rc == EBUSY;
}

void Run::lose_clients()
{
    clients_.kill_all();
    end_clients();
    claim(loop_runs(), "the session ended with its last client");
    claim_session_goes_on();
    unlink_names(0, kClients);
    unlink_names(kTemporary, kNames - 1);
    claim_forgets_balanced();
    const int rc = umount_once(false);
    claim(rc == 0, "umount without clients: %s", strerror(rc));
}

void Run::unlink_names(int first, int last)
{
    const int error = in_child(
        "unlink", [first, last] { return static_cast<int>(-look_up_and_unlink(kDir, first, last)); });
    claim(error == 0, "unlink: %s", strerror(error));
}

void Run::let_go()
{
    if (cell_.state != State::kBlocked || cell_.dies() || cell_.waits_for_clients())
        return;
    nap(20 + some(60));
    claim(loop_runs(), "the loop returned while handlers ran");
    shared_.n[kReleased] = 1;
    shared_.gate[kRelease].open(kClients);
}

// --- what must follow
// --------------------------------------------------------------------------------------------

void Run::expect_end()
{
    expect_server();
    expect_mount();
    if (cell_.state == State::kIdle)
        shared_.gate[kClientGo].open();
    until([&] { return clients_.all_ended(); }, "clients end");
    claim(clients_.ended_well(), "a client did not end well");
    until([&] { return !connection_.alive(); }, "the connection disappears");
    claim(shared_.forgotten <= shared_.lookups, "%ld forgets, %ld lookups", shared_.forgotten.load(),
          shared_.lookups.load());
}

void Run::expect_server()
{
    until([&] { return server_ended(); }, "the server ends");
    if (cell_.dies()) {
        const int signo = cell_.end == End::kKill ? SIGKILL : SIGSEGV;
        claim(WIFSIGNALED(*status_) && WTERMSIG(*status_) == signo, "server status %#x, wanted signal %d",
              static_cast<unsigned>(*status_), signo);
        stays_listed_ = true;
        return;
    }
    claim(WIFEXITED(*status_) && WEXITSTATUS(*status_) == 0, "server status %#x, see above",
          static_cast<unsigned>(*status_));
    const bool passed_on = kIsReference && (cell_.end == End::kAbort || cell_.end == End::kUmountForce) &&
                           shared_.loop_result == -ECONNABORTED;
    claim(passed_on || shared_.loop_result == cell_.signal_number(), "the loop returned %d, wanted %d",
          shared_.loop_result.load(), cell_.signal_number());
    expect_counts();
}

void Run::expect_counts()
{
    const int inits = shared_.inits;
    const bool started = cell_.state != State::kFirst;
    claim(started ? inits == 1 : inits <= 1, "init was called %d times", inits);
    claim(shared_.destroys == inits, "init %d times, destroy %d times", inits, shared_.destroys.load());
    const bool settled = started && cell_.state != State::kRegister;
    const char* wanted = cell_.ring ? "fuse_uring" : cell_.uring ? "dev_uring" : "dev";
    claim(!settled || strcmp(shared_.transport.data(), wanted) == 0, "transport %s",
          shared_.transport.data());
}

void Run::expect_mount()
{
    claim(is_mounted(kDir) == stays_listed_,
          stays_listed_ ? "the mount is not listed" : "the mount is left behind");
    if (!stays_listed_)
        return;
    const int rc = in_child("umount -l", [] { return umount2(kDir, MNT_DETACH) == 0 ? 0 : errno; });
    claim(rc == 0, "umount -l of a dead mount: %s", strerror(rc));
}

// --- main
// --------------------------------------------------------------------------------------------------------

int not_possible(const char* what)
{
    printf("skipped: %s: %s\n", what, strerror(errno));
    return 77;
}

int run_cell(const Cell& cell, long limit_ms)
{
    if (geteuid() != 0 || access("/dev/fuse", R_OK | W_OK) != 0)
        return not_possible("root and /dev/fuse");
    if (!need_control_filesystem())
        return not_possible("fusectl");
    if (unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755") != 0 || mkdir(kDir, 0755) != 0)
        return not_possible("a mount namespace");
    setenv("RINGFUSE_TRANSPORT", cell.ring ? "fuse_uring" : cell.uring ? "dev_uring" : "dev", 1);
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return not_possible("shared memory");
    Run run(cell, *new (memory) Shared, limit_ms);
    run.all();
    return 0;
}

} // namespace
} // namespace rf::teardown

int main(int argc, char* argv[])
{
    using namespace rf::teardown;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list_cells();
        return 0;
    }
    Cell cell;
    const long seconds = argc == 3 ? atol(argv[2]) : 30;
    if (argc < 2 || argc > 3 || seconds <= 0 || !parse_cell(argv[1], cell)) {
        fprintf(stderr, "usage: teardown_cell --list | TRANSPORT/LOOP/STATE/END/SEED [SECONDS]\n");
        return 2;
    }
    return run_cell(cell, seconds * 1000);
}
