// Option parser, command line and connection options with the n-th allocation failing, for every n. Linked
// with
// --wrap for the allocators, so only calls from our own code are counted.
#include "cli/cmdline.hpp"
#include "cli/opt.hpp"
#include "session/conn_opts.hpp"

#include "check/runner.hpp"
#include "log_capture.hpp"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

using namespace rf::cli;

namespace {
int g_allocations_left = INT_MAX;

bool fails_now()
{
    return g_allocations_left != INT_MAX && g_allocations_left-- <= 0;
}
} // namespace

extern "C" {
void* __real_malloc(std::size_t);
void* __real_calloc(std::size_t, std::size_t);
void* __real_realloc(void*, std::size_t);
char* __real_strdup(const char*);
char* __real_realpath(const char*, char*);

void* __wrap_malloc(std::size_t bytes)
{
    return fails_now() ? nullptr : __real_malloc(bytes);
}
void* __wrap_calloc(std::size_t count, std::size_t bytes)
{
    return fails_now() ? nullptr : __real_calloc(count, bytes);
}
void* __wrap_realloc(void* old, std::size_t bytes)
{
    return fails_now() ? nullptr : __real_realloc(old, bytes);
}
char* __wrap_strdup(const char* text)
{
    return fails_now() ? nullptr : __real_strdup(text);
}
char* __wrap_realpath(const char* path, char* out)
{
    if (fails_now()) {
        errno = ENOMEM;
        return nullptr;
    }
    return __real_realpath(path, out);
}
}

namespace {

constexpr const char* kArgv[] = {"prog",          "-o", "a,max_threads=3,fsnam=x\\,y", "-f", "/",
                                 "-osplice_read", "--"};
constexpr int kArgc = sizeof(kArgv) / sizeof(kArgv[0]);

// An owned vector, made while allocation works.
fuse_args make_args()
{
    g_allocations_left = INT_MAX;
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    for (const char* word : kArgv)
        ck_assert_int_eq(add_arg(args, word), 0);
    return args;
}

void assert_untouched(const fuse_args& args)
{
    ck_assert_int_eq(args.argc, kArgc);
    for (int i = 0; i < kArgc; i++)
        ck_assert_str_eq(args.argv[i], kArgv[i]);
    ck_assert_ptr_null(args.argv[kArgc]);
}

// Runs `step` on a fresh vector with 0, 1, 2 … allocations allowed until it succeeds, and returns how often
// it failed. A step lifts the limit before it asserts: libcheck allocates as well. Every failure must say so;
// with `all_or_nothing` it must also leave the vector as it was.
template <class Step>
int failures_before_success(bool all_or_nothing, Step step)
{
    for (int allowed = 0; allowed < 1000; allowed++) {
        fuse_args args = make_args();
        log_capture::start();
        g_allocations_left = allowed;
        const bool done = step(args);
        g_allocations_left = INT_MAX;
        if (!done) {
            ck_assert(!log_capture::is_empty());
            if (all_or_nothing)
                assert_untouched(args);
        }
        free_args(args); // a half-freed vector shows here
        if (done)
            return allowed;
    }
    ck_abort_msg("never succeeded");
    return -1;
}

START_TEST(parse_is_all_or_nothing_at_every_allocation)
{
    static constexpr fuse_opt kTable[] = {{"-f %s", 0, 0}, FUSE_OPT_END};
    const int failures = failures_before_success(true, [](fuse_args& args) {
        char* text = nullptr;
        const int rc = parse_opts(args, &text, kTable, nullptr);
        std::free(text);
        return rc == 0;
    });
    ck_assert_int_gt(failures, 10);
}
END_TEST

START_TEST(command_line_fails_cleanly_at_every_allocation)
{
    const int failures = failures_before_success(false, [](fuse_args& args) {
        fuse_cmdline_opts opts;
        const int rc = parse_cmdline(args, opts);
        g_allocations_left = INT_MAX;
        if (rc < 0)
            ck_assert_ptr_null(opts.mountpoint);
        std::free(opts.mountpoint);
        return rc == 0;
    });
    ck_assert_int_gt(failures, 10);
}
END_TEST

START_TEST(connection_options_are_all_or_nothing_at_every_allocation)
{
    const int failures = failures_before_success(true, [](fuse_args& args) {
        fuse_conn_info_opts* opts = rf::parse_conn_opts(args);
        std::free(opts);
        return opts != nullptr;
    });
    ck_assert_int_gt(failures, 10);
}
END_TEST

START_TEST(adding_is_all_or_nothing_at_every_allocation)
{
    ck_assert_int_gt(
        failures_before_success(true, [](fuse_args& args) { return fuse_opt_add_arg(&args, "x") == 0; }), 1);
    const int failures = failures_before_success(true, [](fuse_args& args) {
        // A vector on loan is copied first, word by word.
        fuse_args loan = FUSE_ARGS_INIT(args.argc, args.argv);
        const int rc = fuse_opt_insert_arg(&loan, 1, "x");
        g_allocations_left = INT_MAX;
        if (rc == 0)
            free_args(loan);
        else
            ck_assert_ptr_eq(loan.argv, args.argv);
        return rc == 0;
    });
    ck_assert_int_gt(failures, kArgc);
}
END_TEST

START_TEST(list_is_kept_when_appending_fails)
{
    CString list(strdup("old"));
    char* raw = list.release();
    log_capture::start();
    g_allocations_left = 0;
    const int rc = fuse_opt_add_opt(&raw, "new");
    g_allocations_left = INT_MAX;
    ck_assert_int_eq(rc, -1);
    ck_assert_str_eq(raw, "old");
    ck_assert(!log_capture::is_empty());
    std::free(raw);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        parse_is_all_or_nothing_at_every_allocation,
        command_line_fails_cleanly_at_every_allocation,
        connection_options_are_all_or_nothing_at_every_allocation,
        adding_is_all_or_nothing_at_every_allocation,
        list_is_kept_when_appending_fails,
    };
    return rf::test::run_tests("opt_oom", tests);
}
