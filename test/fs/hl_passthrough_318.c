/* What hl_passthrough offers where libfuse has it, from 3.18 on: statx. */
#include "hl_pt.h"

#include <fcntl.h>
#include <sys/stat.h>

static int pt_statx(const char* path, int flags, int mask, struct statx* st, struct fuse_file_info* fi)
{
    if (fi)
        return hl_pt_result(statx((int)fi->fh, "", flags | AT_EMPTY_PATH, (unsigned)mask, st));
    return hl_pt_result(
        statx(hl_pt()->root, hl_pt_name(path), flags | AT_SYMLINK_NOFOLLOW, (unsigned)mask, st));
}

void hl_pt_add_newer_ops(struct fuse_operations* ops)
{
    ops->statx = pt_statx;
}
