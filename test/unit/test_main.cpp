// fuse_main(): its steps in order, what it returns when one fails, and what it undoes then. The steps
// themselves are replaced (the linker's --wrap), so nothing is mounted and nothing forks.
#include "highlevel/main.hpp"

#include "check/runner.hpp"
#include "log_capture.hpp"

#include <cstring>
#include <fuse_lowlevel.h>
#include <initializer_list>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

std::string g_steps;
std::string g_fails;     // the step that fails
std::string g_arguments; // what fuse_new() got
std::string g_mountpoint;
int g_loop_result = 0;
unsigned g_max_threads = 0;
unsigned g_max_idle_threads = 0;
unsigned g_clone_fd = 0;
libfuse_version g_version{};

// Handles nobody looks into.
char g_fuse = 0;
char g_session = 0;
char g_loop_config = 0;

/// True if the step is to succeed.
bool step(const std::string& name)
{
    g_steps += (g_steps.empty() ? "" : " ") + name;
    return name != g_fails;
}

void reset()
{
    g_steps.clear();
    g_fails.clear();
    g_arguments.clear();
    g_mountpoint.clear();
    g_loop_result = 0;
    g_version = {};
    log_capture::start();
}

int run(std::initializer_list<const char*> words)
{
    std::vector<std::string> texts(words.begin(), words.end());
    std::vector<char*> argv;
    argv.reserve(texts.size() + 1);
    for (std::string& text : texts)
        argv.push_back(text.data());
    const int argc = static_cast<int>(argv.size());
    argv.push_back(nullptr);
    const fuse_operations op{};
    return fuse_main_real(argc, argv.data(), &op, sizeof(op), nullptr);
}

} // namespace

extern "C" {

fuse* __wrap__fuse_new_31(fuse_args* args, const fuse_operations*, size_t, libfuse_version* version, void*)
{
    g_version = *version;
    for (int i = 1; i < args->argc; ++i)
        g_arguments += std::string(i > 1 ? " " : "") + args->argv[i];
    return step("new") ? reinterpret_cast<fuse*>(&g_fuse) : nullptr;
}
int __wrap_fuse_mount(fuse*, const char* mountpoint)
{
    g_mountpoint = mountpoint;
    return step("mount") ? 0 : -1;
}
int __wrap_fuse_daemonize(int foreground)
{
    return step(foreground ? "foreground" : "daemonize") ? 0 : -1;
}
fuse_session* __wrap_fuse_get_session(fuse*)
{
    return reinterpret_cast<fuse_session*>(&g_session);
}
int __wrap_fuse_set_signal_handlers(fuse_session*)
{
    return step("signals") ? 0 : -1;
}
void __wrap_fuse_remove_signal_handlers(fuse_session*)
{
    (void)step("remove_signals");
}
int __wrap_fuse_loop(fuse*)
{
    (void)step("loop");
    return g_loop_result;
}
int __wrap_fuse_loop_mt_312(fuse*, fuse_loop_config*)
{
    (void)step("loop_mt");
    return g_loop_result;
}
fuse_loop_config* __wrap_fuse_loop_cfg_create(void)
{
    return step("config") ? reinterpret_cast<fuse_loop_config*>(&g_loop_config) : nullptr;
}
void __wrap_fuse_loop_cfg_destroy(fuse_loop_config*)
{
    (void)step("config_gone");
}
void __wrap_fuse_loop_cfg_set_clone_fd(fuse_loop_config*, unsigned value)
{
    g_clone_fd = value;
}
void __wrap_fuse_loop_cfg_set_idle_threads(fuse_loop_config*, unsigned value)
{
    g_max_idle_threads = value;
}
void __wrap_fuse_loop_cfg_set_max_threads(fuse_loop_config*, unsigned value)
{
    g_max_threads = value;
}
void __wrap_fuse_unmount(fuse*)
{
    (void)step("unmount");
}
void __wrap_fuse_destroy(fuse*)
{
    (void)step("destroy");
}

} // extern "C"

