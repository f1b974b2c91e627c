/* The operations of hl_probe on open files and directories. fi->fh is the number of the node. See hl_probe.h.
 */
#include "hl_probe.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int is_slow(const struct fuse_file_info* fi)
{
    return fi->fh < kProbeNodes && hl_probe()->nodes[fi->fh].path[1] == 'w';
}

static int probe_open(const char* path, struct fuse_file_info* fi)
{
    hl_probe_count(kProbe_open, path, NULL);
    int number = hl_probe_number(path);
    if (number < 0)
        return number;
    fi->fh = (uint64_t)number;
    if (fi->fh == kProbeControl)
        fi->direct_io = 1;
    return 0;
}

/* Until a signal comes, but not for ever: without one the test says what is missing. */
static int wait_for_signal(void)
{
    struct hl_probe* probe = hl_probe();
    atomic_fetch_add(&probe->counters[kProbe_waiting], 1);
    int rc = poll(NULL, 0, 60000);
    int error = errno;
    atomic_fetch_sub(&probe->counters[kProbe_waiting], 1);
    if (rc == 0 || error != EINTR)
        return -EIO;
    atomic_fetch_add(&probe->counters[kProbe_interrupted], 1);
    return -EINTR;
}

static int read_bytes(char* buf, size_t size, off_t off, const struct fuse_file_info* fi)
{
    struct hl_probe* probe = hl_probe();
    if (fi->fh == kProbeControl) {
        char text[4096];
        int len = hl_probe_report(text, sizeof(text));
        if (off >= len)
            return 0;
        if (size > (size_t)(len - off))
            size = (size_t)(len - off);
        memcpy(buf, text + off, size);
        return (int)size;
    }
    if (is_slow(fi))
        return wait_for_signal();
    if (off >= kProbeFileBytes)
        return 0;
    if (size > (size_t)(kProbeFileBytes - off))
        size = (size_t)(kProbeFileBytes - off);
    memset(buf, atomic_load(&probe->letter), size);
    return (int)size;
}

static int probe_read(const char* path, char* buf, size_t size, off_t off, struct fuse_file_info* fi)
{
    hl_probe_count(kProbe_read, path, fi);
    return read_bytes(buf, size, off, fi);
}

static int probe_read_buf(const char* path, struct fuse_bufvec** ret_buf, size_t size, off_t off,
                          struct fuse_file_info* fi)
{
    hl_probe_count(kProbe_read_buf, path, fi);
    struct fuse_bufvec* out = malloc(sizeof(*out));
    char* data = malloc(size ? size : 1);
    int rc = out && data ? read_bytes(data, size, off, fi) : -ENOMEM;
    if (rc < 0) {
        free(data);
        free(out);
        return rc;
    }
    *out = FUSE_BUFVEC_INIT((size_t)rc);
    out->buf[0].mem = data;
    *ret_buf = out;
    return 0;
}

static int write_bytes(const char* buf, size_t size, const struct fuse_file_info* fi)
{
    struct hl_probe* probe = hl_probe();
    const struct timespec moment = {.tv_nsec = 300 * 1000 * 1000};
    if (fi->fh == kProbeControl) {
        int rc = hl_probe_command(buf, size);
        return rc < 0 ? rc : (int)size;
    }
    long now = atomic_fetch_add(&probe->counters[kProbe_writers], 1) + 1;
    long most = atomic_load(&probe->counters[kProbe_most_writers]);
    while (now > most && !atomic_compare_exchange_weak(&probe->counters[kProbe_most_writers], &most, now)) {
    }
    if (is_slow(fi))
        nanosleep(&moment, NULL);
    atomic_fetch_sub(&probe->counters[kProbe_writers], 1);
    return (int)size;
}

static int probe_write(const char* path, const char* buf, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)off;
    hl_probe_count(kProbe_write, path, fi);
    return write_bytes(buf, size, fi);
}

static int probe_write_buf(const char* path, struct fuse_bufvec* in, off_t off, struct fuse_file_info* fi)
{
    (void)off;
    hl_probe_count(kProbe_write_buf, path, fi);
    size_t size = fuse_buf_size(in);
    struct fuse_bufvec out = FUSE_BUFVEC_INIT(size);
    out.buf[0].mem = malloc(size ? size : 1);
    if (!out.buf[0].mem)
        return -ENOMEM;
    ssize_t got = fuse_buf_copy(&out, in, (enum fuse_buf_copy_flags)0);
    int rc = got < 0 ? (int)got : write_bytes(out.buf[0].mem, (size_t)got, fi);
    free(out.buf[0].mem);
    return rc;
}

