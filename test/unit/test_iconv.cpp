// Module iconv: names change their character set in both directions.
#include <thread> // before check.h, whose macros break it

#include "log_capture.hpp"
#include "module_probe.hpp"

#include <cerrno>
#include <clocale>
#include <vector>

using namespace rf::hl;
using module_probe::Stack;

namespace {

// An a with two dots, in both sets.
constexpr char kUtf8[] = "/\xc3\xa4";
constexpr char kLatin1[] = "/\xe4";
constexpr char kLatin1Below[] = "from_code=ISO-8859-1,to_code=UTF-8";

std::vector<std::string> list(fuse_fs& fs, const char* const* names)
{
    std::vector<std::string> found;
    module_probe::g_names = names;
    const auto fill = [](void* buf, const char* name, const struct stat*, off_t, fuse_fill_dir_flags) {
        static_cast<std::vector<std::string>*>(buf)->push_back(name);
        return 0;
    };
    ck_assert_int_eq(fs_readdir(fs, "/", &found, fill, 0, nullptr, FUSE_READDIR_DEFAULTS), 0);
    return found;
}

} // namespace

START_TEST(every_operation_gets_its_path_in_the_lower_set)
{
    Stack stack("iconv", kLatin1Below);
    ck_assert_int_eq(stack.rc(), 0);
    ck_assert_int_eq(stack.arguments_left(), 0);
    module_probe::expect_everywhere(*stack, kUtf8, kLatin1);
    module_probe::expect_everywhere(*stack, "/", "/");
    module_probe::expect_everywhere(*stack, nullptr, nullptr);
}
END_TEST

START_TEST(below_is_utf8_by_default)
{
    Stack stack("iconv", "to_code=ISO-8859-1");
    ck_assert_int_eq(stack.rc(), 0);
    module_probe::expect_everywhere(*stack, kLatin1, kUtf8);
}
END_TEST

START_TEST(above_is_the_set_of_the_environment_by_default)
{
    // A locale every system has; its set knows ASCII only.
    ck_assert_int_eq(::setenv("LC_ALL", "C", 1), 0);
    Stack stack("iconv", "");
    ck_assert_int_eq(stack.rc(), 0);
    module_probe::expect_everywhere(*stack, "/x", "/x");
    ck_assert_int_eq(fs_unlink(*stack, kUtf8), -EILSEQ);
}
END_TEST

START_TEST(text_that_is_none_is_eilseq)
{
    Stack stack("iconv", kLatin1Below);
    module_probe::g_log.clear();
    ck_assert_int_eq(fs_unlink(*stack, "/\xff"), -EILSEQ);
    ck_assert_int_eq(fs_unlink(*stack, "/\xc3"), -EILSEQ);         // half a character
    ck_assert_int_eq(fs_unlink(*stack, "/\xe2\x82\xac"), -EILSEQ); // the euro sign, not in Latin 1
    ck_assert_int_eq(fs_rename(*stack, "/a", "/\xff", 0), -EILSEQ);
    ck_assert_int_eq(fs_rename(*stack, "/\xff", "/a", 0), -EILSEQ);
    ck_assert_str_eq(module_probe::g_log.c_str(), "");
}
END_TEST

START_TEST(entries_come_up_in_the_upper_set)
{
    Stack stack("iconv", kLatin1Below);
    const char* const names[] = {"plain", kLatin1 + 1, nullptr};
    const std::vector<std::string> found = list(*stack, names);
    ck_assert_uint_eq(found.size(), 2);
    ck_assert_str_eq(found[0].c_str(), "plain");
    ck_assert_str_eq(found[1].c_str(), kUtf8 + 1);
}
END_TEST

START_TEST(entries_that_cannot_be_shown_are_left_out)
{
    Stack stack("iconv", "from_code=UTF-8,to_code=ISO-8859-1");
    const char* const names[] = {"\xe2\x82\xac", "broken\xff", "plain", nullptr};
    const std::vector<std::string> found = list(*stack, names);
    ck_assert_uint_eq(found.size(), 1);
    ck_assert_str_eq(found[0].c_str(), "plain");
}
END_TEST

