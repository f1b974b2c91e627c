// Settings of the multi-threaded loop.
#include "cli/loop_config.hpp"

#include "check/runner.hpp"
#include "log_capture.hpp"

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

START_TEST(a_loop_takes_the_structure_of_either_generation)
{
    Config config;
    fuse_loop_cfg_set_max_threads(config.get, 1);
    fuse_loop_cfg_set_idle_threads(config.get, 7);
    fuse_loop_cfg_set_clone_fd(config.get, 1);
    fuse_loop_config found = rf::cli::settings_behind(config.get);
    ck_assert_uint_eq(found.max_threads, 1);
    ck_assert_uint_eq(found.max_idle_threads, 7);
    ck_assert(found.clone_fd);

    found = rf::cli::settings_behind(nullptr);
    ck_assert_uint_eq(found.max_threads, 10);
    ck_assert_uint_eq(found.max_idle_threads, kUnset);

    for (const int clone_fd : {0, 1}) {
        // What comes behind it is not the loop's.
        const struct {
            fuse_loop_config_v1 old;
            unsigned others[4];
        } memory = {{clone_fd, 50}, {77, 77, 77, 77}};
        found = rf::cli::settings_behind(reinterpret_cast<const fuse_loop_config*>(&memory));
        ck_assert_int_eq(found.clone_fd, clone_fd);
        ck_assert_uint_eq(found.max_idle_threads, 50);
        ck_assert_uint_eq(found.max_threads, 50);
    }
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

} // namespace

int main()
{
    const rf::test::Tests tests = {
        defaults_are_ten_threads_that_all_stay,
        default_values_set_again_log_nothing,
        limits_are_inclusive,
        value_out_of_range_is_refused_with_a_message,
        old_settings_never_lower_the_number_of_threads,
        a_loop_takes_the_structure_of_either_generation,
        null_is_no_crash,
    };
    return rf::test::run_tests("loop_config", tests);
}
