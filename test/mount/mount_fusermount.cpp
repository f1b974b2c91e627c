// Real mounts through fusermount3: as an unprivileged user, and with auto_unmount as anybody.
#include "mount/mount.hpp"
#include "fixture.hpp"
#include "mount/unmount.hpp"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace std::chrono_literals;
using namespace rf::test;
using rf::mount::Mounted;

namespace {

constexpr auto kSoon = 5000ms;

START_TEST(a_user_mounts_and_unmounts_through_fusermount)
{
    const std::string path = make_directory(kNobody);
    std::array<int, 2> up{}, down{};
    ck_assert_int_eq(pipe2(up.data(), O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(down.data(), O_CLOEXEC), 0);
    const pid_t pid = start_child(kNobody, [&] {
        Mounted m;
        if (rf::mount::mount(path.c_str(), options_of("fsname=a\\,b,subtype=kind,noexec,suid"), m) != 0)
            return 1;
        char byte = m.by_fusermount && fcntl(m.fd.get(), F_GETFD) == FD_CLOEXEC;
        if (write(up[1], &byte, 1) != 1 || read(down[0], &byte, 1) != 1)
            return 2;
        return rf::mount::unmount(m) == 0 ? 0 : 3;
    });
    close(up[1]);
    char byte = 0;
    ck_assert_int_eq(read(up[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 1);
    const auto line = mount_line(path);
    ck_assert(line);
    ck_assert_str_eq(line->type.c_str(), "fuse.kind");
    ck_assert_str_eq(line->source.c_str(), "a,b");
    for (const char* flag : {"nosuid", "nodev", "noexec"})
        ck_assert_msg(has_word(line->flags, flag), "%s not in %s", flag, line->flags.c_str());
    ck_assert(has_word(line->super_options, "user_id=65534"));
    ck_assert_int_eq(write(down[1], &byte, 1), 1);
    ck_assert_int_eq(exit_code(pid), 0);
    ck_assert(!mount_line(path));
}
END_TEST

START_TEST(a_device_closed_to_the_user_is_reported_as_such)
{
    const std::string path = make_directory(kNobody);
    ck_assert_int_eq(chmod("/dev/fuse", 0600), 0);
    const auto try_it = [&] {
        be_quiet();
        Mounted m;
        return -rf::mount::mount(path.c_str(), options_of(""), m);
    };
    const int code = exit_code(start_child(kNobody, try_it));
    ck_assert_int_eq(chmod("/dev/fuse", 0666), 0);
    ck_assert_int_eq(code, EACCES);
    ck_assert(!mount_line(path));
}
END_TEST

START_TEST(allow_other_is_a_users_only_with_user_allow_other)
{
    const std::string path = make_directory(kNobody);
    const auto try_it = [&] {
        be_quiet();
        Mounted m;
        const int rc = rf::mount::mount(path.c_str(), options_of("allow_other"), m);
        const auto line = mount_line(path);
        if (rc == 0 && !(line && has_word(line->super_options, "allow_other")))
            return 98;
        if (rc == 0 && rf::mount::unmount(m) != 0)
            return 97;
        return -rc;
    };
    ck_assert_int_eq(exit_code(start_child(kNobody, try_it)), EIO);
    ck_assert(!mount_line(path));
    set_user_allow_other(true);
    ck_assert_int_eq(exit_code(start_child(kNobody, try_it)), 0);
    set_user_allow_other(false);
    ck_assert(!mount_line(path));
}
END_TEST

START_TEST(a_user_cannot_mount_on_a_directory_of_root)
{
    const std::string path = make_directory(0);
    const auto try_it = [&] {
        be_quiet();
        Mounted m;
        return -rf::mount::mount(path.c_str(), options_of("subtype=kind"), m);
    };
    ck_assert_int_eq(exit_code(start_child(kNobody, try_it)), EIO);
    ck_assert(!mount_line(path));
}
END_TEST

// The user needs allow_other: fusermount3 3.14 looks at the dead mount as root, and a mount without that
// option denies root before it can say ENOTCONN, so the helper leaves it.
START_TEST(auto_unmount_cleans_up_after_a_killed_process)
{
    const unsigned user = _i == 0 ? 0 : kNobody;
    const char* const words = _i == 0 ? "auto_unmount,subtype=kind" : "auto_unmount,subtype=kind,allow_other";
    set_user_allow_other(true);
    const std::string path = make_directory(user);
    std::array<int, 2> up{};
    ck_assert_int_eq(pipe2(up.data(), O_CLOEXEC), 0);
    const pid_t pid = start_child(user, [&] {
        Mounted m;
        if (rf::mount::mount(path.c_str(), options_of(words), m) != 0)
            return 1;
        // The watcher is not our child: it would be waited for, and be a zombie in the end.
        const char byte = m.by_fusermount && m.keep_alive && waitpid(-1, nullptr, WNOHANG) == -1;
        if (write(up[1], &byte, 1) != 1)
            return 2;
        for (;;)
            pause();
    });
    close(up[1]);
    char byte = 0;
    ck_assert_int_eq(read(up[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 1);
    expect_text(mount_line(path)->type, "fuse.kind");
    std::this_thread::sleep_for(200ms);
    ck_assert(mount_line(path)); // as long as the process lives
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, nullptr, 0), pid);
    ck_assert(gone_within(path, kSoon));
    set_user_allow_other(false);
}
END_TEST

START_TEST(auto_unmount_waits_for_the_last_copy_of_its_socket)
{
    const std::string path = make_directory();
    Mounted m = mounted(path, "auto_unmount");
    const pid_t pid = start_child(0, [&] { return mount_line(path) ? 0 : 1; });
    ck_assert_int_eq(exit_code(pid), 0);
    std::this_thread::sleep_for(100ms);
    ck_assert(mount_line(path)); // one copy of the socket is open
    expect_unmounted(m, path);
}
END_TEST

} // namespace

int main()
{
    if (!enter_sandbox())
        return 77;
    const Tests tests = {
        a_user_mounts_and_unmounts_through_fusermount,
        a_device_closed_to_the_user_is_reported_as_such,
        allow_other_is_a_users_only_with_user_allow_other,
        a_user_cannot_mount_on_a_directory_of_root,
        {auto_unmount_cleans_up_after_a_killed_process, 0, 2},
        auto_unmount_waits_for_the_last_copy_of_its_socket,
    };
    return run_tests("mount_fusermount", tests);
}
