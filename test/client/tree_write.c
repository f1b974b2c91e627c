/* Makes the planned tree below a directory. */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static int fail(const char* what, const char* path)
{
    fprintf(stderr, "%s failed: path=%s (%s)\n", what, path, strerror(errno));
    return -1;
}

static int write_file(const struct tree_item* item, int root)
{
    int fd = openat(root, item->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail("create", item->path);
    char buf[10000]; /* no multiple of a page, on purpose */
    for (off_t off = 0; off < item->size;) {
        size_t part = item->size - off < (off_t)sizeof(buf) ? (size_t)(item->size - off) : sizeof(buf);
        tree_contents(item, buf, part, off);
        ssize_t put = write(fd, buf, part);
        if (put <= 0) {
            close(fd);
            return fail("write", item->path);
        }
        off += put;
    }
    return close(fd) == 0 ? 0 : fail("close", item->path);
}

static int write_item(const struct tree_plan* plan, const struct tree_item* item, int root)
{
    char target[64];
    switch (item->kind) {
    case kTreeDir:
        return strcmp(item->path, ".") == 0 || mkdirat(root, item->path, 0700) == 0
                   ? 0
                   : fail("mkdir", item->path);
    case kTreeFile:
        return write_file(item, root);
    case kTreeSymlink:
        tree_target(item, target);
        return symlinkat(target, root, item->path) == 0 ? 0 : fail("symlink", item->path);
    case kTreeFifo:
        return mknodat(root, item->path, S_IFIFO | 0644, 0) == 0 ? 0 : fail("mknod", item->path);
    default:
        return linkat(root, plan->items[item->original].path, root, item->path, 0) == 0
                   ? 0
                   : fail("link", item->path);
    }
}

/* The process stands in the root of the tree: extended attributes have no *at calls. */
static int set_attributes(const struct tree_item* item)
{
    for (int i = 0; i < item->nr_xattrs; i++) {
        char name[32];
        char value[256];
        size_t len = tree_xattr(item, i, name, value);
        if (setxattr(item->path, name, value, len, 0) != 0)
            return fail("setxattr", item->path);
    }
    if (chmod(item->path, item->mode) != 0)
        return fail("chmod", item->path);
    const struct timespec times[2] = {{item->mtime, 0}, {item->mtime, 0}};
    return utimensat(AT_FDCWD, item->path, times, 0) == 0 ? 0 : fail("utimensat", item->path);
}

int tree_plan_write(const struct tree_plan* plan, const char* root)
{
    if (mkdir(root, 0700) != 0 && errno != EEXIST)
        return fail("mkdir", root);
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail("open", root);
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plan->nr; i++)
        rc = write_item(plan, &plan->items[i], fd);
    if (rc == 0 && fchdir(fd) != 0)
        rc = fail("fchdir", root);
    /* From the end: children before the times of their parents. */
    for (size_t i = plan->nr; rc == 0 && i-- > 0;)
        if (plan->items[i].kind == kTreeFile || plan->items[i].kind == kTreeDir)
            rc = set_attributes(&plan->items[i]);
    if (here < 0 || fchdir(here) != 0)
        rc = fail("fchdir", ".");
    if (here >= 0)
        close(here);
    close(fd);
    return rc;
}
