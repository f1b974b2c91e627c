/* Inodes of memfs: birth, link and lookup counts, death. */
#include "memfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct mem_fs* mem_fs_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

struct mem_node* mem_node_of(struct mem_fs* fs, fuse_ino_t ino)
{
    return ino == FUSE_ROOT_ID ? fs->root : (struct mem_node*)(uintptr_t)ino;
}

fuse_ino_t mem_ino_of(const struct mem_fs* fs, const struct mem_node* node)
{
    return node == fs->root ? FUSE_ROOT_ID : (fuse_ino_t)(uintptr_t)node;
}

void mem_touch(struct mem_node* node, int which)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (which & kTouchAtime)
        node->attr.st_atim = now;
    if (which & kTouchMtime)
        node->attr.st_mtim = now;
    if (which & kTouchCtime)
        node->attr.st_ctim = now;
}

void mem_touch_read(struct mem_node* node)
{
    const struct timespec* a = &node->attr.st_atim;
    const struct timespec* m = &node->attr.st_mtim;
    if (a->tv_sec < m->tv_sec || (a->tv_sec == m->tv_sec && a->tv_nsec <= m->tv_nsec))
        mem_touch(node, kTouchAtime);
}

void mem_lock_pair(struct mem_node* a, struct mem_node* b)
{
    if (a == b) {
        pthread_mutex_lock(&a->lock);
        return;
    }
    struct mem_node* first = a->ino < b->ino ? a : b;
    pthread_mutex_lock(&first->lock);
    pthread_mutex_lock(first == a ? &b->lock : &a->lock);
}

void mem_unlock_pair(struct mem_node* a, struct mem_node* b)
{
    pthread_mutex_unlock(&a->lock);
    if (a != b)
        pthread_mutex_unlock(&b->lock);
}

void mem_add_nlink(struct mem_node* node, int delta)
{
    pthread_mutex_lock(&node->lock);
    node->attr.st_nlink = (nlink_t)((int64_t)node->attr.st_nlink + delta);
    mem_touch(node, kTouchCtime);
    pthread_mutex_unlock(&node->lock);
}

void mem_stat(struct mem_node* node, struct stat* st)
{
    pthread_mutex_lock(&node->lock);
    *st = node->attr;
    st->st_blocks = (blkcnt_t)(node->pages.nr_pages * (kPageBytes / 512));
    pthread_mutex_unlock(&node->lock);
}

/* A file made in a set-group-ID directory belongs to the group of the directory; so does a directory, which
 * hands the bit on. */
static void set_owner(struct mem_node* node, const struct mem_wanted* want, struct mem_node* dir)
{
    node->attr.st_uid = want->uid;
    node->attr.st_gid = want->gid;
    pthread_mutex_lock(&dir->lock);
    if (dir->attr.st_mode & S_ISGID) {
        node->attr.st_gid = dir->attr.st_gid;
        if (node->is_dir)
            node->attr.st_mode |= S_ISGID;
    }
    pthread_mutex_unlock(&dir->lock);
}

static struct mem_node* node_alloc(struct mem_fs* fs, mode_t mode, dev_t rdev)
{
    struct mem_node* node = calloc(1, sizeof(*node));
    if (!node)
        return NULL;
    pthread_mutex_init(&node->lock, NULL);
    node->ino = ++fs->last_ino;
    node->next_cookie = 3; /* 1 and 2 are the dots */
    node->attr.st_ino = node->ino;
    node->is_dir = S_ISDIR(mode);
    node->attr.st_mode = mode;
    node->attr.st_rdev = rdev;
    node->attr.st_blksize = kPageBytes;
    mem_touch(node, kTouchAtime | kTouchMtime | kTouchCtime);
    node->next = fs->nodes;
    if (fs->nodes)
        fs->nodes->prev = node;
    fs->nodes = node;
    fs->nr_nodes++;
    return node;
}

