/* FUSE operations of passthrough on extended attributes. */
#include "pt.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/xattr.h>

/* Answers with `rc` bytes of `buf`, or with the number alone if the question was for the size. Takes over
 * `buf`. */
static void reply_sized(fuse_req_t req, ssize_t rc, char* buf, size_t size)
{
    if (rc < 0)
        fuse_reply_err(req, errno);
    else if (size == 0)
        fuse_reply_xattr(req, (size_t)rc);
    else
        fuse_reply_buf(req, buf, (size_t)rc);
    free(buf);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char* name, size_t size)
{
    struct pt_path path = pt_path_of(pt_fd_of(req, ino));
    char* buf = size ? malloc(size) : NULL;
    if (size && !buf)
        fuse_reply_err(req, ENOMEM);
    else
        reply_sized(req, getxattr(path.text, name, buf, size), buf, size);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    struct pt_path path = pt_path_of(pt_fd_of(req, ino));
    char* buf = size ? malloc(size) : NULL;
    if (size && !buf)
        fuse_reply_err(req, ENOMEM);
    else
        reply_sized(req, listxattr(path.text, buf, size), buf, size);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, size_t size,
                        int flags)
{
    struct pt_path path = pt_path_of(pt_fd_of(req, ino));
    fuse_reply_err(req, setxattr(path.text, name, value, size, flags) == 0 ? 0 : errno);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char* name)
{
    struct pt_path path = pt_path_of(pt_fd_of(req, ino));
    fuse_reply_err(req, removexattr(path.text, name) == 0 ? 0 : errno);
}

void pt_add_xattr_ops(struct fuse_lowlevel_ops* ops)
{
    ops->getxattr = op_getxattr;
    ops->listxattr = op_listxattr;
    ops->setxattr = op_setxattr;
    ops->removexattr = op_removexattr;
}
