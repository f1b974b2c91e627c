/* FUSE operations of memfs that look up, make and remove names. Each holds fs->tree from the search to the
 * change, so two calls never see half of each other. */
#include "memfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

int mem_make(struct mem_fs* fs, struct mem_node* dir, const struct mem_wanted* want,
             struct mem_node** ret_node)
{
    if (mem_dir_find(fs, dir, want->name))
        return EEXIST;
    struct mem_node* node = mem_node_new(fs, dir, want);
    if (!node)
        return ENOMEM;
    int err = 0;
    if (want->target) {
        node->target = strdup(want->target);
        node->attr.st_size = (off_t)strlen(want->target);
        err = node->target ? 0 : ENOMEM;
    }
    if (!err)
        err = mem_dir_add(fs, dir, want->name, node);
    if (err) {
        mem_node_check(fs, node);
        return err;
    }
    *ret_node = node;
    return 0;
}

/* `want` without its owner: that is the caller. */
static struct mem_wanted of_caller(fuse_req_t req, struct mem_wanted want)
{
    want.uid = fuse_req_ctx(req)->uid;
    want.gid = fuse_req_ctx(req)->gid;
    return want;
}

static void make_and_reply(fuse_req_t req, fuse_ino_t parent, struct mem_wanted want)
{
    struct mem_fs* fs = mem_fs_of(req);
    want = of_caller(req, want);
    struct fuse_entry_param e;
    struct mem_node* node = NULL;
    pthread_mutex_lock(&fs->tree);
    int err = mem_make(fs, mem_node_of(fs, parent), &want, &node);
    if (!err)
        mem_fill_entry(fs, node, &e);
    pthread_mutex_unlock(&fs->tree);
    if (err)
        fuse_reply_err(req, err);
    else
        mem_reply_entry(req, node, &e);
}

static void memfs_lookup(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    struct mem_fs* fs = mem_fs_of(req);
    struct fuse_entry_param e;
    struct mem_node* node = NULL;
    pthread_mutex_lock(&fs->tree);
    struct mem_entry* entry = mem_dir_find(fs, mem_node_of(fs, parent), name);
    if (entry) {
        node = entry->node;
        mem_fill_entry(fs, node, &e);
    }
    pthread_mutex_unlock(&fs->tree);
    if (node)
        mem_reply_entry(req, node, &e);
    else
        fuse_reply_err(req, strlen(name) > 255 ? ENAMETOOLONG : ENOENT);
}

static void memfs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
    struct mem_fs* fs = mem_fs_of(req);
    mem_forget(fs, mem_node_of(fs, ino), nlookup);
    fuse_reply_none(req);
}

static void memfs_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data* forgets)
{
    struct mem_fs* fs = mem_fs_of(req);
    for (size_t i = 0; i < count; i++)
        mem_forget(fs, mem_node_of(fs, forgets[i].ino), forgets[i].nlookup);
    fuse_reply_none(req);
}

static void memfs_mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t rdev)
{
    make_and_reply(req, parent, (struct mem_wanted){.name = name, .mode = mode, .rdev = rdev});
}

static void memfs_mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode)
{
    make_and_reply(req, parent, (struct mem_wanted){.name = name, .mode = S_IFDIR | (mode & 07777)});
}

static void memfs_symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name)
{
    make_and_reply(req, parent, (struct mem_wanted){.name = name, .mode = S_IFLNK | 0777, .target = target});
}

static void memfs_readlink(fuse_req_t req, fuse_ino_t ino)
{
    /* From a copy: once it is answered the link may be unlinked and forgotten, and a sanitizer looks at what
     * was written after the call. */
    const char* target = mem_node_of(mem_fs_of(req), ino)->target;
    char* copy = target ? strdup(target) : NULL;
    if (copy)
        fuse_reply_readlink(req, copy);
    else
        fuse_reply_err(req, target ? ENOMEM : EINVAL);
    free(copy);
}

/* The kernel sends CREATE for a name it believes to be free; if it is taken by now, O_EXCL decides. */
static void memfs_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode,
                         struct fuse_file_info* fi)
{
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_node* dir = mem_node_of(fs, parent);
    const struct mem_wanted want =
        of_caller(req, (struct mem_wanted){.name = name, .mode = S_IFREG | (mode & 07777)});
    struct fuse_entry_param e;
    struct mem_node* node = NULL;
    pthread_mutex_lock(&fs->tree);
    int err = mem_make(fs, dir, &want, &node);
    if (err == EEXIST && !(fi->flags & O_EXCL)) {
        node = mem_dir_find(fs, dir, name)->node;
        err = node->is_dir ? EISDIR : 0;
    }
    if (!err) {
        node->nopen++;
        if (fi->flags & O_TRUNC) {
            pthread_mutex_lock(&node->lock);
            (void)mem_resize(fs, node, 0);
            pthread_mutex_unlock(&node->lock);
        }
        mem_fill_entry(fs, node, &e);
    }
    pthread_mutex_unlock(&fs->tree);
    if (err) {
        fuse_reply_err(req, err);
        return;
    }
    fi->direct_io = fs->direct_io ? 1 : 0;
    fi->keep_cache = 1;
    if (fuse_reply_create(req, &e, fi) == -ENOENT) {
        pthread_mutex_lock(&fs->tree);
        node->nopen--;
        pthread_mutex_unlock(&fs->tree);
        mem_forget(fs, node, 1);
    }
}

int mem_remove(struct mem_fs* fs, struct mem_node* dir, const char* name, int want_dir)
{
    struct mem_entry* entry = mem_dir_find(fs, dir, name);
    if (!entry)
        return ENOENT;
    if (want_dir && !entry->node->is_dir)
        return ENOTDIR;
    if (!want_dir && entry->node->is_dir)
        return EISDIR;
    if (want_dir && entry->node->nr_entries > 0)
        return ENOTEMPTY;
    mem_dir_remove(fs, entry);
    return 0;
}

static void remove_name(fuse_req_t req, fuse_ino_t parent, const char* name, int want_dir)
{
    struct mem_fs* fs = mem_fs_of(req);
    pthread_mutex_lock(&fs->tree);
    int err = mem_remove(fs, mem_node_of(fs, parent), name, want_dir);
    pthread_mutex_unlock(&fs->tree);
    fuse_reply_err(req, err);
}

static void memfs_unlink(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    remove_name(req, parent, name, /* want_dir= */ 0);
}

static void memfs_rmdir(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    remove_name(req, parent, name, /* want_dir= */ 1);
}

void memfs_add_name_ops(struct fuse_lowlevel_ops* ops)
{
    ops->lookup = memfs_lookup;
    ops->forget = memfs_forget;
    ops->forget_multi = memfs_forget_multi;
    ops->mknod = memfs_mknod;
    ops->mkdir = memfs_mkdir;
    ops->symlink = memfs_symlink;
    ops->readlink = memfs_readlink;
    ops->create = memfs_create;
    ops->unlink = memfs_unlink;
    ops->rmdir = memfs_rmdir;
}
