// Mounts that nobody serves, and mounts that do not answer.
#include "doctor.hpp"

#include "base/fd.hpp"
#include "sessions.hpp"
#include "text.hpp"

#include <csignal>
#include <poll.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rf::command {
namespace {

constexpr int kPatienceMs = 2000;
constexpr double kLongNs = 5e9;

/// Asks the filesystem something small, in a child that may hang in our stead. 0, -errno as it said, or
/// -ETIMEDOUT: then the child stays until the connection is aborted or answers, since the kernel lets nobody
/// go whose request was taken.
int ask_filesystem(const std::string& path)
{
    const pid_t child = ::fork();
    if (child < 0)
        return from_libc(child);
    if (child == 0) {
        struct ::statfs st {};
        ::_exit(-from_libc(::statfs(path.c_str(), &st)));
    }
    const UniqueFd ended(static_cast<int>(from_libc(::syscall(SYS_pidfd_open, child, 0))));
    pollfd watched{ended.get(), POLLIN, 0};
    if (ended)
        (void)::poll(&watched, 1, kPatienceMs);
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child)
        return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
    ::kill(child, SIGKILL);
    return -ETIMEDOUT;
}

std::string unmount_command(const FuseMount& mount)
{
    return (::geteuid() == 0 ? "umount -l " : "fusermount3 -uz ") + quoted(mount.path);
}

/// What a session of ours is known to be stuck in; empty if nothing.
std::string trouble_of(const std::vector<Session>& sessions, const FuseMount& mount)
{
    for (const Session& session : sessions) {
        if (session.stats.connection == static_cast<std::int64_t>(mount.connection) &&
            !session.stats.pending.empty() && session.stats.pending.front().age_ns >= kLongNs)
            return format("%s waits for %s", session.stats.pending.front().op.c_str(),
                          duration(session.stats.pending.front().age_ns).c_str());
    }
    return "";
}

bool is_stopped(const Servers& servers)
{
    for (const pid_t pid : servers.pids) {
        if (process_facts(pid).state == 'T')
            return true;
    }
    return false;
}

/// True if the mount is as it should be.
bool check_mount(const std::vector<Session>& sessions, const FuseMount& mount, std::vector<Finding>& out)
{
    const std::string path = printable(mount.path);
    const std::string abort = "ringfuse abort " + quoted(mount.path);
    const Servers servers = servers_of(mount.connection);
    if (is_stopped(servers)) {
        out.push_back({"mount", Verdict::kWarning,
                       format("%s: its process %d is stopped", path.c_str(), servers.pids.front()),
                       format("kill -CONT %d", servers.pids.front())});
        return false;
    }
    if (const std::string trouble = trouble_of(sessions, mount); !trouble.empty()) {
        out.push_back({"mount", Verdict::kWarning, path + ": does not answer, " + trouble, abort});
        return false;
    }
    // One whose requests wait is not asked another one.
    if (!servers.pids.empty() && kernel_waiting(mount.connection).value_or(0) > 0)
        return true;
    const int rc = ask_filesystem(mount.path);
    if (rc == -ENOTCONN || rc == -ECONNABORTED) {
        out.push_back(
            {"mount", Verdict::kBroken, path + ": nobody serves it (ENOTCONN)", unmount_command(mount)});
        return false;
    }
    if (rc == -ETIMEDOUT) {
        out.push_back({"mount", Verdict::kBroken, path + ": does not answer", abort});
        return false;
    }
    return true;
}

} // namespace

void check_mounts(std::vector<Finding>& out)
{
    const std::vector<Session> sessions = find_sessions();
    const std::vector<FuseMount> mounts = fuse_mounts();
    std::size_t good = 0;
    for (const FuseMount& mount : mounts)
        good += check_mount(sessions, mount, out);
    if (good == mounts.size())
        out.push_back(
            {"mounts", Verdict::kGood,
             format("%zu FUSE mounts, %zu sessions of ringfuse, none of them stale", good, sessions.size()),
             ""});
}

} // namespace rf::command
