// What can be seen from outside: mounts, connections, tasks, descriptors. Asks nothing of a mount, so it
// never hangs with one.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace rf::teardown {

/// A FUSE connection. Numbers are used again at once; the inode of its directory in the control filesystem is
/// not.
struct Connection {
    long number = -1;
    long inode = -1;

    [[nodiscard]] bool alive() const;
    /// Whether it was alive, and could be told to end.
    bool abort() const;
};

/// The connection mounted on `dir`; number is -1 if nothing is.
[[nodiscard]] Connection connection_on(const std::string& dir);

[[nodiscard]] bool is_mounted(const std::string& dir);

/// Makes the control filesystem visible; false with errno.
[[nodiscard]] bool need_control_filesystem();

[[nodiscard]] std::vector<pid_t> tasks_of(pid_t pid);

/// Descriptors of this process and what they are, as "number target".
[[nodiscard]] std::vector<std::string> open_descriptors();

/// Whether a task of this process waits for the mount's answer to a system call.
[[nodiscard]] bool waits_for_mount(pid_t task);

/// Kernel stacks of all tasks of a process to stderr, and user stacks if no task waits for an answer.
void show_process(const char* who, pid_t pid);

} // namespace rf::teardown
