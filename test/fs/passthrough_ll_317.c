/* What passthrough does with a library of version 3.17 or later: O_TMPFILE, and backing files, with which the
 * kernel reads and writes the file below without asking. Built instead of passthrough_ll_314.c. */
#include "pt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void newer_init(void* userdata, struct fuse_conn_info* conn)
{
    struct pt* pt = userdata;
    pt_init(userdata, conn);
    if (!pt->passthrough)
        return;
    if (fuse_set_feature_flag(conn, FUSE_CAP_PASSTHROUGH)) {
        conn->max_backing_stack_depth = 1; /* the file below must not lie on a stacked filesystem */
    } else {
        pt->passthrough = 0;
        fuse_log(FUSE_LOG_ERR,
                 "no backing files: the kernel does not offer them, serving reads and writes\n");
    }
}

/* Kernel: fuse_file_passthrough_open() refuses FOPEN_KEEP_CACHE, and an inode whose opens name different
 * backing files gets EBUSY. So there is one id per inode, shared by its opens and closed with the last. */
static void attach(fuse_req_t req, struct pt* pt, struct pt_inode* inode, struct fuse_file_info* fi)
{
    if (!pt->passthrough)
        return;
    pthread_mutex_lock(&pt->backing);
    if (inode->backing_opens == 0) {
        int id = fuse_passthrough_open(req, (int)fi->fh);
        inode->backing_id = id > 0 ? id : 0;
        if (id <= 0)
            fuse_log(FUSE_LOG_ERR, "no backing file: ino=%llu rc=%d, serving its reads and writes\n",
                     (unsigned long long)inode->ino, id);
    }
    inode->backing_opens++;
    int id = inode->backing_id;
    pthread_mutex_unlock(&pt->backing);
    if (id > 0) {
        fi->backing_id = id;
        fi->keep_cache = 0;
        fi->direct_io = 0;
    }
}

static void detach(fuse_req_t req, struct pt* pt, struct pt_inode* inode)
{
    int id = 0;
    pthread_mutex_lock(&pt->backing);
    if (inode->backing_opens > 0 && --inode->backing_opens == 0) {
        id = inode->backing_id;
        inode->backing_id = 0;
        /* Under the lock: a new open of this inode must not find the old id half closed. */
        if (id > 0)
            fuse_passthrough_close(req, id);
    }
    pthread_mutex_unlock(&pt->backing);
}

static int open_tmpfile(fuse_req_t req, int dir_fd, mode_t mode, int flags, int* ret_fd)
{
    int fd = openat(dir_fd, ".", (pt_open_flags(pt_of(req), flags) & ~O_CREAT) | O_TMPFILE | O_CLOEXEC,
                    mode & 07777);
    if (fd < 0)
        return errno;
    const struct fuse_ctx* ctx = fuse_req_ctx(req);
    struct stat dir;
    int err = fstatat(dir_fd, "", &dir, AT_EMPTY_PATH) == 0 ? 0 : errno;
    if (!err && pt_of(req)->is_root) {
        gid_t gid = dir.st_mode & S_ISGID ? (gid_t)-1 : ctx->gid;
        err = fchown(fd, ctx->uid, gid) == 0 && fchmod(fd, mode & 07777) == 0 ? 0 : errno;
    }
    if (err) {
        close(fd);
        return err;
    }
    *ret_fd = fd;
    return 0;
}

static void newer_tmpfile(fuse_req_t req, fuse_ino_t parent, mode_t mode, struct fuse_file_info* fi)
{
    struct fuse_entry_param e;
    int fd = -1;
    int err = open_tmpfile(req, pt_fd_of(req, parent), mode, fi->flags, &fd);
    if (!err) {
        struct pt_path path = pt_path_of(fd);
        int path_fd = open(path.text, O_PATH | O_CLOEXEC);
        err = path_fd < 0 ? errno : pt_enter(pt_of(req), path_fd, &e);
        if (err)
            close(fd);
    }
    if (err) {
        fuse_reply_err(req, err);
        return;
    }
    fi->fh = (uint64_t)fd;
    pt_reply_create(req, &e, fi);
}

int passthrough_add_newer_ops(struct fuse_lowlevel_ops* ops, struct pt* pt)
{
    ops->init = newer_init;
    ops->tmpfile = newer_tmpfile;
    pt->attach = attach;
    pt->detach = detach;
    return 0;
}
