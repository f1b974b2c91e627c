/* FUSE operations of memfs on attributes: getattr, setattr, statfs. Permission checks are the kernel's
 * (default_permissions); what arrives here is allowed. */
#include "memfs.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static void memfs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    (void)fi;
    struct mem_fs* fs = mem_fs_of(req);
    struct stat st;
    mem_stat(mem_node_of(fs, ino), &st);
    fuse_reply_attr(req, &st, fs->timeout);
}

int mem_set_size(struct mem_fs* fs, struct mem_node* node, off_t size)
{
    if (node->is_dir)
        return EISDIR;
    if (!S_ISREG(node->attr.st_mode))
        return EINVAL;
    int err = mem_resize(fs, node, size);
    if (!err)
        mem_touch(node, kTouchData);
    return err;
}

static void set_times(struct mem_node* node, const struct stat* attr, int to_set)
{
    if (to_set & FUSE_SET_ATTR_ATIME_NOW)
        mem_touch(node, kTouchAtime);
    else if (to_set & FUSE_SET_ATTR_ATIME)
        node->attr.st_atim = attr->st_atim;
    if (to_set & FUSE_SET_ATTR_MTIME_NOW)
        mem_touch(node, kTouchMtime);
    else if (to_set & FUSE_SET_ATTR_MTIME)
        node->attr.st_mtim = attr->st_mtim;
    /* Only a kernel that caches writes names the ctime itself. */
    if (to_set & FUSE_SET_ATTR_CTIME)
        node->attr.st_ctim = attr->st_ctim;
}

static void memfs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat* attr, int to_set,
                          struct fuse_file_info* fi)
{
    (void)fi;
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_node* node = mem_node_of(fs, ino);
    int err = 0;
    pthread_mutex_lock(&node->lock);
    if (to_set & FUSE_SET_ATTR_SIZE)
        err = mem_set_size(fs, node, attr->st_size);
    if (!err) {
        if (to_set & FUSE_SET_ATTR_MODE)
            node->attr.st_mode = (node->attr.st_mode & S_IFMT) | (attr->st_mode & 07777);
        if (to_set & FUSE_SET_ATTR_UID)
            node->attr.st_uid = attr->st_uid;
        if (to_set & FUSE_SET_ATTR_GID)
            node->attr.st_gid = attr->st_gid;
        mem_touch(node, kTouchCtime);
        set_times(node, attr, to_set);
    }
    pthread_mutex_unlock(&node->lock);
    if (err) {
        fuse_reply_err(req, err);
        return;
    }
    struct stat st;
    mem_stat(node, &st);
    fuse_reply_attr(req, &st, fs->timeout);
}

void mem_statfs(struct mem_fs* fs, struct statvfs* st)
{
    memset(st, 0, sizeof(*st));
    st->f_bsize = kPageBytes;
    st->f_frsize = kPageBytes;
    st->f_namemax = NAME_MAX;
    pthread_mutex_lock(&fs->pages);
    st->f_blocks = fs->max_pages;
    st->f_bfree = fs->max_pages - fs->used_pages;
    pthread_mutex_unlock(&fs->pages);
    st->f_bavail = st->f_bfree;
    pthread_mutex_lock(&fs->tree);
    st->f_files = (fsfilcnt_t)1 << 32;
    st->f_ffree = st->f_files - fs->nr_nodes;
    pthread_mutex_unlock(&fs->tree);
    st->f_favail = st->f_ffree;
}

static void memfs_statfs(fuse_req_t req, fuse_ino_t ino)
{
    (void)ino;
    struct statvfs st;
    mem_statfs(mem_fs_of(req), &st);
    fuse_reply_statfs(req, &st);
}

void memfs_add_attr_ops(struct fuse_lowlevel_ops* ops)
{
    ops->getattr = memfs_getattr;
    ops->setattr = memfs_setattr;
    ops->statfs = memfs_statfs;
}
