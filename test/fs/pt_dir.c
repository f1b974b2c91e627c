/* FUSE operations of passthrough that list directories. The offsets are those of the filesystem below; an
 * open directory remembers one entry that did not fit, so that the common case needs no seekdir. */
#include "pt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pt_dir {
    pthread_mutex_t lock; /* guards all; the kernel may send two listings of one open directory */
    DIR* stream;
    struct dirent* pending; /* read, but not returned yet */
    off_t next;             /* offset of `pending`, or of the next readdir() */
};

struct listing {
    fuse_req_t req;
    int plus;
    char* buf;
    size_t size;
    size_t used;
    fuse_ino_t* counted; /* inodes whose lookup count this answer raised */
    size_t nr_counted;
};

static struct pt_dir* dir_of(const struct fuse_file_info* fi)
{
    return (struct pt_dir*)(uintptr_t)fi->fh;
}

static void dir_free(struct pt_dir* dir)
{
    if (dir->stream)
        closedir(dir->stream);
    pthread_mutex_destroy(&dir->lock);
    free(dir);
}

static int dir_open(int dir_fd, struct pt_dir** ret_dir)
{
    struct pt_dir* dir = calloc(1, sizeof(*dir));
    if (!dir)
        return ENOMEM;
    pthread_mutex_init(&dir->lock, NULL);
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        dir->stream = fdopendir(fd);
    if (!dir->stream) {
        int err = errno;
        if (fd >= 0)
            close(fd);
        dir_free(dir);
        return err;
    }
    *ret_dir = dir;
    return 0;
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    struct pt_dir* dir = NULL;
    int err = dir_open(pt_fd_of(req, ino), &dir);
    if (err) {
        fuse_reply_err(req, err);
        return;
    }
    fi->fh = (uint64_t)(uintptr_t)dir;
    if (pt_of(req)->cache == kCacheAlways) {
        fi->cache_readdir = 1;
        fi->keep_cache = 1;
    }
    if (fuse_reply_open(req, fi) == -ENOENT)
        dir_free(dir);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    (void)ino;
    dir_free(dir_of(fi));
    fuse_reply_err(req, 0);
}

static void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info* fi)
{
    (void)ino;
    int fd = dirfd(dir_of(fi)->stream);
    int rc = datasync ? fdatasync(fd) : fsync(fd);
    fuse_reply_err(req, rc == 0 ? 0 : errno);
}

static int is_dot(const char* name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Returns 1 if the entry is in the answer (or is gone from the directory), 0 if it did not fit, or -errno. */
static int append(struct listing* out, struct pt_dir* dir, const struct dirent* d)
{
    struct pt* pt = pt_of(out->req);
    struct fuse_entry_param e;
    memset(&e, 0, sizeof(e));
    int counts = out->plus && !is_dot(d->d_name);
    if (counts) {
        int err = pt_lookup(pt, dirfd(dir->stream), d->d_name, &e);
        if (err)
            return err == ENOENT ? 1 : -err;
    } else {
        e.attr.st_ino = d->d_ino;
        e.attr.st_mode = (mode_t)DTTOIF(d->d_type);
    }
    char* at = out->buf + out->used;
    size_t room = out->size - out->used;
    size_t need = out->plus ? fuse_add_direntry_plus(out->req, at, room, d->d_name, &e, d->d_off)
                            : fuse_add_direntry(out->req, at, room, d->d_name, &e.attr, d->d_off);
    if (need > room) {
        if (counts)
            pt_forget(pt, e.ino, 1);
        return 0;
    }
    if (counts)
        out->counted[out->nr_counted++] = e.ino;
    out->used += need;
    return 1;
}

/* REQUIRES: dir->lock. Returns 0 or an errno; an error after the first entry waits for the next call. */
static int fill(struct listing* out, struct pt_dir* dir, off_t off)
{
    if (off != dir->next) {
        seekdir(dir->stream, off);
        dir->pending = NULL;
        dir->next = off;
    }
    for (;;) {
        if (!dir->pending) {
            errno = 0;
            dir->pending = readdir(dir->stream);
            if (!dir->pending)
                return out->used == 0 ? errno : 0;
        }
        int rc = append(out, dir, dir->pending);
        if (rc <= 0)
            return out->used == 0 ? -rc : 0;
        dir->next = dir->pending->d_off;
        dir->pending = NULL;
    }
}

static void list(fuse_req_t req, size_t size, off_t off, struct fuse_file_info* fi, int plus)
{
    struct listing out = {.req = req, .plus = plus, .size = size};
    out.buf = malloc(size ? size : 1);
    /* No entry of a plus listing is smaller than 128 bytes (fuse_entry_out alone is). */
    out.counted = malloc((size / 128 + 1) * sizeof(*out.counted));
    int err = ENOMEM;
    if (out.buf && out.counted) {
        struct pt_dir* dir = dir_of(fi);
        pthread_mutex_lock(&dir->lock);
        err = fill(&out, dir, off);
        pthread_mutex_unlock(&dir->lock);
    }
    if (err)
        fuse_reply_err(req, err);
    else if (fuse_reply_buf(req, out.buf, out.used) == -ENOENT)
        for (size_t i = 0; i < out.nr_counted; i++)
            pt_forget(pt_of(req), out.counted[i], 1);
    free(out.buf);
    free(out.counted);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)ino;
    list(req, size, off, fi, /* plus= */ 0);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)ino;
    list(req, size, off, fi, /* plus= */ 1);
}

void pt_add_dir_ops(struct fuse_lowlevel_ops* ops, const struct pt* pt)
{
    ops->opendir = op_opendir;
    ops->releasedir = op_releasedir;
    ops->fsyncdir = op_fsyncdir;
    ops->readdir = op_readdir;
    if (!pt->no_readdirplus)
        ops->readdirplus = op_readdirplus;
}
