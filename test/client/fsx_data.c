/* Steps of fsx_check that move bytes. */
#include "fsx.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rand.h"

/* Bytes that tell which step wrote them: a stale or misplaced block is recognised in a report. */
static void fill(struct fsx* f, char* buf, off_t len)
{
    uint64_t state = f->rng ^ f->step;
    for (off_t i = 0; i < len; i++)
        buf[i] = (char)(i % 16 == 0 ? f->step : rand_next(&state));
}

static int do_read(struct fsx* f)
{
    off_t off;
    off_t len;
    fsx_range(f, f->max, &off, &len);
    fsx_note(f, "read", off, len, 0);
    off_t want = off >= f->size ? 0 : len < f->size - off ? len : f->size - off;
    ssize_t got = pread(f->fd, f->buf, (size_t)len, off);
    if (got < 0)
        return fsx_fail_call(f, "pread", errno);
    if (got != want)
        return fsx_fail_number(f, "length of pread", want, got);
    return got == 0 ? 0 : fsx_compare(f, f->buf, off, got);
}

static int do_readv(struct fsx* f)
{
    if (f->size < 2)
        return 0;
    off_t off;
    off_t len;
    fsx_range(f, f->size, &off, &len);
    off_t cut = (off_t)rand_below(&f->rng, (uint64_t)len);
    fsx_note(f, "readv", off, len, cut);
    const struct iovec iov[2] = {{f->buf, (size_t)cut}, {f->buf + cut, (size_t)(len - cut)}};
    ssize_t got = preadv(f->fd, iov, 2, off);
    if (got < 0)
        return fsx_fail_call(f, "preadv", errno);
    return got == len ? fsx_compare(f, f->buf, off, got) : fsx_fail_number(f, "length of preadv", len, got);
}

static int write_at(struct fsx* f, int fd, off_t off, off_t len)
{
    fill(f, f->buf, len);
    for (off_t done = 0; done < len;) {
        ssize_t put = pwrite(fd, f->buf + done, (size_t)(len - done), off + done);
        if (put < 0)
            return fsx_fail_call(f, "pwrite", errno);
        if (put == 0)
            return fsx_fail_number(f, "length of pwrite", len - done, 0);
        done += put;
    }
    fsx_store(f, f->buf, off, len);
    return 0;
}

static int do_write(struct fsx* f)
{
    off_t off;
    off_t len;
    fsx_range(f, f->max, &off, &len);
    fsx_note(f, "write", off, len, 0);
    return write_at(f, f->fd, off, len);
}

static int do_writev(struct fsx* f)
{
    off_t off;
    off_t len;
    fsx_range(f, f->max, &off, &len);
    off_t cut = (off_t)rand_below(&f->rng, (uint64_t)len);
    fsx_note(f, "writev", off, len, cut);
    fill(f, f->buf, len);
    const struct iovec iov[2] = {{f->buf, (size_t)cut}, {f->buf + cut, (size_t)(len - cut)}};
    ssize_t put = pwritev(f->fd, iov, 2, off);
    if (put < 0)
        return fsx_fail_call(f, "pwritev", errno);
    if (put != len)
        return fsx_fail_number(f, "length of pwritev", len, put);
    fsx_store(f, f->buf, off, len);
    return 0;
}

