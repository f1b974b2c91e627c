// Real mounts as root: mount(2), adopted descriptors, and every way such a mount ends.
#include "fixture.hpp"
#include "mount/mount.hpp"
#include "mount/unmount.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/mount.h>
#include <sys/stat.h>

using namespace std::chrono_literals;
using namespace rf::test;
using rf::UniqueFd;
using rf::mount::connection_is_gone;
using rf::mount::Mounted;

namespace {

START_TEST(root_mounts_directly_with_type_source_and_flags)
{
    const std::string path = make_directory();
    Mounted m = mounted(path, "fsname=disk,subtype=kind,ro,noexec,noatime,allow_other,default_permissions,"
                              "max_read=8192");
    const auto line = mount_line(path);
    ck_assert(line);
    ck_assert_str_eq(line->type.c_str(), "fuse.kind");
    ck_assert_str_eq(line->source.c_str(), "disk");
    for (const char* flag : {"ro", "nosuid", "nodev", "noexec", "noatime"})
        ck_assert_msg(has_word(line->flags, flag), "%s not in %s", flag, line->flags.c_str());
    for (const char* word :
         {"user_id=0", "group_id=0", "allow_other", "default_permissions", "max_read=8192"})
        ck_assert_msg(has_word(line->super_options, word), "%s not in %s", word, line->super_options.c_str());
    ck_assert(!m.by_fusermount);
    expect_unmounted(m, path);
}
END_TEST

START_TEST(defaults_are_nosuid_nodev_and_suid_dev_lift_them)
{
    const std::string path = make_directory();
    Mounted m = mounted(path, "");
    auto line = mount_line(path);
    ck_assert_str_eq(line->type.c_str(), "fuse");
    ck_assert_str_eq(line->source.c_str(), "/dev/fuse");
    ck_assert(has_word(line->flags, "rw") && has_word(line->flags, "nosuid") &&
              has_word(line->flags, "nodev"));
    ck_assert(!has_word(line->super_options, "allow_other"));
    ck_assert(!has_word(line->super_options, "default_permissions"));
    expect_unmounted(m, path);

    m = mounted(path, "suid,dev,subtype=kind");
    line = mount_line(path);
    ck_assert(!has_word(line->flags, "nosuid") && !has_word(line->flags, "nodev"));
    ck_assert_str_eq(line->source.c_str(), "kind");
    expect_unmounted(m, path);
}
END_TEST

START_TEST(the_descriptor_serves_the_mount)
{
    const std::string path = make_directory();
    Mounted m = mounted(path, "");
    const UniqueFd device(dup(m.fd.get()));
    TinyServer server(device.get());
    struct stat st {};
    ck_assert_int_eq(stat(path.c_str(), &st), 0);
    ck_assert_uint_eq(st.st_mode, S_IFDIR | 0755);
    expect_unmounted(m, path);
}
END_TEST

START_TEST(closed_standard_descriptors_are_opened_first)
{
    const std::string path = make_directory();
    ck_assert_int_eq(close(STDIN_FILENO), 0);
    Mounted m = mounted(path, "");
    ck_assert_int_ge(fcntl(STDIN_FILENO, F_GETFD), 0);
    expect_unmounted(m, path);
}
END_TEST

START_TEST(links_and_relative_paths_are_resolved_when_mounting)
{
    const std::string path = make_directory();
    const std::string link = path + " link";
    ck_assert_int_eq(symlink(path.c_str(), link.c_str()), 0);
    Mounted m = mounted(link, "");
    ck_assert_str_eq(m.mountpoint.c_str(), path.c_str());
    expect_unmounted(m, path);

    ck_assert_int_eq(chdir(path.c_str()), 0);
    m = mounted("../" + path.substr(5), "");
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert(mount_line(path));
    expect_unmounted(m, path);
}
END_TEST

START_TEST(fuse_kern_device_names_the_device)
{
    const std::string path = make_directory();
    setenv("FUSE_KERN_DEVICE", "/dev/fuse2", 1);
    Mounted m = mounted(path, "");
    expect_text(mount_line(path)->source, "/dev/fuse2");
    expect_unmounted(m, path);
    be_quiet();
    for (const char* bad : {"/mnt/fuse.conf", "/dev/none", "/dev/plain"}) {
        setenv("FUSE_KERN_DEVICE", bad, 1);
        m = mounted(path, "");
        expect_text(mount_line(path)->source, "/dev/fuse");
        expect_unmounted(m, path);
    }
}
END_TEST

START_TEST(an_open_descriptor_is_adopted_and_never_unmounted)
{
    const std::string path = make_directory();
    Mounted owner = mounted(path, "");
    const UniqueFd keep(dup(owner.fd.get()));
    const std::string given = "/dev/fd/" + std::to_string(owner.fd.release());
    Mounted m;
    ck_assert_int_eq(rf::mount::mount(given.c_str(), options_of("auto_unmount,ro"), m), 0);
    ck_assert(m.external);
    const int number = m.fd.get();
    ck_assert(given == "/dev/fd/" + std::to_string(number));
    ck_assert_int_eq(rf::mount::unmount(m), 0);
    ck_assert(mount_line(path));
    ck_assert_int_eq(fcntl(number, F_GETFD), -1); // closed, as a session's end does

    be_quiet();
    ck_assert_int_eq(rf::mount::mount(given.c_str(), options_of(""), m), -EBADF);
    expect_unmounted(owner, path);
}
END_TEST

START_TEST(refusals_leave_nothing_behind)
{
    const std::string path = make_directory();
    const struct {
        const char* where;
        const char* words;
        int error;
    } rows[] = {
        {path.c_str(), "rootcontext=no:such:context", -EINVAL}, // without SELinux an unknown word
        {path.c_str(), "blkdev", -EINVAL},
        {path.c_str(), "blksize=512", -EINVAL},
        {path.c_str(), "blkdev,fsname=/dev/null", -ENOTBLK},
        {"/mnt/nothing", "", -ENOENT},
        {path.c_str(), "auto_unmount,context=a:b:c", -EIO}, // fusermount3 does not know it
    };
    be_quiet();
    for (const auto& row : rows) {
        Mounted m;
        const int rc = rf::mount::mount(row.where, options_of(row.words), m);
        ck_assert_msg(rc == row.error, "%s with %s: %d", row.where, row.words, rc);
        ck_assert_int_lt(m.fd.get(), 0);
        ck_assert_int_lt(m.keep_alive.get(), 0);
        ck_assert(!mount_line(path));
    }
    Mounted m;
    rf::mount::Options options;
    options.contexts.push_back("context=" + std::string(5000, 'x'));
    ck_assert_int_eq(rf::mount::mount(path.c_str(), options, m), -E2BIG);
}
END_TEST

START_TEST(a_busy_mount_is_detached_and_ends_with_its_last_user)
{
    const std::string path = make_directory();
    Mounted m = mounted(path, "");
    const UniqueFd device(dup(m.fd.get()));
    UniqueFd user(open(path.c_str(), O_PATH | O_DIRECTORY));
    ck_assert(user);
    ck_assert_int_eq(umount2(path.c_str(), 0), -1); // it is busy indeed
    expect_unmounted(m, path);
    ck_assert(!connection_is_gone(device.get()));
    user.reset();
    for (int i = 0; i < 250 && !connection_is_gone(device.get()); i++)
        std::this_thread::sleep_for(20ms);
    ck_assert(connection_is_gone(device.get()));
}
END_TEST

START_TEST(another_mount_on_the_same_place_is_left_alone)
{
    const std::string path = make_directory();
    Mounted m = mounted(path, "");
    be_quiet();
    ck_assert_int_eq(::mount("tmpfs", path.c_str(), "tmpfs", 0, nullptr), 0);
    ck_assert_int_eq(rf::mount::unmount(m), 0);
    expect_text(mount_line(path)->type, "tmpfs");
    ck_assert_int_eq(umount2(path.c_str(), 0), 0);
    expect_text(mount_line(path)->type, "fuse"); // ours, covered until now
    ck_assert_int_eq(umount2(path.c_str(), MNT_DETACH), 0);

    // Unmounted by somebody else, and a successor is there.
    Mounted old = mounted(path, "");
    ck_assert_int_eq(umount2(path.c_str(), 0), 0);
    Mounted young = mounted(path, "");
    ck_assert(connection_is_gone(old.fd.get()));
    ck_assert_int_eq(rf::mount::unmount(old), 0);
    ck_assert(mount_line(path));
    ck_assert(!connection_is_gone(young.fd.get()));
    expect_unmounted(young, path);
}
END_TEST

std::string utab_text()
{
    std::ifstream file("/run/mount/utab");
    return std::string(std::istreambuf_iterator<char>(file), {});
}

START_TEST(user_space_options_live_in_utab_as_long_as_the_mount)
{
    const std::string path = make_directory();
    Mounted m = mounted(path, "x-test.mark,fsname=disk,subtype=kind");
    ck_assert(m.in_utab);
    ck_assert_msg(utab_text().find("x-test.mark") != std::string::npos, "utab: %s", utab_text().c_str());
    expect_unmounted(m, path);
    ck_assert_msg(utab_text().find("x-test.mark") == std::string::npos, "utab: %s", utab_text().c_str());

    rf::mount::Options options = options_of("x-test.mark");
    options.no_mtab = true;
    ck_assert_int_eq(rf::mount::mount(path.c_str(), options, m), 0);
    ck_assert(!m.in_utab);
    ck_assert(utab_text().find("x-test.mark") == std::string::npos);
    expect_unmounted(m, path);
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        root_mounts_directly_with_type_source_and_flags,
        defaults_are_nosuid_nodev_and_suid_dev_lift_them,
        the_descriptor_serves_the_mount,
        closed_standard_descriptors_are_opened_first,
        links_and_relative_paths_are_resolved_when_mounting,
        fuse_kern_device_names_the_device,
        an_open_descriptor_is_adopted_and_never_unmounted,
        user_space_options_live_in_utab_as_long_as_the_mount,
        refusals_leave_nothing_behind,
        a_busy_mount_is_detached_and_ends_with_its_last_user,
        another_mount_on_the_same_place_is_left_alone,
    };
    return run_tests("mount_direct", tests);
}
