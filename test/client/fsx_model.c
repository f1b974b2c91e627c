/* The copy in memory that a file is held against, and what is printed when they differ. */
#include "fsx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rand.h"

void fsx_note(struct fsx* f, const char* op, off_t off, off_t len, off_t other)
{
    f->step++;
    f->history[f->step % kHistory] = (struct fsx_step){f->step, op, off, len, other, -1};
}

static void end_note(struct fsx* f)
{
    f->history[f->step % kHistory].size_after = f->size;
}

void fsx_resize(struct fsx* f, off_t size)
{
    if (size < f->size)
        memset(f->model + size, 0, (size_t)(f->size - size));
    f->size = size;
    end_note(f);
}

void fsx_store(struct fsx* f, const char* data, off_t off, off_t len)
{
    memcpy(f->model + off, data, (size_t)len);
    if (off + len > f->size)
        f->size = off + len;
    end_note(f);
}

void fsx_zero(struct fsx* f, off_t off, off_t len)
{
    if (off < f->size)
        memset(f->model + off, 0, (size_t)(off + len < f->size ? len : f->size - off));
    end_note(f);
}

static void print_history(const struct fsx* f)
{
    fprintf(stderr, "  history (step op offset length other size-after), newest last:\n");
    uint64_t first = f->step > kHistory ? f->step - kHistory + 1 : 1;
    for (uint64_t i = first; i <= f->step; i++) {
        const struct fsx_step* s = &f->history[i % kHistory];
        fprintf(stderr, "  %8llu %-12s 0x%08llx 0x%08llx 0x%08llx", (unsigned long long)s->number, s->op,
                (unsigned long long)s->off, (unsigned long long)s->len, (unsigned long long)s->other);
        if (s->size_after >= 0)
            fprintf(stderr, " 0x%08llx", (unsigned long long)s->size_after);
        fprintf(stderr, "\n");
    }
}

static void print_bytes(const char* label, const char* at, off_t len)
{
    fprintf(stderr, "  %s", label);
    for (off_t i = 0; i < len && i < 16; i++)
        fprintf(stderr, " %02x", (unsigned char)at[i]);
    fprintf(stderr, "\n");
}

int fsx_compare(struct fsx* f, const char* got, off_t off, off_t len)
{
    const char* want = f->model + off;
    if (memcmp(got, want, (size_t)len) == 0)
        return 0;
    off_t first = 0;
    while (got[first] == want[first])
        first++;
    off_t last = len - 1;
    while (got[last] == want[last])
        last--;
    fprintf(stderr, "MISMATCH file=%s proc=%d step=%llu first=0x%llx last=0x%llx size=0x%llx\n", f->path,
            f->proc, (unsigned long long)f->step, (unsigned long long)(off + first),
            (unsigned long long)(off + last), (unsigned long long)f->size);
    print_bytes("want", want + first, len - first);
    print_bytes("got ", got + first, len - first);
    print_history(f);
    return -1;
}

int fsx_fail_call(struct fsx* f, const char* what, int err)
{
    fprintf(stderr, "FAILED %s: file=%s proc=%d step=%llu (%s)\n", what, f->path, f->proc,
            (unsigned long long)f->step, strerror(err));
    print_history(f);
    return -1;
}

int fsx_fail_number(struct fsx* f, const char* what, long long want, long long got)
{
    fprintf(stderr, "WRONG %s: file=%s proc=%d step=%llu want=%lld got=%lld\n", what, f->path, f->proc,
            (unsigned long long)f->step, want, got);
    print_history(f);
    return -1;
}

/* Half of the edges lie on or next to a page boundary, where filesystems go wrong. */
static off_t pick_edge(struct fsx* f, off_t limit)
{
    off_t at = (off_t)rand_below(&f->rng, (uint64_t)limit + 1);
    switch (rand_below(&f->rng, 4)) {
    case 0:
        at &= ~(off_t)4095;
        break;
    case 1:
        at = (at & ~(off_t)4095) + (off_t)rand_below(&f->rng, 3) - 1;
        break;
    default:
        break;
    }
    return at < 0 ? 0 : at > limit ? limit : at;
}

void fsx_range(struct fsx* f, off_t limit, off_t* ret_off, off_t* ret_len)
{
    off_t a = pick_edge(f, limit);
    /* Mostly short pieces, so that a file is not overwritten as a whole all the time. */
    off_t reach = rand_below(&f->rng, 8) == 0 ? limit : 65536;
    off_t b = pick_edge(f, limit - a < reach ? limit - a : reach) + a;
    if (a == limit)
        a--;
    if (b <= a)
        b = a + 1;
    *ret_off = a;
    *ret_len = b - a;
}

int fsx_verify(struct fsx* f)
{
    struct stat by_fd;
    struct stat by_path;
    if (fstat(f->fd, &by_fd) != 0 || stat(f->path, &by_path) != 0)
        return fsx_fail_call(f, "stat", errno);
    if (by_fd.st_size != f->size)
        return fsx_fail_number(f, "size by fstat", f->size, by_fd.st_size);
    if (by_path.st_size != f->size)
        return fsx_fail_number(f, "size by stat", f->size, by_path.st_size);
    for (off_t done = 0; done < f->size;) {
        ssize_t got = pread(f->fd, f->buf, (size_t)(f->size - done), done);
        if (got < 0)
            return fsx_fail_call(f, "pread", errno);
        if (got == 0)
            return fsx_fail_number(f, "end of file", f->size, done);
        if (fsx_compare(f, f->buf, done, got) != 0)
            return -1;
        done += got;
    }
    ssize_t past = pread(f->fd, f->buf, 1, f->size);
    return past == 0 ? 0 : fsx_fail_number(f, "read at the end", 0, past);
}

int fsx_open(struct fsx* f, int flags)
{
    f->fd = open(f->path, flags | O_RDWR | O_CLOEXEC, 0644);
    return f->fd < 0 ? fsx_fail_call(f, "open", errno) : 0;
}
