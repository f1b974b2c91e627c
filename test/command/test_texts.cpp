// text.cpp, json.cpp, mounts.cpp: what is printed, and what is read from the mount table.
#include "check/runner.hpp"
#include "json.hpp"
#include "mounts.hpp"
#include "same_text.hpp"
#include "text.hpp"

namespace {

using namespace rf::command;

START_TEST(durations_and_sizes_have_fitting_units)
{
    same_text(duration(340), "340 ns");
    same_text(duration(12345), "12.3 us");
    same_text(duration(1.5e6), "1.5 ms");
    same_text(duration(2e9), "2.0 s");
    same_text(duration(184e9), "3 min 4 s");
    same_text(bytes(512), "512 B");
    same_text(bytes(3.5 * 1024 * 1024), "3.5 MiB");
    same_text(count(950), "950");
    same_text(count(291000), "291.0k");
}
END_TEST

START_TEST(a_name_stays_one_word_for_the_shell)
{
    same_text(quoted("/mnt/a-b_c.d"), "/mnt/a-b_c.d");
    same_text(quoted("/mnt/a b"), "'/mnt/a b'");
    same_text(quoted("it's $(x)"), "'it'\\''s $(x)'");
    same_text(quoted(""), "''");
}
END_TEST

START_TEST(json_is_well_formed)
{
    Json json;
    json.begin_object().text("a", "x\"\\\n\x01").number("b", 18446744073709551615u).begin_array("c");
    json.real("", 1.5).real("", 0.0 / 0.0).begin_object().end_object().number_signed("", -3).end_array();
    json.null("d").boolean("e", true).end_object();
    same_text(json.str(),
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
    same_text(
        json.end_array().str(),
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
    same_text(mounts[0].path, "/mnt/a b");
    ck_assert_uint_eq(mounts[0].connection, 52);
    same_text(mounts[0].type, "fuse.sshfs");
    same_text(mounts[0].source, "host:/");
    ck_assert_uint_eq(mounts[2].connection, 1);
    same_text(mounts[3].path, "/mnt/f");
}
END_TEST

START_TEST(paths_are_made_normal_without_asking_anybody)
{
    same_text(normal_path("/a//b/./c/", "/x"), "/a/b/c");
    same_text(normal_path("b/../c", "/a"), "/a/c");
    same_text(normal_path("../../..", "/a"), "/");
    same_text(normal_path("", "/"), "/");
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        durations_and_sizes_have_fitting_units,
        a_name_stays_one_word_for_the_shell,
        json_is_well_formed,
        json_holds_utf8_and_nothing_else,
        fuse_mounts_are_told_from_others,
        paths_are_made_normal_without_asking_anybody,
    };
    return rf::test::run_tests("texts", tests);
}
