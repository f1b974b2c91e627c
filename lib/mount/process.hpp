// Running another program: a helper of mount/ for fusermount3 and mount(8). Synchronous, any thread.
#pragma once

#include <string>
#include <vector>

namespace rf::mount {

/// Exit code of a child that found none of its candidates to execute.
constexpr int kExitNotFound = 127;

struct Program {
    std::vector<std::string> candidates;       // paths tried in this order
    std::vector<std::string> argv;             // argv[0] included
    std::vector<std::string> environment = {}; // "NAME=value", beside ours without LD_PRELOAD
    int inherited_fd = -1;                     // stays open across the exec; borrowed
    bool quiet = false;                        // standard error goes to /dev/null
    // The program is nobody's child: it may outlive this call and leaves no zombie with the caller's process.
    // Its exit code is lost.
    bool detached = false;
};

/// Runs `program` until it ends (detached: until it is started) and returns its exit code, 128 + N for signal
/// N, or -errno if no process could be made. 0 as well if somebody else in this process reaped the child
/// first. A child that finds no candidate to execute sends one byte, the errno, to `inherited_fd` if there is
/// one.
[[nodiscard]] int run(const Program& program);

/// `name` in the directories of PATH, in order, after `first`.
[[nodiscard]] std::vector<std::string> search_path(const char* first, const char* name);

} // namespace rf::mount