namespace {

constexpr char kWhole[] =
    "new mount daemonize signals config loop_mt config_gone remove_signals unmount destroy";

/// `result` and `steps` when `step` fails.
void expect_failure(const char* step, int result, const char* steps)
{
    reset();
    g_fails = step;
    ck_assert_int_eq(run({"program", "/"}), result);
    ck_assert_str_eq(g_steps.c_str(), steps);
}

/// Standard output goes nowhere.
int run_quietly(std::initializer_list<const char*> words)
{
    std::fflush(stdout);
    const int kept = ::dup(STDOUT_FILENO);
    ck_assert_ptr_nonnull(std::freopen("/dev/null", "w", stdout));
    const int rc = run(words);
    std::fflush(stdout);
    ck_assert_int_eq(::dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
    ::close(kept);
    return rc;
}

} // namespace

START_TEST(an_orderly_run_is_0)
{
    ck_assert_int_eq(run({"program", "/"}), 0);
    ck_assert_str_eq(g_steps.c_str(), kWhole);
    ck_assert_str_eq(g_arguments.c_str(), "-osubtype=program");
    ck_assert_str_eq(g_mountpoint.c_str(), "/");
    ck_assert_uint_eq(g_max_threads, 10);
    ck_assert_uint_eq(g_max_idle_threads, static_cast<unsigned>(-1));
    ck_assert_uint_eq(g_clone_fd, 0);
}
END_TEST

START_TEST(the_mountpoint_becomes_absolute_before_the_directory_changes)
{
    ck_assert_int_eq(::chdir("/proc"), 0);
    ck_assert_int_eq(run({"program", "../dev/."}), 0);
    ck_assert_str_eq(g_mountpoint.c_str(), "/dev");
}
END_TEST

START_TEST(loop_options_reach_the_loop)
{
    ck_assert_int_eq(run({"program", "/", "-o", "max_threads=3,max_idle_threads=2,clone_fd,ro"}), 0);
    ck_assert_uint_eq(g_max_threads, 3);
    ck_assert_uint_eq(g_max_idle_threads, 2);
    ck_assert_uint_eq(g_clone_fd, 1);
    ck_assert_str_eq(g_arguments.c_str(), "-o ro -osubtype=program");
}
END_TEST

START_TEST(s_runs_one_thread)
{
    ck_assert_int_eq(run({"program", "-s", "/"}), 0);
    ck_assert_str_eq(g_steps.c_str(), "new mount daemonize signals loop remove_signals unmount destroy");
}
END_TEST

START_TEST(f_and_d_stay_in_the_foreground)
{
    ck_assert_int_eq(run({"program", "-s", "-f", "/"}), 0);
    ck_assert_str_eq(g_steps.c_str(), "new mount foreground signals loop remove_signals unmount destroy");
    reset();
    ck_assert_int_eq(run({"program", "-s", "-d", "/"}), 0);
    ck_assert_str_eq(g_steps.c_str(), "new mount foreground signals loop remove_signals unmount destroy");
    ck_assert_str_eq(g_arguments.c_str(), "-d -osubtype=program");
}
END_TEST

START_TEST(wrong_arguments_are_1)
{
    ck_assert_int_eq(run({"program", "/", "/second"}), 1);
    ck_assert_int_eq(run({"program", "/no/such/mountpoint"}), 1);
    ck_assert_int_eq(run({"program", "/", "-omax_threads=x"}), 1);
    ck_assert_str_eq(g_steps.c_str(), "");
}
END_TEST

START_TEST(no_mountpoint_is_2)
{
    ck_assert_int_eq(run({"program", "-f"}), 2);
    ck_assert_str_eq(g_steps.c_str(), "");
    ck_assert(log_capture::contains("no mountpoint"));
}
END_TEST

START_TEST(each_step_that_fails_has_its_number_and_undoes_those_before)
{
    expect_failure("new", 3, "new");
    expect_failure("mount", 4, "new mount destroy");
    expect_failure("daemonize", 5, "new mount daemonize unmount destroy");
    expect_failure("signals", 6, "new mount daemonize signals unmount destroy");
    expect_failure("config", 7, "new mount daemonize signals config remove_signals unmount destroy");
}
END_TEST

START_TEST(a_loop_that_ends_with_an_error_or_by_a_signal_is_8)
{
    for (const int result : {-5, 15}) {
        for (const char* mode : {"-s", "-f"}) {
            reset();
            g_loop_result = result;
            ck_assert_int_eq(run({"program", mode, "/"}), 8);
            ck_assert(g_steps.ends_with("remove_signals unmount destroy"));
        }
    }
}
END_TEST

START_TEST(help_and_version_are_0_and_mount_nothing)
{
    for (const char* word : {"-h", "--help", "-V", "--version"})
        ck_assert_int_eq(run_quietly({"program", word}), 0);
    // A program that prints its own usage line passes an empty name.
    ck_assert_int_eq(run_quietly({"", "-h"}), 0);
    ck_assert_str_eq(g_steps.c_str(), "");
}
END_TEST

START_TEST(the_headers_of_the_caller_are_passed_on)
{
    ck_assert_int_eq(run({"program", "/"}), 0);
    ck_assert_uint_eq(g_version.major, 0);
    libfuse_version version{3, 18, 2, 0};
    char name[] = "program";
    char mountpoint[] = "/";
    char* argv[] = {name, mountpoint, nullptr};
    const fuse_operations op{};
    ck_assert_int_eq(fuse_main_real_versioned(2, argv, &op, sizeof(op), &version, nullptr), 0);
    ck_assert_uint_eq(g_version.minor, 18);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        an_orderly_run_is_0,
        the_mountpoint_becomes_absolute_before_the_directory_changes,
        loop_options_reach_the_loop,
        s_runs_one_thread,
        f_and_d_stay_in_the_foreground,
        wrong_arguments_are_1,
        no_mountpoint_is_2,
        each_step_that_fails_has_its_number_and_undoes_those_before,
        a_loop_that_ends_with_an_error_or_by_a_signal_is_8,
        help_and_version_are_0_and_mount_nothing,
        the_headers_of_the_caller_are_passed_on,
    };
    return rf::test::run_tests("main", tests, {.before = reset});
}