START_TEST(link_targets_are_converted_both_ways)
{
    Stack stack("iconv", kLatin1Below);
    ck_assert_int_eq(fs_symlink(*stack, kUtf8, kUtf8), 1);
    ck_assert_str_eq(module_probe::g_log.c_str(), "symlink /\xe4 /\xe4");
    module_probe::g_target = kLatin1;
    char buf[16];
    ck_assert_int_eq(fs_readlink(*stack, "/l", buf, sizeof(buf)), 0);
    ck_assert_str_eq(buf, kUtf8);
}
END_TEST

START_TEST(a_link_target_that_grows_is_cut_off)
{
    Stack stack("iconv", kLatin1Below);
    module_probe::g_target = "abc\xe4";
    char buf[6] = "#####";
    ck_assert_int_eq(fs_readlink(*stack, "/l", buf, 5), 0);
    ck_assert_str_eq(buf, "abc\xc3");
    ck_assert_int_eq(buf[5], '\0');
}
END_TEST

START_TEST(long_names_grow)
{
    const std::string below = "/" + std::string(3000, '\xe4');
    std::string above = "/";
    for (int i = 0; i < 3000; ++i)
        above += "\xc3\xa4";
    Stack stack("iconv", kLatin1Below);
    module_probe::expect_everywhere(*stack, above.c_str(), below.c_str());
}
END_TEST

START_TEST(a_set_with_states_is_left_in_its_first_state)
{
    Stack stack("iconv", "from_code=ISO-2022-JP,to_code=UTF-8");
    ck_assert_int_eq(stack.rc(), 0);
    // Back to ASCII at the end; the next path must not begin in the other state.
    ck_assert_int_eq(fs_unlink(*stack, "/\xe3\x81\x82"), 1);
    ck_assert_str_eq(module_probe::g_log.c_str(), "unlink /\x1b$B$\"\x1b(B");
    ck_assert_int_eq(fs_unlink(*stack, "/\xff"), -EILSEQ);
    ck_assert_int_eq(fs_unlink(*stack, "/a"), 1);
    ck_assert_str_eq(module_probe::g_log.c_str(), "unlink /a");
}
END_TEST

START_TEST(threads_do_not_mix_their_conversions)
{
    Stack stack("iconv", "from_code=ISO-2022-JP,to_code=UTF-8");
    (*stack).below->op.getattr = [](const char* path, struct stat* st, fuse_file_info*) {
        std::snprintf(reinterpret_cast<char*>(st), sizeof(*st), "%s", path);
        return 0;
    };
    const auto work = [&](const char* above, const char* below, int* wrong) {
        for (int i = 0; i < 2000; ++i) {
            struct stat st {};
            if (fs_getattr(*stack, above, &st, nullptr) != 0 ||
                std::strcmp(reinterpret_cast<const char*>(&st), below) != 0)
                ++*wrong;
        }
    };
    int wrong[2] = {};
    std::thread one(work, "/\xe3\x81\x82", "/\x1b$B$\"\x1b(B", &wrong[0]);
    std::thread two(work, "/plain", "/plain", &wrong[1]);
    one.join();
    two.join();
    ck_assert_int_eq(wrong[0] + wrong[1], 0);
}
END_TEST

START_TEST(unknown_sets_are_refused)
{
    Stack stack("iconv", "from_code=NO-SUCH-SET");
    ck_assert_int_eq(stack.rc(), -EINVAL);
    ck_assert(log_capture::contains("from_code=NO-SUCH-SET"));
    ck_assert_int_eq(fs_unlink(*stack, "/x"), 1);
}
END_TEST

START_TEST(the_program_keeps_its_locale)
{
    const std::string before = ::setlocale(LC_CTYPE, nullptr);
    Stack stack("iconv", "");
    ck_assert_str_eq(::setlocale(LC_CTYPE, nullptr), before.c_str());
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        every_operation_gets_its_path_in_the_lower_set,
        below_is_utf8_by_default,
        above_is_the_set_of_the_environment_by_default,
        text_that_is_none_is_eilseq,
        entries_come_up_in_the_upper_set,
        entries_that_cannot_be_shown_are_left_out,
        link_targets_are_converted_both_ways,
        a_link_target_that_grows_is_cut_off,
        long_names_grow,
        a_set_with_states_is_left_in_its_first_state,
        threads_do_not_mix_their_conversions,
        unknown_sets_are_refused,
        the_program_keeps_its_locale,
    };
    return rf::test::run_tests("iconv", tests, {.before = log_capture::start});
}
