/* fsx_check: does random things to one file and to a copy in memory, and expects both to stay the same.
 * Parts: fsx_check  options, processes        fsx_model  the copy, comparison, history fsx_data   read,
 * write, mmap, copy   fsx_space  truncate, fallocate, holes, reopen One struct fsx per process; nothing is
 * shared between processes. */
#ifndef RF_TEST_FSX_H
#define RF_TEST_FSX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { kHistory = 64 };

struct fsx_step {
    uint64_t number;
    const char* op;
    off_t off;
    off_t len;
    off_t other; /* a second offset or a flag, by op */
    off_t size_after;
};

struct fsx {
    const char* path;
    int proc;
    int fd;
    int sync_first; /* write back before holes are looked for */
    off_t max;      /* the file never grows beyond this */
    off_t size;     /* of the model */
    char* model;    /* max bytes; Invariant: zero from `size` on */
    char* buf;      /* max bytes of scratch */
    uint64_t rng;
    uint64_t step;
    struct fsx_step history[kHistory];
};

/* One kind of step. `run` returns 0, or -1 after it reported a failure. `probe` may be NULL; it tries the
 * system call on the still empty file and returns 0 or the errno of a filesystem that does not have it. */
struct fsx_op {
    const char* name;
    unsigned weight;
    int (*run)(struct fsx* f);
    int (*probe)(struct fsx* f);
};

/* ---- fsx_model ---- */
/* Notes the step that is about to be done. */
void fsx_note(struct fsx* f, const char* op, off_t off, off_t len, off_t other);
/* Grows or shrinks the model; new bytes are zero. */
void fsx_resize(struct fsx* f, off_t size);
/* The model's part of a successful write. */
void fsx_store(struct fsx* f, const char* data, off_t off, off_t len);
void fsx_zero(struct fsx* f, off_t off, off_t len);
/* Compares with the model. Returns 0, or -1 after reporting the first difference. */
int fsx_compare(struct fsx* f, const char* got, off_t off, off_t len);
/* Reports a failed system call (`err` is an errno) or a wrong number, with the history. Both return -1. */
int fsx_fail_call(struct fsx* f, const char* what, int err);
int fsx_fail_number(struct fsx* f, const char* what, long long want, long long got);
/* A random piece [off, off + len) with len >= 1, starting and ending anywhere below `limit` (> 0). */
void fsx_range(struct fsx* f, off_t limit, off_t* ret_off, off_t* ret_len);
/* Reads the whole file and its size and compares. */
int fsx_verify(struct fsx* f);
int fsx_open(struct fsx* f, int flags);

extern const struct fsx_op kFsxDataOps[];
extern const size_t kNrFsxDataOps;
extern const struct fsx_op kFsxSpaceOps[];
extern const size_t kNrFsxSpaceOps;

#endif
