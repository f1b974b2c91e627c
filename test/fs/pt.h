/* passthrough: shows a directory of another filesystem. Shared by its parts:
 *   passthrough_ll      options, INIT, main         pt_inode  table of inodes, lookup, forget
 *   pt_names            create … rename, link       pt_attr   attributes, xattrs, statfs
 *   pt_file             open, read, write, …        pt_dir    listing
 *   pt_flock            flock that can wait and be interrupted
 *   passthrough_ll_317  what needs libfuse >= 3.17; passthrough_ll_314 stands in for it otherwise
 *
 * Lock order: pt_dir.lock, then pt.lock. pt.backing and the lock of pt_flock are taken alone. No lock is held
 * while a reply is sent. */
#ifndef RF_TEST_PT_H
#define RF_TEST_PT_H

#include "fs_main.h"

#include <pthread.h>
#include <stdint.h>

/* Which of the two places the kernel may cache in. */
enum pt_cache { kCacheNever, kCacheAuto, kCacheAlways };

struct pt_inode {
    /* Constant. The FUSE node id is the address. While `fd` is open the number `ino` cannot be used again. */
    int fd; /* O_PATH */
    dev_t dev;
    ino_t ino;
    uint64_t generation;

    /* Guarded by pt.lock. */
    struct pt_inode* next;
    uint64_t nlookup;

    /* Guarded by pt.backing. The kernel wants all opens of one inode to name the same backing file. */
    int backing_id;
    unsigned backing_opens;
};

struct pt {
    /* Constant once the loop runs, but for `passthrough`, which INIT may clear. */
    char* source;
    char* cache_name;
    enum pt_cache cache;
    double timeout;
    int writeback;
    int direct_io;
    int passthrough;
    int plain_write;
    int no_readdirplus;
    int is_root; /* new files are given to the caller */
    struct pt_inode root;

    /* Set by passthrough_add_newer_ops, else NULL: called with an open fi->fh before the reply to OPEN or
     * CREATE, and in RELEASE. */
    void (*attach)(fuse_req_t req, struct pt* pt, struct pt_inode* inode, struct fuse_file_info* fi);
    void (*detach)(fuse_req_t req, struct pt* pt, struct pt_inode* inode);

    pthread_mutex_t lock;
    struct pt_inode** buckets;
    size_t nr_buckets; /* power of two */
    size_t nr_inodes;
    uint64_t last_generation;

    pthread_mutex_t backing;
};

/* Room for "/proc/self/fd/<number>", a path that leads to the very inode of a descriptor, symlinks included.
 */
struct pt_path {
    char text[32];
};

/* ---- pt_inode ---- */
struct pt* pt_of(fuse_req_t req);
struct pt_inode* pt_inode_of(struct pt* pt, fuse_ino_t ino);
int pt_fd_of(fuse_req_t req, fuse_ino_t ino);
struct pt_path pt_path_of(int fd);
/* Returns 0 or -errno. */
int pt_init_table(struct pt* pt);
void pt_free_table(struct pt* pt);
/* Finds or makes the inode behind `fd` (O_PATH, taken over), counts one lookup and fills in `e`. Returns 0 or
 * an errno. */
int pt_enter(struct pt* pt, int fd, struct fuse_entry_param* e);
int pt_lookup(struct pt* pt, int dir_fd, const char* name, struct fuse_entry_param* e);
void pt_forget(struct pt* pt, fuse_ino_t ino, uint64_t nlookup);
void pt_reply_entry(fuse_req_t req, int err, const struct fuse_entry_param* e);
void pt_add_inode_ops(struct fuse_lowlevel_ops* ops);

/* ---- pt_names ---- */
/* Gives what was just made as `name` in `dir_fd` to the caller of `req`. Returns 0 or an errno. */
int pt_give_to_caller(fuse_req_t req, int dir_fd, const char* name, mode_t mode);
void pt_add_name_ops(struct fuse_lowlevel_ops* ops);

/* ---- pt_file ---- */
/* What to open the file below with, so that the kernel's cache can work on it. */
int pt_open_flags(const struct pt* pt, int flags);
void pt_set_cache_bits(const struct pt* pt, struct fuse_file_info* fi);
/* Answers CREATE or TMPFILE for the open fi->fh. Undoes everything if the kernel did not take it. */
void pt_reply_create(fuse_req_t req, const struct fuse_entry_param* e, struct fuse_file_info* fi);
void pt_add_file_ops(struct fuse_lowlevel_ops* ops);
void pt_add_io_ops(struct fuse_lowlevel_ops* ops, const struct pt* pt);

/* ---- the rest ---- */
void pt_add_attr_ops(struct fuse_lowlevel_ops* ops);
void pt_add_xattr_ops(struct fuse_lowlevel_ops* ops);
void pt_add_dir_ops(struct fuse_lowlevel_ops* ops, const struct pt* pt);
void pt_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi, int op);
/* Ends what still waits for a flock. Afterwards no thread of pt_flock runs. */
void pt_flock_stop(void);
void pt_init(void* userdata, struct fuse_conn_info* conn);

/* ---- passthrough_ll_317 or passthrough_ll_314 ---- */
/* Adds what the linked library offers beyond 3.14. Returns 0, or -1 after printing why the options cannot be
 * had. */
int passthrough_add_newer_ops(struct fuse_lowlevel_ops* ops, struct pt* pt);

#endif
