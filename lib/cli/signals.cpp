// Installs and takes back the signal handlers, and the two handlers that do something: stop, and die with a
// trace.
#include "cli/signals.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"
#include "cli/crash_report.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <span>

namespace rf::cli {
namespace {

// Read by handlers on any thread. Sequentially consistent, because "clear the session, then see that no
// handler runs" against "say that one runs, then read the session" needs a single order of all four.
std::atomic<void*> g_session{nullptr};
std::atomic<StopFunction> g_stop{nullptr};
std::atomic<int> g_handlers_running{0};
static_assert(std::atomic<void*>::is_always_lock_free && std::atomic<StopFunction>::is_always_lock_free &&
              std::atomic<int>::is_always_lock_free);

void stop_current(int signo)
{
    g_handlers_running.fetch_add(1);
    // Stored before the session and never cleared, so it is set whenever the session is.
    if (void* session = g_session.load())
        g_stop.load()(session, signo);
    g_handlers_running.fetch_sub(1);
}

void on_stop_signal(int signo)
{
    stop_current(signo);
}

// A handler instead of SIG_IGN: programs we execute start with the default then. The write that caused it
// still fails with EPIPE.
void on_ignored_signal(int) {}

void on_fatal_signal(int signo);

struct Row {
    int signo;
    void (*handler)(int);
    int flags;
};

// No SA_RESTART on the stop signals: a program's own loop notices the end by the EINTR of its read.
constexpr Row kStopRows[] = {
    {SIGHUP, on_stop_signal, 0},
    {SIGINT, on_stop_signal, 0},
    {SIGTERM, on_stop_signal, 0},
    {SIGPIPE, on_ignored_signal, SA_RESTART},
};

constexpr Row kFatalRows[] = {
    {SIGILL, on_fatal_signal, SA_ONSTACK},  {SIGTRAP, on_fatal_signal, SA_ONSTACK},
    {SIGABRT, on_fatal_signal, SA_ONSTACK}, {SIGBUS, on_fatal_signal, SA_ONSTACK},
    {SIGFPE, on_fatal_signal, SA_ONSTACK},  {SIGSEGV, on_fatal_signal, SA_ONSTACK},
};

// Async-signal-safe, like all that the fatal handler calls.
int replace_handler(int signo, void (*expected)(int), void (*wanted)(int), int flags) noexcept
{
    struct sigaction current;
    if (const int rc = from_libc(sigaction(signo, nullptr, &current)); rc < 0)
        return rc;
    if ((current.sa_flags & SA_SIGINFO) || current.sa_handler != expected)
        return 0;
    struct sigaction action = {};
    action.sa_handler = wanted;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    return from_libc(sigaction(signo, &action, nullptr));
}

void take_back(std::span<const Row> rows) noexcept
{
    for (const Row& row : rows)
        (void)replace_handler(row.signo, row.handler, SIG_DFL, 0);
}

int install(std::span<const Row> rows, void* session, StopFunction stop) noexcept
{
    if (!session || !stop)
        return -EINVAL;
    // The session first: a signal that arrives in between finds something to stop.
    void* const session_before = g_session.load();
    const StopFunction stop_before = g_stop.load();
    g_stop.store(stop);
    g_session.store(session);
    for (const Row& row : rows) {
        const int rc = replace_handler(row.signo, SIG_DFL, row.handler, row.flags);
        if (rc < 0) {
            log::error("fuse: setting a signal handler failed: signal=%d (%s), none set", row.signo,
                       log::errno_name(rc));
            take_back(rows);
            g_session.store(session_before);
            g_stop.store(stop_before ? stop_before : stop);
            return rc;
        }
    }
    return 0;
}

void on_fatal_signal(int signo)
{
    // A second fault, here or on another thread, takes the short way out.
    take_back(kFatalRows);
    report_crash(signo);
    stop_current(signo);
    // Blocked while this handler runs; kills when it returns, with the faulting place on the stack of the
    // core.
    (void)raise(signo);
}

// A handler is a few instructions long. The limit is for a child forked while one ran on another thread:
// there the count never falls.
void wait_for_handlers() noexcept
{
    constexpr int kMaxNaps = 1000;
    constexpr timespec kNap = {0, 1000000};
    for (int nap = 0; g_handlers_running.load() > 0 && nap < kMaxNaps; nap++)
        nanosleep(&kNap, nullptr);
}

} // namespace

int set_signal_handlers(void* session, StopFunction stop) noexcept
{
    return install(kStopRows, session, stop);
}

int set_fail_signal_handlers(void* session, StopFunction stop) noexcept
{
    prepare_crash_report();
    return install(kFatalRows, session, stop);
}

void remove_signal_handlers(void* session) noexcept
{
    void* expected = session;
    if (!session || !g_session.compare_exchange_strong(expected, nullptr)) {
        log::error("fuse: signal handlers belong to another session or to none (%s), leaving them",
                   log::errno_name(EINVAL));
        return;
    }
    take_back(kStopRows);
    take_back(kFatalRows);
    wait_for_handlers();
}

} // namespace rf::cli
