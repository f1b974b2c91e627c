/* One call of same_ops on one side. */
#include "same_ops.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

const char* const kSameOpNames[kNrOps] = {
    "open",   "close",    "pread",    "pwrite",    "append",      "truncate",  "ftruncate",
    "unlink", "rmdir",    "mkdir",    "rename",    "link",        "symlink",   "readlink",
    "lstat",  "fstat",    "chmod",    "fchmod",    "chown",       "utimens",   "futimens",
    "list",   "setxattr", "getxattr", "listxattr", "removexattr", "fallocate", "copy_file_range",
    "mkfifo", "access",   "flock",    "fsync",
};

/* Files the library keeps under another name while they are open. */
static const char kHiddenPrefix[] = ".fuse_hidden";

static char type_letter(mode_t mode)
{
    return S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISFIFO(mode) ? 'p' : 'f';
}

static int print_stat(const struct stat* st, int nlink, char* text, size_t room)
{
    int used = snprintf(text, room, "%c %04o uid=%u gid=%u", type_letter(st->st_mode), st->st_mode & 07777,
                        st->st_uid, st->st_gid);
    if (nlink)
        used += snprintf(text + used, room - (size_t)used, " nlink=%lu", (unsigned long)st->st_nlink);
    if (!S_ISDIR(st->st_mode))
        used += snprintf(text + used, room - (size_t)used, " size=%lld", (long long)st->st_size);
    if (st->st_mtime < kSetTimesEnd)
        used += snprintf(text + used, room - (size_t)used, " mtime=%lld.%09ld", (long long)st->st_mtim.tv_sec,
                         st->st_mtim.tv_nsec);
    return used;
}

static long finish(long rc)
{
    return rc < 0 ? -errno : rc;
}

void same_attributes(int dir_fd, const char* path, int nlink, struct same_result* result)
{
    struct stat st;
    result->rc = finish(fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW | (*path ? 0 : AT_EMPTY_PATH)));
    if (result->rc == 0)
        result->len = (size_t)print_stat(&st, nlink, result->text, sizeof(result->text));
}

static int by_text(const void* a, const void* b)
{
    return strcmp(*(char* const*)a, *(char* const*)b);
}

