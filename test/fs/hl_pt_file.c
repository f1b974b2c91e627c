/* Path operations of hl_passthrough on open files and directories. */
#include "hl_pt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* An open directory. */
struct hl_pt_dir {
    pthread_mutex_t lock; /* the kernel may send two listings of one open directory */
    DIR* stream;
    off_t next; /* where the stream stands */
};

static int pt_open(const char* path, struct fuse_file_info* fi)
{
    int rc = hl_pt_result(
        openat(hl_pt()->root, hl_pt_name(path), (fi->flags | O_CLOEXEC | O_NOFOLLOW) & ~O_DIRECT));
    if (rc < 0)
        return rc;
    fi->fh = (uint64_t)rc;
    return 0;
}

static int pt_release(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    close((int)fi->fh);
    return 0;
}

/* close(2) of a copy: says what a network filesystem below has to say about it. */
static int pt_flush(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    return hl_pt_result(close(fcntl((int)fi->fh, F_DUPFD_CLOEXEC, 3)));
}

static int pt_fsync(const char* path, int datasync, struct fuse_file_info* fi)
{
    (void)path;
    return hl_pt_result(datasync ? fdatasync((int)fi->fh) : fsync((int)fi->fh));
}

static int pt_read(const char* path, char* buf, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)path;
    return hl_pt_result(pread((int)fi->fh, buf, size, off));
}

static int pt_write(const char* path, const char* buf, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)path;
    return hl_pt_result(pwrite((int)fi->fh, buf, size, off));
}

