/* A filesystem that does as little as a server can: what a benchmark over it measures is the library and the
 * kernel. One directory with files f0 … f63 of 1 GiB and a file "sleepy" whose handlers sleep first. Nothing
 * is stored: reads give zeros, writes are counted as done and forgotten, created names vanish at once.
 * Nothing is cached by the kernel either, unless an option says so. */
#include "fs_main.h"
#include "null_newer.h"
#include "null_reply.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    kNrFiles = 64,
    kFirstFileIno = 2,
    kSleepyIno = kFirstFileIno + kNrFiles,
    kCreatedIno, /* every created file is this one */
    kMaxRead = 1 << 20,
};

static const off_t kFileBytes = (off_t)1 << 30;
static const double kLongTimeout = 3600;

struct null_fs {
    unsigned sleep_us;
    int reply_thread;
    int cached;
    int readdirplus;
    int reply_in_place;
    char* reply_data_file;
    char* backing_file;
    int backing_id; /* 0: not asked for yet; the first open's thread sets it, then it is the same for all */
    pthread_mutex_t backing;
    int data_fd; /* -1: reads are answered from memory */
};

/* What reads are answered from. Touched once at the start: pages that nobody ever wrote are all one and the
 * same, and no real server sends a megabyte out of 4 KiB. */
static char g_zeros[kMaxRead];

static const struct fuse_opt kOptions[] = {
    {"sleep_us=%u", offsetof(struct null_fs, sleep_us), 0},
    {"reply_thread", offsetof(struct null_fs, reply_thread), 1},
    {"cached", offsetof(struct null_fs, cached), 1},
    {"readdirplus", offsetof(struct null_fs, readdirplus), 1},
    {"reply_in_place", offsetof(struct null_fs, reply_in_place), 1},
    {"reply_data_file=%s", offsetof(struct null_fs, reply_data_file), 0},
    {"backing_file=%s", offsetof(struct null_fs, backing_file), 0},
    FUSE_OPT_END,
};

static const char kHelp[] =
    "null_ll options:\n"
    "    -o sleep_us=N            handlers of the file 'sleepy' sleep N microseconds\n"
    "    -o reply_thread          replies to getattr, read and write come from another thread\n"
    "    -o cached                reads go through the page cache, attributes stay valid\n"
    "    -o readdirplus           listings carry attributes, valid for a second\n"
    "    -o reply_in_place        reads are answered with what is in the kernel's buffer, where there is "
    "one\n"
    "    -o reply_data_file=PATH  reads are answered from this file's descriptor\n"
    "    -o backing_file=PATH     reads are the kernel's, from this file; with an older library as the "
    "above\n\n";

static struct null_fs* fs_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static void maybe_sleep(fuse_req_t req, fuse_ino_t ino)
{
    unsigned us = fs_of(req)->sleep_us;
    if (ino != kSleepyIno || us == 0)
        return;
    struct timespec left = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static int fill_attr(fuse_ino_t ino, struct stat* st)
{
    memset(st, 0, sizeof(*st));
    if (ino == 0 || ino > kCreatedIno)
        return ENOENT;
    st->st_ino = ino;
    st->st_uid = getuid();
    st->st_gid = getgid();
    st->st_nlink = ino == FUSE_ROOT_ID ? 2 : 1;
    st->st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0777 : S_IFREG | 0666;
    st->st_size = ino == FUSE_ROOT_ID ? 0 : kFileBytes;
    return 0;
}

static fuse_ino_t ino_of_name(const char* name)
{
    if (strcmp(name, "sleepy") == 0)
        return kSleepyIno;
    if (name[0] != 'f')
        return 0;
    char* end = NULL;
    unsigned long i = strtoul(name + 1, &end, 10);
    return *end == '\0' && end != name + 1 && i < kNrFiles ? kFirstFileIno + i : 0;
}

static double attr_timeout(fuse_req_t req)
{
    return fs_of(req)->cached ? kLongTimeout : 0;
}

static void answer(fuse_req_t req, const struct null_reply* reply)
{
    if (fs_of(req)->reply_thread)
        null_reply_later(reply);
    else
        null_reply_now(reply);
}

static void null_lookup(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    struct fuse_entry_param e = {.ino = parent == FUSE_ROOT_ID ? ino_of_name(name) : 0,
                                 .attr_timeout = attr_timeout(req)};
    maybe_sleep(req, e.ino);
    int err = fill_attr(e.ino, &e.attr);
    if (err)
        fuse_reply_err(req, err);
    else
        fuse_reply_entry(req, &e);
}

static void null_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    (void)fi;
    maybe_sleep(req, ino);
    struct null_reply reply = {.kind = kNullReplyAttr, .req = req, .attr_timeout = attr_timeout(req)};
    int err = fill_attr(ino, &reply.attr);
    if (err)
        fuse_reply_err(req, err);
    else
        answer(req, &reply);
}

/* Truncation and the like are accepted and change nothing. */
static void null_setattr(fuse_req_t req, fuse_ino_t ino, struct stat* attr, int to_set,
                         struct fuse_file_info* fi)
{
    (void)attr;
    (void)to_set;
    null_getattr(req, ino, fi);
}

static void null_init(void* userdata, struct fuse_conn_info* conn)
{
    struct null_fs* fs = userdata;
    if (fs->backing_file)
        null_want_backing(conn);
}

/* One id for all opens: an inode may have one backing file only, and they all have the same here. */
static int shared_backing_id(fuse_req_t req)
{
    struct null_fs* fs = fs_of(req);
    pthread_mutex_lock(&fs->backing);
    if (fs->backing_id <= 0)
        fs->backing_id = null_backing_id(req, fs->data_fd);
    int id = fs->backing_id;
    pthread_mutex_unlock(&fs->backing);
    return id;
}

