/* The smallest useful filesystem over the path-based API: a file "hello" whose bytes never change, and a
 * directory "dir". Everything it leaves out (opendir, statfs, access …) the library has to stand in for. */
#define FUSE_USE_VERSION 31
#include <fuse.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char kText[] = "hello, world\n";

static int hello_getattr(const char* path, struct stat* st, struct fuse_file_info* fi)
{
    (void)fi;
    memset(st, 0, sizeof(*st));
    if (strcmp(path, "/") == 0) {
        st->st_mode = S_IFDIR | 0755;
        st->st_nlink = 3;
    } else if (strcmp(path, "/dir") == 0) {
        st->st_mode = S_IFDIR | 0555;
        st->st_nlink = 2;
    } else if (strcmp(path, "/hello") == 0) {
        st->st_mode = S_IFREG | 0444;
        st->st_nlink = 1;
        st->st_size = sizeof(kText) - 1;
    } else {
        return -ENOENT;
    }
    return 0;
}

static int hello_readdir(const char* path, void* buf, fuse_fill_dir_t fill, off_t off,
                         struct fuse_file_info* fi, enum fuse_readdir_flags flags)
{
    (void)off;
    (void)fi;
    (void)flags;
    fill(buf, ".", NULL, 0, 0);
    fill(buf, "..", NULL, 0, 0);
    if (strcmp(path, "/") == 0) {
        fill(buf, "hello", NULL, 0, 0);
        fill(buf, "dir", NULL, 0, 0);
    }
    return 0;
}

static int hello_open(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    if ((fi->flags & O_ACCMODE) != O_RDONLY)
        return -EACCES;
    fi->keep_cache = 1;
    return 0;
}

static int hello_read(const char* path, char* buf, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)path;
    (void)fi;
    const size_t len = sizeof(kText) - 1;
    if (off < 0 || (size_t)off >= len)
        return 0;
    if (size > len - (size_t)off)
        size = len - (size_t)off;
    memcpy(buf, kText + off, size);
    return (int)size;
}

static const struct fuse_operations kHelloOps = {
    .getattr = hello_getattr,
    .readdir = hello_readdir,
    .open = hello_open,
    .read = hello_read,
};

int main(int argc, char* argv[])
{
    return fuse_main(argc, argv, &kHelloOps, NULL);
}
