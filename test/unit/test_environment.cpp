// The list of our environment variables.
#include "cli/environment.hpp"

#include "check/runner.hpp"
#include "log_capture.hpp"

#include <cstdlib>

namespace {

using rf::cli::is_known_variable;

START_TEST(variables_of_others_are_none_of_our_business)
{
    ck_assert(is_known_variable("PATH"));
    ck_assert(is_known_variable("RINGFUS"));
    ck_assert(is_known_variable(""));
}
END_TEST

START_TEST(our_variables_are_known_by_their_whole_name)
{
    ck_assert(is_known_variable("RINGFUSE_TRANSPORT"));
    ck_assert(!is_known_variable("RINGFUSE_TRANSPORTS"));
    ck_assert(!is_known_variable("RINGFUSE_TRANSPOR"));
    ck_assert(!is_known_variable("RINGFUSE_"));
}
END_TEST

START_TEST(variables_of_the_test_scripts_do_not_count)
{
    ck_assert(is_known_variable("RINGFUSE_TEST_SECONDS"));
    ck_assert(is_known_variable("RINGFUSE_BUILD"));
}
END_TEST

START_TEST(an_unknown_variable_is_named_once)
{
    ck_assert_int_eq(::setenv("RINGFUSE_TRANSPROT", "dev", 1), 0);
    ck_assert_int_eq(::setenv("RINGFUSE_VERBOSE", "0", 1), 0);
    log_capture::start();
    rf::cli::check_environment();
    ck_assert(log_capture::contains("RINGFUSE_TRANSPROT"));
    ck_assert(!log_capture::contains("RINGFUSE_VERBOSE"));
    log_capture::start();
    rf::cli::check_environment();
    ck_assert(!log_capture::contains("RINGFUSE_TRANSPROT"));
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        variables_of_others_are_none_of_our_business,
        our_variables_are_known_by_their_whole_name,
        variables_of_the_test_scripts_do_not_count,
        an_unknown_variable_is_named_once,
    };
    return rf::test::run_tests("environment", tests);
}
