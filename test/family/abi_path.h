/* As abi.h, for the path API. */
#ifndef FAMILY_ABI_PATH_H
#define FAMILY_ABI_PATH_H

#include "abi.h"

struct fuse;

struct fuse_config {
    int32_t set_gid;
    uint32_t gid;
    int32_t set_uid;
    uint32_t uid;
    int32_t set_mode;
    uint32_t umask;
    double entry_timeout, negative_timeout, attr_timeout;
    int32_t intr, intr_signal, remember, hard_remove, use_ino, readdir_ino, direct_io, kernel_cache,
        auto_cache;
#if FAMILY_B || FAMILY_C
    int32_t no_rofd_flush;
#endif
    int32_t ac_attr_timeout_set;
    double ac_attr_timeout;
    int32_t nullpath_ok;
#if FAMILY_C
    int32_t parallel_direct_writes;
#endif
    int32_t show_help;
    char* modules;
    int32_t debug;
#if FAMILY_D
    uint32_t fmask, dmask;
    int32_t no_rofd_flush, parallel_direct_writes;
    uint32_t flags;
    uint64_t reserved[48];
#endif
};
_Static_assert(sizeof(struct fuse_config) == (FAMILY_A   ? 120
                                              : FAMILY_B ? 128
                                              : FAMILY_C ? 136
                                                         : 520),
               "fuse_config");

struct fuse_context {
    struct fuse* fuse;
    uid_t uid;
    gid_t gid;
    pid_t pid;
    void* private_data;
    mode_t umask;
};
_Static_assert(sizeof(struct fuse_context) == 40, "fuse_context");

/* Places in fuse_operations; its size tells A and D. */
enum {
    HL_GETATTR = 0,
    HL_READLINK = 1,
    HL_MKNOD = 2,
    HL_MKDIR = 3,
    HL_UNLINK = 4,
    HL_RMDIR = 5,
    HL_SYMLINK = 6,
    HL_RENAME = 7,
    HL_LINK = 8,
    HL_CHMOD = 9,
    HL_CHOWN = 10,
    HL_TRUNCATE = 11,
    HL_OPEN = 12,
    HL_READ = 13,
    HL_WRITE = 14,
    HL_STATFS = 15,
    HL_FLUSH = 16,
    HL_RELEASE = 17,
    HL_FSYNC = 18,
    HL_OPENDIR = 23,
    HL_READDIR = 24,
    HL_RELEASEDIR = 25,
    HL_INIT = 27,
    HL_DESTROY = 28,
    HL_CREATE = 30,
    HL_UTIMENS = 32,
    HL_NR_OPS = FAMILY_A   ? 41
                : FAMILY_D ? 43
                           : 42
};

#endif
