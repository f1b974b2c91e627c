// Tables of tests become Check's suites.
#include "check/runner.hpp"

namespace rf::test {
namespace {

TCase* make_case(const TestCase& wanted)
{
    TCase* made = tcase_create(wanted.name);
    tcase_set_timeout(made, wanted.settings.seconds);
    if (wanted.settings.before)
        tcase_add_checked_fixture(made, wanted.settings.before, nullptr);
    for (const Test& row : wanted.tests)
        tcase_add_loop_test(made, row.test, row.first, row.end);
    return made;
}

} // namespace

int run_cases(const char* suite_name, const std::vector<TestCase>& cases)
{
    Suite* suite = suite_create(suite_name);
    for (const TestCase& wanted : cases)
        suite_add_tcase(suite, make_case(wanted));
    SRunner* runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    // A wrong name in CK_RUN_CASE runs nothing, which shows nothing.
    const bool passed = srunner_ntests_failed(runner) == 0 && srunner_ntests_run(runner) > 0;
    srunner_free(runner);
    return passed ? 0 : 1;
}

int run_tests(const char* name, const Tests& tests, const Settings& settings)
{
    return run_cases(name, {{name, tests, settings}});
}

} // namespace rf::test
