// What the loaded objects import decides where handlers run.
#include "base/imports.hpp"
#include "check/runner.hpp"

#include <array>
#include <cstdlib>

using namespace rf;

START_TEST(an_import_of_a_loaded_object_is_found)
{
    // liburing and what else this program loads beside the runtime cannot do without it.
    const std::array<std::string_view, 2> names{"no_such_function_anywhere", "calloc"};
    std::string_view found;
    ck_assert(process_imports(names, &found));
    ck_assert(found == "calloc");
}
END_TEST

START_TEST(what_nobody_imports_is_not_found)
{
    const std::array<std::string_view, 1> names{"no_such_function_anywhere"};
    ck_assert(!process_imports(names));
    ck_assert(!process_imports({}));
}
END_TEST

START_TEST(a_star_stands_for_every_ending)
{
    std::string_view found;
    const std::array<std::string_view, 1> names{"call*"};
    ck_assert(process_imports(names, &found));
    ck_assert(found.starts_with("call"));
    const std::array<std::string_view, 1> whole{"call"};
    ck_assert(!process_imports(whole, &found) || found == "call");
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        an_import_of_a_loaded_object_is_found,
        what_nobody_imports_is_not_found,
        a_star_stands_for_every_ending,
    };
    return rf::test::run_tests("imports", tests);
}
