/* The operations of hl_probe on names and attributes. See hl_probe.h. */
#include "hl_probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

/* REQUIRES: probe->lock. NULL: there is none. */
static struct hl_probe_node* find(struct hl_probe* probe, const char* path)
{
    for (int i = 0; i < kProbeNodes; i++)
        if (probe->nodes[i].path[0] && strcmp(probe->nodes[i].path, path) == 0)
            return &probe->nodes[i];
    return NULL;
}

static int make(const char* path, mode_t mode, const char* target)
{
    struct hl_probe* probe = hl_probe();
    const struct fuse_context* caller = fuse_get_context();
    atomic_store(&probe->counters[kProbe_umask], (long)caller->umask);
    atomic_store(&probe->counters[kProbe_uid], (long)caller->uid);
    atomic_store(&probe->counters[kProbe_gid], (long)caller->gid);
    atomic_store(&probe->counters[kProbe_pid], (long)caller->pid);
    int rc = -ENOSPC;
    pthread_mutex_lock(&probe->lock);
    if (find(probe, path))
        rc = -EEXIST;
    for (int i = 0; i < kProbeNodes && rc == -ENOSPC; i++) {
        struct hl_probe_node* node = &probe->nodes[i];
        if (node->path[0] || strlen(path) >= sizeof(node->path))
            continue;
        strcpy(node->path, path);
        node->mode = mode;
        node->size = kProbeFileBytes;
        snprintf(node->target, sizeof(node->target), "%s", target);
        rc = i;
    }
    pthread_mutex_unlock(&probe->lock);
    return rc;
}

int hl_probe_getattr(const char* path, struct stat* st, struct fuse_file_info* fi)
{
    struct hl_probe* probe = hl_probe();
    memset(st, 0, sizeof(*st));
    st->st_nlink = 1;
    st->st_mode = S_IFREG | 0666;
    if ((fi && fi->fh == kProbeControl) ||
        (path && (strcmp(path, "/.calls") == 0 || strcmp(path, "/.control") == 0)))
        return 0;
    if (path && strcmp(path, "/") == 0) {
        st->st_mode = S_IFDIR | 0777;
        return 0;
    }
    pthread_mutex_lock(&probe->lock);
    const struct hl_probe_node* node = path ? find(probe, path) : fi ? &probe->nodes[fi->fh] : NULL;
    if (node) {
        st->st_mode = node->mode;
        st->st_size = S_ISREG(node->mode) ? node->size : 0;
    }
    pthread_mutex_unlock(&probe->lock);
    return node ? 0 : -ENOENT;
}

static int probe_getattr(const char* path, struct stat* st, struct fuse_file_info* fi)
{
    hl_probe_count(kProbe_getattr, path, fi);
    return hl_probe_getattr(path, st, fi);
}

static int probe_mknod(const char* path, mode_t mode, dev_t rdev)
{
    (void)rdev;
    hl_probe_count(kProbe_mknod, path, NULL);
    int rc = make(path, mode, "");
    return rc < 0 ? rc : 0;
}

static int probe_mkdir(const char* path, mode_t mode)
{
    hl_probe_count(kProbe_mkdir, path, NULL);
    int rc = make(path, S_IFDIR | mode, "");
    return rc < 0 ? rc : 0;
}

static int probe_symlink(const char* target, const char* path)
{
    hl_probe_count(kProbe_symlink, path, NULL);
    int rc = make(path, S_IFLNK | 0777, target);
    return rc < 0 ? rc : 0;
}

static int probe_link(const char* from, const char* to)
{
    struct stat st;
    hl_probe_count(kProbe_link, from, NULL);
    int rc = hl_probe_getattr(from, &st, NULL);
    if (rc == 0)
        rc = make(to, st.st_mode, "");
    return rc < 0 ? rc : 0;
}

static int probe_create(const char* path, mode_t mode, struct fuse_file_info* fi)
{
    hl_probe_count(kProbe_create, path, NULL);
    int rc = make(path, mode, "");
    if (rc < 0)
        return rc;
    fi->fh = (uint64_t)rc;
    return 0;
}

/* Gives the node another path; an empty one removes it. */
static int change_path(const char* from, const char* to)
{
    struct hl_probe* probe = hl_probe();
    pthread_mutex_lock(&probe->lock);
    struct hl_probe_node* node = find(probe, from);
    struct hl_probe_node* replaced = *to ? find(probe, to) : NULL;
    if (replaced)
        replaced->path[0] = '\0';
    if (node)
        snprintf(node->path, sizeof(node->path), "%s", to);
    pthread_mutex_unlock(&probe->lock);
    return node ? 0 : -ENOENT;
}

static int probe_unlink(const char* path)
{
    hl_probe_count(kProbe_unlink, path, NULL);
    return change_path(path, "");
}

