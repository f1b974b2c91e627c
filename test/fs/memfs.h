/* memfs: a filesystem in memory with the behaviour of a local one. This header is shared by its parts:
 *   memfs_pages  bytes of one file            memfs_node    inodes, their count of references
 *   memfs_data   read, write, fallocate …     memfs_dir     names inside directories
 *   memfs_attr   FUSE: attributes, statfs     memfs_xattr   FUSE: extended attributes
 *   memfs_names  FUSE: create … unlink        memfs_rename  FUSE: rename, link
 *   memfs_file   FUSE: open, I/O, ioctl       memfs_readdir FUSE: listing
 *   memfs_locks  tables of file locks         memfs_lockops FUSE: setlk, flock
 *
 * Lock order: fs->tree, then one node->lock (two of them in the order of their ino), then fs->pages.
 * fs->locks (file locks and their waiters) is taken alone. No lock is held while a reply is sent. */
#ifndef RF_TEST_MEMFS_H
#define RF_TEST_MEMFS_H

#include "fs_main.h"
#include "memfs_pages.h"

#include <pthread.h>
#include <stdint.h>

struct mem_node;

struct mem_entry {
    struct mem_entry* hash_next;
    struct mem_node* dir;
    struct mem_node* node;
    uint64_t cookie; /* the readdir offset of this entry: unique in its directory, never reused */
    uint32_t hash;
    char name[];
};

/* A place in a directory's order; entry is NULL where a name was removed. */
struct mem_slot {
    uint64_t cookie;
    struct mem_entry* entry;
};

struct mem_xattr {
    struct mem_xattr* next;
    char* name;
    void* value;
    size_t size;
};

struct mem_lock {
    struct mem_lock* next;
    uint64_t owner;
    uint64_t start;
    uint64_t end; /* inclusive; INT64_MAX is "to the end, wherever it will be" */
    int type;     /* F_RDLCK or F_WRLCK */
    pid_t pid;
};

struct mem_node {
    /* Constant. The FUSE node id is the address of the node. */
    uint64_t ino;
    int is_dir;
    char* target; /* symlinks */

    /* Guarded by fs->tree. The node is freed when all three are zero. */
    uint64_t nlookup; /* references held by the kernel */
    uint64_t nopen;   /* open files: their release may arrive after the last forget */
    uint64_t nnames;  /* names, plus one for the root; a directory has one or none */
    struct mem_node* next;
    struct mem_node* prev;

    /* Guarded by fs->tree, directories only. */
    struct mem_node* parent; /* itself for the root; NULL once removed */
    struct mem_slot* slots;  /* sorted by cookie */
    size_t nr_slots;
    size_t max_slots;
    size_t nr_entries;
    uint64_t next_cookie;

    pthread_mutex_t lock; /* guards everything below */
    struct stat attr;     /* st_blocks is filled in by mem_stat() */
    struct page_table pages;
    struct mem_xattr* xattrs;
    struct fuse_pollhandle* poller; /* who wants to know of the next write; only hl_memfs offers it */

    /* Guarded by fs->locks. */
    struct mem_lock* posix_locks;
    struct mem_lock* flocks;
};

struct mem_waiter;

struct mem_fs {
    double timeout;
    uint64_t max_pages;
    unsigned size_mib;
    unsigned max_write; /* 0: the library's default */
    int direct_io;
    int writeback;
    int plain_write;
    int no_readdirplus;

    pthread_mutex_t tree;
    struct mem_node* root;
    struct mem_node* nodes; /* every node */
    uint64_t nr_nodes;
    uint64_t last_ino;
    struct mem_entry** buckets;
    size_t nr_buckets; /* power of two */
    size_t nr_names;

    pthread_mutex_t pages;
    uint64_t used_pages;

    pthread_mutex_t locks;
    struct mem_waiter* waiters; /* oldest first */
    uint64_t last_waiter;
};

/* ---- memfs_node ---- */
int mem_fs_init(struct mem_fs* fs);
void mem_fs_free(struct mem_fs* fs);
struct mem_fs* mem_fs_of(fuse_req_t req);
struct mem_node* mem_node_of(struct mem_fs* fs, fuse_ino_t ino);
fuse_ino_t mem_ino_of(const struct mem_fs* fs, const struct mem_node* node);
/* What a new name should be, and whose. */
struct mem_wanted {
    const char* name;
    mode_t mode;
    dev_t rdev;
    const char* target; /* symlinks only */
    uid_t uid;
    gid_t gid;
};
/* A node without names or references, with the group rules of `dir`; NULL without memory. REQUIRES: fs->tree.
 */
struct mem_node* mem_node_new(struct mem_fs* fs, struct mem_node* dir, const struct mem_wanted* want);
/* Frees the node if nothing refers to it. REQUIRES: fs->tree, not node->lock. */
void mem_node_check(struct mem_fs* fs, struct mem_node* node);
void mem_forget(struct mem_fs* fs, struct mem_node* node, uint64_t nlookup);
/* Fills in the answer about `node` and counts one lookup. REQUIRES: fs->tree. */
void mem_fill_entry(struct mem_fs* fs, struct mem_node* node, struct fuse_entry_param* e);
/* Answers with an entry that mem_fill_entry made. Takes the lookup back if the kernel did not accept it. */
void mem_reply_entry(fuse_req_t req, struct mem_node* node, const struct fuse_entry_param* e);
/* Copies the attributes. Takes node->lock. */
void mem_stat(struct mem_node* node, struct stat* st);
/* Sets the times named by `which`. REQUIRES: node->lock. */
enum { kTouchAtime = 1, kTouchMtime = 2, kTouchCtime = 4, kTouchData = 6 };
void mem_touch(struct mem_node* node, int which);
/* Keeps atime no more exact than a local filesystem with relatime: only moved if it is not after mtime.
 * REQUIRES: node->lock. */
