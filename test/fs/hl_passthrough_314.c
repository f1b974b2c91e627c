/* Stands in for hl_passthrough_318.c on an older library. */
#include "hl_pt.h"

void hl_pt_add_newer_ops(struct fuse_operations* ops)
{
    (void)ops;
}
