/* Path operations of hl_memfs on open files and directories: open, release, read, write, listing. */
#include "hl_memfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int open_node(const char* path, struct fuse_file_info* fi)
{
    struct mem_node* node;
    fi->fh = 0;
    int rc = hl_hold(path, NULL, &node);
    if (rc == 0)
        fi->fh = (uint64_t)(uintptr_t)node; /* the reference of hl_hold() is the open file's */
    return rc;
}

static int hl_open(const char* path, struct fuse_file_info* fi)
{
    int rc = open_node(path, fi);
    if (rc == 0 && (fi->flags & O_TRUNC)) {
        struct mem_node* node = (struct mem_node*)(uintptr_t)fi->fh;
        pthread_mutex_lock(&node->lock);
        (void)mem_resize(hl_fs(), node, 0);
        mem_touch(node, kTouchData);
        pthread_mutex_unlock(&node->lock);
    }
    return rc;
}

static int hl_opendir(const char* path, struct fuse_file_info* fi)
{
    return open_node(path, fi);
}

static int hl_release(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    struct mem_node* node = (struct mem_node*)(uintptr_t)fi->fh;
    if (!node)
        return 0; /* no open was asked for (-o without=open) */
    if (fi->flock_release)
        hl_drop_flock(node, fi->lock_owner);
    hl_drop(node);
    return 0;
}

static int hl_releasedir(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    if (fi->fh)
        hl_drop((struct mem_node*)(uintptr_t)fi->fh);
    return 0;
}

static int hl_read(const char* path, char* buf, size_t size, off_t off, struct fuse_file_info* fi)
{
    struct mem_node* node;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&node->lock);
    size_t done = mem_read(node, buf, size, off);
    mem_touch_read(node);
    pthread_mutex_unlock(&node->lock);
    hl_drop(node);
    return (int)done;
}

/* The library frees both the vector and its memory. */
static int hl_read_buf(const char* path, struct fuse_bufvec** ret_buf, size_t size, off_t off,
                       struct fuse_file_info* fi)
{
    struct fuse_bufvec* out = malloc(sizeof(*out));
    char* data = malloc(size ? size : 1);
    int rc = out && data ? hl_read(path, data, size, off, fi) : -ENOMEM;
    if (rc < 0) {
        free(data);
        free(out);
        return rc;
    }
    *out = FUSE_BUFVEC_INIT((size_t)rc);
    out->buf[0].mem = data;
    *ret_buf = out;
    return 0;
}

static int hl_write_op(const char* path, const char* buf, size_t size, off_t off, struct fuse_file_info* fi)
{
    struct mem_node* node;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0)
        return rc;
    rc = hl_write(node, buf, size, off);
    hl_drop(node);
    return rc;
}

static int hl_write_buf(const char* path, struct fuse_bufvec* in, off_t off, struct fuse_file_info* fi)
{
    size_t size = fuse_buf_size(in);
    struct fuse_bufvec out = FUSE_BUFVEC_INIT(size);
    out.buf[0].mem = malloc(size ? size : 1);
    if (!out.buf[0].mem)
        return -ENOMEM;
    ssize_t got = fuse_buf_copy(&out, in, (enum fuse_buf_copy_flags)0);
    int rc = got < 0 ? (int)got : hl_write_op(path, out.buf[0].mem, (size_t)got, off, fi);
    free(out.buf[0].mem);
    return rc;
}

/* What a listing shows next after `cookie`; the dots come first. Returns 0 at the end. */
static int next_name(struct mem_node* dir, uint64_t cookie, char name[NAME_MAX + 1], struct stat* st,
                     uint64_t* ret_cookie)
{
    struct mem_fs* fs = hl_fs();
    struct mem_node* node = NULL;
    pthread_mutex_lock(&fs->tree);
    if (cookie < 2) {
        node = cookie == 1 && dir->parent ? dir->parent : dir;
        strcpy(name, cookie == 0 ? "." : "..");
        *ret_cookie = cookie + 1;
    } else {
        const struct mem_entry* entry = mem_dir_next(dir, cookie);
        if (entry) {
            node = entry->node;
            strcpy(name, entry->name);
            *ret_cookie = entry->cookie;
        }
    }
    if (node)
        mem_stat(node, st);
    pthread_mutex_unlock(&fs->tree);
    return node != NULL;
}

/* No lock is held around `fill`: the library may come back for the attributes of a name. */
static int hl_readdir(const char* path, void* buf, fuse_fill_dir_t fill, off_t off, struct fuse_file_info* fi,
                      enum fuse_readdir_flags flags)
{
    const int no_offsets = hl_memfs()->no_offsets;
    const enum fuse_fill_dir_flags how =
        flags & FUSE_READDIR_PLUS ? FUSE_FILL_DIR_PLUS : (enum fuse_fill_dir_flags)0;
    struct mem_node* dir;
    int rc = hl_hold(path, fi, &dir);
    if (rc < 0)
        return rc;
    char name[NAME_MAX + 1];
    struct stat st;
    uint64_t cookie = (uint64_t)off;
    while (next_name(dir, cookie, name, &st, &cookie))
        if (fill(buf, name, &st, no_offsets ? 0 : (off_t)cookie, how) != 0)
            break;
    hl_drop(dir);
    return 0;
}

void hl_memfs_add_file_ops(struct fuse_operations* ops, const struct hl_memfs* hl)
{
    ops->open = hl_open;
    ops->opendir = hl_opendir;
    ops->release = hl_release;
    ops->releasedir = hl_releasedir;
    ops->read = hl_read;
    ops->write = hl_write_op;
    if (!hl->plain_io) {
        ops->read_buf = hl_read_buf;
        ops->write_buf = hl_write_buf;
    }
    ops->readdir = hl_readdir;
}
