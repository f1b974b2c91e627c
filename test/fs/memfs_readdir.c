/* FUSE operations of memfs that list a directory. An offset is the cookie of the last entry returned, so a
 * listing goes on correctly while names come and go, and seekdir works at any time. */
#include "memfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One answer being filled. */
struct listing {
    fuse_req_t req;
    struct mem_fs* fs;
    int plus;
    char* buf;
    size_t size;
    size_t used;
    struct mem_node** counted; /* nodes whose lookup count this answer raised (plus only) */
    size_t nr_counted;
};

static int append(struct listing* out, const char* name, const struct fuse_entry_param* e, uint64_t cookie)
{
    char* at = out->buf + out->used;
    size_t room = out->size - out->used;
    size_t need = out->plus ? fuse_add_direntry_plus(out->req, at, room, name, e, (off_t)cookie)
                            : fuse_add_direntry(out->req, at, room, name, &e->attr, (off_t)cookie);
    if (need > room)
        return 0;
    out->used += need;
    return 1;
}

/* The dots carry no node id, so they raise no lookup count. */
static int append_dot(struct listing* out, const char* name, const struct mem_node* node, uint64_t cookie)
{
    struct fuse_entry_param e;
    memset(&e, 0, sizeof(e));
    e.attr.st_ino = node->ino;
    e.attr.st_mode = S_IFDIR;
    return append(out, name, &e, cookie);
}

static int append_entry(struct listing* out, const struct mem_entry* entry)
{
    struct fuse_entry_param e;
    mem_fill_entry(out->fs, entry->node, &e);
    int fits = append(out, entry->name, &e, entry->cookie);
    if (fits && out->plus)
        out->counted[out->nr_counted++] = entry->node;
    else
        entry->node->nlookup--;
    return fits;
}

/* REQUIRES: fs->tree. */
static void fill(struct listing* out, struct mem_node* dir, uint64_t cookie)
{
    if (cookie < 1 && !append_dot(out, ".", dir, 1))
        return;
    if (cookie < 2 && !append_dot(out, "..", dir->parent ? dir->parent : dir, 2))
        return;
    struct mem_entry* entry = mem_dir_next(dir, cookie < 2 ? 2 : cookie);
    while (entry && append_entry(out, entry))
        entry = mem_dir_next(dir, entry->cookie);
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, int plus)
{
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_node* dir = mem_node_of(fs, ino);
    struct listing out = {.req = req, .fs = fs, .plus = plus, .size = size};
    out.buf = malloc(size ? size : 1);
    /* No entry of a plus listing is smaller than 128 bytes (fuse_entry_out alone is). */
    out.counted = malloc((size / 128 + 1) * sizeof(*out.counted));
    if (!out.buf || !out.counted) {
        fuse_reply_err(req, ENOMEM);
    } else {
        pthread_mutex_lock(&fs->tree);
        fill(&out, dir, (uint64_t)off);
        pthread_mutex_unlock(&fs->tree);
        if (fuse_reply_buf(req, out.buf, out.used) == -ENOENT)
            for (size_t i = 0; i < out.nr_counted; i++)
                mem_forget(fs, out.counted[i], 1);
    }
    free(out.buf);
    free(out.counted);
}

static void memfs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)fi;
    list(req, ino, size, off, /* plus= */ 0);
}

static void memfs_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                              struct fuse_file_info* fi)
{
    (void)fi;
    list(req, ino, size, off, /* plus= */ 1);
}

void memfs_add_readdir_ops(struct fuse_lowlevel_ops* ops, const struct mem_fs* fs)
{
    ops->readdir = memfs_readdir;
    if (!fs->no_readdirplus)
        ops->readdirplus = memfs_readdirplus;
}
