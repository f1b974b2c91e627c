/* Path operations of hl_memfs on open files beyond reading and writing: fallocate, lseek, copies, ioctl,
 * poll. */
#include "hl_memfs.h"
#include "memfs_ioctl.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* Kernel: without its page cache fuse_direct_io() leaves set-user-ID bits to the server. REQUIRES:
 * node->lock. */
static void drop_suid(struct mem_node* node)
{
    if (!hl_memfs()->direct_io || fuse_get_context()->uid == 0)
        return;
    node->attr.st_mode &= ~(mode_t)S_ISUID;
    if (node->attr.st_mode & S_IXGRP)
        node->attr.st_mode &= ~(mode_t)S_ISGID;
}

int hl_write(struct mem_node* node, const char* buf, size_t size, off_t off)
{
    size_t done = 0;
    pthread_mutex_lock(&node->lock);
    int err = mem_write(hl_fs(), node, buf, size, off, &done);
    drop_suid(node);
    struct fuse_pollhandle* poller = node->poller;
    node->poller = NULL;
    pthread_mutex_unlock(&node->lock);
    if (poller) {
        (void)fuse_notify_poll(poller);
        fuse_pollhandle_destroy(poller);
    }
    return err ? -err : (int)done;
}

static int hl_flush(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    (void)fi;
    return 0; /* the locks of the owner are dropped by the library: it calls lock() */
}

static int hl_fsync(const char* path, int datasync, struct fuse_file_info* fi)
{
    (void)path;
    (void)datasync;
    (void)fi;
    return 0; /* memory has no later to write to */
}

static int hl_fallocate(const char* path, int mode, off_t off, off_t len, struct fuse_file_info* fi)
{
    struct mem_node* node;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&node->lock);
    rc = -mem_fallocate(hl_fs(), node, mode, off, len);
    pthread_mutex_unlock(&node->lock);
    hl_drop(node);
    return rc;
}

static off_t hl_lseek(const char* path, off_t off, int whence, struct fuse_file_info* fi)
{
    struct mem_node* node;
    off_t found = 0;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&node->lock);
    rc = -mem_seek(node, off, whence, &found);
    pthread_mutex_unlock(&node->lock);
    hl_drop(node);
    return rc < 0 ? rc : found;
}

static ssize_t hl_copy_file_range(const char* path_in, struct fuse_file_info* fi_in, off_t off_in,
                                  const char* path_out, struct fuse_file_info* fi_out, off_t off_out,
                                  size_t size, int flags)
{
    struct mem_node *in, *out;
    size_t done = 0;
    if (flags)
        return -EINVAL;
    int rc = hl_hold(path_in, fi_in, &in);
    if (rc < 0)
        return rc;
    rc = hl_hold(path_out, fi_out, &out);
    if (rc == 0) {
        mem_lock_pair(in, out);
        rc = -mem_copy(hl_fs(), in, off_in, out, off_out, size, &done);
        mem_unlock_pair(in, out);
        hl_drop(out);
    }
    hl_drop(in);
    return rc < 0 ? rc : (ssize_t)done;
}

static void fill_usage(struct mem_node* node, struct memfs_usage* usage)
{
    struct mem_fs* fs = hl_fs();
    pthread_mutex_lock(&fs->tree);
    usage->nr_nodes = fs->nr_nodes;
    pthread_mutex_unlock(&fs->tree);
    pthread_mutex_lock(&node->lock);
    usage->file_pages = node->pages.nr_pages;
    pthread_mutex_unlock(&node->lock);
}

/* `data` holds what came in and takes what goes out; the command number says how many bytes each way. */
static int hl_ioctl(const char* path, unsigned int cmd, void* arg, struct fuse_file_info* fi,
                    unsigned int flags, void* data)
{
    (void)arg;
    (void)flags;
    struct memfs_sum sum;
    struct memfs_usage usage;
    struct mem_node* node;
    switch (cmd) {
    case MEMFS_IOC_USAGE: {
        int rc = hl_hold(path, fi, &node);
        if (rc < 0)
            return rc;
        fill_usage(node, &usage);
        hl_drop(node);
        memcpy(data, &usage, sizeof(usage));
        return 0;
    }
    case MEMFS_IOC_CHECK:
        memcpy(&sum, data, sizeof(sum));
        return sum.sum == sum.first + sum.second ? 0 : -EBADMSG;
    case MEMFS_IOC_SUM:
        memcpy(&sum, data, sizeof(sum));
        sum.sum = sum.first + sum.second;
        memcpy(data, &sum, sizeof(sum));
        return 7;
    case MEMFS_IOC_NOTHING:
        return 0;
    default:
        return -ENOTTY;
    }
}

/* A file can be read once it holds something; the next write is told to the last who asked. */
static int hl_poll(const char* path, struct fuse_file_info* fi, struct fuse_pollhandle* handle,
                   unsigned* ret_events)
{
    struct mem_node* node;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0) {
        if (handle)
            fuse_pollhandle_destroy(handle);
        return rc;
    }
    struct fuse_pollhandle* old = NULL;
    pthread_mutex_lock(&node->lock);
    if (handle) {
        old = node->poller;
        node->poller = handle;
    }
    *ret_events = POLLOUT | (node->attr.st_size > 0 ? POLLIN : 0);
    pthread_mutex_unlock(&node->lock);
    if (old)
        fuse_pollhandle_destroy(old);
    hl_drop(node);
    return 0;
}

void hl_memfs_add_misc_ops(struct fuse_operations* ops)
{
    ops->flush = hl_flush;
    ops->fsync = hl_fsync;
    ops->fsyncdir = hl_fsync;
    ops->fallocate = hl_fallocate;
    ops->lseek = hl_lseek;
    ops->copy_file_range = hl_copy_file_range;
    ops->ioctl = hl_ioctl;
    ops->poll = hl_poll;
}
