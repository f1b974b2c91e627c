#include "sessions.hpp"

#include "base/fd.hpp"
#include "text.hpp"

#include <algorithm>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>

namespace rf::command {
namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

/// Calls visit(number) for every entry whose name is a number; false if the directory cannot be read.
template <class Visit>
bool for_each_number(const std::string& path, Visit&& visit)
{
    const Directory directory(::opendir(path.c_str()));
    if (!directory)
        return false;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name = entry->d_name;
        int number = 0;
        const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
        if (parsed.ec == std::errc() && parsed.ptr == name.data() + name.size())
            visit(number);
    }
    return true;
}

std::string proc(pid_t pid, std::string_view file)
{
    return "/proc/" + std::to_string(pid) + "/" + std::string(file);
}

std::string link_target(const std::string& path)
{
    std::array<char, 256> target{};
    const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
    return std::string(target.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
}

/// The number behind `key` in a file of "Key:   value" lines.
std::uint64_t number_after(std::string_view text, std::string_view key)
{
    const std::size_t at = text.find(key);
    if (at == std::string_view::npos)
        return 0;
    text.remove_prefix(at + key.size());
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    std::uint64_t value = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

struct FileId {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const FileId&) const = default;
};

struct Found {
    FileId id;
    Session session;
};

/// A forked child has its parent's descriptors: the process that runs the loop is the one that counts.
void add(std::vector<Found>& found, Found candidate)
{
    for (Found& known : found) {
        if (known.id == candidate.id) {
            if (known.session.pid != known.session.stats.pid &&
                candidate.session.pid == candidate.session.stats.pid)
                known = std::move(candidate);
            return;
        }
    }
    found.push_back(std::move(candidate));
}

void look_at_process(pid_t pid, const Moment& now, std::vector<Found>& found)
{
    static const std::string kTarget = std::string("/memfd:") + stat::kFileName + " (deleted)";
    (void)for_each_number(proc(pid, "fd"), [&](int fd) {
        const std::string file = proc(pid, "fd/") + std::to_string(fd);
        struct ::stat st {};
        if (link_target(file) != kTarget || ::stat(file.c_str(), &st) != 0)
            return;
        Found candidate{{st.st_dev, st.st_ino}, {}};
        candidate.session.pid = pid;
        candidate.session.file = file;
        (void)read_snapshot(file, now, candidate.session.stats, candidate.session.problem);
        add(found, std::move(candidate));
    });
}

/// The mount of `session` as we see it: another mount table may have it elsewhere, or not at all.
void add_mount(Session& session, const std::vector<FuseMount>& mounts)
{
    if (session.stats.connection < 0)
        return;
    const unsigned connection = static_cast<unsigned>(session.stats.connection);
    for (const FuseMount& mount : mounts) {
        if (mount.connection == connection && (!session.mount || mount.path == session.stats.mountpoint))
            session.mount = mount;
    }
    session.kernel_waiting = kernel_waiting(connection);
}

} // namespace

std::string Session::name() const
{
    if (mount)
        return printable(mount->path);
    return stats.mountpoint.empty() ? "(no mount point)" : stats.mountpoint;
}

ProcessFacts process_facts(pid_t pid)
{
    ProcessFacts facts;
    const std::string stat = read_line(proc(pid, "stat"));
    const std::size_t name_end = stat.rfind(')');
    if (name_end != std::string::npos && name_end + 2 < stat.size())
        facts.state = stat[name_end + 2];
    facts.program = printable(read_line(proc(pid, "comm")));
    const std::string status = read_file(proc(pid, "status"));
    facts.uid = static_cast<uid_t>(number_after(status, "\nUid:"));
    facts.resident_bytes = number_after(status, "\nVmRSS:") * 1024;
    facts.anonymous_bytes = number_after(status, "\nRssAnon:") * 1024;
    (void)for_each_number(proc(pid, "task"), [&](int tid) {
        const std::string name = read_line(proc(pid, "task/") + std::to_string(tid) + "/comm");
        ++facts.threads;
        facts.ring_threads += name.starts_with("fuse-ring-");
        facts.device_threads += name == "fuse-dev";
    });
    return facts;
}

std::vector<Session> find_sessions()
{
    const Moment now = this_moment();
    std::vector<Found> found;
    (void)for_each_number("/proc", [&](int pid) { look_at_process(pid, now, found); });
    const std::vector<FuseMount> mounts = fuse_mounts();
    std::vector<Session> sessions;
    for (Found& one : found) {
        one.session.process = process_facts(one.session.pid);
        add_mount(one.session, mounts);
        sessions.push_back(std::move(one.session));
    }
    std::sort(sessions.begin(), sessions.end(),
              [](const Session& a, const Session& b) { return a.pid < b.pid; });
    return sessions;
}

int find_sessions(const Which& which, std::vector<Session>& out, std::string& why)
{
    out = find_sessions();
    if (which.pid != 0) {
        std::erase_if(out, [&](const Session& session) { return session.pid != which.pid; });
        if (out.empty())
            why = format("pid %d serves no mount over ringfuse, or is another user's", which.pid);
    } else if (!which.mountpoint.empty()) {
        const std::optional<FuseMount> mount = find_fuse_mount(which.mountpoint);
        std::erase_if(out, [&](const Session& session) {
            return !mount || session.stats.connection != static_cast<std::int64_t>(mount->connection);
        });
        if (out.empty())
            why = printable(which.mountpoint) +
                  (mount ? ": served, but not over ringfuse, or by another user's process"
                         : ": no FUSE filesystem is mounted there");
    } else if (out.empty()) {
        why = "nothing is served over ringfuse, as far as this user may see";
    }
    return out.empty() ? -ENOENT : 0;
}

Servers servers_of(unsigned connection)
{
    Servers servers;
    bool told = false; // the kernel names connections in fdinfo (since 6.18)
    const bool root = ::geteuid() == 0;
    (void)for_each_number("/proc", [&](int pid) {
        bool serves = false;
        (void)for_each_number(proc(pid, "fd"), [&](int fd) {
            if (link_target(proc(pid, "fd/") + std::to_string(fd)) != "/dev/fuse")
                return;
            const std::string info = read_file(proc(pid, "fdinfo/") + std::to_string(fd));
            if (info.find("fuse_connection:") == std::string::npos)
                return;
            told = true;
            serves |= number_after(info, "fuse_connection:") == connection;
        });
        if (serves)
            servers.pids.push_back(pid);
    });
    servers.all_seen = root && told;
    return servers;
}

} // namespace rf::command
