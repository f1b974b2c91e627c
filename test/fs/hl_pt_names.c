/* Path operations of hl_passthrough that make, move and remove names. */
#include "hl_pt.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Second half of every operation that made a name. */
static int finish_new(int rc, const char* path, mode_t mode)
{
    rc = hl_pt_result(rc);
    if (rc == 0)
        rc = hl_pt_give_to_caller(path, mode);
    return rc;
}

static int pt_mknod(const char* path, mode_t mode, dev_t rdev)
{
    return finish_new(mknodat(hl_pt()->root, hl_pt_name(path), mode, rdev), path, mode);
}

static int pt_mkdir(const char* path, mode_t mode)
{
    return finish_new(mkdirat(hl_pt()->root, hl_pt_name(path), mode), path, S_IFDIR | mode);
}

static int pt_symlink(const char* target, const char* path)
{
    return finish_new(symlinkat(target, hl_pt()->root, hl_pt_name(path)), path, S_IFLNK);
}

static int pt_create(const char* path, mode_t mode, struct fuse_file_info* fi)
{
    int fd = openat(hl_pt()->root, hl_pt_name(path), (fi->flags | O_CREAT | O_NOFOLLOW) & ~O_DIRECT, mode);
    if (fd < 0)
        return hl_pt_result(fd);
    int rc = hl_pt_give_to_caller(path, S_IFREG | mode);
    if (rc < 0)
        close(fd);
    else
        fi->fh = (uint64_t)fd;
    return rc;
}

static int pt_readlink(const char* path, char* buf, size_t size)
{
    int rc = hl_pt_result(readlinkat(hl_pt()->root, hl_pt_name(path), buf, size - 1));
    if (rc < 0)
        return rc;
    buf[rc] = '\0';
    return 0;
}

static int pt_unlink(const char* path)
{
    return hl_pt_result(unlinkat(hl_pt()->root, hl_pt_name(path), 0));
}

static int pt_rmdir(const char* path)
{
    return hl_pt_result(unlinkat(hl_pt()->root, hl_pt_name(path), AT_REMOVEDIR));
}

static int pt_rename(const char* from, const char* to, unsigned int flags)
{
    int root = hl_pt()->root;
    return hl_pt_result(renameat2(root, hl_pt_name(from), root, hl_pt_name(to), flags));
}

static int pt_link(const char* from, const char* to)
{
    int root = hl_pt()->root;
    return hl_pt_result(linkat(root, hl_pt_name(from), root, hl_pt_name(to), 0));
}

void hl_pt_add_name_ops(struct fuse_operations* ops)
{
    ops->mknod = pt_mknod;
    ops->mkdir = pt_mkdir;
    ops->symlink = pt_symlink;
    ops->create = pt_create;
    ops->readlink = pt_readlink;
    ops->unlink = pt_unlink;
    ops->rmdir = pt_rmdir;
    ops->rename = pt_rename;
    ops->link = pt_link;
}
