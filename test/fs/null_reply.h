/* How null_ll answers getattr, read and write: at once, or through a queue that another thread empties. */
#ifndef RF_TEST_NULL_REPLY_H
#define RF_TEST_NULL_REPLY_H

#include "fs_main.h"

enum null_reply_kind {
    kNullReplyAttr,
    kNullReplyWrite,
    kNullReplyBuf,  /* `size` bytes at `mem` */
    kNullReplyData, /* `size` bytes at `off` of `fd` */
};

struct null_reply {
    enum null_reply_kind kind;
    fuse_req_t req;
    size_t size;
    off_t off;
    const char* mem; /* lives as long as the process */
    int fd;
    double attr_timeout;
    struct stat attr;
};

void null_reply_now(const struct null_reply* reply);

/* Copies `reply`; any thread. REQUIRES: null_reply_start() returned 0. */
void null_reply_later(const struct null_reply* reply);

/* Returns 0 or -errno. */
int null_reply_start(void);

/* Answers what is queued, then joins the thread. */
void null_reply_stop(void);

#endif
