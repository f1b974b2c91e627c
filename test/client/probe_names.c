/* System calls on names. */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

static void probe_opens(void)
{
    int fd;
    probe_section("open and create");
    RUN_FD(fd, open("missing", O_RDONLY));
    RUN_FD(fd, open("", O_RDONLY));
    RUN_FD(fd, open("missing/x", O_RDONLY));
    RUN_FD(fd, open("a", O_RDWR | O_CREAT | O_EXCL, 0640));
    RUN(write(fd, "12345", 5));
    RUN(close(fd));
    RUN(close(fd));
    RUN_FD(fd, open("a", O_RDWR | O_CREAT | O_EXCL, 0640));
    RUN_FD(fd, open("a/x", O_RDONLY));
    RUN_FD(fd, open("a/", O_RDONLY));
    RUN_FD(fd, open("a", O_RDONLY | O_DIRECTORY));
    RUN_FD(fd, open(".", O_RDWR));
    RUN_FD(fd, open(".", O_RDONLY | O_CREAT, 0600));
    RUN_FD(fd, open(".", O_RDONLY | O_DIRECTORY));
    RUN(write(fd, "x", 1));
    RUN(read(fd, (char[8]){0}, 8));
    RUN(close(fd));
    probe_stat("a");
    RUN_FD(fd, open("a", O_WRONLY | O_TRUNC));
    RUN(read(fd, (char[8]){0}, 8));
    RUN(close(fd));
    probe_stat("a");
    RUN_FD(fd, open("a", O_RDONLY));
    RUN(write(fd, "x", 1));
    RUN(ftruncate(fd, 3));
    RUN(close(fd));
    RUN_FD(fd, open(probe_long_name(255), O_WRONLY | O_CREAT, 0600));
    RUN(close(fd));
    RUN(unlink(probe_long_name(255)));
    RUN_FD(fd, open(probe_long_name(256), O_WRONLY | O_CREAT, 0600));
    RUN(mkdir(probe_long_name(256), 0700));
    RUN(symlink("t", probe_long_name(256)));
    RUN(mknod(probe_long_name(256), S_IFREG | 0600, 0));
    RUN(link("a", probe_long_name(256)));
    RUN(rename("a", probe_long_name(256)));
    RUN(access(probe_long_name(256), F_OK));
    RUN(access(probe_long_name(4096), F_OK));
    RUN_FD(fd, open("a", O_PATH));
    RUN(read(fd, (char[8]){0}, 8));
    RUN(close(fd));
}

static void probe_nodes(void)
{
    probe_section("mknod");
    RUN(mknod("fifo", S_IFIFO | 0644, 0));
    RUN(mknod("fifo", S_IFIFO | 0644, 0));
    RUN(mknod("sock", S_IFSOCK | 0600, 0));
    RUN(mknod("reg", S_IFREG | 0666, 0));
    RUN(mknod("chr", S_IFCHR | 0600, makedev(1, 3)));
    RUN(mknod("dirnode", S_IFDIR | 0600, 0));
    RUN(mknod("missing/x", S_IFREG | 0600, 0));
    probe_stat("fifo");
    probe_stat("sock");
    probe_stat("reg");
    probe_stat("chr");
    int fd;
    RUN_FD(fd, open("sock", O_RDONLY));
    RUN_FD(fd, open("fifo", O_WRONLY | O_NONBLOCK));
    RUN_FD(fd, open("fifo", O_RDONLY | O_NONBLOCK));
    RUN(read(fd, (char[8]){0}, 8));
    RUN(close(fd));
    RUN(unlink("fifo"));
    RUN(unlink("sock"));
    RUN(unlink("reg"));
    RUN(unlink("chr"));
}

static void probe_symlinks(void)
{
    char target[128] = {0};
    int fd;
    probe_section("symlink");
    RUN(symlink("a", "sl"));
    RUN(symlink("a", "sl"));
    RUN(symlink("", "empty"));
    RUN(symlink("nowhere", "dangling"));
    RUN(symlink("loop", "loop"));
    RUN(symlink(probe_long_name(4095), "longlink"));
    RUN(symlink(probe_long_name(4096), "longlink"));
    RUN(unlink("longlink"));
    RUN(readlink("sl", target, sizeof(target)));
    probe_text("target", target);
    RUN(readlink("dangling", target, 3));
    RUN(readlink("a", target, sizeof(target)));
    RUN(readlink("missing", target, sizeof(target)));
    RUN(readlink("sl", target, 0));
    probe_stat("sl");
    probe_stat("dangling");
    RUN_FD(fd, open("dangling", O_RDONLY));
    RUN_FD(fd, open("loop", O_RDONLY));
    RUN_FD(fd, open("sl", O_RDONLY | O_NOFOLLOW));
    RUN_FD(fd, open("sl", O_RDONLY));
    RUN(close(fd));
    RUN_FD(fd, open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0600));
    RUN_FD(fd, open("dangling", O_WRONLY | O_CREAT, 0600));
    RUN(close(fd));
    probe_stat("nowhere");
    RUN(rmdir("sl"));
    RUN(unlink("sl"));
    RUN(unlink("dangling"));
    RUN(unlink("loop"));
    RUN(unlink("nowhere"));
}

static void probe_links(void)
{
    probe_section("link and unlink");
    RUN(link("a", "b"));
    RUN(link("a", "b"));
    RUN(link("missing", "c"));
    RUN(link(".", "c"));
    RUN(link("a", "missing/c"));
    probe_stat("a");
    probe_stat("b");
    RUN(unlink("b"));
    probe_stat("a");
    RUN(unlink("b"));
    RUN(unlink("."));
    RUN(unlink("a/x"));
    RUN(symlink("a", "s"));
    RUN(link("s", "s2"));
    probe_stat("s2");
    RUN(linkat(AT_FDCWD, "s", AT_FDCWD, "s3", AT_SYMLINK_FOLLOW));
    probe_stat("s3");
    RUN(unlink("s"));
    RUN(unlink("s2"));
    RUN(unlink("s3"));
    probe_section("unlinked while open");
    int fd;
    struct stat st = {0};
    RUN_FD(fd, open("gone", O_RDWR | O_CREAT, 0600));
    RUN(write(fd, "abc", 3));
    RUN(unlink("gone"));
    RUN(fstat(fd, &st));
    RUN(st.st_nlink);
    RUN(pread(fd, (char[8]){0}, 8, 0));
    RUN(pwrite(fd, "defgh", 5, 3));
    RUN(fchmod(fd, 0444));
    RUN(ftruncate(fd, 4));
    RUN(fstat(fd, &st));
    RUN(st.st_size);
    RUN(st.st_mode & 07777);
    RUN(access("gone", F_OK));
    RUN(close(fd));
}

void probe_names(void)
{
    probe_opens();
    probe_nodes();
    probe_symlinks();
    probe_links();
    probe_list(".");
}
