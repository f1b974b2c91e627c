/* The smallest useful filesystem: a root directory, a directory "dir" and a file "hello" whose bytes never
 * change. Inode numbers are fixed, there is no state, so no locks are needed and forget has nothing to do. */
#include "fs_main.h"

#include <errno.h>
#include <string.h>

enum { kRootIno = FUSE_ROOT_ID, kFileIno = 2, kDirIno = 3 };

static const char kText[] = "hello, world\n";
static const double kTimeout = 1.0;

static int fill_attr(fuse_ino_t ino, struct stat* st)
{
    memset(st, 0, sizeof(*st));
    st->st_ino = ino;
    switch (ino) {
    case kRootIno:
        st->st_mode = S_IFDIR | 0755;
        st->st_nlink = 3;
        return 0;
    case kDirIno:
        st->st_mode = S_IFDIR | 0555;
        st->st_nlink = 2;
        return 0;
    case kFileIno:
        st->st_mode = S_IFREG | 0444;
        st->st_nlink = 1;
        st->st_size = sizeof(kText) - 1;
        return 0;
    default:
        return ENOENT;
    }
}

static void hello_lookup(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    struct fuse_entry_param e = {.attr_timeout = kTimeout, .entry_timeout = kTimeout};
    if (parent == kRootIno && strcmp(name, "hello") == 0)
        e.ino = kFileIno;
    else if (parent == kRootIno && strcmp(name, "dir") == 0)
        e.ino = kDirIno;
    int err = fill_attr(e.ino, &e.attr);
    if (err)
        fuse_reply_err(req, err);
    else
        fuse_reply_entry(req, &e);
}

static void hello_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    (void)fi;
    struct stat st;
    int err = fill_attr(ino, &st);
    if (err)
        fuse_reply_err(req, err);
    else
        fuse_reply_attr(req, &st, kTimeout);
}

static void reply_slice(fuse_req_t req, const char* data, size_t len, off_t off, size_t size)
{
    size_t begin = (size_t)off < len ? (size_t)off : len;
    size_t left = len - begin;
    fuse_reply_buf(req, data + begin, left < size ? left : size);
}

static void hello_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)fi;
    static const struct {
        const char* name;
        fuse_ino_t ino;
    } rows[] = {{".", kRootIno}, {"..", kRootIno}, {"hello", kFileIno}, {"dir", kDirIno}};
    /* "dir" holds only the first two rows; an offset is the number of rows already returned. */
    size_t nr_rows = ino == kRootIno ? 4 : 2;
    char buf[512];
    size_t used = 0;
    size_t room = size < sizeof(buf) ? size : sizeof(buf);
    for (size_t i = (size_t)off; i < nr_rows; i++) {
        struct stat st;
        fuse_ino_t child = i == 0 ? ino : rows[i].ino;
        if (fill_attr(child, &st) != 0)
            continue;
        size_t need = fuse_add_direntry(req, buf + used, room - used, rows[i].name, &st, (off_t)i + 1);
        if (need > room - used)
            break;
        used += need;
    }
    fuse_reply_buf(req, buf, used);
}

static void hello_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    if (ino != kFileIno) {
        fuse_reply_err(req, EISDIR);
    } else if ((fi->flags & O_ACCMODE) != O_RDONLY) {
        fuse_reply_err(req, EACCES);
    } else {
        fi->keep_cache = 1;
        fuse_reply_open(req, fi);
    }
}

static void hello_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)ino;
    (void)fi;
    reply_slice(req, kText, sizeof(kText) - 1, off, size);
}

static const struct fuse_lowlevel_ops kHelloOps = {
    .lookup = hello_lookup,
    .getattr = hello_getattr,
    .readdir = hello_readdir,
    .open = hello_open,
    .read = hello_read,
};

int main(int argc, char* argv[])
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    const struct fs_program program = {.help = "hello_ll has no options of its own.\n\n", .ops = &kHelloOps};
    return fs_main(&args, &program);
}
