/* same_ops: the same random calls on two filesystems, which must answer the same. Parts:
 *   same_ops        program, random choices     same_calls  one call on one side
 *   same_compare    whole trees side by side */
#ifndef RF_TEST_SAME_OPS_H
#define RF_TEST_SAME_OPS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    kSlots = 12,
    kPathBytes = 64,
    kDataBytes = 1 << 16,
    kMaxFileBytes = 1 << 18,
    /* Times the test sets lie before this; only those must be equal, the others are the clock's. */
    kSetTimesEnd = 1500000000,
};

enum same_op {
    kOpen,
    kClose,
    kRead,
    kWrite,
    kAppend,
    kTruncate,
    kFtruncate,
    kUnlink,
    kRmdir,
    kMkdir,
    kRename,
    kLink,
    kSymlink,
    kReadlink,
    kLstat,
    kFstat,
    kChmod,
    kFchmod,
    kChown,
    kUtimens,
    kFutimens,
    kList,
    kSetxattr,
    kGetxattr,
    kListxattr,
    kRemovexattr,
    kFallocate,
    kCopy,
    kMkfifo,
    kAccess,
    kFlock,
    kFsync,
    kNrOps
};

/* One call with all arguments it may need, the same for both sides. */
struct same_call {
    enum same_op op;
    char path[kPathBytes];
    char other[kPathBytes]; /* second path, symlink target, xattr name */
    int slot;
    int slot2;
    int flags;
    mode_t mode;
    off_t off;
    off_t off2;
    size_t size;
    long seconds[2];
    char data[kDataBytes]; /* what is written */
};

/* What came back. */
struct same_result {
    long rc; /* -errno on failure */
    size_t len;
    char text[kDataBytes]; /* bytes read, or attributes and listings as text */
};

/* One of the two filesystems. */
struct side {
    const char* name;
    int root;        /* O_PATH of the directory all paths start in */
    int fds[kSlots]; /* -1: closed */
};

extern const char* const kSameOpNames[kNrOps];

void same_run(struct side* side, const struct same_call* call, struct same_result* result);
/* Attributes that must be equal, as text: "f 0644 nlink=1 …". `nlink` 0 leaves the link count out. */
void same_attributes(int dir_fd, const char* path, int nlink, struct same_result* result);
/* Compares everything below both roots. Returns the number of differences, each printed. */
int same_trees(const struct side sides[2]);

#endif
