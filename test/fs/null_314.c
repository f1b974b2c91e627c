/* Stands in for null_318.c where the library is older: reads are served as ever. */
#include "null_newer.h"

#include <errno.h>

void null_want_backing(struct fuse_conn_info* conn)
{
    (void)conn;
}

int null_backing_id(fuse_req_t req, int fd)
{
    (void)req;
    (void)fd;
    return 0;
}

void null_use_backing(struct fuse_file_info* fi, int id)
{
    (void)fi;
    (void)id;
}

int null_reply_in_place(fuse_req_t req, size_t size)
{
    (void)req;
    (void)size;
    return -ENOSYS;
}
