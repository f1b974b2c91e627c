// What the mount tests share: a private mount namespace in which nothing can leak, a look at mountinfo, and a
// server that knows just enough of the protocol.
#pragma once

#include "check/runner.hpp"
#include "mount/mount.hpp"

#include <chrono>
#include <grp.h>
#include <optional>
#include <string>
#include <thread>
#include <unistd.h>

namespace rf::test {

constexpr unsigned kNobody = 65534;

/// Moves this process into its own mount namespace with its own /dev (null, fuse for everybody, fuse2, a
/// plain file) and its own /etc/fuse.conf, and puts an empty tmpfs on /mnt. Everything mounted later goes
/// when the last test process ends. False with a message if the machine cannot do it.
bool enter_sandbox();

/// A new directory with this owner.
std::string make_directory(unsigned owner = 0);

/// Whether /etc/fuse.conf has user_allow_other.
void set_user_allow_other(bool allowed);

/// One line of /proc/self/mountinfo.
struct MountLine {
    std::string flags; // per mount: "rw,nosuid,..."
    std::string type;  // "fuse.kind"
    std::string source;
    std::string super_options; // per superblock: "rw,user_id=0,..."
};

/// The last line for `path`.
std::optional<MountLine> mount_line(const std::string& path);

/// True if `word` is one of the comma list's.
bool has_word(const std::string& list, const std::string& word);

/// Polls until nothing is mounted on `path`.
bool gone_within(const std::string& path, std::chrono::milliseconds limit);

/// Options from one comma list; fails the test if a word is left over.
mount::Options options_of(const char* words);

/// Mounts; fails the test if that fails.
mount::Mounted mounted(const std::string& path, const char* words);

/// Unmounts; fails the test if that fails or something stays on `path`.
void expect_unmounted(mount::Mounted& what, const std::string& path);

/// ck_assert_str_eq() for a temporary: the macro keeps the pointer beyond the expression that made it.
void expect_text(const std::string& got, const char* wanted);

/// Drops the library's messages: tests of refusals provoke them.
void be_quiet();

/// Runs `body` as `user` in a child; its return value is the exit code.
template <class Body>
pid_t start_child(unsigned user, Body body)
{
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (user != 0 && (setgroups(0, nullptr) != 0 || setgid(user) != 0 || setuid(user) != 0))
            _exit(99);
        _exit(body());
    }
    return pid;
}

/// Waits for a child.
int exit_code(pid_t pid);

/// Answers INIT, and GETATTR of the root as a directory with mode 0755; everything else gets ENOSYS. Borrows
/// `fd`; ends with the connection, so that destruction waits for the unmount.
class TinyServer {
public:
    explicit TinyServer(int fd) : thread_([fd] { serve(fd); }) {}
    ~TinyServer() { thread_.join(); }

private:
    static void serve(int fd);
    std::thread thread_;
};

} // namespace rf::test