/* Through a second descriptor: the place of the data is the kernel's choice. */
static int do_append(struct fsx* f)
{
    off_t room = f->max - f->size;
    off_t len = 1 + (off_t)rand_below(&f->rng, 8192);
    if (len > room)
        return 0;
    fsx_note(f, "append", f->size, len, 0);
    int fd = open(f->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return fsx_fail_call(f, "open for append", errno);
    fill(f, f->buf, len);
    ssize_t put = write(fd, f->buf, (size_t)len);
    int err = errno;
    if (close(fd) != 0)
        return fsx_fail_call(f, "close", errno);
    if (put != len)
        return put < 0 ? fsx_fail_call(f, "append", err) : fsx_fail_number(f, "length of append", len, put);
    fsx_store(f, f->buf, f->size, len);
    return 0;
}

static char* map(struct fsx* f, off_t off, off_t len, int prot, off_t* ret_skip)
{
    *ret_skip = off % sysconf(_SC_PAGESIZE);
    char* at = mmap(NULL, (size_t)(len + *ret_skip), prot, MAP_SHARED, f->fd, off - *ret_skip);
    return at == MAP_FAILED ? NULL : at;
}

static int do_map_read(struct fsx* f)
{
    if (f->size == 0)
        return 0;
    off_t off;
    off_t len;
    off_t skip;
    fsx_range(f, f->size, &off, &len);
    fsx_note(f, "map_read", off, len, 0);
    char* at = map(f, off, len, PROT_READ, &skip);
    if (!at)
        return fsx_fail_call(f, "mmap", errno);
    int rc = fsx_compare(f, at + skip, off, len);
    munmap(at, (size_t)(len + skip));
    return rc;
}

static int do_map_write(struct fsx* f)
{
    if (f->size == 0)
        return 0;
    off_t off;
    off_t len;
    off_t skip;
    fsx_range(f, f->size, &off, &len);
    int sync = rand_below(&f->rng, 4) == 0;
    fsx_note(f, "map_write", off, len, sync);
    char* at = map(f, off, len, PROT_READ | PROT_WRITE, &skip);
    if (!at)
        return fsx_fail_call(f, "mmap", errno);
    fill(f, f->buf, len);
    memcpy(at + skip, f->buf, (size_t)len);
    int rc = sync ? msync(at, (size_t)(len + skip), MS_SYNC) : 0;
    int err = errno;
    munmap(at, (size_t)(len + skip));
    if (rc != 0)
        return fsx_fail_call(f, "msync", err);
    fsx_store(f, f->buf, off, len);
    return 0;
}

static int probe_map(struct fsx* f)
{
    if (ftruncate(f->fd, 4096) != 0)
        return errno;
    off_t skip;
    char* at = map(f, 0, 4096, PROT_READ | PROT_WRITE, &skip);
    int err = at ? 0 : errno;
    if (at)
        munmap(at, 4096);
    return ftruncate(f->fd, 0) == 0 ? err : errno;
}

/* Copies within the file, from a piece to another one that does not overlap. */
static int do_copy(struct fsx* f)
{
    if (f->size < 2)
        return 0;
    off_t from;
    off_t len;
    fsx_range(f, f->size, &from, &len);
    off_t to = (off_t)rand_below(&f->rng, (uint64_t)(f->max - len + 1));
    if (to < from + len && from < to + len)
        return 0;
    fsx_note(f, "copy", from, len, to);
    for (off_t done = 0; done < len;) {
        off_t in = from + done;
        off_t out = to + done;
        ssize_t put = copy_file_range(f->fd, &in, f->fd, &out, (size_t)(len - done), 0);
        if (put < 0)
            return fsx_fail_call(f, "copy_file_range", errno);
        if (put == 0)
            return fsx_fail_number(f, "length of copy_file_range", len, done);
        done += put;
    }
    memcpy(f->buf, f->model + from, (size_t)len);
    fsx_store(f, f->buf, to, len);
    return 0;
}

static int probe_copy(struct fsx* f)
{
    off_t in = 0;
    off_t out = 8;
    int err = pwrite(f->fd, "12345678", 8, 0) == 8 && copy_file_range(f->fd, &in, f->fd, &out, 8, 0) == 8
                  ? 0
                  : errno;
    return ftruncate(f->fd, 0) == 0 ? err : errno;
}

const struct fsx_op kFsxDataOps[] = {
    {"read", 20, do_read, NULL},
    {"readv", 4, do_readv, NULL},
    {"write", 20, do_write, NULL},
    {"writev", 4, do_writev, NULL},
    {"append", 3, do_append, NULL},
    {"map_read", 8, do_map_read, probe_map},
    {"map_write", 8, do_map_write, probe_map},
    {"copy", 6, do_copy, probe_copy},
};
const size_t kNrFsxDataOps = sizeof(kFsxDataOps) / sizeof(kFsxDataOps[0]);
