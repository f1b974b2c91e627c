/* System calls on mode, owner, times and extended attributes. */
#include "probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

static void print_times(const char* path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return;
    printf("times %s -> a=%lld.%09ld m=%lld.%09ld\n", path, (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
           (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static void probe_mode(void)
{
    int fd;
    probe_section("chmod and chown");
    probe_make("m", "text");
    RUN(chmod("m", 06755));
    probe_stat("m");
    RUN(chmod("missing", 0600));
    RUN(chmod("m/x", 0600));
    RUN(chown("m", 1000, 1001));
    probe_stat("m");
    RUN(chown("m", (uid_t)-1, 7));
    RUN(chown("m", (uid_t)-1, (gid_t)-1));
    RUN(chown("missing", 1, 1));
    probe_stat("m");
    RUN(symlink("m", "ml"));
    RUN(lchown("ml", 5, 6));
    probe_stat("ml");
    probe_stat("m");
    RUN(fchmodat(AT_FDCWD, "ml", 0600, AT_SYMLINK_NOFOLLOW));
    RUN(chmod("m", 04755));
    RUN_FD(fd, open("m", O_WRONLY));
    RUN(write(fd, "x", 1));
    RUN(fchmod(fd, 04711));
    RUN(fchown(fd, 0, 0));
    RUN(close(fd));
    probe_stat("m");
    RUN(unlink("ml"));
    struct statvfs vfs = {0};
    RUN(statvfs(".", &vfs));
    RUN(vfs.f_namemax);
    RUN(statvfs("missing", &vfs));
}

static void probe_times(void)
{
    probe_section("times");
    const struct timespec exact[2] = {{1000000001, 123456789}, {1500000002, 987654321}};
    const struct timespec omit[2] = {{0, UTIME_OMIT}, {5, 0}};
    const struct timespec before[2] = {{-2, 0}, {-1, 500000000}};
    const struct timespec bad[2] = {{0, 1000000000}, {0, 0}};
    RUN(utimensat(AT_FDCWD, "m", exact, 0));
    print_times("m");
    RUN(utimensat(AT_FDCWD, "m", omit, 0));
    print_times("m");
    RUN(utimensat(AT_FDCWD, "m", before, 0));
    print_times("m");
    RUN(utimensat(AT_FDCWD, "m", bad, 0));
    RUN(utimensat(AT_FDCWD, "missing", exact, 0));
    RUN(symlink("m", "tl"));
    RUN(utimensat(AT_FDCWD, "tl", exact, AT_SYMLINK_NOFOLLOW));
    struct stat st = {0};
    RUN(lstat("tl", &st));
    RUN(st.st_mtim.tv_sec);
    RUN(unlink("tl"));
    RUN(utimensat(AT_FDCWD, "m", NULL, 0));
    struct stat then;
    struct stat now;
    RUN(utimensat(AT_FDCWD, "m", exact, 0));
    RUN(stat("m", &then));
    RUN(truncate("m", 1));
    RUN(stat("m", &now));
    RUN(now.st_mtim.tv_sec > then.st_mtim.tv_sec);
    RUN(now.st_atim.tv_sec == then.st_atim.tv_sec);
    RUN(mkdir("td", 0755));
    RUN(utimensat(AT_FDCWD, "td", exact, 0));
    RUN(stat("td", &then));
    probe_make("td/f", "");
    RUN(stat("td", &now));
    RUN(now.st_mtim.tv_sec > then.st_mtim.tv_sec);
    RUN(unlink("td/f"));
    RUN(rmdir("td"));
}

void probe_attrs(void)
{
    probe_mode();
    probe_times();
}

static void print_xattr_names(const char* path)
{
    /* user.* only: a security module adds names of its own. */
    char names[1024];
    ssize_t len = llistxattr(path, names, sizeof(names));
    int user = 0;
    for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1)
        user += strncmp(names + at, "user.", 5) == 0;
    printf("user xattrs of %s -> %d\n", path, len < 0 ? -1 : user);
}

void probe_xattrs(void)
{
    char buf[64] = {0};
    static char big[65537];
    probe_section("xattr");
    RUN(setxattr("m", "user.a", "value", 5, XATTR_REPLACE));
    RUN(setxattr("m", "user.a", "value", 5, XATTR_CREATE));
    RUN(setxattr("m", "user.a", "value", 5, XATTR_CREATE));
    RUN(setxattr("m", "user.a", "other!", 6, XATTR_REPLACE));
    RUN(setxattr("m", "user.a", "x", 1, 99));
    RUN(setxattr("m", "user.empty", "", 0, 0));
    RUN(getxattr("m", "user.a", buf, sizeof(buf)));
    probe_text("buf", buf);
    RUN(getxattr("m", "user.a", NULL, 0));
    RUN(getxattr("m", "user.a", buf, 3));
    RUN(getxattr("m", "user.empty", buf, sizeof(buf)));
    RUN(getxattr("m", "user.missing", buf, sizeof(buf)));
    RUN(getxattr("missing", "user.a", buf, sizeof(buf)));
    RUN(setxattr("m", "trusted.t", "t", 1, 0));
    RUN(getxattr("m", "trusted.t", buf, sizeof(buf)));
    RUN(removexattr("m", "trusted.t"));
    RUN(setxattr("m", "nonsense.x", "t", 1, 0));
    RUN(setxattr("m", "nodot", "t", 1, 0));
    RUN(setxattr("m", "", "t", 1, 0));
    RUN(setxattr("m", "user.big", big, 65537, 0));
    print_xattr_names("m");
    RUN(listxattr("m", buf, 1));
    RUN(listxattr("missing", buf, sizeof(buf)));
    RUN(removexattr("m", "user.a"));
    RUN(removexattr("m", "user.a"));
    RUN(removexattr("m", "user.empty"));
    print_xattr_names("m");
    RUN(symlink("m", "xl"));
    RUN(lsetxattr("xl", "user.a", "x", 1, 0));
    RUN(lgetxattr("xl", "user.a", buf, sizeof(buf)));
    RUN(lsetxattr("xl", "trusted.a", "x", 1, 0));
    RUN(lgetxattr("xl", "trusted.a", buf, sizeof(buf)));
    RUN(unlink("xl"));
    RUN(setxattr(".", "user.dir", "x", 1, 0));
    RUN(removexattr(".", "user.dir"));
    RUN(unlink("m"));
}
