/* A lock request that waits; on fs->waiters, guarded by fs->locks. */
#ifndef RF_TEST_MEMFS_LOCKOPS_H
#define RF_TEST_MEMFS_LOCKOPS_H

#include "memfs.h"

struct mem_waiter {
    struct mem_waiter* next;
    uint64_t id; /* never reused */
    fuse_req_t req;
    struct mem_node* node; /* the kernel holds the inode while the request is open */
    int is_flock;
    int waiting;     /* 0: its handler still prepares it, nobody else may answer */
    int interrupted; /* set only while waiting is 0 */
    int err;         /* the answer, once off the list */
    struct mem_lock want;
};

#endif
