/* FUSE operations of memfs on extended attributes: a list per node under the node's lock. */
#include "memfs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

/* "system." (ACLs) is not kept; other namespaces are refused as a local filesystem would. */
static int check_name(const char* name)
{
    static const char* const kPrefixes[] = {"user.", "trusted.", "security."};
    if (strlen(name) > XATTR_NAME_MAX)
        return ERANGE;
    for (size_t i = 0; i < sizeof(kPrefixes) / sizeof(kPrefixes[0]); i++)
        if (strncmp(name, kPrefixes[i], strlen(kPrefixes[i])) == 0)
            return 0;
    return EOPNOTSUPP;
}

static struct mem_xattr** find(struct mem_node* node, const char* name)
{
    struct mem_xattr** link = &node->xattrs;
    while (*link && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    return link;
}

static void xattr_free(struct mem_xattr* xattr)
{
    free(xattr->name);
    free(xattr->value);
    free(xattr);
}

static struct mem_xattr* xattr_new(const char* name, const char* value, size_t size)
{
    struct mem_xattr* xattr = calloc(1, sizeof(*xattr));
    if (!xattr)
        return NULL;
    xattr->name = strdup(name);
    xattr->value = malloc(size ? size : 1);
    xattr->size = size;
    if (!xattr->name || !xattr->value) {
        xattr_free(xattr);
        return NULL;
    }
    memcpy(xattr->value, value, size);
    return xattr;
}

static void memfs_setxattr(fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, size_t size,
                           int flags)
{
    struct mem_node* node = mem_node_of(mem_fs_of(req), ino);
    int err = check_name(name);
    struct mem_xattr* fresh = err ? NULL : xattr_new(name, value, size);
    if (err || !fresh) {
        fuse_reply_err(req, err ? err : ENOMEM);
        return;
    }
    pthread_mutex_lock(&node->lock);
    struct mem_xattr** link = find(node, name);
    struct mem_xattr* old = *link;
    if (old && (flags & XATTR_CREATE)) {
        err = EEXIST;
    } else if (!old && (flags & XATTR_REPLACE)) {
        err = ENODATA;
    } else {
        fresh->next = old ? old->next : NULL;
        *link = fresh;
        mem_touch(node, kTouchCtime);
    }
    pthread_mutex_unlock(&node->lock);
    if (err)
        xattr_free(fresh);
    else if (old)
        xattr_free(old);
    fuse_reply_err(req, err);
}

/* Size 0 asks how large the answer would be. Takes over `data`. */
static void reply_sized(fuse_req_t req, char* data, size_t have, size_t size)
{
    if (size == 0)
        fuse_reply_xattr(req, have);
    else if (have > size)
        fuse_reply_err(req, ERANGE);
    else if (!data)
        fuse_reply_err(req, ENOMEM);
    else
        fuse_reply_buf(req, data, have);
    free(data);
}

static void memfs_getxattr(fuse_req_t req, fuse_ino_t ino, const char* name, size_t size)
{
    struct mem_node* node = mem_node_of(mem_fs_of(req), ino);
    int err = check_name(name);
    if (err) {
        fuse_reply_err(req, err);
        return;
    }
    char* copy = NULL;
    size_t have = 0;
    pthread_mutex_lock(&node->lock);
    struct mem_xattr* xattr = *find(node, name);
    if (xattr) {
        have = xattr->size;
        copy = malloc(have ? have : 1);
        if (copy)
            memcpy(copy, xattr->value, have);
    }
    pthread_mutex_unlock(&node->lock);
    if (xattr)
        reply_sized(req, copy, have, size);
    else
        fuse_reply_err(req, ENODATA);
}

static void memfs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    struct mem_node* node = mem_node_of(mem_fs_of(req), ino);
    size_t have = 0;
    pthread_mutex_lock(&node->lock);
    for (const struct mem_xattr* x = node->xattrs; x; x = x->next)
        have += strlen(x->name) + 1;
    char* names = malloc(have ? have : 1);
    char* at = names;
    for (const struct mem_xattr* x = names ? node->xattrs : NULL; x; x = x->next)
        at = stpcpy(at, x->name) + 1;
    pthread_mutex_unlock(&node->lock);
    reply_sized(req, names, have, size);
}

static void memfs_removexattr(fuse_req_t req, fuse_ino_t ino, const char* name)
{
    struct mem_node* node = mem_node_of(mem_fs_of(req), ino);
    int err = check_name(name);
    if (!err) {
        pthread_mutex_lock(&node->lock);
        struct mem_xattr** link = find(node, name);
        struct mem_xattr* doomed = *link;
        if (doomed) {
            *link = doomed->next;
            mem_touch(node, kTouchCtime);
        }
        pthread_mutex_unlock(&node->lock);
        if (doomed)
            xattr_free(doomed);
        else
            err = ENODATA;
    }
    fuse_reply_err(req, err);
}

void memfs_add_xattr_ops(struct fuse_lowlevel_ops* ops)
{
    ops->setxattr = memfs_setxattr;
    ops->getxattr = memfs_getxattr;
    ops->listxattr = memfs_listxattr;
    ops->removexattr = memfs_removexattr;
}
