/* FUSE operations of memfs that give an existing node another name: rename with its flags, and link. */
#include "memfs.h"

#include <errno.h>
#include <stdio.h>

/* True if `dir` is `node` or lies somewhere below it. */
static int is_inside(const struct mem_fs* fs, const struct mem_node* node, const struct mem_node* dir)
{
    while (dir && dir != node && dir != fs->root)
        dir = dir->parent;
    return dir == node;
}

static int exchange(struct mem_fs* fs, struct mem_entry* a, struct mem_entry* b)
{
    struct mem_node* node_a = a->node;
    struct mem_node* node_b = b->node;
    if ((node_a->is_dir && is_inside(fs, node_a, b->dir)) ||
        (node_b->is_dir && is_inside(fs, node_b, a->dir)))
        return EINVAL;
    mem_dir_replace(a, node_b);
    mem_dir_replace(b, node_a);
    mem_add_nlink(node_a, 0);
    mem_add_nlink(node_b, 0);
    return 0;
}

/* Puts the node of `from` in the place of the node of `to`. Allocates nothing, so it cannot fail half-way. */
static int replace(struct mem_fs* fs, struct mem_entry* from, struct mem_entry* to)
{
    struct mem_node* node = from->node;
    struct mem_node* victim = to->node;
    if (node == victim)
        return 0; /* two names of one file: nothing to do, both stay */
    if (node->is_dir && !victim->is_dir)
        return ENOTDIR;
    if (!node->is_dir && victim->is_dir)
        return EISDIR;
    if (victim->nr_entries > 0)
        return ENOTEMPTY;
    int links = node->is_dir ? 2 : 1;
    mem_dir_replace(to, node);
    node->nnames++;
    mem_add_nlink(node, links);
    victim->nnames--;
    if (victim->nnames == 0)
        victim->parent = NULL;
    mem_add_nlink(victim, -links);
    mem_node_check(fs, victim);
    mem_dir_remove(fs, from);
    return 0;
}

int mem_rename(struct mem_fs* fs, struct mem_node* from_dir, const char* from_name, struct mem_node* to_dir,
               const char* to_name, unsigned flags)
{
    struct mem_entry* from = mem_dir_find(fs, from_dir, from_name);
    struct mem_entry* to = mem_dir_find(fs, to_dir, to_name);
    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
        flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return EINVAL;
    if (!from || (!to && (flags & RENAME_EXCHANGE)))
        return ENOENT;
    if (to && (flags & RENAME_NOREPLACE))
        return EEXIST;
    if (flags & RENAME_EXCHANGE)
        return exchange(fs, from, to);
    if (from->node->is_dir && is_inside(fs, from->node, to_dir))
        return EINVAL;
    if (to)
        return replace(fs, from, to);
    int err = mem_dir_add(fs, to_dir, to_name, from->node);
    if (!err)
        mem_dir_remove(fs, from);
    return err;
}

static void memfs_rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t newparent,
                         const char* newname, unsigned int flags)
{
    struct mem_fs* fs = mem_fs_of(req);
    pthread_mutex_lock(&fs->tree);
    int err = mem_rename(fs, mem_node_of(fs, parent), name, mem_node_of(fs, newparent), newname, flags);
    pthread_mutex_unlock(&fs->tree);
    fuse_reply_err(req, err);
}

int mem_link(struct mem_fs* fs, struct mem_node* node, struct mem_node* dir, const char* name)
{
    if (mem_dir_find(fs, dir, name))
        return EEXIST;
    if (node->is_dir)
        return EPERM;
    if (node->nnames == 0)
        return ENOENT; /* an unlinked open file does not come back */
    return mem_dir_add(fs, dir, name, node);
}

static void memfs_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char* newname)
{
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_node* node = mem_node_of(fs, ino);
    struct mem_node* dir = mem_node_of(fs, newparent);
    struct fuse_entry_param e;
    pthread_mutex_lock(&fs->tree);
    int err = mem_link(fs, node, dir, newname);
    if (!err)
        mem_fill_entry(fs, node, &e);
    pthread_mutex_unlock(&fs->tree);
    if (err)
        fuse_reply_err(req, err);
    else
        mem_reply_entry(req, node, &e);
}

void memfs_add_rename_ops(struct fuse_lowlevel_ops* ops)
{
    ops->rename = memfs_rename;
    ops->link = memfs_link;
}
