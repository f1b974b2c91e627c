/* What an ordinary user may do: run in a child that gives up root. Without root to begin with, there is
 * nothing to compare, and the output says so. */
#include "probe.h"

#include <grp.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

static void as_user(void)
{
    int fd;
    probe_section("as a user: other people's files");
    RUN_FD(fd, open("u/secret", O_RDONLY));
    RUN_FD(fd, open("u/public", O_RDONLY));
    RUN(close(fd));
    RUN_FD(fd, open("u/public", O_RDWR));
    RUN(truncate("u/public", 0));
    RUN(chmod("u/public", 0777));
    RUN(chown("u/public", 65534, 65534));
    RUN(utimensat(AT_FDCWD, "u/public", NULL, 0));
    RUN(setxattr("u/public", "user.a", "x", 1, 0));
    RUN(unlink("u/public"));
    RUN(mkdir("u/mine", 0700));
    RUN(rename("u/public", "u/other"));
    RUN(link("u/public", "t/linked"));
    RUN(access("u/secret", R_OK));
    RUN(access("u/public", R_OK));
    RUN(access("u/public", W_OK));
    RUN(access("closed/x", F_OK));
    probe_list("closed");
    probe_section("as a user: own files");
    RUN_FD(fd, open("t/own", O_RDWR | O_CREAT | O_EXCL, 06755));
    RUN(write(fd, "x", 1));
    RUN(close(fd));
    probe_stat("t/own");
    RUN(chmod("t/own", 04755));
    probe_stat("t/own");
    RUN_FD(fd, open("t/own", O_WRONLY));
    RUN(write(fd, "y", 1));
    RUN(close(fd));
    probe_stat("t/own");
    RUN(chmod("t/own", 02755));
    RUN(truncate("t/own", 0));
    probe_stat("t/own");
    RUN(chown("t/own", 0, (gid_t)-1));
    RUN(chown("t/own", (uid_t)-1, 0));
    RUN(chmod("t/own", 0400));
    RUN_FD(fd, open("t/own", O_WRONLY));
    RUN(setxattr("t/own", "trusted.a", "x", 1, 0));
    RUN(mknod("t/dev", S_IFCHR | 0600, makedev(1, 3)));
    RUN(mknod("t/fifo", S_IFIFO | 0600, 0));
    RUN(mkdir("t/dir", 02755));
    probe_stat("t/dir");
    RUN(symlink("x", "t/sl"));
    probe_stat("t/sl");
    probe_section("as a user: sticky directory");
    RUN(unlink("t/theirs"));
    RUN(rename("t/theirs", "t/x"));
    RUN(rename("t/own", "t/theirs"));
    RUN(unlink("t/own"));
    RUN(unlink("t/fifo"));
    RUN(unlink("t/sl"));
    RUN(rmdir("t/dir"));
}

void probe_user(void)
{
    probe_section("users");
    if (geteuid() != 0) {
        printf("not root: the part for ordinary users is left out\n");
        return;
    }
    RUN(mkdir("u", 0755));
    RUN(mkdir("t", 0777));
    RUN(chmod("t", 01777));
    RUN(mkdir("closed", 0700));
    probe_make("u/secret", "secret");
    RUN(chmod("u/secret", 0600));
    probe_make("u/public", "public");
    probe_make("t/theirs", "theirs");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
            _exit(1);
        as_user();
        fflush(stdout);
        _exit(0);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    RUN(status);
    RUN(unlink("u/secret"));
    RUN(unlink("u/public"));
    RUN(unlink("t/theirs"));
    RUN(rmdir("u"));
    RUN(rmdir("t"));
    RUN(rmdir("closed"));
    probe_list(".");
    RUN(unlink("a"));
    RUN(chdir(".."));
    RUN(rmdir("errno_probe.dir"));
}
