// The sessions served on this machine that we may look at, found through /proc without any help of theirs.
#pragma once

#include "mounts.hpp"
#include "snapshot.hpp"

#include <sys/types.h>

namespace rf::command {

struct ProcessFacts {
    std::string program; // its name, as ps shows it
    char state = '?';    // as in /proc/PID/stat: 'T' is stopped, 'D' waits for something
    uid_t uid = 0;
    unsigned threads = 0;
    unsigned ring_threads = 0;   // that serve a ring queue
    unsigned device_threads = 0; // that read /dev/fuse
    std::uint64_t resident_bytes = 0;
    std::uint64_t anonymous_bytes = 0;
};

struct Session {
    pid_t pid = 0;
    std::string file; // /proc/PID/fd/N
    ProcessFacts process;
    Snapshot stats;
    std::string problem;            // why `stats` is empty, if it is
    std::optional<FuseMount> mount; // in our mount table
    std::optional<unsigned long> kernel_waiting;

    [[nodiscard]] std::string name() const; // its mount point, or what stands for it
};

/// What the caller asked for; at most one is set.
struct Which {
    pid_t pid = 0;
    std::string mountpoint;
};

/// In the order of their process ids.
[[nodiscard]] std::vector<Session> find_sessions();
/// Those that match. 0, or -ENOENT with `why`.
[[nodiscard]] int find_sessions(const Which& which, std::vector<Session>& out, std::string& why);

/// Processes that hold a device descriptor of `connection`, as far as we may look.
struct Servers {
    std::vector<pid_t> pids;
    bool all_seen = false; // nothing was hidden from us, and the kernel tells connections apart
};
[[nodiscard]] Servers servers_of(unsigned connection);

[[nodiscard]] ProcessFacts process_facts(pid_t pid);

} // namespace rf::command
