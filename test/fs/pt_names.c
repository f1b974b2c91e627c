/* FUSE operations of passthrough that make, move and remove names. */
#include "pt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int pt_give_to_caller(fuse_req_t req, int dir_fd, const char* name, mode_t mode)
{
    const struct fuse_ctx* ctx = fuse_req_ctx(req);
    if (!pt_of(req)->is_root || (ctx->uid == 0 && ctx->gid == 0))
        return 0;
    struct stat dir;
    if (fstatat(dir_fd, "", &dir, AT_EMPTY_PATH) != 0)
        return errno;
    /* In a set-group-ID directory the group is the directory's already. */
    gid_t gid = dir.st_mode & S_ISGID ? (gid_t)-1 : ctx->gid;
    if (fchownat(dir_fd, name, ctx->uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
        return errno;
    /* Changing the owner of a file takes these bits away. */
    if (S_ISREG(mode) && (mode & (S_ISUID | S_ISGID)) && fchmodat(dir_fd, name, mode & 07777, 0) != 0)
        return errno;
    return 0;
}

/* Second half of every operation that made a name: owner, inode, reply. `rc` is the result of the first half.
 */
static void finish_new(fuse_req_t req, int rc, int dir_fd, const char* name, mode_t mode)
{
    struct fuse_entry_param e;
    int err = rc == 0 ? 0 : errno;
    if (!err) {
        err = pt_give_to_caller(req, dir_fd, name, mode);
        if (!err)
            err = pt_lookup(pt_of(req), dir_fd, name, &e);
        if (err)
            (void)unlinkat(dir_fd, name, S_ISDIR(mode) ? AT_REMOVEDIR : 0);
    }
    pt_reply_entry(req, err, &e);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t rdev)
{
    int dir_fd = pt_fd_of(req, parent);
    finish_new(req, mknodat(dir_fd, name, mode, rdev), dir_fd, name, mode);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode)
{
    int dir_fd = pt_fd_of(req, parent);
    finish_new(req, mkdirat(dir_fd, name, mode), dir_fd, name, S_IFDIR | mode);
}

static void op_symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name)
{
    int dir_fd = pt_fd_of(req, parent);
    finish_new(req, symlinkat(target, dir_fd, name), dir_fd, name, S_IFLNK);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char* newname)
{
    int dir_fd = pt_fd_of(req, newparent);
    struct fuse_entry_param e;
    struct pt_path path = pt_path_of(pt_fd_of(req, ino));
    int err = linkat(AT_FDCWD, path.text, dir_fd, newname, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
    if (!err)
        err = pt_lookup(pt_of(req), dir_fd, newname, &e);
    pt_reply_entry(req, err, &e);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    fuse_reply_err(req, unlinkat(pt_fd_of(req, parent), name, 0) == 0 ? 0 : errno);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    fuse_reply_err(req, unlinkat(pt_fd_of(req, parent), name, AT_REMOVEDIR) == 0 ? 0 : errno);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t newparent,
                      const char* newname, unsigned int flags)
{
    int rc = renameat2(pt_fd_of(req, parent), name, pt_fd_of(req, newparent), newname, flags);
    fuse_reply_err(req, rc == 0 ? 0 : errno);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(pt_fd_of(req, ino), "", target, sizeof(target) - 1);
    if (len < 0) {
        fuse_reply_err(req, errno);
        return;
    }
    target[len] = '\0';
    fuse_reply_readlink(req, target);
}

/* Only the one who really makes the file may give it away, so O_EXCL is tried first. */
static int open_new(fuse_req_t req, int dir_fd, const char* name, mode_t mode, int flags, int* ret_fd)
{
    int open_flags = (pt_open_flags(pt_of(req), flags) & ~(O_CREAT | O_EXCL)) | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dir_fd, name, open_flags | O_CREAT | O_EXCL, mode & 07777);
    if (fd >= 0) {
        int err = pt_give_to_caller(req, dir_fd, name, S_IFREG | (mode & 07777));
        if (err) {
            close(fd);
            (void)unlinkat(dir_fd, name, 0);
            return err;
        }
    } else if (errno == EEXIST && !(flags & O_EXCL)) {
        fd = openat(dir_fd, name, open_flags);
    }
    if (fd < 0)
        return errno;
    *ret_fd = fd;
    return 0;
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode,
                      struct fuse_file_info* fi)
{
    struct pt* pt = pt_of(req);
    int dir_fd = pt_fd_of(req, parent);
    struct fuse_entry_param e;
    int fd = -1;
    int err = open_new(req, dir_fd, name, mode, fi->flags, &fd);
    if (!err) {
        err = pt_lookup(pt, dir_fd, name, &e);
        if (err)
            close(fd);
    }
    if (err) {
        fuse_reply_err(req, err);
        return;
    }
    fi->fh = (uint64_t)fd;
    pt_reply_create(req, &e, fi);
}

void pt_add_name_ops(struct fuse_lowlevel_ops* ops)
{
    ops->mknod = op_mknod;
    ops->mkdir = op_mkdir;
    ops->symlink = op_symlink;
    ops->readlink = op_readlink;
    ops->link = op_link;
    ops->unlink = op_unlink;
    ops->rmdir = op_rmdir;
    ops->rename = op_rename;
    ops->create = op_create;
}
