/* What null_ll does with a library that has more than libfuse 3.14: null_318.c, else null_314.c. */
#ifndef RF_TEST_NULL_NEWER_H
#define RF_TEST_NULL_NEWER_H

#include "fs_main.h"

/* Asks for backing files, where they can be had. */
void null_want_backing(struct fuse_conn_info* conn);

/* The backing id for `fd`; 0: there are none, and reads have to be served; or -errno. */
int null_backing_id(fuse_req_t req, int fd);

/* Makes `fi`, about to be answered, an open of the file behind `id`. */
void null_use_backing(struct fuse_file_info* fi, int id);

/* Answers with `size` bytes of the buffer that the kernel reads the answer from, whatever they are. Returns
 * 0, or -errno and the request is not answered. */
int null_reply_in_place(fuse_req_t req, size_t size);

#endif
