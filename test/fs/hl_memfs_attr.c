/* Path operations of hl_memfs on attributes and extended attributes. Permission checks are the kernel's
 * (default_permissions). */
#include "hl_memfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int hl_getattr(const char* path, struct stat* st, struct fuse_file_info* fi)
{
    struct mem_node* node;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0)
        return rc;
    mem_stat(node, st);
    hl_drop(node);
    return 0;
}

static int hl_chmod(const char* path, mode_t mode, struct fuse_file_info* fi)
{
    struct mem_node* node;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&node->lock);
    node->attr.st_mode = (node->attr.st_mode & S_IFMT) | (mode & 07777);
    mem_touch(node, kTouchCtime);
    pthread_mutex_unlock(&node->lock);
    hl_drop(node);
    return 0;
}

static int hl_chown(const char* path, uid_t uid, gid_t gid, struct fuse_file_info* fi)
{
    struct mem_node* node;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&node->lock);
    if (uid != (uid_t)-1)
        node->attr.st_uid = uid;
    if (gid != (gid_t)-1)
        node->attr.st_gid = gid;
    mem_touch(node, kTouchCtime);
    pthread_mutex_unlock(&node->lock);
    hl_drop(node);
    return 0;
}

static int hl_truncate(const char* path, off_t size, struct fuse_file_info* fi)
{
    struct mem_node* node;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&node->lock);
    rc = -mem_set_size(hl_fs(), node, size);
    pthread_mutex_unlock(&node->lock);
    hl_drop(node);
    return rc;
}

static void set_time(struct mem_node* node, int which, struct timespec* field, const struct timespec* want)
{
    if (want->tv_nsec == UTIME_NOW)
        mem_touch(node, which);
    else if (want->tv_nsec != UTIME_OMIT)
        *field = *want;
}

static int hl_utimens(const char* path, const struct timespec times[2], struct fuse_file_info* fi)
{
    struct mem_node* node;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&node->lock);
    mem_touch(node, kTouchCtime);
    set_time(node, kTouchAtime, &node->attr.st_atim, &times[0]);
    set_time(node, kTouchMtime, &node->attr.st_mtim, &times[1]);
    pthread_mutex_unlock(&node->lock);
    hl_drop(node);
    return 0;
}

static int hl_statfs(const char* path, struct statvfs* st)
{
    (void)path;
    mem_statfs(hl_fs(), st);
    return 0;
}

static int hl_setxattr(const char* path, const char* name, const char* value, size_t size, int flags)
{
    struct mem_node* node;
    int rc = hl_hold(path, NULL, &node);
    if (rc < 0)
        return rc;
    rc = -mem_set_xattr(node, name, value, size, flags);
    hl_drop(node);
    return rc;
}

/* Size 0 asks how large the answer would be. Frees `data`. */
static int answer_sized(int err, char* data, size_t have, char* buf, size_t size)
{
    int rc = err ? -err : (int)have;
    if (!err && size > 0 && have > size)
        rc = -ERANGE;
    else if (!err && size > 0)
        memcpy(buf, data, have);
    if (!err)
        free(data);
    return rc;
}

static int hl_getxattr(const char* path, const char* name, char* buf, size_t size)
{
    struct mem_node* node;
    char* data = NULL;
    size_t have = 0;
    int rc = hl_hold(path, NULL, &node);
    if (rc < 0)
        return rc;
    int err = mem_get_xattr(node, name, &data, &have);
    hl_drop(node);
    return answer_sized(err, data, have, buf, size);
}

static int hl_listxattr(const char* path, char* buf, size_t size)
{
    struct mem_node* node;
    char* data = NULL;
    size_t have = 0;
    int rc = hl_hold(path, NULL, &node);
    if (rc < 0)
        return rc;
    int err = mem_list_xattr(node, &data, &have);
    hl_drop(node);
    return answer_sized(err, data, have, buf, size);
}

static int hl_removexattr(const char* path, const char* name)
{
    struct mem_node* node;
    int rc = hl_hold(path, NULL, &node);
    if (rc < 0)
        return rc;
    rc = -mem_remove_xattr(node, name);
    hl_drop(node);
    return rc;
}

void hl_memfs_add_attr_ops(struct fuse_operations* ops)
{
    ops->getattr = hl_getattr;
    ops->chmod = hl_chmod;
    ops->chown = hl_chown;
    ops->truncate = hl_truncate;
    ops->utimens = hl_utimens;
    ops->statfs = hl_statfs;
    ops->setxattr = hl_setxattr;
    ops->getxattr = hl_getxattr;
    ops->listxattr = hl_listxattr;
    ops->removexattr = hl_removexattr;
}
