// What every Check program has in common: the header itself, tables of tests, and the end of main().
//
// Tests are written with START_TEST and END_TEST and listed in a table:
//
//     const rf::test::Tests tests = {
//         one_claim,
//         {another_claim, 0, 3}, // for _i = 0, 1 and 2
//     };
//     return rf::test::run_tests("module", tests);
#pragma once

#include <vector>

// Its old macro `fail` breaks standard headers that come after it.
#include <check.h>
#undef fail

namespace rf::test {

/// A test and the values of _i it runs for: from `first` to before `end`; none if they are the same.
struct Test {
    // Implicit, so that a table may hold bare names.
    Test(const TTest* claim, int from = 0, int to = 1) noexcept : test(claim), first(from), end(to) {}

    const TTest* test;
    int first;
    int end;
};

using Tests = std::vector<Test>;

/// What holds for every test of a case.
struct Settings {
    int seconds = 60;           // a test that takes longer has failed
    void (*before)() = nullptr; // runs in the process of each test, before it
};

/// Tests that can be chosen by name (CK_RUN_CASE).
struct TestCase {
    const char* name;
    Tests tests;
    Settings settings = {};
};

/// Runs each test in a process of its own and prints what failed; the program's exit code.
[[nodiscard]] int run_cases(const char* suite_name, const std::vector<TestCase>& cases);

/// The same for a program with one case, which has the name of the suite.
[[nodiscard]] int run_tests(const char* name, const Tests& tests, const Settings& settings = {});

} // namespace rf::test