static struct fuse_bufvec file_buf(const struct fuse_file_info* fi, size_t size, off_t off)
{
    struct fuse_bufvec vec = FUSE_BUFVEC_INIT(size);
    vec.buf[0].flags = (enum fuse_buf_flags)(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
    vec.buf[0].fd = (int)fi->fh;
    vec.buf[0].pos = off;
    return vec;
}

/* The library reads from the descriptor itself and frees the vector. */
static int pt_read_buf(const char* path, struct fuse_bufvec** ret_buf, size_t size, off_t off,
                       struct fuse_file_info* fi)
{
    (void)path;
    *ret_buf = malloc(sizeof(**ret_buf));
    if (!*ret_buf)
        return -ENOMEM;
    **ret_buf = file_buf(fi, size, off);
    return 0;
}

static int pt_write_buf(const char* path, struct fuse_bufvec* in, off_t off, struct fuse_file_info* fi)
{
    (void)path;
    struct fuse_bufvec out = file_buf(fi, fuse_buf_size(in), off);
    return (int)fuse_buf_copy(&out, in, FUSE_BUF_SPLICE_NONBLOCK);
}

static int pt_fallocate(const char* path, int mode, off_t off, off_t len, struct fuse_file_info* fi)
{
    (void)path;
    return hl_pt_result(fallocate((int)fi->fh, mode, off, len));
}

static off_t pt_lseek(const char* path, off_t off, int whence, struct fuse_file_info* fi)
{
    (void)path;
    off_t found = lseek((int)fi->fh, off, whence);
    return found < 0 ? -errno : found;
}

static ssize_t pt_copy_file_range(const char* path_in, struct fuse_file_info* fi_in, off_t off_in,
                                  const char* path_out, struct fuse_file_info* fi_out, off_t off_out,
                                  size_t size, int flags)
{
    (void)path_in;
    (void)path_out;
    ssize_t done = copy_file_range((int)fi_in->fh, &off_in, (int)fi_out->fh, &off_out, size, (unsigned)flags);
    return done < 0 ? -errno : done;
}

/* The lock belongs to the open file below, which is one to one with the open file above. Asking again and
 * again lets a caller that gives up be noticed. */
static int pt_flock(const char* path, struct fuse_file_info* fi, int op)
{
    (void)path;
    const struct timespec moment = {.tv_nsec = 20 * 1000 * 1000};
    for (;;) {
        int rc = hl_pt_result(flock((int)fi->fh, op | LOCK_NB));
        if (rc != -EWOULDBLOCK || (op & LOCK_NB))
            return rc;
        if (fuse_interrupted())
            return -EINTR;
        nanosleep(&moment, NULL);
    }
}

static int pt_opendir(const char* path, struct fuse_file_info* fi)
{
    int fd = openat(hl_pt()->root, hl_pt_name(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return hl_pt_result(fd);
    struct hl_pt_dir* dir = calloc(1, sizeof(*dir));
    if (dir)
        dir->stream = fdopendir(fd);
    if (!dir || !dir->stream) {
        free(dir);
        close(fd);
        return -ENOMEM;
    }
    pthread_mutex_init(&dir->lock, NULL);
    fi->fh = (uint64_t)(uintptr_t)dir;
    return 0;
}

static int pt_releasedir(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    struct hl_pt_dir* dir = (struct hl_pt_dir*)(uintptr_t)fi->fh;
    closedir(dir->stream);
    pthread_mutex_destroy(&dir->lock);
    free(dir);
    return 0;
}

static int pt_fsyncdir(const char* path, int datasync, struct fuse_file_info* fi)
{
    (void)path;
    int fd = dirfd(((struct hl_pt_dir*)(uintptr_t)fi->fh)->stream);
    return hl_pt_result(datasync ? fdatasync(fd) : fsync(fd));
}

/* Returns 0 if the answer is full. A name that is gone by now is left out. */
static int show(void* buf, fuse_fill_dir_t fill, int dir_fd, const struct dirent* d, int plus)
{
    struct stat st;
    enum fuse_fill_dir_flags how = (enum fuse_fill_dir_flags)0;
    if (plus && fstatat(dir_fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        how = FUSE_FILL_DIR_PLUS;
    } else if (plus && errno == ENOENT) {
        return 1;
    } else {
        memset(&st, 0, sizeof(st));
        st.st_ino = d->d_ino;
        st.st_mode = (mode_t)DTTOIF(d->d_type);
    }
    return fill(buf, d->d_name, &st, d->d_off, how) == 0;
}

static int pt_readdir(const char* path, void* buf, fuse_fill_dir_t fill, off_t off, struct fuse_file_info* fi,
                      enum fuse_readdir_flags flags)
{
    (void)path;
    struct hl_pt_dir* dir = (struct hl_pt_dir*)(uintptr_t)fi->fh;
    int rc = 0;
    pthread_mutex_lock(&dir->lock);
    if (off != dir->next)
        seekdir(dir->stream, off);
    for (;;) {
        errno = 0;
        const struct dirent* d = readdir(dir->stream);
        if (!d) {
            rc = -errno;
            dir->next = telldir(dir->stream);
            break;
        }
        if (!show(buf, fill, dirfd(dir->stream), d, flags & FUSE_READDIR_PLUS)) {
            dir->next = -1; /* the entry that did not fit has been read: seek next time */
            break;
        }
    }
    pthread_mutex_unlock(&dir->lock);
    return rc;
}

void hl_pt_add_file_ops(struct fuse_operations* ops, const struct hl_pt* pt)
{
    ops->open = pt_open;
    ops->release = pt_release;
    ops->flush = pt_flush;
    ops->fsync = pt_fsync;
    ops->read = pt_read;
    ops->write = pt_write;
    if (!pt->plain_io) {
        ops->read_buf = pt_read_buf;
        ops->write_buf = pt_write_buf;
    }
    ops->fallocate = pt_fallocate;
    ops->lseek = pt_lseek;
    ops->copy_file_range = pt_copy_file_range;
    ops->flock = pt_flock;
    ops->opendir = pt_opendir;
    ops->releasedir = pt_releasedir;
    ops->fsyncdir = pt_fsyncdir;
    ops->readdir = pt_readdir;
}
