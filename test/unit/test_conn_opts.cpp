// Connection options: parsed from the command line, applied in init().
#include "session/conn_opts.hpp"

#include "check/runner.hpp"
#include "cli/opt.hpp"
#include "log_capture.hpp"
#include "session/conn_flags.hpp"

#include <cstring>

using namespace rf;
using namespace rf::cli;

namespace {

constexpr std::uint64_t kAll = ~0ull;

// Applies "-o list" to a connection that offers `capable` and wants `want` by default.
fuse_conn_info applied(const char* list, std::uint64_t want, std::uint64_t capable = kAll)
{
    OwnedArgs args;
    ck_assert_int_eq(add_arg(args.get(), "prog"), 0);
    ck_assert_int_eq(add_arg(args.get(), "-o"), 0);
    ck_assert_int_eq(add_arg(args.get(), list), 0);
    fuse_conn_info_opts* opts = fuse_parse_conn_info_opts(&args.get());
    ck_assert_ptr_nonnull(opts);
    ck_assert_int_eq(args.get().argc, 1); // all of it was ours

    fuse_conn_info conn = {};
    conn.max_write = 1;
    conn.max_readahead = 2;
    conn.max_background = 3;
    conn.congestion_threshold = 4;
    conn.time_gran = 5;
    conn.capable_ext = capable;
    conn.capable = static_cast<std::uint32_t>(capable);
    set_default_want(conn, want);
    fuse_apply_conn_info_opts(opts, &conn);
    std::free(opts); // as applications do
    ck_assert_int_eq(reconcile_want(conn), 0);
    return conn;
}

START_TEST(numbers_are_set_only_if_given)
{
    fuse_conn_info conn = applied("max_write=4096,time_gran=100", 0);
    ck_assert_uint_eq(conn.max_write, 4096);
    ck_assert_uint_eq(conn.time_gran, 100);
    ck_assert_uint_eq(conn.max_readahead, 2);
    ck_assert_uint_eq(conn.max_background, 3);
    ck_assert_uint_eq(conn.congestion_threshold, 4);
    conn = applied("max_readahead=0,max_background=20,congestion_threshold=15", 0);
    ck_assert_uint_eq(conn.max_readahead, 0);
    ck_assert_uint_eq(conn.max_background, 20);
    ck_assert_uint_eq(conn.congestion_threshold, 15);
    ck_assert_uint_eq(conn.max_write, 1);
}
END_TEST

struct FlagCase {
    const char* on;
    const char* off;
    std::uint64_t flag;
};
constexpr FlagCase kFlagCases[] = {
    {"splice_write", "no_splice_write", FUSE_CAP_SPLICE_WRITE},
    {"splice_move", "no_splice_move", FUSE_CAP_SPLICE_MOVE},
    {"splice_read", "no_splice_read", FUSE_CAP_SPLICE_READ},
    {"auto_inval_data", "no_auto_inval_data", FUSE_CAP_AUTO_INVAL_DATA},
    {"async_dio", "no_async_dio", FUSE_CAP_ASYNC_DIO},
    {"writeback_cache", "no_writeback_cache", FUSE_CAP_WRITEBACK_CACHE},
    {"async_read", "sync_read", FUSE_CAP_ASYNC_READ},
    {nullptr, "no_remote_posix_lock", FUSE_CAP_POSIX_LOCKS},
    {nullptr, "no_remote_flock", FUSE_CAP_FLOCK_LOCKS},
    {nullptr, "no_remote_lock", FUSE_CAP_POSIX_LOCKS | FUSE_CAP_FLOCK_LOCKS},
    {"readdirplus=auto", "readdirplus=no", FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO},
};

START_TEST(each_flag_switches_its_ability_and_no_other)
{
    for (const FlagCase& c : kFlagCases) {
        if (c.on)
            ck_assert_msg(applied(c.on, 0).want_ext == c.flag, "%s", c.on);
        ck_assert_msg(applied(c.off, kAll).want_ext == ~c.flag, "%s", c.off);
    }
}
END_TEST

START_TEST(ability_the_kernel_lacks_is_not_asked_for)
{
    for (const FlagCase& c : kFlagCases) {
        if (c.on)
            ck_assert_msg(applied(c.on, 0, ~c.flag).want_ext == 0, "%s", c.on);
    }
}
END_TEST

START_TEST(no_has_the_last_word_of_a_pair)
{
    ck_assert_uint_eq(applied("no_splice_read,splice_read", 0).want_ext, 0);
    ck_assert_uint_eq(applied("readdirplus=yes,readdirplus=no", 0).want_ext, 0);
}
END_TEST

START_TEST(readdirplus_yes_is_always_and_not_adaptive)
{
    ck_assert_uint_eq(applied("readdirplus=yes", FUSE_CAP_READDIRPLUS_AUTO).want_ext, FUSE_CAP_READDIRPLUS);
}
END_TEST

START_TEST(atomic_o_trunc_is_accepted_without_effect)
{
    ck_assert_uint_eq(applied("atomic_o_trunc", FUSE_CAP_ASYNC_READ).want_ext, FUSE_CAP_ASYNC_READ);
}
END_TEST

START_TEST(raw_want_may_be_changed_after_applying)
{
    OwnedArgs args;
    ck_assert_int_eq(add_arg(args.get(), "prog"), 0);
    ck_assert_int_eq(add_arg(args.get(), "-osplice_read"), 0);
    fuse_conn_info_opts* opts = parse_conn_opts(args.get());
    fuse_conn_info conn = {};
    conn.capable_ext = kAll;
    set_default_want(conn, FUSE_CAP_ASYNC_READ);
    fuse_apply_conn_info_opts(opts, &conn);
    std::free(opts);
    conn.want |= FUSE_CAP_SPLICE_MOVE;
    ck_assert_int_eq(reconcile_want(conn), 0);
    ck_assert_uint_eq(conn.want_ext, FUSE_CAP_ASYNC_READ | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_MOVE);
}
END_TEST

START_TEST(foreign_options_stay_and_bad_values_fail)
{
    OwnedArgs args;
    ck_assert_int_eq(add_arg(args.get(), "prog"), 0);
    ck_assert_int_eq(add_arg(args.get(), "-oallow_other,sync_read"), 0);
    fuse_conn_info_opts* opts = parse_conn_opts(args.get());
    ck_assert_ptr_nonnull(opts);
    std::free(opts);
    ck_assert_int_eq(args.get().argc, 3);
    ck_assert_str_eq(args.get().argv[2], "allow_other");

    ck_assert_int_eq(add_arg(args.get(), "-omax_write=big"), 0);
    log_capture::start();
    ck_assert_ptr_null(fuse_parse_conn_info_opts(&args.get()));
    ck_assert(log_capture::contains("max_write=big"));
    ck_assert_int_eq(args.get().argc, 4);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        numbers_are_set_only_if_given,
        each_flag_switches_its_ability_and_no_other,
        ability_the_kernel_lacks_is_not_asked_for,
        no_has_the_last_word_of_a_pair,
        readdirplus_yes_is_always_and_not_adaptive,
        atomic_o_trunc_is_accepted_without_effect,
        raw_want_may_be_changed_after_applying,
        foreign_options_stay_and_bad_values_fail,
    };
    return rf::test::run_tests("conn_opts", tests);
}