static void list(const struct side* side, const struct same_call* call, struct same_result* result)
{
    char* names[512];
    size_t nr = 0;
    int fd = openat(side->root, call->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    result->rc = finish(fd);
    if (fd < 0)
        return;
    DIR* dir = fdopendir(fd);
    const struct dirent* d;
    errno = 0;
    while (nr < 512 && (d = readdir(dir)))
        if (strncmp(d->d_name, kHiddenPrefix, sizeof(kHiddenPrefix) - 1) != 0)
            names[nr++] = strdup(d->d_name);
    result->rc = -errno;
    closedir(dir);
    qsort(names, nr, sizeof(*names), by_text);
    for (size_t i = 0; i < nr; i++) {
        result->len +=
            (size_t)snprintf(result->text + result->len, sizeof(result->text) - result->len, "%s ", names[i]);
        free(names[i]);
    }
}

static void list_xattrs(const char* path, struct same_result* result)
{
    char raw[4096];
    char* names[64];
    size_t nr = 0;
    result->rc = finish(llistxattr(path, raw, sizeof(raw)));
    for (long at = 0; at < result->rc; at += (long)strlen(raw + at) + 1)
        if (nr < 64 && strncmp(raw + at, "user.", 5) == 0)
            names[nr++] = raw + at;
    qsort(names, nr, sizeof(*names), by_text);
    for (size_t i = 0; i < nr; i++)
        result->len +=
            (size_t)snprintf(result->text + result->len, sizeof(result->text) - result->len, "%s ", names[i]);
    if (result->rc > 0)
        result->rc = 0; /* other namespaces may differ in length */
}

/* There is no xattr call that starts at a directory descriptor: by way of /proc. */
static void xattr_call(const struct side* side, const struct same_call* call, struct same_result* result)
{
    char path[kPathBytes + 32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", side->root, call->path);
    switch (call->op) {
    case kSetxattr:
        result->rc = finish(lsetxattr(path, call->other, call->data, call->size, call->flags));
        break;
    case kGetxattr:
        result->rc = finish(lgetxattr(path, call->other, result->text, call->size));
        result->len = result->rc > 0 && call->size > 0 ? (size_t)result->rc : 0;
        break;
    case kListxattr:
        list_xattrs(path, result);
        break;
    default:
        result->rc = finish(lremovexattr(path, call->other));
    }
}

static void open_slot(struct side* side, const struct same_call* call, struct same_result* result)
{
    int fd = openat(side->root, call->path, call->flags | O_CLOEXEC | O_NONBLOCK, call->mode);
    result->rc = fd < 0 ? -errno : 0;
    side->fds[call->slot] = fd;
}

static long path_call(const struct side* side, const struct same_call* call, struct same_result* result)
{
    const struct timespec times[2] = {{call->seconds[0], 123456789}, {call->seconds[1], 987654321}};
    switch (call->op) {
    case kTruncate: {
        int fd = openat(side->root, call->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        long rc = fd < 0 ? finish(fd) : finish(ftruncate(fd, call->off));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    case kUnlink:
        return finish(unlinkat(side->root, call->path, 0));
    case kRmdir:
        return finish(unlinkat(side->root, call->path, AT_REMOVEDIR));
    case kMkdir:
        return finish(mkdirat(side->root, call->path, call->mode));
    case kMkfifo:
        return finish(mkfifoat(side->root, call->path, call->mode));
    case kRename:
        return finish(renameat2(side->root, call->path, side->root, call->other, (unsigned)call->flags));
    case kLink:
        return finish(linkat(side->root, call->path, side->root, call->other, 0));
    case kSymlink:
        return finish(symlinkat(call->other, side->root, call->path));
    case kReadlink: {
        long rc = finish(readlinkat(side->root, call->path, result->text, sizeof(result->text)));
        result->len = rc > 0 ? (size_t)rc : 0;
        return rc;
    }
    case kChmod:
        return finish(fchmodat(side->root, call->path, call->mode, 0));
    case kChown:
        return finish(
            fchownat(side->root, call->path, (uid_t)call->flags, (gid_t)call->slot2, AT_SYMLINK_NOFOLLOW));
    case kUtimens:
        return finish(utimensat(side->root, call->path, times, AT_SYMLINK_NOFOLLOW));
    default:
        return finish(faccessat(side->root, call->path, call->flags & (R_OK | W_OK | X_OK), 0));
    }
}

static long slot_call(const struct side* side, const struct same_call* call, struct same_result* result)
{
    const struct timespec times[2] = {{call->seconds[0], 0}, {call->seconds[1], 1}};
    int fd = side->fds[call->slot];
    off_t off = call->off;
    off_t off2 = call->off2;
    switch (call->op) {
    case kRead: {
        long rc = finish(pread(fd, result->text, call->size, call->off));
        result->len = rc > 0 ? (size_t)rc : 0;
        return rc;
    }
    case kWrite:
        return finish(pwrite(fd, call->data, call->size, call->off));
    case kAppend: {
        struct stat st;
        return fstat(fd, &st) != 0 ? -errno : finish(pwrite(fd, call->data, call->size, st.st_size));
    }
    case kFtruncate:
        return finish(ftruncate(fd, call->off));
    case kFchmod:
        return finish(fchmod(fd, call->mode));
    case kFutimens:
        return finish(futimens(fd, times));
    case kFallocate:
        return finish(fallocate(fd, call->flags, call->off, (off_t)call->size));
    case kCopy:
        return finish(copy_file_range(fd, &off, side->fds[call->slot2], &off2, call->size, 0));
    case kFlock:
        return finish(flock(fd, call->flags | LOCK_NB));
    default:
        return finish(fsync(fd));
    }
}

void same_run(struct side* side, const struct same_call* call, struct same_result* result)
{
    result->rc = 0;
    result->len = 0;
    switch (call->op) {
    case kOpen:
        open_slot(side, call, result);
        break;
    case kClose:
        result->rc = finish(close(side->fds[call->slot]));
        side->fds[call->slot] = -1;
        break;
    case kLstat:
        same_attributes(side->root, call->path, /* nlink= */ 1, result);
        break;
    case kFstat:
        same_attributes(side->fds[call->slot], "", /* nlink= */ call->flags, result);
        break;
    case kList:
        list(side, call, result);
        break;
    case kSetxattr:
    case kGetxattr:
    case kListxattr:
    case kRemovexattr:
        xattr_call(side, call, result);
        break;
    case kRead:
    case kWrite:
    case kAppend:
    case kFtruncate:
    case kFchmod:
    case kFutimens:
    case kFallocate:
    case kCopy:
    case kFlock:
    case kFsync:
        result->rc = slot_call(side, call, result);
        break;
    default:
        result->rc = path_call(side, call, result);
    }
}
