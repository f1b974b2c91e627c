/* Steps of fsx_check that change the size or the holes of the file, or how it is held open. */
#include "fsx.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "rand.h"

static int do_truncate(struct fsx* f)
{
    off_t size;
    off_t unused;
    fsx_range(f, f->max, &size, &unused);
    if (rand_below(&f->rng, 16) == 0)
        size = 0;
    int by_path = rand_below(&f->rng, 3) == 0;
    fsx_note(f, by_path ? "truncate" : "ftruncate", size, 0, 0);
    if ((by_path ? truncate(f->path, size) : ftruncate(f->fd, size)) != 0)
        return fsx_fail_call(f, "truncate", errno);
    fsx_resize(f, size);
    return 0;
}

static int do_allocate(struct fsx* f)
{
    off_t off;
    off_t len;
    fsx_range(f, f->max, &off, &len);
    int keep = rand_below(&f->rng, 2) == 0;
    fsx_note(f, "fallocate", off, len, keep);
    if (fallocate(f->fd, keep ? FALLOC_FL_KEEP_SIZE : 0, off, len) != 0)
        return fsx_fail_call(f, "fallocate", errno);
    fsx_resize(f, !keep && off + len > f->size ? off + len : f->size);
    return 0;
}

static int do_punch(struct fsx* f)
{
    off_t off;
    off_t len;
    fsx_range(f, f->max, &off, &len);
    fsx_note(f, "punch_hole", off, len, 0);
    if (fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len) != 0)
        return fsx_fail_call(f, "punch hole", errno);
    fsx_zero(f, off, len);
    return 0;
}

static int do_zero_range(struct fsx* f)
{
    off_t off;
    off_t len;
    fsx_range(f, f->max, &off, &len);
    int keep = rand_below(&f->rng, 2) == 0;
    fsx_note(f, "zero_range", off, len, keep);
    if (fallocate(f->fd, FALLOC_FL_ZERO_RANGE | (keep ? FALLOC_FL_KEEP_SIZE : 0), off, len) != 0)
        return fsx_fail_call(f, "zero range", errno);
    fsx_zero(f, off, len);
    fsx_resize(f, !keep && off + len > f->size ? off + len : f->size);
    return 0;
}

static int probe_mode(struct fsx* f, int mode)
{
    int err = fallocate(f->fd, mode, 0, 4096) == 0 ? 0 : errno;
    return ftruncate(f->fd, 0) == 0 ? err : errno;
}

static int probe_allocate(struct fsx* f)
{
    return probe_mode(f, 0);
}

static int probe_punch(struct fsx* f)
{
    return probe_mode(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
}

static int probe_zero_range(struct fsx* f)
{
    return probe_mode(f, FALLOC_FL_ZERO_RANGE);
}

/* What is reported as a hole must be zero in the model. (Data may be zero as well.) Kernel: FUSE sends LSEEK
 * without writing back first, so under its write-back cache the server does not know the newest data yet:
 * sync_first. */
static int do_seek_holes(struct fsx* f)
{
    fsx_note(f, "seek_holes", 0, f->size, f->sync_first);
    if (f->sync_first && fsync(f->fd) != 0)
        return fsx_fail_call(f, "fsync", errno);
    for (off_t at = 0; at < f->size;) {
        off_t data = lseek(f->fd, at, SEEK_DATA);
        if (data < 0 && errno != ENXIO)
            return fsx_fail_call(f, "SEEK_DATA", errno);
        off_t end = data < 0 ? f->size : data;
        if (end < at || end > f->size)
            return fsx_fail_number(f, "result of SEEK_DATA", f->size, end);
        for (; at < end; at++)
            if (f->model[at] != 0)
                return fsx_fail_number(f, "data inside a hole at", -1, at);
        if (data < 0)
            break;
        at = lseek(f->fd, data, SEEK_HOLE);
        if (at < 0)
            return fsx_fail_call(f, "SEEK_HOLE", errno);
        if (at <= data || at > f->size)
            return fsx_fail_number(f, "result of SEEK_HOLE", f->size, at);
    }
    off_t past = lseek(f->fd, f->size, SEEK_DATA);
    return past < 0 && errno == ENXIO ? 0 : fsx_fail_number(f, "SEEK_DATA at the end", -1, past);
}

static int do_sync(struct fsx* f)
{
    int data_only = rand_below(&f->rng, 2) == 0;
    fsx_note(f, data_only ? "fdatasync" : "fsync", 0, 0, 0);
    return (data_only ? fdatasync(f->fd) : fsync(f->fd)) == 0 ? 0 : fsx_fail_call(f, "fsync", errno);
}

static int do_reopen(struct fsx* f)
{
    fsx_note(f, "reopen", 0, 0, 0);
    if (close(f->fd) != 0)
        return fsx_fail_call(f, "close", errno);
    return fsx_open(f, 0);
}

static int do_reopen_trunc(struct fsx* f)
{
    fsx_note(f, "open_trunc", 0, 0, 0);
    if (close(f->fd) != 0)
        return fsx_fail_call(f, "close", errno);
    if (fsx_open(f, O_TRUNC) != 0)
        return -1;
    fsx_resize(f, 0);
    return 0;
}

/* Written back and thrown out of the page cache, the bytes come from the filesystem itself. */
static int do_drop_cache(struct fsx* f)
{
    fsx_note(f, "drop_cache", 0, 0, 0);
    if (fsync(f->fd) != 0)
        return fsx_fail_call(f, "fsync", errno);
    int err = posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
    return err ? fsx_fail_call(f, "posix_fadvise", err) : fsx_verify(f);
}

static int do_verify(struct fsx* f)
{
    fsx_note(f, "verify", 0, f->size, 0);
    return fsx_verify(f);
}

const struct fsx_op kFsxSpaceOps[] = {
    {"truncate", 5, do_truncate, NULL},       {"fallocate", 3, do_allocate, probe_allocate},
    {"punch_hole", 5, do_punch, probe_punch}, {"zero_range", 4, do_zero_range, probe_zero_range},
    {"seek_holes", 2, do_seek_holes, NULL},   {"sync", 1, do_sync, NULL},
    {"reopen", 2, do_reopen, NULL},           {"open_trunc", 1, do_reopen_trunc, NULL},
    {"drop_cache", 1, do_drop_cache, NULL},   {"verify", 2, do_verify, NULL},
};
const size_t kNrFsxSpaceOps = sizeof(kFsxSpaceOps) / sizeof(kFsxSpaceOps[0]);