static int probe_flush(const char* path, struct fuse_file_info* fi)
{
    hl_probe_count(kProbe_flush, path, fi);
    return 0;
}

static int probe_release(const char* path, struct fuse_file_info* fi)
{
    hl_probe_count(kProbe_release, path, fi);
    return 0;
}

static int probe_fsync(const char* path, int datasync, struct fuse_file_info* fi)
{
    (void)datasync;
    hl_probe_count(kProbe_fsync, path, fi);
    return 0;
}

static int probe_opendir(const char* path, struct fuse_file_info* fi)
{
    hl_probe_count(kProbe_opendir, path, NULL);
    fi->fh = 0;
    return 0;
}

static int probe_releasedir(const char* path, struct fuse_file_info* fi)
{
    hl_probe_count(kProbe_releasedir, path, fi);
    return 0;
}

static int probe_fsyncdir(const char* path, int datasync, struct fuse_file_info* fi)
{
    (void)datasync;
    hl_probe_count(kProbe_fsyncdir, path, fi);
    return 0;
}

static int probe_readdir(const char* path, void* buf, fuse_fill_dir_t fill, off_t off,
                         struct fuse_file_info* fi, enum fuse_readdir_flags flags)
{
    (void)off;
    (void)flags;
    hl_probe_count(kProbe_readdir, path, fi);
    if (path)
        hl_probe_list(path, buf, fill);
    return 0;
}

static int probe_lock(const char* path, struct fuse_file_info* fi, int command, struct flock* lock)
{
    (void)command;
    (void)lock;
    hl_probe_count(kProbe_lock, path, fi);
    return 0;
}

static int probe_flock(const char* path, struct fuse_file_info* fi, int op)
{
    (void)op;
    hl_probe_count(kProbe_flock, path, fi);
    return 0;
}

static int probe_ioctl(const char* path, unsigned int command, void* arg, struct fuse_file_info* fi,
                       unsigned int flags, void* data)
{
    (void)command;
    (void)arg;
    (void)flags;
    (void)data;
    hl_probe_count(kProbe_ioctl, path, fi);
    return 3;
}

static int probe_poll(const char* path, struct fuse_file_info* fi, struct fuse_pollhandle* handle,
                      unsigned* ret_events)
{
    hl_probe_count(kProbe_poll, path, fi);
    if (handle)
        fuse_pollhandle_destroy(handle);
    *ret_events = POLLIN;
    return 0;
}

static int probe_fallocate(const char* path, int mode, off_t off, off_t len, struct fuse_file_info* fi)
{
    (void)mode;
    (void)off;
    (void)len;
    hl_probe_count(kProbe_fallocate, path, fi);
    return 0;
}

static ssize_t probe_copy_file_range(const char* path_in, struct fuse_file_info* fi_in, off_t off_in,
                                     const char* path_out, struct fuse_file_info* fi_out, off_t off_out,
                                     size_t size, int flags)
{
    (void)path_out;
    (void)fi_out;
    (void)off_in;
    (void)off_out;
    (void)flags;
    hl_probe_count(kProbe_copy_file_range, path_in, fi_in);
    return (ssize_t)size;
}

static off_t probe_lseek(const char* path, off_t off, int whence, struct fuse_file_info* fi)
{
    (void)whence;
    hl_probe_count(kProbe_lseek, path, fi);
    return off + 7;
}

void hl_probe_add_file_ops(struct fuse_operations* ops, const struct hl_probe* probe)
{
    ops->open = probe_open;
    ops->read = probe_read;
    ops->write = probe_write;
    if (!probe->plain_io) {
        ops->read_buf = probe_read_buf;
        ops->write_buf = probe_write_buf;
    }
    ops->flush = probe_flush;
    ops->release = probe_release;
    ops->fsync = probe_fsync;
    ops->opendir = probe_opendir;
    ops->releasedir = probe_releasedir;
    ops->fsyncdir = probe_fsyncdir;
    ops->readdir = probe_readdir;
    ops->lock = probe_lock;
    ops->flock = probe_flock;
    ops->ioctl = probe_ioctl;
    ops->poll = probe_poll;
    ops->fallocate = probe_fallocate;
    ops->copy_file_range = probe_copy_file_range;
    ops->lseek = probe_lseek;
}
