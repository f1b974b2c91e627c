// Signal handlers: who is told, what is left alone, and how a crash ends.
#include "cli/signals.hpp"

#include "base/fd.hpp"
#include "check/runner.hpp"
#include "log_capture.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace rf::cli;

// The sanitizer would keep these signals for itself. Visible, or its shared library does not find it.
extern "C" [[gnu::visibility("default")]] const char* __asan_default_options()
{
    return "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0:handle_sigtrap=0:"
           "allow_user_segv_handler=1";
}
extern "C" [[gnu::visibility("default")]] const char* __ubsan_default_options()
{
    return __asan_default_options();
}
// Handing the report to the log from inside the handler is the documented, alarm-guarded exception.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_options()
{
    return "report_signal_unsafe=0";
}

namespace {

int g_session_a;
int g_session_b;
std::atomic<void*> g_stopped{nullptr};
std::atomic<int> g_signo{0};
std::atomic<int> g_calls{0};

void stop(void* session, int signo)
{
    g_stopped.store(session);
    g_signo.store(signo);
    g_calls.fetch_add(1);
}

void application_handler(int) {}
void application_siginfo_handler(int, siginfo_t*, void*) {}

struct sigaction action_of(int signo)
{
    struct sigaction action = {};
    ck_assert_int_eq(sigaction(signo, nullptr, &action), 0);
    return action;
}

// libcheck catches some of these signals itself, and its forked tests inherit that.
void all_default()
{
    for (int signo : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT})
        ck_assert(signal(signo, SIG_DFL) != SIG_ERR);
}

bool is_default(int signo)
{
    return action_of(signo).sa_handler == SIG_DFL;
}

START_TEST(each_stop_signal_reaches_the_session)
{
    ck_assert_int_eq(set_signal_handlers(&g_session_a, stop), 0);
    for (int signo : {SIGHUP, SIGINT, SIGTERM}) {
        raise(signo);
        ck_assert_ptr_eq(g_stopped.load(), &g_session_a);
        ck_assert_int_eq(g_signo.load(), signo);
    }
    ck_assert_int_eq(g_calls.load(), 3);
}
END_TEST

START_TEST(broken_pipe_is_an_error_and_not_the_end)
{
    ck_assert_int_eq(set_signal_handlers(&g_session_a, stop), 0);
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    ck_assert_int_eq(write(ends[1], "x", 1), -1);
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_int_eq(g_calls.load(), 0);
    // SIG_IGN would be inherited by the programs the filesystem starts.
    ck_assert(action_of(SIGPIPE).sa_handler != SIG_IGN);
}
END_TEST

