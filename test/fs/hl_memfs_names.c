/* Path operations of hl_memfs that make, change and remove names. Each holds fs->tree from the search to the
 * change. */
#include "hl_memfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Makes what `want` says (its name and owner come from here). `fi`, if not NULL, becomes an open file of it.
 */
static int make(const char* path, struct mem_wanted want, struct fuse_file_info* fi)
{
    struct mem_fs* fs = hl_fs();
    struct mem_node* dir;
    struct mem_node* node = NULL;
    want.uid = fuse_get_context()->uid;
    want.gid = fuse_get_context()->gid;
    pthread_mutex_lock(&fs->tree);
    int rc = hl_parent(path, &dir, &want.name);
    if (rc == 0)
        rc = -mem_make(fs, dir, &want, &node);
    if (rc == 0 && fi) {
        node->nopen++;
        fi->fh = (uint64_t)(uintptr_t)node;
    }
    pthread_mutex_unlock(&fs->tree);
    return rc;
}

static int hl_mknod(const char* path, mode_t mode, dev_t rdev)
{
    return make(path, (struct mem_wanted){.mode = mode, .rdev = rdev}, NULL);
}

static int hl_mkdir(const char* path, mode_t mode)
{
    return make(path, (struct mem_wanted){.mode = S_IFDIR | (mode & 07777)}, NULL);
}

static int hl_symlink(const char* target, const char* path)
{
    return make(path, (struct mem_wanted){.mode = S_IFLNK | 0777, .target = target}, NULL);
}

/* Another call may have made the name since the kernel looked: then O_EXCL decides. */
static int hl_create(const char* path, mode_t mode, struct fuse_file_info* fi)
{
    int rc = make(path, (struct mem_wanted){.mode = S_IFREG | (mode & 07777)}, fi);
    if (rc == -EEXIST && !(fi->flags & O_EXCL)) {
        struct mem_node* node;
        fi->fh = 0;
        rc = hl_hold(path, NULL, &node);
        if (rc == 0 && node->is_dir) {
            hl_drop(node);
            return -EISDIR;
        }
        if (rc == 0)
            fi->fh = (uint64_t)(uintptr_t)node; /* the reference of hl_hold() is the open file's */
    }
    return rc;
}

static int hl_readlink(const char* path, char* buf, size_t size)
{
    struct mem_node* node;
    int rc = hl_hold(path, NULL, &node);
    if (rc < 0)
        return rc;
    if (node->target) {
        /* The API wants a terminated text, cut off if it does not fit. */
        size_t len = strnlen(node->target, size - 1);
        memcpy(buf, node->target, len);
        buf[len] = '\0';
    } else {
        rc = -EINVAL;
    }
    hl_drop(node);
    return rc;
}

static int take_away(const char* path, int want_dir)
{
    struct mem_fs* fs = hl_fs();
    struct mem_node* dir;
    const char* name;
    pthread_mutex_lock(&fs->tree);
    int rc = hl_parent(path, &dir, &name);
    if (rc == 0)
        rc = -mem_remove(fs, dir, name, want_dir);
    pthread_mutex_unlock(&fs->tree);
    return rc;
}

static int hl_unlink(const char* path)
{
    return take_away(path, /* want_dir= */ 0);
}

static int hl_rmdir(const char* path)
{
    return take_away(path, /* want_dir= */ 1);
}

static int hl_rename(const char* from, const char* to, unsigned int flags)
{
    struct mem_fs* fs = hl_fs();
    struct mem_node *from_dir, *to_dir;
    const char *from_name, *to_name;
    pthread_mutex_lock(&fs->tree);
    int rc = hl_parent(from, &from_dir, &from_name);
    if (rc == 0)
        rc = hl_parent(to, &to_dir, &to_name);
    if (rc == 0)
        rc = -mem_rename(fs, from_dir, from_name, to_dir, to_name, flags);
    pthread_mutex_unlock(&fs->tree);
    return rc;
}

static int hl_link(const char* from, const char* to)
{
    struct mem_fs* fs = hl_fs();
    struct mem_node *node, *dir;
    const char* name;
    pthread_mutex_lock(&fs->tree);
    int rc = hl_find(from, &node);
    if (rc == 0)
        rc = hl_parent(to, &dir, &name);
    if (rc == 0)
        rc = -mem_link(fs, node, dir, name);
    pthread_mutex_unlock(&fs->tree);
    return rc;
}

void hl_memfs_add_name_ops(struct fuse_operations* ops)
{
    ops->mknod = hl_mknod;
    ops->mkdir = hl_mkdir;
    ops->symlink = hl_symlink;
    ops->create = hl_create;
    ops->readlink = hl_readlink;
    ops->unlink = hl_unlink;
    ops->rmdir = hl_rmdir;
    ops->rename = hl_rename;
    ops->link = hl_link;
}
