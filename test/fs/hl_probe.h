/* hl_probe: counts which operations of the path-based API are called, and with what. Its parts:
 *   hl_probe        options, INIT, counters, commands
 *   hl_probe_names  names and attributes
 *   hl_probe_file   open files and directories
 *   hl_probe_319    statx and syncfs; hl_probe_314 stands in for it on an older library
 * What exists is a list of whole paths. Every file reads as one letter repeated, another one after each
 * command "next". Files with a 'w' first are slow: a read waits for a signal, a write for a moment.
 *
 * "/.calls" shows the counters, a line each. What is written to "/.control" is a command; its failure is
 * that of the write, its result the line "result" of "/.calls":
 *   next             all files read as the next letter
 *   invalidate PATH  fuse_invalidate_path()
 *   groups           fuse_getgroups(): the sum of them
 *   clean            fuse_clean_cache()
 *   exit             fuse_exit()
 *   stop, start      fuse_stop_cleanup_thread(), fuse_start_cleanup_thread()
 * Neither file is counted. */
#ifndef RF_TEST_HL_PROBE_H
#define RF_TEST_HL_PROBE_H

#define FUSE_USE_VERSION 35
#include <fuse.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/stat.h>

/* Every member of fuse_operations, and what else is counted. */
/* clang-format off */
#define HL_PROBE_COUNTERS(X)                                                                                 \
    X(getattr) X(readlink) X(mknod) X(mkdir) X(unlink) X(rmdir) X(symlink) X(rename) X(link) X(chmod)        \
    X(chown) X(truncate) X(open) X(read) X(write) X(statfs) X(flush) X(release) X(fsync) X(setxattr)         \
    X(getxattr) X(listxattr) X(removexattr) X(opendir) X(readdir) X(releasedir) X(fsyncdir) X(init)          \
    X(destroy) X(access) X(create) X(lock) X(utimens) X(bmap) X(ioctl) X(poll) X(write_buf) X(read_buf)      \
    X(flock) X(fallocate) X(copy_file_range) X(lseek) X(statx) X(syncfs)                                     \
    X(null_paths) X(waiting) X(interrupted) X(writers) X(most_writers) X(umask) X(uid) X(gid) X(pid) X(result)
/* clang-format on */

#define HL_PROBE_NUMBER(name) kProbe_##name,
enum hl_probe_counter { HL_PROBE_COUNTERS(HL_PROBE_NUMBER) kProbeCounters };
#undef HL_PROBE_NUMBER

enum {
    kProbeNodes = 256,
    kProbeFileBytes = 1 << 20,
    kProbeControl = 1000, /* fi->fh of "/.control" and "/.calls" */
};

struct hl_probe_node {
    char path[128]; /* empty: free */
    mode_t mode;
    off_t size;
    char target[128];
};

struct hl_probe {
    /* Options, constant once the filesystem is served. */
    int plain_io;
    int nullpath_ok;
    int readdir_ino;
    int direct_io;
    int intr;
    int intr_signal;
    atomic_int letter;
    atomic_long counters[kProbeCounters];
    pthread_mutex_t lock; /* guards nodes */
    struct hl_probe_node nodes[kProbeNodes];
};

struct hl_probe* hl_probe(void);
/* Counts a call, unless it is about the two files above. `path` or `fi` may be NULL. */
void hl_probe_count(enum hl_probe_counter counter, const char* path, const struct fuse_file_info* fi);
/* Text of "/.calls"; returns its length. */
int hl_probe_report(char* text, size_t size);
/* 0 or -errno. */
int hl_probe_command(const char* words, size_t size);
int hl_probe_getattr(const char* path, struct stat* st, struct fuse_file_info* fi);

/* Fills in the names right below `path`. */
void hl_probe_list(const char* path, void* buf, fuse_fill_dir_t fill);
/* The number of a node, kProbeControl, or -ENOENT. */
int hl_probe_number(const char* path);

void hl_probe_add_name_ops(struct fuse_operations* ops);
void hl_probe_add_file_ops(struct fuse_operations* ops, const struct hl_probe* probe);
void hl_probe_add_newer_ops(struct fuse_operations* ops);

#endif
