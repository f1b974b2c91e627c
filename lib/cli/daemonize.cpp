// fork() and the line between parent and child: a socket pair that carries one int, the parent's exit status.
#include "cli/daemonize.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fuse_daemonize.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace rf::cli {
namespace {

std::atomic<bool> g_early_active{false};
// The child's end of the line; -1: no parent waits. Owner: the child's thread that started early.
int g_early_line = -1;

struct Line {
    UniqueFd parent;
    UniqueFd child;
};

// Numbers 0 to 2 are about to become /dev/null, so a program started without stdio must not get them here.
int above_stdio(UniqueFd& fd) noexcept
{
    if (fd.get() > STDERR_FILENO)
        return 0;
    const int moved = from_libc(fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (moved < 0)
        return moved;
    fd = UniqueFd(moved);
    return 0;
}

int open_line(Line& line) noexcept
{
    std::array<int, 2> ends;
    int rc = from_libc(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()));
    if (rc < 0)
        return rc;
    line.parent = UniqueFd(ends[0]);
    line.child = UniqueFd(ends[1]);
    rc = above_stdio(line.parent);
    return rc < 0 ? rc : above_stdio(line.child);
}

// A socket and not a pipe, because the parent may be gone: that must not raise SIGPIPE.
void tell_parent(int line, int status) noexcept
{
    [[maybe_unused]] const ssize_t n = send(line, &status, sizeof(status), MSG_NOSIGNAL);
}

/// Sleeps until the child has spoken or ended. The line alone does not show the end if the child has forked
/// again and its own child holds the other end; kernels before 5.3 have no pidfd and rely on the line.
void wait_for_word(int line, pid_t child) noexcept
{
    const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
    std::array<pollfd, 2> fds = {pollfd{line, POLLIN, 0}, pollfd{process.get(), POLLIN, 0}};
    while (from_libc(poll(fds.data(), fds.size(), -1)) == -EINTR)
        continue;
}

[[noreturn]] void parent_waits(int line, pid_t child) noexcept
{
    wait_for_word(line, child);
    int status = EXIT_FAILURE;
    ssize_t n;
    while ((n = from_libc(recv(line, &status, sizeof(status), MSG_DONTWAIT))) == -EINTR)
        continue;
    if (n == static_cast<ssize_t>(sizeof(status)))
        _exit(status);

    int ended = 0;
    int rc;
    while ((rc = from_libc(waitpid(child, &ended, 0))) == -EINTR)
        continue;
    status = EXIT_FAILURE;
    if (rc > 0 && WIFSIGNALED(ended)) {
        log::error("fuse: daemon died before it was ready: pid=%d signal=%d, giving up", child,
                   WTERMSIG(ended));
    } else {
        if (rc > 0 && WIFEXITED(ended) && WEXITSTATUS(ended) != 0)
            status = WEXITSTATUS(ended);
        log::error("fuse: daemon ended before it was ready: pid=%d status=%d, giving up", child, status);
    }
    std::fflush(stderr);
    _exit(status);
}

/// Forks; returns in the child only, with the line to the parent. Negative errno: no child.
int fork_child(UniqueFd& line_out) noexcept
{
    Line line;
    if (const int rc = open_line(line); rc < 0)
        return rc;
    // What is buffered would come out of neither: the parent leaves by _exit(), the child's stdio goes away.
    std::fflush(nullptr);
    const pid_t child = from_libc(fork());
    if (child < 0)
        return child;
    if (child > 0) {
        line.child.reset();
        parent_waits(line.parent.get(), child);
    }
    (void)setsid(); // fails only for a group leader, which a new process is not
    line_out = std::move(line.child);
    return 0;
}

int change_to_root() noexcept
{
    return from_libc(chdir("/"));
}

int stdio_to_null() noexcept
{
    int rc = from_libc(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (rc < 0)
        return rc;
    // With its own number above 2 every dup2() makes a copy, and a copy has no O_CLOEXEC.
    UniqueFd null(rc);
    rc = above_stdio(null);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && rc >= 0; fd++)
        rc = from_libc(dup2(null.get(), fd));
    return rc < 0 ? rc : 0;
}

int leave_terminal() noexcept
{
    const int rc = change_to_root();
    return rc < 0 ? rc : stdio_to_null();
}

int report(int rc) noexcept
{
    if (rc < 0)
        log::error("fuse: going into the background failed (%s), giving up", log::errno_name(rc));
    return rc;
}

// The end of an early start: from here on the parent may go.
void end_early(int status) noexcept
{
    const UniqueFd line(std::exchange(g_early_line, -1));
    if (line) {
        (void)prctl(PR_SET_PDEATHSIG, 0);
        tell_parent(line.get(), status);
    }
    g_early_active.store(false, std::memory_order_relaxed);
}

} // namespace

int daemonize(bool foreground) noexcept
{
    if (early_is_active())
        return report(-EBUSY);
    if (foreground)
        return report(change_to_root());
    UniqueFd line;
    int rc = fork_child(line);
    if (rc < 0)
        return report(rc);
    rc = report(leave_terminal());
    tell_parent(line.get(), rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
    return rc;
}

int early_start(unsigned flags) noexcept
{
    if (flags & ~static_cast<unsigned>(FUSE_DAEMONIZE_NO_CHDIR | FUSE_DAEMONIZE_NO_BACKGROUND))
        return report(-EINVAL);
    if (early_is_active())
        return report(-EALREADY);

    UniqueFd line;
    if (!(flags & FUSE_DAEMONIZE_NO_BACKGROUND)) {
        const pid_t parent = getpid();
        if (const int rc = fork_child(line); rc < 0)
            return report(rc);
        // Whoever waits for the mount may give up, and then nobody wants it. Ends with the verdict.
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            _exit(EXIT_FAILURE);
    }
    if (!(flags & FUSE_DAEMONIZE_NO_CHDIR)) {
        if (const int rc = report(change_to_root()); rc < 0) {
            if (line)
                tell_parent(line.get(), EXIT_FAILURE);
            return rc;
        }
    }
    g_early_line = line.release();
    g_early_active.store(true, std::memory_order_relaxed); // a flag only: the line belongs to this thread
    return 0;
}

void early_success() noexcept
{
    if (!early_is_active())
        return;
    // Too late to fail: the filesystem is mounted and serves.
    if (g_early_line >= 0) {
        if (const int rc = stdio_to_null(); rc < 0)
            log::warning("fuse: closing stdio failed (%s), ignoring", log::errno_name(rc));
    }
    end_early(EXIT_SUCCESS);
}

void early_fail(int error) noexcept
{
    if (!early_is_active())
        return;
    const unsigned status = error < 0 ? 0u - static_cast<unsigned>(error) : static_cast<unsigned>(error);
    end_early(status >= 1 && status <= 255 ? static_cast<int>(status) : EXIT_FAILURE);
}

bool early_is_active() noexcept
{
    return g_early_active.load(std::memory_order_relaxed);
}

} // namespace rf::cli
