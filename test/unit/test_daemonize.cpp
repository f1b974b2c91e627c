// Going into the background. Each test plays the shell: it starts a launcher, watches how that ends, and
// hears from the daemon through a pipe.
#include "cli/daemonize.hpp"

#include "check/runner.hpp"
#include "log_capture.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fuse_common.h>
#include <fuse_daemonize.h>
#include <initializer_list>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace rf::cli;

namespace {

struct Pipe {
    int ends[2];
    Pipe() { ck_assert_int_eq(pipe(ends), 0); }
    void tell(char word) const { ck_assert_int_eq(write(ends[1], &word, 1), 1); }
    /// The next character, or 0 when every writer has gone.
    char hear() const
    {
        char word = 0;
        return read(ends[0], &word, 1) == 1 ? word : '\0';
    }
    void close_writer()
    {
        close(ends[1]);
        ends[1] = -1;
    }
};

template <class Body>
pid_t start(Body body)
{
    std::fflush(nullptr);
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        body();
        _exit(0);
    }
    return pid;
}

int exit_status(pid_t pid)
{
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

template <class Body>
int status_of(Body body)
{
    return exit_status(start(body));
}

bool is_null_device(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3) &&
           fcntl(fd, F_GETFD) == 0;
}

bool has_left_terminal()
{
    char cwd[256];
    return getsid(0) == getpid() && getcwd(cwd, sizeof(cwd)) && std::strcmp(cwd, "/") == 0 &&
           is_null_device(0) && is_null_device(1) && is_null_device(2);
}

void nap()
{
    constexpr timespec kPause = {0, 100000000};
    nanosleep(&kPause, nullptr);
}

START_TEST(daemon_has_left_the_terminal_and_parent_reports_success)
{
    Pipe daemon;
    const int status = status_of([&] {
        ck_assert_int_eq(chdir("/usr"), 0);
        const pid_t launcher = getpid();
        const int rc = fuse_daemonize(0);
        daemon.tell(rc == 0 && getpid() != launcher && has_left_terminal() ? 'y' : 'n');
    });
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(daemon.hear(), 'y');
}
END_TEST

START_TEST(foreground_only_changes_the_directory)
{
    struct stat before;
    ck_assert_int_eq(fstat(STDERR_FILENO, &before), 0);
    ck_assert_int_eq(chdir("/usr"), 0);
    const pid_t pid = getpid();
    ck_assert_int_eq(fuse_daemonize(1), 0);
    ck_assert_int_eq(getpid(), pid);
    char cwd[256];
    ck_assert_str_eq(getcwd(cwd, sizeof(cwd)), "/");
    struct stat after;
    ck_assert_int_eq(fstat(STDERR_FILENO, &after), 0);
    ck_assert(before.st_dev == after.st_dev && before.st_ino == after.st_ino);
}
END_TEST

START_TEST(buffered_output_comes_out_once)
{
    Pipe output;
    const int status = status_of([&] {
        dup2(output.ends[1], STDOUT_FILENO);
        std::setvbuf(stdout, nullptr, _IOFBF, 4096);
        std::printf("once");
        output.close_writer();
        (void)fuse_daemonize(0);
        std::exit(0);
    });
    ck_assert_int_eq(status, 0);
    output.close_writer();
    char text[64] = {};
    std::size_t used = 0;
    ssize_t n;
    while ((n = read(output.ends[0], text + used, sizeof(text) - 1 - used)) > 0)
        used += static_cast<std::size_t>(n);
    ck_assert_str_eq(text, "once");
}
END_TEST

START_TEST(program_started_without_stdio_gets_it)
{
    Pipe daemon;
    const int high = fcntl(daemon.ends[1], F_DUPFD, 10);
    const int status = status_of([&] {
        close(0);
        close(1);
        close(2);
        const bool good = fuse_daemonize(0) == 0 && has_left_terminal();
        ck_assert_int_eq(write(high, good ? "y" : "n", 1), 1);
    });
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(daemon.hear(), 'y');
}
END_TEST

