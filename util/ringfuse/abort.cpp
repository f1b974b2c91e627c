#include "abort.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"
#include "json.hpp"
#include "sessions.hpp"
#include "text.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

namespace rf::command {
namespace {

constexpr const char* kControl = "/sys/fs/fuse/connections";
constexpr int kPatienceMs = 2000; // for the filesystem to notice and unmount by itself

bool still_there(const FuseMount& mount)
{
    for (const FuseMount& now : fuse_mounts()) {
        if (now.path == mount.path && now.connection == mount.connection)
            return true;
    }
    return false;
}

/// fusectl is not mounted everywhere. A mount table of our own gets it, which goes with this process.
int mount_control()
{
    int rc = from_libc(::unshare(CLONE_NEWNS));
    if (rc == 0)
        rc = from_libc(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
    if (rc == 0)
        rc = from_libc(::mount("fusectl", kControl, "fusectl", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr));
    return rc;
}

int write_abort(unsigned connection)
{
    const UniqueFd file(from_libc(::open(control_path(connection, "abort").c_str(), O_WRONLY | O_CLOEXEC)));
    if (!file)
        return file.get();
    const ssize_t n = from_libc(::write(file.get(), "1", 1));
    return n < 0 ? static_cast<int>(n) : 0;
}

/// In a child, since a process cannot leave the mount table it has entered.
int abort_with_own_control(unsigned connection)
{
    const pid_t child = ::fork();
    if (child < 0)
        return from_libc(child);
    if (child == 0) {
        int rc = mount_control();
        if (rc == 0)
            rc = write_abort(connection);
        ::_exit(-rc);
    }
    int status = 0;
    while (from_libc(::waitpid(child, &status, 0)) == -EINTR) {
    }
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

int run_fusermount(const std::string& path)
{
    const pid_t child = ::fork();
    if (child < 0)
        return from_libc(child);
    if (child == 0) {
        ::execlp("fusermount3", "fusermount3", "-u", "-z", "-q", "--", path.c_str(),
                 static_cast<char*>(nullptr));
        ::_exit(127);
    }
    int status = 0;
    while (from_libc(::waitpid(child, &status, 0)) == -EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

/// Takes the dead mount off the tree, unless its filesystem does so itself.
int detach(const FuseMount& mount)
{
    // Kernel: proc(5): mountinfo is POLLPRI when the mounts of the namespace changed since it was opened or
    // polled.
    const UniqueFd mounts(from_libc(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)));
    pollfd changed{mounts.get(), POLLPRI, 0};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
    while (still_there(mount)) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0 || ::poll(&changed, 1, static_cast<int>(left.count())) == 0)
            break;
    }
    if (!still_there(mount))
        return 0;
    int rc = from_libc(::umount2(mount.path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW));
    if (rc == -EPERM)
        rc = run_fusermount(mount.path);
    return still_there(mount) ? rc : 0;
}

std::string servers_in_words(const std::vector<pid_t>& pids)
{
    std::string text;
    for (const pid_t pid : pids)
        text += format("%s%d (%s)", text.empty() ? "" : ", ", pid, process_facts(pid).program.c_str());
    return text.empty() ? "no process that can be seen" : "process " + text;
}

/// 1: go on; 0: no; -ENOTTY: nobody to ask.
int ask(const FuseMount& mount, const std::vector<pid_t>& servers)
{
    if (::isatty(STDIN_FILENO) != 1)
        return -ENOTTY;
    std::printf("%s: %s, connection %u, served by %s.\n", printable(mount.path).c_str(), mount.type.c_str(),
                mount.connection, servers_in_words(servers).c_str());
    if (const std::optional<unsigned long> waiting = kernel_waiting(mount.connection))
        std::printf("%lu requests wait for an answer; they fail, and data that is not written yet is lost.\n",
                    *waiting);
    std::printf("End this mount? [y/N] ");
    std::fflush(stdout);
    std::array<char, 16> answer{};
    return std::fgets(answer.data(), answer.size(), stdin) && (answer[0] == 'y' || answer[0] == 'Y') ? 1 : 0;
}

int fail(const AbortRequest& request, const std::string& why)
{
    if (request.json) {
        Json json;
        json.begin_object()
            .text("mountpoint", request.mountpoint)
            .boolean("aborted", false)
            .text("reason", why);
        std::printf("%s\n", json.end_object().str().c_str());
    }
    std::fprintf(stderr, "ringfuse: not aborted: %s: %s\n", printable(request.mountpoint).c_str(),
                 why.c_str());
    return 1;
}

std::string why_not(int rc, const FuseMount& mount)
{
    if (rc == -EACCES || rc == -EPERM)
        return "only root and the user who mounted it may do that (" + std::string(log::errno_name(rc)) + ")";
    if (rc == -ENOENT)
        return format("%s does not exist; as root: mount -t fusectl fusectl %s",
                      control_path(mount.connection, "abort").c_str(), kControl);
    return log::errno_name(rc);
}

int report(const AbortRequest& request, const FuseMount& mount, const std::vector<pid_t>& servers,
           int detached)
{
    const bool gone = !still_there(mount);
    if (request.json) {
        Json json;
        json.begin_object()
            .text("mountpoint", mount.path)
            .number("connection", mount.connection)
            .boolean("aborted", true)
            .boolean("unmounted", gone)
            .begin_array("servers");
        for (const pid_t pid : servers)
            json.number("", static_cast<std::uint64_t>(pid));
        json.end_array().end_object();
        std::printf("%s\n", json.str().c_str());
    } else {
        std::printf("%s: connection %u aborted, %s\n", printable(mount.path).c_str(), mount.connection,
                    gone ? "unmounted" : "still mounted (its files fail with ENOTCONN)");
        for (const pid_t pid : servers) {
            const ProcessFacts facts = process_facts(pid);
            // Kernel: a request that was handed to a ring entry ends on the entry's thread (dev_uring.c,
            // v6.18).
            if (facts.state == 'T')
                std::printf("  process %d (%s) is stopped: what waits for it is free when it goes on or ends "
                            "(kill -CONT "
                            "%d, kill -KILL %d)\n",
                            pid, facts.program.c_str(), pid, pid);
            else if (facts.state != '?' && facts.state != 'Z')
                std::printf("  process %d (%s) is still there, state %c\n", pid, facts.program.c_str(),
                            facts.state);
        }
    }
    if (detached < 0)
        std::fprintf(stderr, "ringfuse: not unmounted: %s (%s)\n", printable(mount.path).c_str(),
                     log::errno_name(detached));
    return detached < 0 ? 1 : 0;
}

} // namespace

int run_abort(const AbortRequest& request)
{
    const std::optional<FuseMount> mount = find_fuse_mount(request.mountpoint);
    if (!mount)
        return fail(request, "no FUSE filesystem is mounted there");
    const std::vector<pid_t> servers = servers_of(mount->connection).pids;
    if (!request.yes) {
        const int answer = ask(*mount, servers);
        if (answer < 0)
            return fail(request, "there is no terminal to ask on; --yes does it without a question");
        if (answer == 0)
            return fail(request, "as you wish");
    }
    int rc = write_abort(mount->connection);
    if (rc == -ENOENT && ::geteuid() == 0)
        rc = abort_with_own_control(mount->connection);
    if (rc < 0)
        return fail(request, why_not(rc, *mount));
    return report(request, *mount, servers, request.keep ? 0 : detach(*mount));
}

} // namespace rf::command
