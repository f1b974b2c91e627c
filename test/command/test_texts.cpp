// text.cpp, json.cpp, mounts.cpp: what is printed, and what is read from the mount table.
#include "json.hpp"
#include "mounts.hpp"
#include "text.hpp"

#include <check.h>
#include <cstdlib>

namespace {

using namespace rf::command;

START_TEST(durations_and_sizes_have_fitting_units)
{
    ck_assert_str_eq(duration(340).c_str(), "340 ns");
    ck_assert_str_eq(duration(12345).c_str(), "12.3 us");
    ck_assert_str_eq(duration(1.5e6).c_str(), "1.5 ms");
    ck_assert_str_eq(duration(2e9).c_str(), "2.0 s");
    ck_assert_str_eq(duration(184e9).c_str(), "3 min 4 s");
    ck_assert_str_eq(bytes(512).c_str(), "512 B");
    ck_assert_str_eq(bytes(3.5 * 1024 * 1024).c_str(), "3.5 MiB");
    ck_assert_str_eq(count(950).c_str(), "950");
    ck_assert_str_eq(count(291000).c_str(), "291.0k");
}
END_TEST

START_TEST(a_name_stays_one_word_for_the_shell)
{
    ck_assert_str_eq(quoted("/mnt/a-b_c.d").c_str(), "/mnt/a-b_c.d");
    ck_assert_str_eq(quoted("/mnt/a b").c_str(), "'/mnt/a b'");
    ck_assert_str_eq(quoted("it's $(x)").c_str(), "'it'\\''s $(x)'");
    ck_assert_str_eq(quoted("").c_str(), "''");
}
END_TEST

START_TEST(json_is_well_formed)
{
    Json json;
    json.begin_object().text("a", "x\"\\\n\x01").number("b", 18446744073709551615u).begin_array("c");
    json.real("", 1.5).real("", 0.0 / 0.0).begin_object().end_object().number_signed("", -3).end_array();
    json.null("d").boolean("e", true).end_object();
    ck_assert_str_eq(json.str().c_str(),
                     "{\"a\":\"x\\\"\\\\\\u000a\\u0001\",\"b\":18446744073709551615,\"c\":[1.5,null,{},-3],"
                     "\"d\":null,\"e\":true}");
}
END_TEST

START_TEST(json_holds_utf8_and_nothing_else)
{
    Json json;
    json.begin_array()
        .text("", "\xc3\xa4\xf0\x9f\x92\xbe")
        .text("", "\xff\xc3")
        .text("", "\xc0\x80")
        .text("", "\xed\xa0\x80");
    ck_assert_str_eq(
        json.end_array().str().c_str(),
        "[\"\xc3\xa4\xf0\x9f\x92\xbe\",\"\\ufffd\\ufffd\",\"\\ufffd\\ufffd\",\"\\ufffd\\ufffd\\ufffd\"]");
}
END_TEST

START_TEST(fuse_mounts_are_told_from_others)
{
    const std::vector<FuseMount> mounts = parse_mounts(
        "29 1 253:1 / / rw - ext4 /dev/vda1 rw\n"
        "40 29 0:52 / /mnt/a\\040b rw,nosuid shared:3 master:1 - fuse.sshfs host:/ rw,user_id=0\n"
        "41 29 0:53 / /mnt/c rw - fuse null_ll rw\n"
        "42 29 0:54 / /sys/fs/fuse/connections rw - fusectl fusectl rw\n"
        "43 29 7:1 / /mnt/d rw - fuseblk /dev/sdb1 rw\n"
        "44 29 0:x / /mnt/e rw - fuse x rw\n"
        "nonsense\n\n45 29 0:55 / /mnt/f rw - fuse");
    ck_assert_uint_eq(mounts.size(), 4);
    ck_assert_str_eq(mounts[0].path.c_str(), "/mnt/a b");
    ck_assert_uint_eq(mounts[0].connection, 52);
    ck_assert_str_eq(mounts[0].type.c_str(), "fuse.sshfs");
    ck_assert_str_eq(mounts[0].source.c_str(), "host:/");
    ck_assert_uint_eq(mounts[2].connection, 1);
    ck_assert_str_eq(mounts[3].path.c_str(), "/mnt/f");
}
END_TEST

START_TEST(paths_are_made_normal_without_asking_anybody)
{
    ck_assert_str_eq(normal_path("/a//b/./c/", "/x").c_str(), "/a/b/c");
    ck_assert_str_eq(normal_path("b/../c", "/a").c_str(), "/a/c");
    ck_assert_str_eq(normal_path("../../..", "/a").c_str(), "/");
    ck_assert_str_eq(normal_path("", "/").c_str(), "/");
}
END_TEST

} // namespace

int main()
{
    Suite* suite = suite_create("texts");
    TCase* tests = tcase_create("texts");
    tcase_add_test(tests, durations_and_sizes_have_fitting_units);
    tcase_add_test(tests, a_name_stays_one_word_for_the_shell);
    tcase_add_test(tests, json_is_well_formed);
    tcase_add_test(tests, json_holds_utf8_and_nothing_else);
    tcase_add_test(tests, fuse_mounts_are_told_from_others);
    tcase_add_test(tests, paths_are_made_normal_without_asking_anybody);
    suite_add_tcase(suite, tests);
    SRunner* runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
