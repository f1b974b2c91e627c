/* hl_passthrough: shows a directory of another filesystem through the path-based API. Shared by its parts:
 *   hl_passthrough  options, INIT, main       hl_pt_names  create … rename, link
 *   hl_pt_attr      attributes, xattrs        hl_pt_file   open, I/O, listing
 *   hl_passthrough_318 adds what libfuse 3.18 has beyond; hl_passthrough_314 stands in for it otherwise
 * It keeps no state but the descriptor of that directory; an open file is the descriptor in fi->fh. */
#ifndef RF_TEST_HL_PT_H
#define RF_TEST_HL_PT_H

#define FUSE_USE_VERSION 35
#include <fuse.h>

struct hl_pt {
    char* source;
    int plain_io;
    int direct_io;
    int nullpath_ok;
    int no_readdirplus;
    int is_root; /* new files are given to the caller */
    int root;    /* O_PATH */
};

struct hl_pt* hl_pt(void);
/* The name below hl_pt()->root: "." for the root itself. */
const char* hl_pt_name(const char* path);
/* "-1 and errno" of libc as operations answer it. */
int hl_pt_result(long rc);
/* Gives what was just made to the caller. Returns 0 or -errno. */
int hl_pt_give_to_caller(const char* path, mode_t mode);

void hl_pt_add_name_ops(struct fuse_operations* ops);
void hl_pt_add_attr_ops(struct fuse_operations* ops);
void hl_pt_add_file_ops(struct fuse_operations* ops, const struct hl_pt* pt);
void hl_pt_add_newer_ops(struct fuse_operations* ops);

#endif
