/* Stands in for hl_probe_319.c on an older library. */
#include "hl_probe.h"

void hl_probe_add_newer_ops(struct fuse_operations* ops)
{
    (void)ops;
}
