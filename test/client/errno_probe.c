/* errno_probe: the program; see probe.h. Exit 0 when the list was run to its end (the lines are the result),
 * 1 if the set-up failed, 2 for bad usage. */
#include "probe.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

void probe_section(const char* name)
{
    printf("== %s\n", name);
}

long long probe_report(const char* call, long long result)
{
    int err = errno;
    if (result == -1)
        printf("%s -> %s\n", call, strerrorname_np(err));
    else
        printf("%s -> %lld\n", call, result);
    return result;
}

void probe_report_fd(const char* call, int fd)
{
    int err = errno;
    printf("%s -> %s\n", call, fd < 0 ? strerrorname_np(err) : "fd");
}

void probe_text(const char* label, const char* text)
{
    printf("%s -> \"%s\"\n", label, text);
}

static char type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return 'f';
    case S_IFDIR:
        return 'd';
    case S_IFLNK:
        return 'l';
    case S_IFIFO:
        return 'p';
    case S_IFSOCK:
        return 's';
    case S_IFCHR:
        return 'c';
    case S_IFBLK:
        return 'b';
    default:
        return '?';
    }
}

void probe_stat(const char* path)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        printf("stat %s -> %s\n", path, strerrorname_np(errno));
        return;
    }
    printf("stat %s -> %c %04o nlink=%llu uid=%u gid=%u rdev=%llu", path, type_of(st.st_mode),
           st.st_mode & 07777, (unsigned long long)st.st_nlink, st.st_uid, st.st_gid,
           (unsigned long long)st.st_rdev);
    if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
        printf(" size=%lld", (long long)st.st_size);
    printf("\n");
}

/* As scandir(3). A closed file that was removed before a filesystem in user space heard of the close is still
 * there under another name: 2 s for that. */
static int scan_settled(const char* path, struct dirent*** ret_names)
{
    const struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};
    for (int round = 0;; round++) {
        int hidden = 0;
        int nr = scandir(path, ret_names, NULL, alphasort);
        for (int i = 0; i < nr; i++)
            hidden |= strncmp((*ret_names)[i]->d_name, ".fuse_hidden", 12) == 0;
        if (!hidden || round == 200)
            return nr;
        for (int i = 0; i < nr; i++)
            free((*ret_names)[i]);
        free(*ret_names);
        nanosleep(&moment, NULL);
    }
}

void probe_list(const char* path)
{
    struct dirent** names = NULL;
    int nr = scan_settled(path, &names);
    if (nr < 0) {
        printf("list %s -> %s\n", path, strerrorname_np(errno));
        return;
    }
    printf("list %s ->", path);
    for (int i = 0; i < nr; i++) {
        printf(" %.40s", names[i]->d_name);
        free(names[i]);
    }
    free(names);
    printf("\n");
}

void probe_show(const char* path)
{
    char text[65];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (len < 0) {
        printf("show %s -> %s\n", path, strerrorname_np(errno));
    } else {
        for (ssize_t i = 0; i < len; i++)
            text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '.';
        text[len] = '\0';
        printf("show %s -> \"%s\"\n", path, text);
    }
    if (fd >= 0)
        close(fd);
}

void probe_make(const char* path, const char* text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    size_t len = strlen(text);
    if (fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd) != 0) {
        printf("set-up failed: path=%s (%s)\n", path, strerrorname_np(errno));
        exit(1);
    }
}

const char* probe_long_name(int len)
{
    static char name[8192];
    memset(name, 'n', (size_t)len);
    name[len] = '\0';
    return name;
}

int main(int argc, char* argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: errno_probe <directory>\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    umask(022);
    /* A directory of its own, entered, so that no path shows where it lies. */
    if (chdir(argv[1]) != 0 || mkdir("errno_probe.dir", 0777) != 0 || chdir("errno_probe.dir") != 0) {
        fprintf(stderr, "set-up failed: directory=%s (%s)\n", argv[1], strerror(errno));
        return 1;
    }
    if (chmod(".", 0777) != 0)
        return 1;
    static void (*const kParts[])(void) = {probe_names,  probe_directories, probe_renames,
                                           probe_io,     probe_space,       probe_attrs,
                                           probe_xattrs, probe_locks,       probe_user};
    for (size_t i = 0; i < sizeof(kParts) / sizeof(kParts[0]); i++)
        kParts[i]();
    printf("== end\n");
    return 0;
}