static int probe_rmdir(const char* path)
{
    hl_probe_count(kProbe_rmdir, path, NULL);
    return change_path(path, "");
}

static int probe_rename(const char* from, const char* to, unsigned int flags)
{
    hl_probe_count(kProbe_rename, from, NULL);
    return flags ? -EINVAL : change_path(from, to);
}

static int probe_readlink(const char* path, char* buf, size_t size)
{
    struct hl_probe* probe = hl_probe();
    hl_probe_count(kProbe_readlink, path, NULL);
    pthread_mutex_lock(&probe->lock);
    const struct hl_probe_node* node = find(probe, path);
    if (node)
        snprintf(buf, size, "%s", node->target);
    pthread_mutex_unlock(&probe->lock);
    return node ? 0 : -ENOENT;
}

static int probe_chmod(const char* path, mode_t mode, struct fuse_file_info* fi)
{
    (void)mode;
    hl_probe_count(kProbe_chmod, path, fi);
    return 0;
}

static int probe_chown(const char* path, uid_t uid, gid_t gid, struct fuse_file_info* fi)
{
    (void)uid;
    (void)gid;
    hl_probe_count(kProbe_chown, path, fi);
    return 0;
}

static int probe_truncate(const char* path, off_t size, struct fuse_file_info* fi)
{
    struct hl_probe* probe = hl_probe();
    hl_probe_count(kProbe_truncate, path, fi);
    pthread_mutex_lock(&probe->lock);
    struct hl_probe_node* node = path ? find(probe, path) : NULL;
    if (node)
        node->size = size;
    pthread_mutex_unlock(&probe->lock);
    return 0;
}

static int probe_utimens(const char* path, const struct timespec times[2], struct fuse_file_info* fi)
{
    (void)times;
    hl_probe_count(kProbe_utimens, path, fi);
    return 0;
}

static int probe_access(const char* path, int mask)
{
    (void)mask;
    hl_probe_count(kProbe_access, path, NULL);
    return 0;
}

static int probe_statfs(const char* path, struct statvfs* st)
{
    hl_probe_count(kProbe_statfs, path, NULL);
    memset(st, 0, sizeof(*st));
    st->f_namemax = 77;
    return 0;
}

static int probe_setxattr(const char* path, const char* name, const char* value, size_t size, int flags)
{
    (void)name;
    (void)value;
    (void)size;
    (void)flags;
    hl_probe_count(kProbe_setxattr, path, NULL);
    return 0;
}

/* Both xattr answers are one text of this length. */
static int answer_text(char* buf, size_t size)
{
    static const char kText[] = "user.probe";
    if (size == 0)
        return (int)sizeof(kText);
    if (size < sizeof(kText))
        return -ERANGE;
    memcpy(buf, kText, sizeof(kText));
    return (int)sizeof(kText);
}

static int probe_getxattr(const char* path, const char* name, char* value, size_t size)
{
    (void)name;
    hl_probe_count(kProbe_getxattr, path, NULL);
    return answer_text(value, size);
}

static int probe_listxattr(const char* path, char* list, size_t size)
{
    hl_probe_count(kProbe_listxattr, path, NULL);
    return answer_text(list, size);
}

static int probe_removexattr(const char* path, const char* name)
{
    (void)name;
    hl_probe_count(kProbe_removexattr, path, NULL);
    return 0;
}

static int probe_bmap(const char* path, size_t block_bytes, uint64_t* index)
{
    (void)block_bytes;
    hl_probe_count(kProbe_bmap, path, NULL);
    *index += 100;
    return 0;
}

int hl_probe_number(const char* path)
{
    struct hl_probe* probe = hl_probe();
    if (path[1] == '.')
        return kProbeControl;
    pthread_mutex_lock(&probe->lock);
    const struct hl_probe_node* node = find(probe, path);
    int number = node ? (int)(node - probe->nodes) : -ENOENT;
    pthread_mutex_unlock(&probe->lock);
    return number;
}

void hl_probe_add_name_ops(struct fuse_operations* ops)
{
    ops->getattr = probe_getattr;
    ops->mknod = probe_mknod;
    ops->mkdir = probe_mkdir;
    ops->symlink = probe_symlink;
    ops->link = probe_link;
    ops->create = probe_create;
    ops->unlink = probe_unlink;
    ops->rmdir = probe_rmdir;
    ops->rename = probe_rename;
    ops->readlink = probe_readlink;
    ops->chmod = probe_chmod;
    ops->chown = probe_chown;
    ops->truncate = probe_truncate;
    ops->utimens = probe_utimens;
    ops->access = probe_access;
    ops->statfs = probe_statfs;
    ops->setxattr = probe_setxattr;
    ops->getxattr = probe_getxattr;
    ops->listxattr = probe_listxattr;
    ops->removexattr = probe_removexattr;
    ops->bmap = probe_bmap;
}
