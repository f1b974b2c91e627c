/* FUSE operations of passthrough that move bytes. Reads hand the descriptor to the library (fuse_reply_data),
 * writes take whatever buffer it has (fuse_buf_copy): the paths on which a library can avoid copies. */
#include "pt.h"

#include <errno.h>
#include <unistd.h>

static struct fuse_bufvec vec_of_fd(const struct fuse_file_info* fi, size_t size, off_t off)
{
    struct fuse_bufvec vec = FUSE_BUFVEC_INIT(size);
    vec.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
    vec.buf[0].fd = (int)fi->fh;
    vec.buf[0].pos = off;
    return vec;
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)ino;
    struct fuse_bufvec vec = vec_of_fd(fi, size, off);
    fuse_reply_data(req, &vec, FUSE_BUF_SPLICE_MOVE);
}

/* Kernel: without its page cache fuse_direct_io() leaves set-user-ID bits to the server
 * (FUSE_WRITE_KILL_SUIDGID, which the API does not show), unless the writer has CAP_FSETID. Our own write as
 * root would keep them. */
static void drop_suid(fuse_req_t req, const struct fuse_file_info* fi)
{
    const struct pt* pt = pt_of(req);
    struct stat st;
    if ((!pt->direct_io && pt->cache != kCacheNever) || fuse_req_ctx(req)->uid == 0 ||
        fstat((int)fi->fh, &st) != 0)
        return;
    mode_t doomed = S_ISUID | (st.st_mode & S_IXGRP ? S_ISGID : 0);
    if (st.st_mode & doomed)
        (void)fchmod((int)fi->fh, st.st_mode & 07777 & ~doomed);
}

static void op_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec* in, off_t off,
                         struct fuse_file_info* fi)
{
    (void)ino;
    struct fuse_bufvec out = vec_of_fd(fi, fuse_buf_size(in), off);
    drop_suid(req, fi);
    ssize_t done = fuse_buf_copy(&out, in, (enum fuse_buf_copy_flags)0);
    if (done < 0)
        fuse_reply_err(req, (int)-done);
    else
        fuse_reply_write(req, (size_t)done);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char* buf, size_t size, off_t off,
                     struct fuse_file_info* fi)
{
    (void)ino;
    drop_suid(req, fi);
    ssize_t done = pwrite((int)fi->fh, buf, size, off);
    if (done < 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_write(req, (size_t)done);
}

static void op_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in, struct fuse_file_info* fi_in,
                               fuse_ino_t ino_out, off_t off_out, struct fuse_file_info* fi_out, size_t len,
                               int flags)
{
    (void)ino_in;
    (void)ino_out;
    ssize_t done = copy_file_range((int)fi_in->fh, &off_in, (int)fi_out->fh, &off_out, len, (unsigned)flags);
    if (done < 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_write(req, (size_t)done);
}

void pt_add_io_ops(struct fuse_lowlevel_ops* ops, const struct pt* pt)
{
    ops->read = op_read;
    ops->write = op_write;
    if (!pt->plain_write)
        ops->write_buf = op_write_buf;
    ops->copy_file_range = op_copy_file_range;
}