START_TEST(signals_of_the_application_are_left_alone)
{
    ck_assert(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    ck_assert(signal(SIGINT, application_handler) != SIG_ERR);
    struct sigaction with_info = {};
    with_info.sa_sigaction = application_siginfo_handler;
    with_info.sa_flags = SA_SIGINFO;
    ck_assert_int_eq(sigaction(SIGPIPE, &with_info, nullptr), 0);

    ck_assert_int_eq(set_signal_handlers(&g_session_a, stop), 0);
    for (int round = 0; round < 2; round++) {
        ck_assert(action_of(SIGHUP).sa_handler == SIG_IGN);
        ck_assert(action_of(SIGINT).sa_handler == application_handler);
        ck_assert(action_of(SIGPIPE).sa_sigaction == application_siginfo_handler);
        ck_assert(is_default(SIGTERM) == (round == 1));
        if (round == 0)
            remove_signal_handlers(&g_session_a);
    }
}
END_TEST

START_TEST(handler_installed_over_ours_survives_removal)
{
    ck_assert_int_eq(set_signal_handlers(&g_session_a, stop), 0);
    ck_assert(signal(SIGTERM, application_handler) != SIG_ERR);
    remove_signal_handlers(&g_session_a);
    ck_assert(action_of(SIGTERM).sa_handler == application_handler);
    ck_assert(is_default(SIGHUP) && is_default(SIGINT) && is_default(SIGPIPE));
}
END_TEST

START_TEST(last_session_is_the_one_to_stop)
{
    ck_assert_int_eq(set_signal_handlers(&g_session_a, stop), 0);
    ck_assert_int_eq(set_signal_handlers(&g_session_b, stop), 0);
    raise(SIGTERM);
    ck_assert_ptr_eq(g_stopped.load(), &g_session_b);
}
END_TEST

START_TEST(removal_for_another_session_only_logs)
{
    ck_assert_int_eq(set_signal_handlers(&g_session_a, stop), 0);
    log_capture::start();
    remove_signal_handlers(&g_session_b);
    ck_assert(!log_capture::is_empty());
    raise(SIGTERM);
    ck_assert_ptr_eq(g_stopped.load(), &g_session_a);

    remove_signal_handlers(&g_session_a);
    ck_assert(is_default(SIGTERM));
    log_capture::start();
    remove_signal_handlers(&g_session_a);
    ck_assert(!log_capture::is_empty());
}
END_TEST

START_TEST(nothing_is_installed_without_a_session_or_a_function)
{
    ck_assert_int_eq(set_signal_handlers(nullptr, stop), -EINVAL);
    ck_assert_int_eq(set_signal_handlers(&g_session_a, nullptr), -EINVAL);
    ck_assert_int_eq(set_fail_signal_handlers(nullptr, stop), -EINVAL);
    ck_assert(is_default(SIGTERM) && is_default(SIGSEGV));
}
END_TEST

START_TEST(system_calls_see_the_stop_signal_as_eintr)
{
    ck_assert_int_eq(set_signal_handlers(&g_session_a, stop), 0);
    for (int signo : {SIGHUP, SIGINT, SIGTERM})
        ck_assert_int_eq(action_of(signo).sa_flags & SA_RESTART, 0);
}
END_TEST

std::atomic<bool> g_in_stop{false};
std::atomic<bool> g_left_stop{false};

void slow_stop(void*, int)
{
    g_in_stop.store(true);
    constexpr timespec kPause = {0, 200000000};
    nanosleep(&kPause, nullptr);
    g_left_stop.store(true);
}

START_TEST(removal_waits_for_a_handler_on_another_thread)
{
    ck_assert_int_eq(set_signal_handlers(&g_session_a, slow_stop), 0);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(
                         &thread, nullptr,
                         [](void*) -> void* {
                             raise(SIGTERM);
                             return nullptr;
                         },
                         nullptr),
                     0);
    constexpr timespec kPause = {0, 1000000};
    while (!g_in_stop.load())
        nanosleep(&kPause, nullptr);
    remove_signal_handlers(&g_session_a);
    ck_assert(g_left_stop.load());
    ck_assert_int_eq(pthread_join(thread, nullptr), 0);
}
END_TEST

// A process that runs `body` with stderr and stop notices in `text`; returns its wait status.
std::array<char, 16384> g_text;

void stop_tells(void*, int signo)
{
    dprintf(STDERR_FILENO, "stop called with %d\n", signo);
}

template <class Body>
int run_child(Body body)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        constexpr rlimit kNoCore = {0, 0};
        setrlimit(RLIMIT_CORE, &kNoCore);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        body();
        _exit(99);
    }
    close(ends[1]);
    std::size_t used = 0;
    ssize_t n;
    while ((n = read(ends[0], g_text.data() + used, g_text.size() - 1 - used)) > 0)
        used += static_cast<std::size_t>(n);
    g_text[used] = '\0';
    close(ends[0]);
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

bool said(const char* what)
{
    return std::strstr(g_text.data(), what) != nullptr;
}

[[gnu::noinline]] void fault()
{
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
}

