/* hl_memfs: the memory filesystem of memfs.h behind the path-based API. Shared by its parts:
 *   hl_memfs        options, INIT, main      hl_memfs_path   from a path to a node
 *   hl_memfs_names  create … rename, link    hl_memfs_attr   attributes, extended attributes, statfs
 *   hl_memfs_file   open, I/O, listing       hl_memfs_locks  lock, flock
 *   hl_memfs_misc   ioctl, poll, lseek …
 * The kernel's references do not reach this API, so mem_node.nlookup stays 0: a node lives by its names, its
 * open files, and the operations that work on it just now (both counted in nopen). */
#ifndef RF_TEST_HL_MEMFS_H
#define RF_TEST_HL_MEMFS_H

#include "memfs.h"

#include <fuse.h>

struct hl_memfs {
    struct mem_fs fs;
    /* Options, constant once the filesystem is served. */
    int hard_remove;
    int use_ino;
    int readdir_ino;
    int nullpath_ok;
    int direct_io;
    int intr;
    int no_offsets;
    int plain_io;
    char* without;                /* operations left out, for tests of what the library does then */
    pthread_cond_t locks_changed; /* with fs.locks */
};

/* All functions below return 0 or more, or a negative errno, as operations do. */

struct hl_memfs* hl_memfs(void);
struct mem_fs* hl_fs(void);
/* The node of a call, kept alive until hl_drop(). An open file names it whatever its path is, NULL included.
 */
int hl_hold(const char* path, const struct fuse_file_info* fi, struct mem_node** ret_node);
/* Also for what an open file holds. */
void hl_drop(struct mem_node* node);
/* The directory of `path` and the name in it, which points into `path`. REQUIRES: fs->tree, held until both
 * are used. */
int hl_parent(const char* path, struct mem_node** ret_dir, const char** ret_name);
int hl_find(const char* path, struct mem_node** ret_node);

void hl_memfs_add_name_ops(struct fuse_operations* ops);
void hl_memfs_add_attr_ops(struct fuse_operations* ops);
void hl_memfs_add_file_ops(struct fuse_operations* ops, const struct hl_memfs* hl);
void hl_memfs_add_misc_ops(struct fuse_operations* ops);
void hl_memfs_add_lock_ops(struct fuse_operations* ops);
/* Writes through node->lock, as all writes must: wakes who polls. */
int hl_write(struct mem_node* node, const char* buf, size_t size, off_t off);
/* Drops the flock of an owner, for RELEASE. */
void hl_drop_flock(struct mem_node* node, uint64_t owner);

#endif
