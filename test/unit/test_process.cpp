// Starting other programs: exit codes, environment, descriptors, and the two ways of not finding anything.
#include "base/fd.hpp"
#include "check/runner.hpp"
#include "mount/process.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>

using rf::UniqueFd;
using rf::mount::kExitNotFound;
using rf::mount::Program;

namespace {

Program shell(const std::string& script)
{
    Program program;
    program.candidates = {"/bin/sh"};
    program.argv = {"sh", "-c", script};
    return program;
}

START_TEST(the_exit_code_comes_back)
{
    ck_assert_int_eq(rf::mount::run(shell("exit 0")), 0);
    ck_assert_int_eq(rf::mount::run(shell("exit 42")), 42);
    ck_assert_int_eq(rf::mount::run(shell("kill -9 $$")), 128 + SIGKILL);
}
END_TEST

START_TEST(candidates_are_tried_in_order)
{
    Program program = shell("exit 7");
    program.candidates = {"/nowhere/sh", "/etc/passwd/sh", "/bin/sh", "/bin/false"};
    ck_assert_int_eq(rf::mount::run(program), 7);
}
END_TEST

START_TEST(nothing_to_execute_is_told_apart)
{
    Program program = shell("exit 0");
    program.candidates = {"/nowhere/sh"};
    ck_assert_int_eq(rf::mount::run(program), kExitNotFound);
}
END_TEST

START_TEST(a_preload_of_ours_does_not_reach_the_child)
{
    setenv("LD_PRELOAD", "", 1);
    setenv("_FUSE_COMMFD", "3", 1);
    setenv("KEPT", "yes", 1);
    Program program = shell("test -z \"${LD_PRELOAD+set}\" && test $KEPT$NEW = yesyes && "
                            "test -z \"${_FUSE_COMMFD+set}\"");
    program.environment = {"NEW=yes"};
    ck_assert_int_eq(rf::mount::run(program), 0);
    program.argv[2] = "exit $_FUSE_COMMFD";
    program.environment = {"_FUSE_COMMFD=9"};
    ck_assert_int_eq(rf::mount::run(program), 9);
}
END_TEST

START_TEST(only_the_named_descriptor_is_inherited)
{
    const UniqueFd kept(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const UniqueFd other(open("/dev/null", O_RDONLY | O_CLOEXEC));
    Program program = shell("test -e /proc/self/fd/" + std::to_string(kept.get()) +
                            " && test ! -e /proc/self/fd/" + std::to_string(other.get()));
    program.inherited_fd = kept.get();
    ck_assert_int_eq(rf::mount::run(program), 0);
    ck_assert_int_eq(fcntl(kept.get(), F_GETFD), FD_CLOEXEC); // here nothing has changed
}
END_TEST

START_TEST(a_failed_exec_sends_its_errno)
{
    for (const bool detached : {false, true}) {
        std::array<int, 2> pair{};
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
        const UniqueFd ours(pair[0]);
        UniqueFd theirs(pair[1]);
        Program program = shell("exit 0");
        program.candidates = {"/etc/passwd", "/nowhere/sh"}; // not executable beats not there
        program.inherited_fd = theirs.get();
        program.detached = detached;
        ck_assert_int_eq(rf::mount::run(program), detached ? 0 : kExitNotFound);
        theirs.reset();
        char byte = 0;
        ck_assert_int_eq(read(ours.get(), &byte, 1), 1);
        ck_assert_int_eq(byte, EACCES);
        ck_assert_int_eq(read(ours.get(), &byte, 1), 0);
    }
}
END_TEST

START_TEST(a_detached_program_is_nobodys_child)
{
    std::array<int, 2> ends{};
    ck_assert_int_eq(pipe2(ends.data(), O_CLOEXEC), 0);
    Program program = shell("echo $PPID >&" + std::to_string(ends[1]) + "; exec sleep 0.2");
    program.inherited_fd = ends[1];
    program.detached = true;
    ck_assert_int_eq(rf::mount::run(program), 0);
    ck_assert_int_eq(waitpid(-1, nullptr, WNOHANG), -1);
    std::array<char, 32> text{};
    ck_assert_int_gt(read(ends[0], text.data(), text.size() - 1), 0);
    ck_assert_int_ne(atoi(text.data()), getpid());
}
END_TEST

START_TEST(an_application_that_ignores_sigchld_is_no_error)
{
    signal(SIGCHLD, SIG_IGN);
    ck_assert_int_eq(rf::mount::run(shell("exit 3")), 0);
}
END_TEST

START_TEST(quiet_drops_standard_error)
{
    std::array<int, 2> ends{};
    ck_assert_int_eq(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    Program program = shell("echo noise >&2");
    program.quiet = true;
    ck_assert_int_eq(rf::mount::run(program), 0);
    char byte = 0;
    ck_assert_int_eq(read(ends[0], &byte, 1), -1);
    program.quiet = false;
    ck_assert_int_eq(rf::mount::run(program), 0);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
}
END_TEST

START_TEST(relative_directories_of_path_are_not_searched)
{
    setenv("PATH", ".:/a::bin:/b", 1);
    const std::vector<std::string> found = rf::mount::search_path("/first/x", "x");
    ck_assert(found == (std::vector<std::string>{"/first/x", "/a/x", "/b/x"}));
    unsetenv("PATH");
    ck_assert_uint_eq(rf::mount::search_path("/first/x", "x").size(), 1);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        the_exit_code_comes_back,
        candidates_are_tried_in_order,
        nothing_to_execute_is_told_apart,
        a_preload_of_ours_does_not_reach_the_child,
        only_the_named_descriptor_is_inherited,
        a_failed_exec_sends_its_errno,
        a_detached_program_is_nobodys_child,
        an_application_that_ignores_sigchld_is_no_error,
        quiet_drops_standard_error,
        relative_directories_of_path_are_not_searched,
    };
    return rf::test::run_tests("process", tests);
}
