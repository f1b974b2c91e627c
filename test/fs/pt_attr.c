/* FUSE operations of passthrough on attributes. An O_PATH descriptor allows little by itself; the /proc path
 * of it leads to the same inode and serves for the rest. */
#include "pt.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void reply_attr(fuse_req_t req, fuse_ino_t ino)
{
    struct stat st;
    if (fstatat(pt_fd_of(req, ino), "", &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_attr(req, &st, pt_of(req)->timeout);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    (void)fi;
    reply_attr(req, ino);
}

static struct timespec time_to_set(int to_set, int flag, int now_flag, struct timespec given)
{
    if (to_set & now_flag)
        return (struct timespec){.tv_nsec = UTIME_NOW};
    return to_set & flag ? given : (struct timespec){.tv_nsec = UTIME_OMIT};
}

static int set_owner(int fd, const struct stat* attr, int to_set)
{
    uid_t uid = to_set & FUSE_SET_ATTR_UID ? attr->st_uid : (uid_t)-1;
    gid_t gid = to_set & FUSE_SET_ATTR_GID ? attr->st_gid : (gid_t)-1;
    return fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
}

static int set_times(const char* path, const struct stat* attr, int to_set)
{
    const struct timespec times[2] = {
        time_to_set(to_set, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, attr->st_atim),
        time_to_set(to_set, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, attr->st_mtim),
    };
    return utimensat(AT_FDCWD, path, times, 0);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat* attr, int to_set,
                       struct fuse_file_info* fi)
{
    int fd = pt_fd_of(req, ino);
    struct pt_path path = pt_path_of(fd);
    const int times =
        FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW;
    int rc = 0;
    /* The owner comes before the mode: changing it may clear bits the new mode sets. */
    if (to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
        rc = set_owner(fd, attr, to_set);
    if (rc == 0 && (to_set & FUSE_SET_ATTR_SIZE))
        rc = fi ? ftruncate((int)fi->fh, attr->st_size) : truncate(path.text, attr->st_size);
    if (rc == 0 && (to_set & FUSE_SET_ATTR_MODE))
        rc = chmod(path.text, attr->st_mode & 07777);
    if (rc == 0 && (to_set & times))
        rc = set_times(path.text, attr, to_set);
    if (rc != 0)
        fuse_reply_err(req, errno);
    else
        reply_attr(req, ino);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    struct statvfs st;
    if (fstatvfs(pt_fd_of(req, ino), &st) != 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_statfs(req, &st);
}

void pt_add_attr_ops(struct fuse_lowlevel_ops* ops)
{
    ops->getattr = op_getattr;
    ops->setattr = op_setattr;
    ops->statfs = op_statfs;
}
