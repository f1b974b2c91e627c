/* FUSE operations of memfs that move bytes: read, write, write_buf, copy_file_range. Data is copied under the
 * node's lock and answered after it, so a reply that waits for the kernel holds up nobody. */
#include "memfs.h"

#include <errno.h>
#include <stdlib.h>

static void memfs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)fi;
    struct mem_node* node = mem_node_of(mem_fs_of(req), ino);
    char* buf = malloc(size ? size : 1);
    if (!buf) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    pthread_mutex_lock(&node->lock);
    size_t done = mem_read(node, buf, size, off);
    mem_touch_read(node);
    pthread_mutex_unlock(&node->lock);
    fuse_reply_buf(req, buf, done);
    free(buf);
}

/* Kernel: without its page cache fuse_direct_io() leaves set-user-ID bits to the server
 * (FUSE_WRITE_KILL_SUIDGID, which the API does not show), unless the writer has CAP_FSETID. REQUIRES:
 * node->lock. */
static void drop_suid(fuse_req_t req, const struct mem_fs* fs, struct mem_node* node)
{
    if (!fs->direct_io || fuse_req_ctx(req)->uid == 0)
        return;
    node->attr.st_mode &= ~(mode_t)S_ISUID;
    if (node->attr.st_mode & S_IXGRP)
        node->attr.st_mode &= ~(mode_t)S_ISGID;
}

static void memfs_write(fuse_req_t req, fuse_ino_t ino, const char* buf, size_t size, off_t off,
                        struct fuse_file_info* fi)
{
    (void)fi;
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_node* node = mem_node_of(fs, ino);
    size_t done = 0;
    pthread_mutex_lock(&node->lock);
    int err = mem_write(fs, node, buf, size, off, &done);
    drop_suid(req, fs, node);
    pthread_mutex_unlock(&node->lock);
    if (err)
        fuse_reply_err(req, err);
    else
        fuse_reply_write(req, done);
}

/* One piece of memory is used where it is; a pipe, or several pieces, are gathered first. */
static void memfs_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec* in, off_t off,
                            struct fuse_file_info* fi)
{
    if (in->count == 1 && in->idx == 0 && !(in->buf[0].flags & FUSE_BUF_IS_FD)) {
        memfs_write(req, ino, (const char*)in->buf[0].mem + in->off, in->buf[0].size - in->off, off, fi);
        return;
    }
    size_t size = fuse_buf_size(in);
    struct fuse_bufvec out = FUSE_BUFVEC_INIT(size);
    out.buf[0].mem = malloc(size ? size : 1);
    if (!out.buf[0].mem) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    ssize_t got = fuse_buf_copy(&out, in, (enum fuse_buf_copy_flags)0);
    if (got < 0)
        fuse_reply_err(req, (int)-got);
    else
        memfs_write(req, ino, out.buf[0].mem, (size_t)got, off, fi);
    free(out.buf[0].mem);
}

static void memfs_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
                                  struct fuse_file_info* fi_in, fuse_ino_t ino_out, off_t off_out,
                                  struct fuse_file_info* fi_out, size_t len, int flags)
{
    (void)fi_in;
    (void)fi_out;
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_node* in = mem_node_of(fs, ino_in);
    struct mem_node* out = mem_node_of(fs, ino_out);
    size_t done = 0;
    int err = flags ? EINVAL : 0;
    if (!err) {
        mem_lock_pair(in, out);
        err = mem_copy(fs, in, off_in, out, off_out, len, &done);
        mem_unlock_pair(in, out);
    }
    if (err)
        fuse_reply_err(req, err);
    else
        fuse_reply_write(req, done);
}

void memfs_add_io_ops(struct fuse_lowlevel_ops* ops, const struct mem_fs* fs)
{
    ops->read = memfs_read;
    ops->write = memfs_write;
    if (!fs->plain_write)
        ops->write_buf = memfs_write_buf;
    ops->copy_file_range = memfs_copy_file_range;
}