static void null_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    maybe_sleep(req, ino);
    fi->direct_io = !fs_of(req)->cached;
    if (fs_of(req)->backing_file) {
        int id = shared_backing_id(req);
        if (id < 0) {
            fprintf(stderr, "no backing file (%s), the open fails\n", strerror(-id));
            fuse_reply_err(req, -id);
            return;
        }
        if (id > 0)
            null_use_backing(fi, id);
    }
    fuse_reply_open(req, fi);
}

static void null_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    (void)ino;
    (void)fi;
    fuse_reply_err(req, 0);
}

static void null_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode,
                        struct fuse_file_info* fi)
{
    (void)parent;
    (void)name;
    (void)mode;
    /* The name has to stay known, or unlink(2) would look it up, miss it and never get here. */
    struct fuse_entry_param e = {.ino = kCreatedIno, .entry_timeout = 3600};
    (void)fill_attr(e.ino, &e.attr);
    fi->direct_io = !fs_of(req)->cached;
    fuse_reply_create(req, &e, fi);
}

static void null_unlink(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    (void)parent;
    (void)name;
    fuse_reply_err(req, 0);
}

static void null_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)fi;
    struct null_fs* fs = fs_of(req);
    maybe_sleep(req, ino);
    off_t left = off < kFileBytes ? kFileBytes - off : 0;
    if (size > kMaxRead)
        size = kMaxRead;
    if ((off_t)size > left)
        size = (size_t)left;
    if (fs->reply_in_place && null_reply_in_place(req, size) == 0)
        return;
    struct null_reply reply = {.kind = fs->data_fd < 0 ? kNullReplyBuf : kNullReplyData,
                               .req = req,
                               .size = size,
                               .off = off,
                               .mem = g_zeros,
                               .fd = fs->data_fd};
    answer(req, &reply);
}

static void null_write(fuse_req_t req, fuse_ino_t ino, const char* buf, size_t size, off_t off,
                       struct fuse_file_info* fi)
{
    (void)buf;
    (void)off;
    (void)fi;
    maybe_sleep(req, ino);
    struct null_reply reply = {.kind = kNullReplyWrite, .req = req, .size = size};
    answer(req, &reply);
}

/* Row 0 and 1 are the dots, row 2 is "sleepy", then the files; an offset is the number of rows returned.
 * Returns the row's inode. */
static fuse_ino_t name_row(int row, fuse_ino_t dir, char* name, size_t size)
{
    if (row < 2) {
        snprintf(name, size, "%s", row == 0 ? "." : "..");
        return dir;
    }
    if (row == 2) {
        snprintf(name, size, "sleepy");
        return kSleepyIno;
    }
    snprintf(name, size, "f%d", row - 3);
    return kFirstFileIno + (fuse_ino_t)(row - 3);
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, int plus)
{
    char buf[16384];
    size_t used = 0;
    size_t room = size < sizeof(buf) ? size : sizeof(buf);
    for (int row = (int)off; row < kNrFiles + 3; row++) {
        char name[16];
        struct fuse_entry_param e = {.entry_timeout = 1, .attr_timeout = 1};
        e.ino = name_row(row, ino, name, sizeof(name));
        (void)fill_attr(e.ino, &e.attr);
        size_t need = plus ? fuse_add_direntry_plus(req, buf + used, room - used, name, &e, row + 1)
                           : fuse_add_direntry(req, buf + used, room - used, name, &e.attr, row + 1);
        if (need > room - used)
            break;
        used += need;
    }
    fuse_reply_buf(req, buf, used);
}

static void null_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)fi;
    list(req, ino, size, off, 0);
}

static void null_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                             struct fuse_file_info* fi)
{
    (void)fi;
    list(req, ino, size, off, 1);
}

static int null_start(void* userdata)
{
    struct null_fs* fs = userdata;
    memset(g_zeros, 0, sizeof(g_zeros));
    return fs->reply_thread ? null_reply_start() : 0;
}

static void null_stop(void* userdata)
{
    struct null_fs* fs = userdata;
    if (fs->reply_thread)
        null_reply_stop();
}

static const struct fuse_lowlevel_ops kNullOps = {
    .init = null_init,
    .lookup = null_lookup,
    .getattr = null_getattr,
    .setattr = null_setattr,
    .open = null_open,
    .release = null_release,
    .create = null_create,
    .unlink = null_unlink,
    .read = null_read,
    .write = null_write,
    .readdir = null_readdir,
};

int main(int argc, char* argv[])
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct null_fs fs = {.data_fd = -1, .backing = PTHREAD_MUTEX_INITIALIZER};
    if (fuse_opt_parse(&args, &fs, kOptions, NULL) != 0)
        return kFsExitUsage;
    const char* data_file = fs.backing_file ? fs.backing_file : fs.reply_data_file;
    if (data_file) {
        fs.data_fd = open(data_file, O_RDONLY | O_CLOEXEC);
        if (fs.data_fd < 0) {
            fprintf(stderr, "open failed: %s (%s)\n", data_file, strerror(errno));
            fuse_opt_free_args(&args);
            free(fs.reply_data_file);
            free(fs.backing_file);
            return kFsExitUsage;
        }
    }
    struct fuse_lowlevel_ops ops = kNullOps;
    if (fs.readdirplus)
        ops.readdirplus = null_readdirplus;
    const struct fs_program program = {
        .help = kHelp, .ops = &ops, .userdata = &fs, .start = null_start, .stop = null_stop};
    int code = fs_main(&args, &program);
    if (fs.data_fd >= 0)
        close(fs.data_fd);
    free(fs.reply_data_file);
    free(fs.backing_file);
    return code;
}
