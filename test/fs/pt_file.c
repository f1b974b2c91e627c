/* FUSE operations of passthrough on open files that do not move bytes. fi->fh is the descriptor. */
#include "pt.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int pt_open_flags(const struct pt* pt, int flags)
{
    /* The kernel's buffers are not aligned for O_DIRECT; it cares for direct access by itself. */
    flags &= ~O_DIRECT;
    if (pt->writeback) {
        /* The kernel reads around a partly written page and computes the place of an append itself. */
        if ((flags & O_ACCMODE) == O_WRONLY)
            flags = (flags & ~O_ACCMODE) | O_RDWR;
        flags &= ~O_APPEND;
    }
    return flags;
}

void pt_set_cache_bits(const struct pt* pt, struct fuse_file_info* fi)
{
    fi->direct_io = pt->direct_io || pt->cache == kCacheNever;
    fi->keep_cache = !fi->direct_io && pt->cache == kCacheAlways;
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    struct pt* pt = pt_of(req);
    struct pt_path path = pt_path_of(pt_fd_of(req, ino));
    /* The /proc path is a symlink, so O_NOFOLLOW must go. */
    int fd = open(path.text, (pt_open_flags(pt, fi->flags) & ~(O_NOFOLLOW | O_CREAT | O_EXCL)) | O_CLOEXEC);
    if (fd < 0) {
        fuse_reply_err(req, errno);
        return;
    }
    fi->fh = (uint64_t)fd;
    pt_set_cache_bits(pt, fi);
    if (pt->attach)
        pt->attach(req, pt, pt_inode_of(pt, ino), fi);
    if (fuse_reply_open(req, fi) == -ENOENT) {
        if (pt->detach)
            pt->detach(req, pt, pt_inode_of(pt, ino));
        close(fd);
    }
}

void pt_reply_create(fuse_req_t req, const struct fuse_entry_param* e, struct fuse_file_info* fi)
{
    struct pt* pt = pt_of(req);
    pt_set_cache_bits(pt, fi);
    if (pt->attach)
        pt->attach(req, pt, pt_inode_of(pt, e->ino), fi);
    if (fuse_reply_create(req, e, fi) == -ENOENT) {
        if (pt->detach)
            pt->detach(req, pt, pt_inode_of(pt, e->ino));
        close((int)fi->fh);
        pt_forget(pt, e->ino, 1);
    }
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    struct pt* pt = pt_of(req);
    if (pt->detach)
        pt->detach(req, pt, pt_inode_of(pt, ino));
    close((int)fi->fh); /* ends a flock as well */
    fuse_reply_err(req, 0);
}

/* Only a close() shows the errors of some filesystems. */
static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    (void)ino;
    int copy = fcntl((int)fi->fh, F_DUPFD_CLOEXEC, 3);
    fuse_reply_err(req, copy >= 0 && close(copy) == 0 ? 0 : errno);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info* fi)
{
    (void)ino;
    int rc = datasync ? fdatasync((int)fi->fh) : fsync((int)fi->fh);
    fuse_reply_err(req, rc == 0 ? 0 : errno);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
                         struct fuse_file_info* fi)
{
    (void)ino;
    fuse_reply_err(req, fallocate((int)fi->fh, mode, offset, length) == 0 ? 0 : errno);
}

static void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info* fi)
{
    (void)ino;
    /* Moves the shared position, which nothing else uses. */
    off_t found = lseek((int)fi->fh, off, whence);
    if (found < 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_lseek(req, found);
}

void pt_add_file_ops(struct fuse_lowlevel_ops* ops)
{
    ops->open = op_open;
    ops->release = op_release;
    ops->flush = op_flush;
    ops->fsync = op_fsync;
    ops->fallocate = op_fallocate;
    ops->lseek = op_lseek;
    ops->flock = pt_flock;
}
