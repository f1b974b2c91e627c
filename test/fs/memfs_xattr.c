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

int mem_set_xattr(struct mem_node* node, const char* name, const char* value, size_t size, int flags)
{
    int err = check_name(name);
    struct mem_xattr* fresh = err ? NULL : xattr_new(name, value, size);
    if (err || !fresh)
        return err ? err : ENOMEM;
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
    return err;
}

static void memfs_setxattr(fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, size_t size,
                           int flags)
{
    fuse_reply_err(req, mem_set_xattr(mem_node_of(mem_fs_of(req), ino), name, value, size, flags));
}

int mem_get_xattr(struct mem_node* node, const char* name, char** ret_data, size_t* ret_size)
{
    int err = check_name(name);
    if (err)
        return err;
    pthread_mutex_lock(&node->lock);
    const struct mem_xattr* xattr = *find(node, name);
    char* copy = malloc(xattr && xattr->size ? xattr->size : 1);
    if (!xattr)
        err = ENODATA;
    else if (!copy)
        err = ENOMEM;
    if (!err) {
        memcpy(copy, xattr->value, xattr->size);
        *ret_size = xattr->size;
    }
    pthread_mutex_unlock(&node->lock);
    if (err)
        free(copy);
    else
        *ret_data = copy;
    return err;
}

int mem_list_xattr(struct mem_node* node, char** ret_data, size_t* ret_size)
{
    size_t have = 0;
    pthread_mutex_lock(&node->lock);
    for (const struct mem_xattr* x = node->xattrs; x; x = x->next)
        have += strlen(x->name) + 1;
    char* names = malloc(have ? have : 1);
    char* at = names;
    for (const struct mem_xattr* x = names ? node->xattrs : NULL; x; x = x->next)
        at = stpcpy(at, x->name) + 1;
    pthread_mutex_unlock(&node->lock);
    *ret_data = names;
    *ret_size = have;
    return names ? 0 : ENOMEM;
}

int mem_remove_xattr(struct mem_node* node, const char* name)
{
    int err = check_name(name);
    if (err)
        return err;
    pthread_mutex_lock(&node->lock);
    struct mem_xattr** link = find(node, name);
    struct mem_xattr* doomed = *link;
    if (doomed) {
        *link = doomed->next;
        mem_touch(node, kTouchCtime);
    }
    pthread_mutex_unlock(&node->lock);
    if (!doomed)
        return ENODATA;
    xattr_free(doomed);
    return 0;
}

/* Size 0 asks how large the answer would be. Takes over `data`. */
static void reply_sized(fuse_req_t req, int err, char* data, size_t have, size_t size)
{
    if (err)
        fuse_reply_err(req, err);
    else if (size == 0)
        fuse_reply_xattr(req, have);
    else if (have > size)
        fuse_reply_err(req, ERANGE);
    else
        fuse_reply_buf(req, data, have);
    free(data);
}

static void memfs_getxattr(fuse_req_t req, fuse_ino_t ino, const char* name, size_t size)
{
    char* value = NULL;
    size_t have = 0;
    int err = mem_get_xattr(mem_node_of(mem_fs_of(req), ino), name, &value, &have);
    reply_sized(req, err, value, have, size);
}

static void memfs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    char* names = NULL;
    size_t have = 0;
    int err = mem_list_xattr(mem_node_of(mem_fs_of(req), ino), &names, &have);
    reply_sized(req, err, names, have, size);
}

static void memfs_removexattr(fuse_req_t req, fuse_ino_t ino, const char* name)
{
    fuse_reply_err(req, mem_remove_xattr(mem_node_of(mem_fs_of(req), ino), name));
}

void memfs_add_xattr_ops(struct fuse_lowlevel_ops* ops)
{
    ops->setxattr = memfs_setxattr;
    ops->getxattr = memfs_getxattr;
    ops->listxattr = memfs_listxattr;
    ops->removexattr = memfs_removexattr;
}