struct mem_node* mem_node_new(struct mem_fs* fs, struct mem_node* dir, const struct mem_wanted* want)
{
    struct mem_node* node = node_alloc(fs, want->mode, want->rdev);
    if (node)
        set_owner(node, want, dir);
    return node;
}

static void node_free(struct mem_fs* fs, struct mem_node* node)
{
    if (node->prev)
        node->prev->next = node->next;
    else
        fs->nodes = node->next;
    if (node->next)
        node->next->prev = node->prev;
    fs->nr_nodes--;
    mem_drop_data(fs, node);
    while (node->xattrs) {
        struct mem_xattr* doomed = node->xattrs;
        node->xattrs = doomed->next;
        free(doomed->name);
        free(doomed->value);
        free(doomed);
    }
    mem_lock_free_all(&node->posix_locks);
    mem_lock_free_all(&node->flocks);
    if (node->poller)
        fuse_pollhandle_destroy(node->poller);
    pthread_mutex_destroy(&node->lock);
    free(node->slots);
    free(node->target);
    free(node);
}

void mem_node_check(struct mem_fs* fs, struct mem_node* node)
{
    if (node->nlookup == 0 && node->nopen == 0 && node->nnames == 0)
        node_free(fs, node);
}

void mem_forget(struct mem_fs* fs, struct mem_node* node, uint64_t nlookup)
{
    pthread_mutex_lock(&fs->tree);
    if (nlookup > node->nlookup) {
        fuse_log(FUSE_LOG_ERR, "forget too large: ino=%llu nlookup=%llu held=%llu, taking all\n",
                 (unsigned long long)node->ino, (unsigned long long)nlookup,
                 (unsigned long long)node->nlookup);
        nlookup = node->nlookup;
    }
    node->nlookup -= nlookup;
    mem_node_check(fs, node);
    pthread_mutex_unlock(&fs->tree);
}

void mem_fill_entry(struct mem_fs* fs, struct mem_node* node, struct fuse_entry_param* e)
{
    memset(e, 0, sizeof(*e));
    node->nlookup++;
    e->ino = mem_ino_of(fs, node);
    /* Addresses are used again after a free; numbers are not. */
    e->generation = node->ino;
    e->attr_timeout = fs->timeout;
    e->entry_timeout = fs->timeout;
    mem_stat(node, &e->attr);
}

void mem_reply_entry(fuse_req_t req, struct mem_node* node, const struct fuse_entry_param* e)
{
    struct mem_fs* fs = mem_fs_of(req);
    if (fuse_reply_entry(req, e) == -ENOENT)
        mem_forget(fs, node, 1);
}

int mem_fs_init(struct mem_fs* fs)
{
    pthread_mutex_init(&fs->tree, NULL);
    pthread_mutex_init(&fs->pages, NULL);
    pthread_mutex_init(&fs->locks, NULL);
    fs->nr_buckets = 1024;
    fs->buckets = calloc(fs->nr_buckets, sizeof(*fs->buckets));
    fs->root = fs->buckets ? node_alloc(fs, S_IFDIR | 0755, 0) : NULL;
    if (!fs->root) {
        free(fs->buckets);
        return -ENOMEM;
    }
    fs->root->nnames = 1;
    fs->root->parent = fs->root;
    fs->root->attr.st_nlink = 2;
    fs->root->attr.st_uid = getuid();
    fs->root->attr.st_gid = getgid();
    return 0;
}

void mem_fs_free(struct mem_fs* fs)
{
    for (size_t i = 0; i < fs->nr_buckets; i++) {
        while (fs->buckets[i]) {
            struct mem_entry* doomed = fs->buckets[i];
            fs->buckets[i] = doomed->hash_next;
            free(doomed);
        }
    }
    free(fs->buckets);
    while (fs->nodes)
        node_free(fs, fs->nodes);
    pthread_mutex_destroy(&fs->tree);
    pthread_mutex_destroy(&fs->pages);
    pthread_mutex_destroy(&fs->locks);
}