START_TEST(crash_leaves_a_backtrace_and_kills_by_the_same_signal)
{
    struct Crash {
        int signo;
        const char* name;
    };
    for (const Crash& crash :
         {Crash{SIGSEGV, "SIGSEGV"}, Crash{SIGBUS, "SIGBUS"}, Crash{SIGILL, "SIGILL"},
          Crash{SIGFPE, "SIGFPE"}, Crash{SIGTRAP, "SIGTRAP"}, Crash{SIGABRT, "SIGABRT"}}) {
        const int status = run_child([&] {
            ck_assert_int_eq(set_fail_signal_handlers(&g_session_a, stop_tells), 0);
            raise(crash.signo);
        });
        ck_assert_msg(WIFSIGNALED(status), "%s: status %#x", crash.name, status);
        ck_assert_int_eq(WTERMSIG(status), crash.signo);
        ck_assert_msg(said(crash.name), "%s not in: %s", crash.name, g_text.data());
        ck_assert(said("libc.so"));
        ck_assert(said("stop called with"));
    }
}
END_TEST

START_TEST(real_fault_and_abort_die_the_same_way)
{
    int status = run_child([] {
        ck_assert_int_eq(set_fail_signal_handlers(&g_session_a, stop_tells), 0);
        fault();
    });
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    ck_assert(said("SIGSEGV") && said("stop called with 11"));
    status = run_child([] {
        ck_assert_int_eq(set_fail_signal_handlers(&g_session_a, stop_tells), 0);
        std::abort();
    });
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    ck_assert(said("SIGABRT") && said("stop called with 6"));
}
END_TEST

START_TEST(second_fault_inside_the_report_still_dies)
{
    const int status = run_child([] {
        rf::log::set_sink([](int, const char*, va_list) { fault(); });
        ck_assert_int_eq(set_fail_signal_handlers(&g_session_a, stop_tells), 0);
        fault();
    });
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    ck_assert(said("SIGSEGV"));
}
END_TEST

START_TEST(backtrace_reaches_the_log_as_well)
{
    const int status = run_child([] {
        rf::log::set_sink([](int level, const char* format, va_list args) {
            dprintf(STDERR_FILENO, "<%d>", level);
            vdprintf(STDERR_FILENO, format, args);
        });
        ck_assert_int_eq(set_fail_signal_handlers(&g_session_a, stop_tells), 0);
        fault();
    });
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    ck_assert(said("<2>fuse: fatal signal SIGSEGV"));
    ck_assert(said("<2>fuse: #0 "));
}
END_TEST

START_TEST(log_function_that_hangs_does_not_keep_a_crashed_process)
{
    const int status = run_child([] {
        rf::log::set_sink([](int, const char*, va_list) {
            for (;;)
                pause();
        });
        ck_assert_int_eq(set_fail_signal_handlers(&g_session_a, stop_tells), 0);
        fault();
    });
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
    ck_assert(said("SIGSEGV"));
}
END_TEST

START_TEST(removal_takes_the_fail_handlers_back)
{
    ck_assert(is_default(SIGSEGV));
    ck_assert_int_eq(set_fail_signal_handlers(&g_session_a, stop), 0);
    ck_assert(!is_default(SIGSEGV) && !is_default(SIGABRT));
    ck_assert(is_default(SIGTERM));
    remove_signal_handlers(&g_session_a);
    for (int signo : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT})
        ck_assert(is_default(signo));
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        each_stop_signal_reaches_the_session,
        broken_pipe_is_an_error_and_not_the_end,
        signals_of_the_application_are_left_alone,
        handler_installed_over_ours_survives_removal,
        last_session_is_the_one_to_stop,
        removal_for_another_session_only_logs,
        nothing_is_installed_without_a_session_or_a_function,
        system_calls_see_the_stop_signal_as_eintr,
        removal_waits_for_a_handler_on_another_thread,
        crash_leaves_a_backtrace_and_kills_by_the_same_signal,
        real_fault_and_abort_die_the_same_way,
        second_fault_inside_the_report_still_dies,
        backtrace_reaches_the_log_as_well,
        log_function_that_hangs_does_not_keep_a_crashed_process,
        removal_takes_the_fail_handlers_back,
    };
    return rf::test::run_tests("signals", tests, {.before = all_default});
}
