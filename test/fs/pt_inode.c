/* Inodes of passthrough: a hash table keyed by (device, inode number). Each holds an O_PATH descriptor, so a
 * file keeps working after it was renamed or unlinked below. */
#include "pt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pt* pt_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

struct pt_inode* pt_inode_of(struct pt* pt, fuse_ino_t ino)
{
    return ino == FUSE_ROOT_ID ? &pt->root : (struct pt_inode*)(uintptr_t)ino;
}

int pt_fd_of(fuse_req_t req, fuse_ino_t ino)
{
    return pt_inode_of(pt_of(req), ino)->fd;
}

struct pt_path pt_path_of(int fd)
{
    struct pt_path path;
    snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
    return path;
}

static struct pt_inode** bucket_of(struct pt* pt, dev_t dev, ino_t ino)
{
    uint64_t h = ((uint64_t)ino ^ ((uint64_t)dev << 32)) * 0x9e3779b97f4a7c15u;
    return &pt->buckets[(h >> 32) & (pt->nr_buckets - 1)];
}

/* Doubles the table once it is full. Without memory it stays as it is: slower, still right. REQUIRES:
 * pt->lock. */
static void grow_table(struct pt* pt)
{
    if (pt->nr_inodes < pt->nr_buckets)
        return;
    size_t old_nr = pt->nr_buckets;
    struct pt_inode** old = pt->buckets;
    struct pt_inode** fresh = calloc(2 * old_nr, sizeof(*fresh));
    if (!fresh)
        return;
    pt->buckets = fresh;
    pt->nr_buckets = 2 * old_nr;
    for (size_t i = 0; i < old_nr; i++) {
        while (old[i]) {
            struct pt_inode* inode = old[i];
            old[i] = inode->next;
            struct pt_inode** bucket = bucket_of(pt, inode->dev, inode->ino);
            inode->next = *bucket;
            *bucket = inode;
        }
    }
    free(old);
}

/* Finds the inode or puts `fresh` into the table. REQUIRES: pt->lock. */
static struct pt_inode* find_or_add(struct pt* pt, struct pt_inode* fresh)
{
    struct pt_inode** bucket = bucket_of(pt, fresh->dev, fresh->ino);
    struct pt_inode* inode = *bucket;
    while (inode && (inode->dev != fresh->dev || inode->ino != fresh->ino))
        inode = inode->next;
    if (inode)
        return inode;
    grow_table(pt);
    bucket = bucket_of(pt, fresh->dev, fresh->ino);
    fresh->generation = ++pt->last_generation; /* addresses are used again */
    fresh->next = *bucket;
    *bucket = fresh;
    pt->nr_inodes++;
    return fresh;
}

int pt_enter(struct pt* pt, int fd, struct fuse_entry_param* e)
{
    memset(e, 0, sizeof(*e));
    e->attr_timeout = pt->timeout;
    e->entry_timeout = pt->timeout;
    struct pt_inode* fresh = calloc(1, sizeof(*fresh));
    int err = 0;
    if (!fresh)
        err = ENOMEM;
    else if (fstatat(fd, "", &e->attr, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0)
        err = errno;
    if (err) {
        free(fresh);
        close(fd);
        return err;
    }
    fresh->fd = fd;
    fresh->dev = e->attr.st_dev;
    fresh->ino = e->attr.st_ino;
    if (fresh->dev == pt->root.dev && fresh->ino == pt->root.ino) {
        /* Only a bind mount below leads back here; the root has no count to raise. */
        e->ino = FUSE_ROOT_ID;
        free(fresh);
        close(fd);
        return 0;
    }
    pthread_mutex_lock(&pt->lock);
    struct pt_inode* inode = find_or_add(pt, fresh);
    inode->nlookup++;
    e->ino = (fuse_ino_t)(uintptr_t)inode;
    e->generation = inode->generation;
    pthread_mutex_unlock(&pt->lock);
    if (inode != fresh) {
        close(fd);
        free(fresh);
    }
    return 0;
}

int pt_lookup(struct pt* pt, int dir_fd, const char* name, struct fuse_entry_param* e)
{
    int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? errno : pt_enter(pt, fd, e);
}

void pt_forget(struct pt* pt, fuse_ino_t ino, uint64_t nlookup)
{
    if (ino == FUSE_ROOT_ID)
        return;
    struct pt_inode* inode = pt_inode_of(pt, ino);
    pthread_mutex_lock(&pt->lock);
    if (nlookup > inode->nlookup) {
        fuse_log(FUSE_LOG_ERR, "forget too large: ino=%llu nlookup=%llu held=%llu, taking all\n",
                 (unsigned long long)inode->ino, (unsigned long long)nlookup,
                 (unsigned long long)inode->nlookup);
        nlookup = inode->nlookup;
    }
    inode->nlookup -= nlookup;
    int gone = inode->nlookup == 0;
    if (gone) {
        struct pt_inode** link = bucket_of(pt, inode->dev, inode->ino);
        while (*link != inode)
            link = &(*link)->next;
        *link = inode->next;
        pt->nr_inodes--;
    }
    pthread_mutex_unlock(&pt->lock);
    if (gone) {
        close(inode->fd);
        free(inode);
    }
}

void pt_reply_entry(fuse_req_t req, int err, const struct fuse_entry_param* e)
{
    if (err)
        fuse_reply_err(req, err);
    else if (fuse_reply_entry(req, e) == -ENOENT)
        pt_forget(pt_of(req), e->ino, 1);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    struct fuse_entry_param e;
    int err = pt_lookup(pt_of(req), pt_fd_of(req, parent), name, &e);
    pt_reply_entry(req, err, &e);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
    pt_forget(pt_of(req), ino, nlookup);
    fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data* forgets)
{
    for (size_t i = 0; i < count; i++)
        pt_forget(pt_of(req), forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

int pt_init_table(struct pt* pt)
{
    pthread_mutex_init(&pt->lock, NULL);
    pthread_mutex_init(&pt->backing, NULL);
    pt->nr_buckets = 1024;
    pt->buckets = calloc(pt->nr_buckets, sizeof(*pt->buckets));
    if (!pt->buckets)
        return -ENOMEM;
    pt->root.fd = open(pt->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    if (pt->root.fd < 0 || fstatat(pt->root.fd, "", &st, AT_EMPTY_PATH) != 0)
        return -errno;
    pt->root.dev = st.st_dev;
    pt->root.ino = st.st_ino;
    return 0;
}

/* A session that was killed leaves inodes the kernel never forgot. */
void pt_free_table(struct pt* pt)
{
    for (size_t i = 0; pt->buckets && i < pt->nr_buckets; i++) {
        while (pt->buckets[i]) {
            struct pt_inode* doomed = pt->buckets[i];
            pt->buckets[i] = doomed->next;
            close(doomed->fd);
            free(doomed);
        }
    }
    free(pt->buckets);
    if (pt->root.fd >= 0)
        close(pt->root.fd);
}

void pt_add_inode_ops(struct fuse_lowlevel_ops* ops)
{
    ops->lookup = op_lookup;
    ops->forget = op_forget;
    ops->forget_multi = op_forget_multi;
}
