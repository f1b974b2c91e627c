/* What the two halves of the language binding share: binding.c brings the library in, binding_ops.c is the
 * filesystem. */
#ifndef FAMILY_BINDING_H
#define FAMILY_BINDING_H

#include "abi_path.h"

#include <stdatomic.h>

struct binding {
    int root; /* the directory that is shown */
    struct fuse_context* (*get_context)(void);
    /* What the filesystem saw. */
    atomic_int inits, destroys, named, nameless, meeting, strange_contexts;
};
extern struct binding binding;

extern const fuse_op binding_ops[HL_NR_OPS];

#endif