void mem_touch_read(struct mem_node* node);
/* The locks of two nodes, which may be the same, in their order. */
void mem_lock_pair(struct mem_node* a, struct mem_node* b);
void mem_unlock_pair(struct mem_node* a, struct mem_node* b);
/* Adds to the link count and touches ctime. Takes node->lock. */
void mem_add_nlink(struct mem_node* node, int delta);

/* ---- memfs_dir; all REQUIRE fs->tree ---- */
struct mem_entry* mem_dir_find(struct mem_fs* fs, struct mem_node* dir, const char* name);
/* Links `node` under `name`, which must be free. Returns 0, ENAMETOOLONG, ENOENT (directory removed) or
 * ENOMEM. */
int mem_dir_add(struct mem_fs* fs, struct mem_node* dir, const char* name, struct mem_node* node);
/* Unlinks the entry and frees it; the node may be freed too. */
void mem_dir_remove(struct mem_fs* fs, struct mem_entry* entry);
/* Puts `node` in the place of the entry's node without touching counts. */
void mem_dir_replace(struct mem_entry* entry, struct mem_node* node);
/* The first entry with a cookie above `cookie`, or NULL. */
struct mem_entry* mem_dir_next(struct mem_node* dir, uint64_t cookie);

/* ---- memfs_names, memfs_rename; all REQUIRE fs->tree and return an errno or 0 ---- */
int mem_make(struct mem_fs* fs, struct mem_node* dir, const struct mem_wanted* want,
             struct mem_node** ret_node);
int mem_remove(struct mem_fs* fs, struct mem_node* dir, const char* name, int want_dir);
int mem_rename(struct mem_fs* fs, struct mem_node* from_dir, const char* from_name, struct mem_node* to_dir,
               const char* to_name, unsigned flags);
int mem_link(struct mem_fs* fs, struct mem_node* node, struct mem_node* dir, const char* name);

/* ---- memfs_attr ---- */
/* REQUIRES: node->lock. Returns an errno or 0. */
int mem_set_size(struct mem_fs* fs, struct mem_node* node, off_t size);
void mem_statfs(struct mem_fs* fs, struct statvfs* st);

/* ---- memfs_xattr; all take node->lock and return an errno or 0 ---- */
int mem_set_xattr(struct mem_node* node, const char* name, const char* value, size_t size, int flags);
/* A copy that the caller frees: the value, or all names with a zero after each. */
int mem_get_xattr(struct mem_node* node, const char* name, char** ret_data, size_t* ret_size);
int mem_list_xattr(struct mem_node* node, char** ret_data, size_t* ret_size);
int mem_remove_xattr(struct mem_node* node, const char* name);

/* ---- memfs_data; all REQUIRE node->lock and return an errno or 0 ---- */
size_t mem_read(struct mem_node* node, char* buf, size_t size, off_t off);
int mem_write(struct mem_fs* fs, struct mem_node* node, const char* buf, size_t size, off_t off,
              size_t* ret_done);
int mem_resize(struct mem_fs* fs, struct mem_node* node, off_t size);
int mem_fallocate(struct mem_fs* fs, struct mem_node* node, int mode, off_t off, off_t len);
int mem_seek(struct mem_node* node, off_t off, int whence, off_t* ret_off);
int mem_copy(struct mem_fs* fs, struct mem_node* in, off_t off_in, struct mem_node* out, off_t off_out,
             size_t len, size_t* ret_done);
void mem_drop_data(struct mem_fs* fs, struct mem_node* node);

/* ---- memfs_locks; all REQUIRE fs->locks ---- */
/* The first lock in `list` that keeps `want` from being granted, or NULL. */
struct mem_lock* mem_lock_conflict(struct mem_lock* list, const struct mem_lock* want);
/* Replaces what want->owner holds in the range by want->type (F_UNLCK: by nothing). Returns 0 or ENOLCK. */
int mem_lock_set(struct mem_lock** list, const struct mem_lock* want);
void mem_lock_free_all(struct mem_lock** list);

/* ---- FUSE operations ---- */
void memfs_add_name_ops(struct fuse_lowlevel_ops* ops);
void memfs_add_rename_ops(struct fuse_lowlevel_ops* ops);
void memfs_add_attr_ops(struct fuse_lowlevel_ops* ops);
void memfs_add_xattr_ops(struct fuse_lowlevel_ops* ops);
void memfs_add_file_ops(struct fuse_lowlevel_ops* ops);
void memfs_add_io_ops(struct fuse_lowlevel_ops* ops, const struct mem_fs* fs);
void memfs_add_readdir_ops(struct fuse_lowlevel_ops* ops, const struct mem_fs* fs);
void memfs_add_lock_ops(struct fuse_lowlevel_ops* ops);
/* Drops the POSIX locks of an owner (on flush) or its flock (on release). */
void mem_drop_locks(struct mem_fs* fs, struct mem_node* node, uint64_t owner, int is_flock);

#endif