START_TEST(early_parent_waits_for_success)
{
    Pipe daemon;
    Pipe shell;
    const pid_t launcher = start([&] {
        const int rc = fuse_daemonize_early_start(0);
        daemon.tell(rc == 0 && fuse_daemonize_early_is_active() && !is_null_device(2) ? 'y' : 'n');
        (void)shell.hear();
        fuse_daemonize_early_success();
        daemon.tell(!fuse_daemonize_early_is_active() && has_left_terminal() ? 'y' : 'n');
        nap(); // the parent's exit must not kill us
        daemon.tell('z');
    });
    ck_assert_int_eq(daemon.hear(), 'y');
    nap();
    int status = 0;
    ck_assert_int_eq(waitpid(launcher, &status, WNOHANG), 0);
    shell.tell('g');
    ck_assert_int_eq(exit_status(launcher), 0);
    ck_assert_int_eq(daemon.hear(), 'y');
    ck_assert_int_eq(daemon.hear(), 'z');
}
END_TEST

START_TEST(early_failure_becomes_the_exit_status)
{
    struct Case {
        int error;
        int status;
    };
    for (const Case& c :
         {Case{-ENOENT, ENOENT}, Case{5, 5}, Case{0, 1}, Case{300, 1}, Case{-300, 1}, Case{255, 255}}) {
        const int status = status_of([&] {
            ck_assert_int_eq(fuse_daemonize_early_start(0), 0);
            fuse_daemonize_early_fail(c.error);
        });
        ck_assert_msg(status == c.status, "fail(%d) gave %d", c.error, status);
    }
}
END_TEST

// Starts early, lets `die` end the child, and returns the parent's status; `text` gets its stderr.
template <class Die>
int status_of_dying_child(char* text, std::size_t bytes, Die die)
{
    Pipe err;
    const pid_t launcher = start([&] {
        dup2(err.ends[1], STDERR_FILENO);
        ck_assert_int_eq(fuse_daemonize_early_start(0), 0);
        die();
    });
    const int status = exit_status(launcher);
    err.close_writer();
    const ssize_t n = read(err.ends[0], text, bytes - 1);
    text[n > 0 ? n : 0] = '\0';
    return status;
}

START_TEST(child_that_dies_silently_fails_the_parent_with_a_message)
{
    char text[512];
    ck_assert_int_eq(status_of_dying_child(text, sizeof(text), [] { raise(SIGKILL); }), 1);
    ck_assert_ptr_nonnull(std::strstr(text, "signal=9"));
    ck_assert_int_eq(status_of_dying_child(text, sizeof(text), [] { _exit(7); }), 7);
    ck_assert_ptr_nonnull(std::strstr(text, "status=7"));
    ck_assert_int_eq(status_of_dying_child(text, sizeof(text), [] { _exit(0); }), 1);
    ck_assert_ptr_nonnull(std::strstr(text, "fuse:"));
}
END_TEST

START_TEST(grandchild_that_holds_the_line_does_not_hold_the_parent)
{
    Pipe helper;
    const pid_t launcher = start([&] {
        ck_assert_int_eq(fuse_daemonize_early_start(0), 0);
        if (fork() == 0) {
            alarm(20);           // nothing survives a failed test
            (void)helper.hear(); // lives on, with every descriptor of the daemon
            _exit(0);
        }
        _exit(3);
    });
    ck_assert_int_eq(exit_status(launcher), 3);
    helper.tell('g');
}
END_TEST

START_TEST(killed_parent_takes_the_child_along)
{
    Pipe daemon;
    const pid_t launcher = start([&] {
        signal(SIGTERM, SIG_DFL); // libcheck has a handler of its own
        ck_assert_int_eq(fuse_daemonize_early_start(0), 0);
        close(daemon.ends[0]);
        alarm(20); // nothing survives a failed test
        daemon.tell('y');
        for (;;)
            pause();
    });
    ck_assert_int_eq(daemon.hear(), 'y');
    daemon.close_writer();
    kill(launcher, SIGKILL);
    ck_assert_int_eq(exit_status(launcher), -SIGKILL);
    ck_assert_int_eq(daemon.hear(),
                     '\0'); // end of file: the daemon is gone; the deadline fails the test otherwise
}
END_TEST

START_TEST(verdict_for_a_parent_that_is_gone_is_harmless)
{
    Pipe daemon;
    Pipe shell;
    const pid_t launcher = start([&] {
        signal(SIGTERM, SIG_IGN);
        ck_assert_int_eq(fuse_daemonize_early_start(0), 0);
        daemon.tell('y');
        (void)shell.hear();
        fuse_daemonize_early_success(); // must not raise SIGPIPE
        daemon.tell('z');
    });
    ck_assert_int_eq(daemon.hear(), 'y');
    kill(launcher, SIGKILL);
    ck_assert_int_eq(exit_status(launcher), -SIGKILL);
    shell.tell('g');
    daemon.close_writer();
    ck_assert_int_eq(daemon.hear(), 'z');
}
END_TEST

