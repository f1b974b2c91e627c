// Finding a mount in the text of /proc/self/mountinfo.
#include "check/runner.hpp"
#include "mount/mountinfo.hpp"

using rf::mount::find_mount_in;
using rf::mount::MountId;

namespace {

constexpr char kTable[] = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
                          "40 22 0:50 / /mnt/a rw - fuse.x x rw,user_id=0\n"
                          "41 22 0:51 / /mnt/with\\040blank\\134 rw - fuse y rw\n"
                          "60 50 0:62 / /mnt/deep rw - fuse top rw\n"
                          "50 45 0:61 / /mnt/deep rw - fuse middle rw\n"
                          "45 22 0:60 / /mnt/deep rw - tmpfs bottom rw\n";

START_TEST(device_numbers_are_found_by_path)
{
    ck_assert(find_mount_in(kTable, "/mnt/a") == (MountId{0, 50}));
    ck_assert(find_mount_in(kTable, "/") == (MountId{8, 1}));
}
END_TEST

START_TEST(longer_and_shorter_paths_do_not_match)
{
    for (const char* path : {"/mnt", "/mnt/", "/mnt/a/", "/mnt/ab", "", "/mnt/with"})
        ck_assert_msg(!find_mount_in(kTable, path), "%s", path);
}
END_TEST

START_TEST(escaped_characters_are_compared_as_they_are)
{
    ck_assert(find_mount_in(kTable, "/mnt/with blank\\") == (MountId{0, 51}));
    ck_assert(!find_mount_in(kTable, "/mnt/with\\040blank\\134"));
}
END_TEST

START_TEST(the_uppermost_of_several_mounts_is_taken_whatever_the_order)
{
    ck_assert(find_mount_in(kTable, "/mnt/deep") == (MountId{0, 62}));
}
END_TEST

START_TEST(damaged_lines_are_no_mounts)
{
    for (const char* text : {"", "\n", "1", "x y z", "a 22 0:50 / /m rw", "40 22 050 / /m rw",
                             "40 22 0: / /m", "40 22 0:50 / /m\\0"})
        ck_assert_msg(!find_mount_in(text, "/m"), "%s", text);
}
END_TEST

START_TEST(the_real_table_knows_proc)
{
    bool readable = false;
    ck_assert(rf::mount::find_mount("/proc", readable));
    ck_assert(readable);
    ck_assert(!rf::mount::find_mount("/proc/nothing-is-mounted-here", readable));
    ck_assert(readable);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        device_numbers_are_found_by_path,
        longer_and_shorter_paths_do_not_match,
        escaped_characters_are_compared_as_they_are,
        the_uppermost_of_several_mounts_is_taken_whatever_the_order,
        damaged_lines_are_no_mounts,
        the_real_table_knows_proc,
    };
    return rf::test::run_tests("mountinfo", tests);
}
