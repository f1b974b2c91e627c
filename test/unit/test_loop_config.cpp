// Settings of the multi-threaded loop.
#include "cli/loop_config.hpp"

#include "log_capture.hpp"

#include <check.h>
#include <initializer_list>

namespace {

constexpr unsigned kUnset = ~0u;

struct Config {
    fuse_loop_config* get = fuse_loop_cfg_create();
    Config()
    {
        ck_assert_ptr_nonnull(get);
        log_capture::start();
    }
    ~Config() { fuse_loop_cfg_destroy(get); }
};

START_TEST(defaults_are_ten_threads_that_all_stay)
{
    Config config;
    ck_assert_uint_eq(config.get->max_threads, 10);
    ck_assert_uint_eq(config.get->max_idle_threads, kUnset);
    ck_assert(!config.get->clone_fd);
}
END_TEST

START_TEST(default_values_set_again_log_nothing)
{
    Config config;
    fuse_loop_cfg_set_idle_threads(config.get, kUnset);
    fuse_loop_cfg_set_max_threads(config.get, 10);
    fuse_loop_cfg_set_clone_fd(config.get, 0);
    ck_assert(log_capture::is_empty());
}
END_TEST

START_TEST(limits_are_inclusive)
{
    Config config;
    for (unsigned value : {1u, 100000u}) {
        fuse_loop_cfg_set_max_threads(config.get, value);
        fuse_loop_cfg_set_idle_threads(config.get, value);
        ck_assert_uint_eq(config.get->max_threads, value);
        ck_assert_uint_eq(config.get->max_idle_threads, value);
    }
    ck_assert(log_capture::is_empty());
}
END_TEST

START_TEST(value_out_of_range_is_refused_with_a_message)
{
    for (unsigned value : {0u, 100001u, kUnset}) {
        Config config;
        fuse_loop_cfg_set_max_threads(config.get, value);
        ck_assert_uint_eq(config.get->max_threads, 10);
        ck_assert(log_capture::contains("max_threads"));
    }
    for (unsigned value : {0u, 100001u}) {
        Config config;
        fuse_loop_cfg_set_idle_threads(config.get, value);
        ck_assert_uint_eq(config.get->max_idle_threads, kUnset);
        ck_assert(log_capture::contains("max_idle_threads"));
    }
}
END_TEST

START_TEST(old_settings_never_lower_the_number_of_threads)
{
    Config few;
    fuse_loop_config_v1 old = {1, 2};
    fuse_loop_cfg_convert(few.get, &old);
    ck_assert(few.get->clone_fd);
    ck_assert_uint_eq(few.get->max_idle_threads, 2);
    ck_assert_uint_eq(few.get->max_threads, 10);

    Config many;
    old = {0, 50};
    fuse_loop_cfg_convert(many.get, &old);
    ck_assert(!many.get->clone_fd);
    ck_assert_uint_eq(many.get->max_idle_threads, 50);
    ck_assert_uint_eq(many.get->max_threads, 50);

    Config unset;
    old = {0, kUnset};
    fuse_loop_cfg_convert(unset.get, &old);
    ck_assert_uint_eq(unset.get->max_idle_threads, kUnset);
    ck_assert_uint_eq(unset.get->max_threads, 10);
    ck_assert(log_capture::is_empty());
}
END_TEST

START_TEST(null_is_no_crash)
{
    fuse_loop_cfg_destroy(nullptr);
    fuse_loop_cfg_set_idle_threads(nullptr, 1);
    fuse_loop_cfg_set_max_threads(nullptr, 1);
    fuse_loop_cfg_set_clone_fd(nullptr, 1);
    fuse_loop_cfg_convert(nullptr, nullptr);
}
END_TEST

Suite* make_suite()
{
    TCase* tc = tcase_create("loop_config");
    tcase_add_test(tc, defaults_are_ten_threads_that_all_stay);
    tcase_add_test(tc, default_values_set_again_log_nothing);
    tcase_add_test(tc, limits_are_inclusive);
    tcase_add_test(tc, value_out_of_range_is_refused_with_a_message);
    tcase_add_test(tc, old_settings_never_lower_the_number_of_threads);
    tcase_add_test(tc, null_is_no_crash);
    Suite* suite = suite_create("loop_config");
    suite_add_tcase(suite, tc);
    return suite;
}

} // namespace

int main()
{
    SRunner* runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