START_TEST(second_start_is_refused_and_the_first_still_counts)
{
    Pipe daemon;
    const int status = status_of([&] {
        ck_assert_int_eq(fuse_daemonize_early_start(0), 0);
        log_capture::start();
        daemon.tell(fuse_daemonize_early_start(0) == -EALREADY && !log_capture::is_empty() ? 'y' : 'n');
        daemon.tell(fuse_daemonize(0) == -1 && fuse_daemonize(1) == -1 ? 'y' : 'n');
        fuse_daemonize_early_fail(4);
    });
    ck_assert_int_eq(status, 4);
    ck_assert_int_eq(daemon.hear(), 'y');
    ck_assert_int_eq(daemon.hear(), 'y');
}
END_TEST

START_TEST(no_background_does_not_fork_and_keeps_stdio)
{
    ck_assert(!fuse_daemonize_early_is_active());
    ck_assert_int_eq(chdir("/usr"), 0);
    struct stat before;
    ck_assert_int_eq(fstat(STDERR_FILENO, &before), 0);
    const pid_t pid = getpid();
    ck_assert_int_eq(fuse_daemonize_early_start(FUSE_DAEMONIZE_NO_BACKGROUND), 0);
    ck_assert(fuse_daemonize_early_is_active());
    ck_assert_int_eq(getpid(), pid);
    char cwd[256];
    ck_assert_str_eq(getcwd(cwd, sizeof(cwd)), "/");
    fuse_daemonize_early_success();
    ck_assert(!fuse_daemonize_early_is_active());
    struct stat after;
    ck_assert_int_eq(fstat(STDERR_FILENO, &after), 0);
    ck_assert(before.st_dev == after.st_dev && before.st_ino == after.st_ino);
    // A later mount of the same process may start again.
    ck_assert_int_eq(fuse_daemonize_early_start(FUSE_DAEMONIZE_NO_BACKGROUND), 0);
    fuse_daemonize_early_fail(1);
    ck_assert(!fuse_daemonize_early_is_active());
}
END_TEST

START_TEST(no_chdir_keeps_the_directory)
{
    Pipe daemon;
    const int status = status_of([&] {
        ck_assert_int_eq(chdir("/usr"), 0);
        ck_assert_int_eq(fuse_daemonize_early_start(FUSE_DAEMONIZE_NO_CHDIR), 0);
        char cwd[256];
        daemon.tell(getcwd(cwd, sizeof(cwd)) && std::strcmp(cwd, "/usr") == 0 ? 'y' : 'n');
        fuse_daemonize_early_success();
    });
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(daemon.hear(), 'y');
}
END_TEST

START_TEST(unknown_flags_are_refused_before_anything_happens)
{
    log_capture::start();
    ck_assert_int_eq(fuse_daemonize_early_start(1u << 7), -EINVAL);
    ck_assert(!fuse_daemonize_early_is_active());
}
END_TEST

START_TEST(verdict_without_a_start_does_nothing)
{
    fuse_daemonize_early_success();
    fuse_daemonize_early_fail(1);
    ck_assert(!is_null_device(STDERR_FILENO));
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        daemon_has_left_the_terminal_and_parent_reports_success,
        foreground_only_changes_the_directory,
        buffered_output_comes_out_once,
        program_started_without_stdio_gets_it,
        early_parent_waits_for_success,
        early_failure_becomes_the_exit_status,
        child_that_dies_silently_fails_the_parent_with_a_message,
        grandchild_that_holds_the_line_does_not_hold_the_parent,
        killed_parent_takes_the_child_along,
        verdict_for_a_parent_that_is_gone_is_harmless,
        second_start_is_refused_and_the_first_still_counts,
        no_background_does_not_fork_and_keeps_stdio,
        no_chdir_keeps_the_directory,
        unknown_flags_are_refused_before_anything_happens,
        verdict_without_a_start_does_nothing,
    };
    return rf::test::run_tests("daemonize", tests);
}
