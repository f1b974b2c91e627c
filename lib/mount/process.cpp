// Running another program: fork and exec with nothing but async-signal-safe calls in the child.
#include "mount/process.hpp"

#include "base/fd.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/wait.h>

namespace rf::mount {
namespace {

// Everything the child needs, made before the fork: after it, no allocation and no lock.
struct Prepared {
    std::vector<const char*> paths;
    std::vector<char*> argv;
    std::vector<char*> envp;
    int inherited_fd;
    bool quiet;
};

// _FUSE_COMMFD is fusermount3's: one that we inherited ourselves is not meant for our child.
bool is_private(std::string_view variable)
{
    return variable.starts_with("LD_PRELOAD=") || variable.starts_with("_FUSE_COMMFD=");
}

Prepared prepare(const Program& program)
{
    Prepared prepared{
        .paths = {}, .argv = {}, .envp = {}, .inherited_fd = program.inherited_fd, .quiet = program.quiet};
    for (const std::string& path : program.candidates)
        prepared.paths.push_back(path.c_str());
    for (const std::string& arg : program.argv)
        prepared.argv.push_back(const_cast<char*>(arg.c_str()));
    prepared.argv.push_back(nullptr);
    for (char** variable = environ; variable && *variable; variable++) {
        if (!is_private(*variable))
            prepared.envp.push_back(*variable);
    }
    for (const std::string& variable : program.environment)
        prepared.envp.push_back(const_cast<char*>(variable.c_str()));
    prepared.envp.push_back(nullptr);
    return prepared;
}

// In the child: async-signal-safe calls only.
[[noreturn]] void exec_or_exit(const Prepared& prepared)
{
    if (prepared.inherited_fd >= 0)
        fcntl(prepared.inherited_fd, F_SETFD, 0);
    if (prepared.quiet) {
        const int null = open("/dev/null", O_WRONLY);
        if (null >= 0)
            dup2(null, STDERR_FILENO);
    }
    int error = ENOENT;
    for (const char* path : prepared.paths) {
        const int rc = from_libc(execve(path, prepared.argv.data(), prepared.envp.data()));
        if (rc != -ENOENT && rc != -ENOTDIR)
            error = -rc;
    }
    if (prepared.inherited_fd >= 0) {
        const char byte = static_cast<char>(error);
        [[maybe_unused]] const ssize_t n = send(prepared.inherited_fd, &byte, sizeof(byte), MSG_NOSIGNAL);
    }
    _exit(kExitNotFound);
}

// In the child: leaves the program to init, so that nobody has to reap it.
[[noreturn]] void detach_and_exec(const Prepared& prepared)
{
    const pid_t pid = _Fork();
    if (pid == 0)
        exec_or_exit(prepared);
    _exit(pid < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

// ECHILD: SIGCHLD is ignored or the application reaps all children; the result is then somebody else's.
int reap(pid_t pid)
{
    int status = 0;
    int rc = 0;
    do {
        rc = from_libc(waitpid(pid, &status, 0));
    } while (rc == -EINTR);
    if (rc == -ECHILD)
        return 0;
    if (rc < 0)
        return rc;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace

int run(const Program& program)
{
    const Prepared prepared = prepare(program);
    // _Fork, not fork: the child runs no code of the application, so its atfork handlers are not our
    // business.
    const pid_t pid = from_libc(_Fork());
    if (pid == 0) {
        if (program.detached)
            detach_and_exec(prepared);
        exec_or_exit(prepared);
    }
    return pid < 0 ? pid : reap(pid);
}

std::vector<std::string> search_path(const char* first, const char* name)
{
    std::vector<std::string> found{first};
    const char* path = getenv("PATH");
    std::string_view rest = path ? path : "";
    while (!rest.empty()) {
        const std::string_view dir = rest.substr(0, rest.find(':'));
        rest.remove_prefix(dir.size() < rest.size() ? dir.size() + 1 : dir.size());
        if (dir.starts_with('/')) // a program found through "." or "" would be anybody's
            found.push_back(std::string(dir) + "/" + name);
    }
    return found;
}

} // namespace rf::mount
