/* Stands in for passthrough_ll_317.c where the library is older than 3.17: nothing to add, and an option that
 * needs it is an error rather than a silent change. */
#include "pt.h"

#include <stdio.h>

int passthrough_add_newer_ops(struct fuse_lowlevel_ops* ops, struct pt* pt)
{
    (void)ops;
    if (!pt->passthrough)
        return 0;
    fprintf(stderr, "-o passthrough needs libfuse 3.17\n");
    return -1;
}
