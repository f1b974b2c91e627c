/* null_ll with a library of version 3.18 or later: backing files, and answers built where the kernel reads
 * them. Built instead of null_314.c. */
#include "null_newer.h"

#include <errno.h>

void null_want_backing(struct fuse_conn_info* conn)
{
    if (fuse_set_feature_flag(conn, FUSE_CAP_PASSTHROUGH))
        conn->max_backing_stack_depth = 1;
}

int null_backing_id(fuse_req_t req, int fd)
{
    int id = fuse_passthrough_open(req, fd);
    if (id > 0)
        return id;
    /* 0 is how the call says that the kernel refused. */
    return id < 0 ? id : -EOPNOTSUPP;
}

void null_use_backing(struct fuse_file_info* fi, int id)
{
    fi->backing_id = id;
    fi->direct_io = 0;
    fi->keep_cache = 0;
}

int null_reply_in_place(fuse_req_t req, size_t size)
{
    char* payload = NULL;
    size_t room = 0;
    int rc = fuse_req_get_payload(req, &payload, &room, NULL);
    if (rc < 0)
        return rc;
    if (size > room)
        return -ERANGE;
    fuse_reply_buf(req, payload, size);
    return 0;
}
