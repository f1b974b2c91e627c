/* FUSE operations of memfs on open files that do not move bytes: open, release, flush, fsync, fallocate,
 * lseek, ioctl. */
#include "memfs.h"
#include "memfs_ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static void add_open(struct mem_fs* fs, struct mem_node* node, int delta)
{
    pthread_mutex_lock(&fs->tree);
    node->nopen += (uint64_t)(int64_t)delta;
    mem_node_check(fs, node);
    pthread_mutex_unlock(&fs->tree);
}

static void memfs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_node* node = mem_node_of(fs, ino);
    add_open(fs, node, 1);
    if (fi->flags & O_TRUNC) {
        pthread_mutex_lock(&node->lock);
        (void)mem_resize(fs, node, 0);
        mem_touch(node, kTouchData);
        pthread_mutex_unlock(&node->lock);
    }
    /* All changes come through this kernel, so what it has cached stays right. */
    fi->keep_cache = 1;
    fi->direct_io = fs->direct_io ? 1 : 0;
    if (fuse_reply_open(req, fi) == -ENOENT)
        add_open(fs, node, -1);
}

static void memfs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_node* node = mem_node_of(fs, ino);
    if (fi->flock_release)
        mem_drop_locks(fs, node, fi->lock_owner, /* is_flock= */ 1);
    add_open(fs, node, -1);
    fuse_reply_err(req, 0);
}

/* Every close() of a descriptor ends the POSIX locks of that owner; the kernel leaves it to FLUSH. */
static void memfs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    struct mem_fs* fs = mem_fs_of(req);
    mem_drop_locks(fs, mem_node_of(fs, ino), fi->lock_owner, /* is_flock= */ 0);
    fuse_reply_err(req, 0);
}

static void memfs_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info* fi)
{
    (void)ino;
    (void)datasync;
    (void)fi;
    fuse_reply_err(req, 0); /* memory has no later to write to */
}

static void memfs_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
                            struct fuse_file_info* fi)
{
    (void)fi;
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_node* node = mem_node_of(fs, ino);
    pthread_mutex_lock(&node->lock);
    int err = mem_fallocate(fs, node, mode, offset, length);
    pthread_mutex_unlock(&node->lock);
    fuse_reply_err(req, err);
}

static void memfs_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info* fi)
{
    (void)fi;
    struct mem_node* node = mem_node_of(mem_fs_of(req), ino);
    off_t found = 0;
    pthread_mutex_lock(&node->lock);
    int err = mem_seek(node, off, whence, &found);
    pthread_mutex_unlock(&node->lock);
    if (err)
        fuse_reply_err(req, err);
    else
        fuse_reply_lseek(req, found);
}

static void ioctl_usage(fuse_req_t req, struct mem_node* node)
{
    struct mem_fs* fs = mem_fs_of(req);
    struct memfs_usage usage = {0};
    pthread_mutex_lock(&fs->tree);
    usage.nr_nodes = fs->nr_nodes;
    pthread_mutex_unlock(&fs->tree);
    pthread_mutex_lock(&node->lock);
    usage.file_pages = node->pages.nr_pages;
    pthread_mutex_unlock(&node->lock);
    fuse_reply_ioctl(req, 0, &usage, sizeof(usage));
}

static void memfs_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void* arg,
                        struct fuse_file_info* fi, unsigned flags, const void* in_buf, size_t in_bufsz,
                        size_t out_bufsz)
{
    (void)arg;
    (void)fi;
    (void)flags;
    struct memfs_sum sum = {0};
    if (in_bufsz >= sizeof(sum))
        memcpy(&sum, in_buf, sizeof(sum));
    switch (cmd) {
    case MEMFS_IOC_USAGE:
        if (out_bufsz < sizeof(struct memfs_usage))
            fuse_reply_err(req, EINVAL);
        else
            ioctl_usage(req, mem_node_of(mem_fs_of(req), ino));
        break;
    case MEMFS_IOC_CHECK:
        if (in_bufsz < sizeof(sum))
            fuse_reply_err(req, EINVAL);
        else if (sum.sum != sum.first + sum.second)
            fuse_reply_err(req, EBADMSG);
        else
            fuse_reply_ioctl(req, 0, NULL, 0);
        break;
    case MEMFS_IOC_SUM:
        if (in_bufsz < sizeof(sum) || out_bufsz < sizeof(sum)) {
            fuse_reply_err(req, EINVAL);
        } else {
            sum.sum = sum.first + sum.second;
            fuse_reply_ioctl(req, 7, &sum, sizeof(sum));
        }
        break;
    case MEMFS_IOC_NOTHING:
        fuse_reply_ioctl(req, 0, NULL, 0);
        break;
    default:
        fuse_reply_err(req, ENOTTY);
    }
}

void memfs_add_file_ops(struct fuse_lowlevel_ops* ops)
{
    ops->open = memfs_open;
    ops->release = memfs_release;
    ops->flush = memfs_flush;
    ops->fsync = memfs_fsync;
    ops->fsyncdir = memfs_fsync;
    ops->fallocate = memfs_fallocate;
    ops->lseek = memfs_lseek;
    ops->ioctl = memfs_ioctl;
}
