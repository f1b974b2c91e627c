/* Path operations of hl_passthrough on attributes and extended attributes. With an open file its descriptor
 * is used and the path, which may be NULL then, is not looked at. */
#include "hl_pt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

static int pt_getattr(const char* path, struct stat* st, struct fuse_file_info* fi)
{
    if (fi)
        return hl_pt_result(fstat((int)fi->fh, st));
    return hl_pt_result(fstatat(hl_pt()->root, hl_pt_name(path), st, AT_SYMLINK_NOFOLLOW));
}

static int pt_chmod(const char* path, mode_t mode, struct fuse_file_info* fi)
{
    if (fi)
        return hl_pt_result(fchmod((int)fi->fh, mode));
    return hl_pt_result(fchmodat(hl_pt()->root, hl_pt_name(path), mode, 0));
}

static int pt_chown(const char* path, uid_t uid, gid_t gid, struct fuse_file_info* fi)
{
    if (fi)
        return hl_pt_result(fchown((int)fi->fh, uid, gid));
    return hl_pt_result(fchownat(hl_pt()->root, hl_pt_name(path), uid, gid, AT_SYMLINK_NOFOLLOW));
}

static int pt_truncate(const char* path, off_t size, struct fuse_file_info* fi)
{
    if (fi)
        return hl_pt_result(ftruncate((int)fi->fh, size));
    int fd = openat(hl_pt()->root, hl_pt_name(path), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    int rc = hl_pt_result(fd);
    if (rc >= 0) {
        rc = hl_pt_result(ftruncate(fd, size));
        close(fd);
    }
    return rc;
}

static int pt_utimens(const char* path, const struct timespec times[2], struct fuse_file_info* fi)
{
    if (fi)
        return hl_pt_result(futimens((int)fi->fh, times));
    return hl_pt_result(utimensat(hl_pt()->root, hl_pt_name(path), times, AT_SYMLINK_NOFOLLOW));
}

static int pt_statfs(const char* path, struct statvfs* st)
{
    (void)path;
    return hl_pt_result(fstatvfs(hl_pt()->root, st));
}

/* A path to the very inode, symlinks included, for calls that take no directory descriptor: the caller closes
 * *ret_fd. */
static int proc_path(const char* path, int* ret_fd, char text[32])
{
    *ret_fd = openat(hl_pt()->root, hl_pt_name(path), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (*ret_fd >= 0)
        snprintf(text, 32, "/proc/self/fd/%d", *ret_fd);
    return hl_pt_result(*ret_fd);
}

static int pt_setxattr(const char* path, const char* name, const char* value, size_t size, int flags)
{
    char text[32];
    int fd;
    int rc = proc_path(path, &fd, text);
    if (rc < 0)
        return rc;
    rc = hl_pt_result(setxattr(text, name, value, size, flags));
    close(fd);
    return rc;
}

static int pt_getxattr(const char* path, const char* name, char* value, size_t size)
{
    char text[32];
    int fd;
    int rc = proc_path(path, &fd, text);
    if (rc < 0)
        return rc;
    rc = hl_pt_result(getxattr(text, name, value, size));
    close(fd);
    return rc;
}

static int pt_listxattr(const char* path, char* list, size_t size)
{
    char text[32];
    int fd;
    int rc = proc_path(path, &fd, text);
    if (rc < 0)
        return rc;
    rc = hl_pt_result(listxattr(text, list, size));
    close(fd);
    return rc;
}

static int pt_removexattr(const char* path, const char* name)
{
    char text[32];
    int fd;
    int rc = proc_path(path, &fd, text);
    if (rc < 0)
        return rc;
    rc = hl_pt_result(removexattr(text, name));
    close(fd);
    return rc;
}

void hl_pt_add_attr_ops(struct fuse_operations* ops)
{
    ops->getattr = pt_getattr;
    ops->chmod = pt_chmod;
    ops->chown = pt_chown;
    ops->truncate = pt_truncate;
    ops->utimens = pt_utimens;
    ops->statfs = pt_statfs;
    ops->setxattr = pt_setxattr;
    ops->getxattr = pt_getxattr;
    ops->listxattr = pt_listxattr;
    ops->removexattr = pt_removexattr;
}
