/* null_hl: does nothing, over the path-based API, for measuring what the library itself costs. What a name
 * is, its first letter says: 'd' a directory, 'f' a file, 'c' a file that is there only while it is open (so
 * that creating it always works); anything else does not exist. The directory "dbig" lists as many files as
 * -o entries= says; with which of the two requests is the kernel's choice unless -o no_readdirplus or
 * only_readdirplus makes it. */
#define FUSE_USE_VERSION 312
#include <fuse.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct null_hl {
    unsigned entries;
    int no_readdirplus;
    int only_readdirplus;
};

static const struct fuse_opt kOptions[] = {
    {"entries=%u", offsetof(struct null_hl, entries), 0},
    {"no_readdirplus", offsetof(struct null_hl, no_readdirplus), 1},
    {"only_readdirplus", offsetof(struct null_hl, only_readdirplus), 1},
    FUSE_OPT_END,
};

static void fill_file(struct stat* st)
{
    st->st_mode = S_IFREG | 0644;
    st->st_nlink = 1;
    st->st_size = 4096;
}

static void* null_init(struct fuse_conn_info* conn, struct fuse_config* config)
{
    struct null_hl* null = fuse_get_context()->private_data;
    (void)config;
    if (null->no_readdirplus)
        conn->want &= ~(unsigned)FUSE_CAP_READDIRPLUS;
    if (null->no_readdirplus || null->only_readdirplus)
        conn->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
    return null;
}

static int null_getattr(const char* path, struct stat* st, struct fuse_file_info* fi)
{
    const char* name = strrchr(path, '/') + 1;
    memset(st, 0, sizeof(*st));
    if (*name == '\0' || *name == 'd') {
        st->st_mode = S_IFDIR | 0755;
        st->st_nlink = 2;
    } else if (*name == 'f' || (*name == 'c' && fi)) {
        fill_file(st);
    } else {
        return -ENOENT;
    }
    return 0;
}

static int null_open(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    (void)fi;
    return 0;
}

static int null_create(const char* path, mode_t mode, struct fuse_file_info* fi)
{
    (void)path;
    (void)mode;
    (void)fi;
    return 0;
}

static int null_remove(const char* path)
{
    (void)path;
    return 0;
}

static int null_rename(const char* from, const char* to, unsigned int flags)
{
    (void)from;
    (void)to;
    (void)flags;
    return 0;
}

static int null_read(const char* path, char* buf, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)path;
    (void)fi;
    if (off >= 4096)
        return 0;
    if (size > 4096 - (size_t)off)
        size = 4096 - (size_t)off;
    memset(buf, 0, size);
    return (int)size;
}

static int null_readdir(const char* path, void* buf, fuse_fill_dir_t fill, off_t off,
                        struct fuse_file_info* fi, enum fuse_readdir_flags flags)
{
    (void)fi;
    const struct null_hl* null = fuse_get_context()->private_data;
    const unsigned entries = strcmp(path, "/dbig") == 0 ? null->entries : 0;
    struct stat st;
    memset(&st, 0, sizeof(st));
    fill_file(&st);
    for (unsigned i = (unsigned)off; i < entries; i++) {
        char name[32];
        snprintf(name, sizeof(name), "file-%07u", i);
        if (fill(buf, name, &st, (off_t)i + 1,
                 flags & FUSE_READDIR_PLUS ? FUSE_FILL_DIR_PLUS : (enum fuse_fill_dir_flags)0) != 0)
            break;
    }
    return 0;
}

static const struct fuse_operations kNullOps = {
    .init = null_init,
    .getattr = null_getattr,
    .open = null_open,
    .create = null_create,
    .unlink = null_remove,
    .rename = null_rename,
    .read = null_read,
    .readdir = null_readdir,
};

int main(int argc, char* argv[])
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct null_hl null = {.entries = 100000};
    if (fuse_opt_parse(&args, &null, kOptions, NULL) != 0)
        return 1;
    int code = fuse_main(args.argc, args.argv, &kNullOps, &null);
    fuse_opt_free_args(&args);
    return code;
}
