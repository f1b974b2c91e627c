// Module subdir: paths get the directory in front, and links into it become relative if asked for.
#include "log_capture.hpp"
#include "module_probe.hpp"

#include <cerrno>

using namespace rf::hl;
using module_probe::Stack;

namespace {

void expect_link(const char* options, const char* path, const char* target, const char* shown,
                 size_t size = 256)
{
    Stack stack("subdir", options);
    ck_assert_int_eq(stack.rc(), 0);
    module_probe::g_target = target;
    std::string buf(size, '#');
    ck_assert_int_eq(fs_readlink(*stack, path, buf.data(), size), 0);
    ck_assert_msg(std::strcmp(buf.c_str(), shown) == 0, "%s at %s: %s, wanted %s", target, path, buf.c_str(),
                  shown);
}

} // namespace

START_TEST(every_operation_gets_the_directory_in_front)
{
    for (const char* options : {"subdir=/a/b", "subdir=/a/b/"}) {
        Stack stack("subdir", options);
        ck_assert_int_eq(stack.rc(), 0);
        ck_assert_int_eq(stack.arguments_left(), 0);
        module_probe::expect_everywhere(*stack, "/x/y", "/a/b/x/y");
        module_probe::expect_everywhere(*stack, "/", "/a/b");
        module_probe::expect_everywhere(*stack, nullptr, nullptr);
    }
}
END_TEST

START_TEST(the_root_as_directory_changes_nothing)
{
    Stack stack("subdir", "subdir=/");
    module_probe::expect_everywhere(*stack, "/x", "/x");
    module_probe::expect_everywhere(*stack, "/", "/");
}
END_TEST

START_TEST(without_a_leading_slash_paths_become_relative)
{
    Stack stack("subdir", "subdir=a");
    module_probe::expect_everywhere(*stack, "/x", "a/x");
    Stack empty("subdir", "subdir=");
    ck_assert_int_eq(empty.rc(), 0);
    module_probe::expect_everywhere(*empty, "/x", "x");
    module_probe::expect_everywhere(*empty, "/", ".");
}
END_TEST

START_TEST(long_paths_are_not_cut)
{
    const std::string path = "/" + std::string(4000, 'p');
    Stack stack("subdir", "subdir=/a");
    module_probe::expect_everywhere(*stack, path.c_str(), ("/a" + path).c_str());
}
END_TEST

START_TEST(the_text_of_a_new_link_is_left_alone)
{
    Stack stack("subdir", "subdir=/a,rellinks");
    ck_assert_int_eq(fs_symlink(*stack, "/a/target", "/l"), 1);
    ck_assert_str_eq(module_probe::g_log.c_str(), "symlink /a/target /a/l");
}
END_TEST

START_TEST(links_are_shown_as_they_are_by_default)
{
    for (const char* options : {"subdir=/a", "subdir=/a,norellinks", "subdir=/a,rellinks,norellinks"})
        expect_link(options, "/d/l", "/a/x", "/a/x");
}
END_TEST

START_TEST(rellinks_shows_links_into_the_directory_as_relative)
{
    constexpr char kOptions[] = "subdir=/a,rellinks";
    expect_link(kOptions, "/l", "/a/x", "x");
    expect_link(kOptions, "/l", "/a/", ".");
    expect_link(kOptions, "/d/l", "/a/x/y", "../x/y");
    expect_link(kOptions, "/d/e/l", "/a/d/f", "../f");
    expect_link(kOptions, "/d/e/l", "/a/d//f", "../f");
    expect_link(kOptions, "/d/e/l", "/a/d/e/l2", "l2");
    expect_link(kOptions, "/d/e/l", "/a/d/e", ".");
    expect_link(kOptions, "/d/e/l", "/a/d/ee", "../ee");
    expect_link(kOptions, "/d/e/l", "/a/", "../../");
    expect_link(kOptions, "/d/l", "/a/d/l/deeper", "l/deeper");
    expect_link("subdir=/,rellinks", "/d/l", "/x", "../x");
}
END_TEST

START_TEST(rellinks_leaves_other_links_alone)
{
    constexpr char kOptions[] = "subdir=/a,rellinks";
    for (const char* target : {"x", "../x", "/b/x", "/ab", "/a", "/", ""})
        expect_link(kOptions, "/d/l", target, target);
    expect_link("subdir=a,rellinks", "/l", "/a/x", "/a/x");
    expect_link("subdir=a,rellinks", "/l", "a/x", "a/x");
}
END_TEST

START_TEST(a_relative_form_that_does_not_fit_is_not_used)
{
    // "../../../../x" needs 14 bytes, "/a/x" 5.
    expect_link("subdir=/a,rellinks", "/1/2/3/4/l", "/a/x", "/a/x", 13);
    expect_link("subdir=/a,rellinks", "/1/2/3/4/l", "/a/x", "../../../../x", 14);
}
END_TEST

START_TEST(a_directory_must_be_named)
{
    Stack stack("subdir", "");
    ck_assert_int_eq(stack.rc(), -EINVAL);
    ck_assert(log_capture::contains("subdir=DIR"));
    // The filesystem below is still the caller's, and works.
    ck_assert_int_eq(fs_unlink(*stack, "/x"), 1);
    ck_assert_str_eq(module_probe::g_log.c_str(), "unlink /x");
}
END_TEST

START_TEST(the_filesystem_below_ends_with_the_module)
{
    Stack stack("subdir", "subdir=/a");
    fs_destroy(stack.release());
    ck_assert_int_eq(module_probe::g_destroyed, 1);
    Stack never_began("subdir", "subdir=/a");
    fs_discard(never_began.release());
    ck_assert_int_eq(module_probe::g_destroyed, 0);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        every_operation_gets_the_directory_in_front,
        the_root_as_directory_changes_nothing,
        without_a_leading_slash_paths_become_relative,
        long_paths_are_not_cut,
        the_text_of_a_new_link_is_left_alone,
        links_are_shown_as_they_are_by_default,
        rellinks_shows_links_into_the_directory_as_relative,
        rellinks_leaves_other_links_alone,
        a_relative_form_that_does_not_fit_is_not_used,
        a_directory_must_be_named,
        the_filesystem_below_ends_with_the_module,
    };
    return rf::test::run_tests("subdir", tests, {.before = log_capture::start});
}
