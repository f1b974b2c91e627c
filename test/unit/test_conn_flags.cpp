// want and want_ext: how the two become one.
#include "session/conn_flags.hpp"

#include "check/runner.hpp"
#include "log_capture.hpp"

#include <cerrno>

using namespace rf;

namespace {

constexpr std::uint64_t kDefault = FUSE_CAP_ASYNC_READ | FUSE_CAP_AUTO_INVAL_DATA;
constexpr std::uint64_t kHigh = FUSE_CAP_ALLOW_IDMAP;
static_assert(kHigh > 0xffffffff);

fuse_conn_info fresh()
{
    log_capture::start();
    fuse_conn_info conn = {};
    conn.capable_ext = kDefault | kHigh | FUSE_CAP_SPLICE_READ | FUSE_CAP_WRITEBACK_CACHE;
    conn.capable = static_cast<std::uint32_t>(conn.capable_ext);
    set_default_want(conn, kDefault);
    return conn;
}

START_TEST(untouched_fields_keep_the_default)
{
    fuse_conn_info conn = fresh();
    ck_assert_int_eq(reconcile_want(conn), 0);
    ck_assert_uint_eq(conn.want_ext, kDefault);
    ck_assert_uint_eq(conn.want, kDefault);
}
END_TEST

START_TEST(change_of_want_reaches_want_ext)
{
    fuse_conn_info conn = fresh();
    conn.want |= FUSE_CAP_SPLICE_READ;
    conn.want &= ~static_cast<std::uint32_t>(FUSE_CAP_ASYNC_READ);
    ck_assert_int_eq(reconcile_want(conn, kDefault), 0);
    ck_assert_uint_eq(conn.want_ext, FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ);
}
END_TEST

START_TEST(change_of_want_keeps_the_high_half)
{
    fuse_conn_info conn = fresh();
    set_default_want(conn, kDefault | kHigh);
    conn.want |= FUSE_CAP_SPLICE_READ;
    ck_assert_int_eq(reconcile_want(conn), 0);
    ck_assert_uint_eq(conn.want_ext, kDefault | kHigh | FUSE_CAP_SPLICE_READ);
}
END_TEST

START_TEST(change_of_want_ext_reaches_want)
{
    fuse_conn_info conn = fresh();
    conn.want_ext |= FUSE_CAP_SPLICE_READ | kHigh;
    ck_assert_int_eq(reconcile_want(conn), 0);
    ck_assert_uint_eq(conn.want_ext, kDefault | FUSE_CAP_SPLICE_READ | kHigh);
    ck_assert_uint_eq(conn.want, kDefault | FUSE_CAP_SPLICE_READ);
}
END_TEST

START_TEST(different_changes_of_both_are_refused)
{
    fuse_conn_info conn = fresh();
    conn.want |= FUSE_CAP_SPLICE_READ;
    conn.want_ext |= FUSE_CAP_WRITEBACK_CACHE;
    ck_assert_int_eq(reconcile_want(conn), -EINVAL);
    ck_assert(log_capture::contains("want_ext"));
    ck_assert_int_eq(fuse_convert_to_conn_want_ext(&conn), -EINVAL);
}
END_TEST

START_TEST(equal_changes_of_both_agree)
{
    fuse_conn_info conn = fresh();
    conn.want |= FUSE_CAP_SPLICE_READ;
    conn.want_ext |= FUSE_CAP_SPLICE_READ | kHigh;
    ck_assert_int_eq(reconcile_want(conn), 0);
    ck_assert_uint_eq(conn.want_ext, kDefault | FUSE_CAP_SPLICE_READ | kHigh);
    ck_assert(log_capture::is_empty());
}
END_TEST

START_TEST(second_call_changes_nothing)
{
    fuse_conn_info conn = fresh();
    conn.want |= FUSE_CAP_SPLICE_READ;
    ck_assert_int_eq(fuse_convert_to_conn_want_ext(&conn), 0);
    const std::uint64_t first = conn.want_ext;
    ck_assert_int_eq(fuse_convert_to_conn_want_ext(&conn), 0);
    ck_assert_uint_eq(conn.want_ext, first);
}
END_TEST

START_TEST(flag_is_set_only_if_all_of_it_is_offered)
{
    fuse_conn_info conn = fresh();
    ck_assert(fuse_set_feature_flag(&conn, FUSE_CAP_SPLICE_READ | kHigh));
    ck_assert(!fuse_set_feature_flag(&conn, FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_PASSTHROUGH));
    ck_assert_uint_eq(conn.want_ext, kDefault | FUSE_CAP_SPLICE_READ | kHigh);
    ck_assert_uint_eq(conn.want, kDefault | FUSE_CAP_SPLICE_READ);
    ck_assert(fuse_get_feature_flag(&conn, FUSE_CAP_WRITEBACK_CACHE));
    ck_assert(!fuse_get_feature_flag(&conn, FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_PASSTHROUGH));
}
END_TEST

START_TEST(functions_go_together_with_raw_want_in_any_order)
{
    fuse_conn_info conn = fresh();
    ck_assert(fuse_set_feature_flag(&conn, FUSE_CAP_WRITEBACK_CACHE));
    conn.want |= FUSE_CAP_SPLICE_READ;
    fuse_unset_feature_flag(&conn, FUSE_CAP_ASYNC_READ);
    ck_assert(fuse_set_feature_flag(&conn, kHigh));
    ck_assert_int_eq(fuse_convert_to_conn_want_ext(&conn), 0);
    ck_assert_uint_eq(conn.want_ext,
                      FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_SPLICE_READ | kHigh);
}
END_TEST

START_TEST(functions_go_together_with_raw_want_ext)
{
    fuse_conn_info conn = fresh();
    conn.want_ext |= kHigh;
    ck_assert(fuse_set_feature_flag(&conn, FUSE_CAP_WRITEBACK_CACHE));
    conn.want_ext |= FUSE_CAP_SPLICE_READ;
    ck_assert_int_eq(fuse_convert_to_conn_want_ext(&conn), 0);
    ck_assert_uint_eq(conn.want_ext, kDefault | FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_SPLICE_READ | kHigh);
}
END_TEST

START_TEST(conn_flags_set_their_bit_and_unknown_ones_nothing)
{
    fuse_conn_info conn = fresh();
    ck_assert(fuse_set_conn_flag(&conn, FUSE_CONN_FLAG_SINGLE_ISSUER));
    ck_assert_uint_eq(conn.io_uring_single_issuer, 1);
    ck_assert_uint_eq(conn.no_interrupt, 0);
    ck_assert(!fuse_set_conn_flag(&conn, FUSE_CONN_FLAG_NO_INTERRUPT | 1u << 20));
    ck_assert_uint_eq(conn.no_interrupt, 0);
    ck_assert(fuse_set_conn_flag(&conn, FUSE_CONN_FLAG_NO_INTERRUPT));
    ck_assert_uint_eq(conn.no_interrupt, 1);
    ck_assert_uint_eq(conn.padding, 0);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        untouched_fields_keep_the_default,
        change_of_want_reaches_want_ext,
        change_of_want_keeps_the_high_half,
        change_of_want_ext_reaches_want,
        different_changes_of_both_are_refused,
        equal_changes_of_both_agree,
        second_call_changes_nothing,
        flag_is_set_only_if_all_of_it_is_offered,
        functions_go_together_with_raw_want_in_any_order,
        functions_go_together_with_raw_want_ext,
        conn_flags_set_their_bit_and_unknown_ones_nothing,
    };
    return rf::test::run_tests("conn_flags", tests);
}
