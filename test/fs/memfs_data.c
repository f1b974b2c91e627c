/* The bytes of memfs files: read, write, resize, fallocate, seek, copy. Works on one node (copy: two) whose
 * lock the caller holds. Invariant: bytes of a present page beyond the end of the file are zero, so growing a
 * file never shows old data. */
#include "memfs.h"

#include <errno.h>
#include <linux/falloc.h>
#include <string.h>
#include <unistd.h>

/* Counts one page against the limit of the filesystem. Returns 0 or ENOSPC. */
static int charge_page(struct mem_fs* fs)
{
    pthread_mutex_lock(&fs->pages);
    int full = fs->used_pages >= fs->max_pages;
    if (!full)
        fs->used_pages++;
    pthread_mutex_unlock(&fs->pages);
    return full ? ENOSPC : 0;
}

static void uncharge_pages(struct mem_fs* fs, uint64_t nr)
{
    pthread_mutex_lock(&fs->pages);
    fs->used_pages -= nr;
    pthread_mutex_unlock(&fs->pages);
}

static int get_page(struct mem_fs* fs, struct mem_node* node, uint64_t index, char** ret_page)
{
    char* page = pages_find(&node->pages, index);
    if (!page) {
        int err = charge_page(fs);
        if (err)
            return err;
        page = pages_make(&node->pages, index);
        if (!page) {
            uncharge_pages(fs, 1);
            return ENOMEM;
        }
    }
    *ret_page = page;
    return 0;
}

/* The part of [off, off + size) that lies in the page of `off`. */
static size_t part_in_page(off_t off, size_t size)
{
    size_t room = kPageBytes - (size_t)(off & (kPageBytes - 1));
    return size < room ? size : room;
}

size_t mem_read(struct mem_node* node, char* buf, size_t size, off_t off)
{
    if (off >= node->attr.st_size)
        return 0;
    if ((off_t)size > node->attr.st_size - off)
        size = (size_t)(node->attr.st_size - off);
    for (size_t done = 0; done < size;) {
        off_t at = off + (off_t)done;
        size_t part = part_in_page(at, size - done);
        const char* page = pages_find(&node->pages, (uint64_t)at >> kPageShift);
        if (page)
            memcpy(buf + done, page + (at & (kPageBytes - 1)), part);
        else
            memset(buf + done, 0, part);
        done += part;
    }
    return size;
}

int mem_write(struct mem_fs* fs, struct mem_node* node, const char* buf, size_t size, off_t off,
              size_t* ret_done)
{
    if (off >= MEM_MAX_BYTES)
        return EFBIG;
    if ((off_t)size > MEM_MAX_BYTES - off)
        size = (size_t)(MEM_MAX_BYTES - off);
    int err = 0;
    size_t done = 0;
    while (done < size) {
        off_t at = off + (off_t)done;
        size_t part = part_in_page(at, size - done);
        char* page;
        err = get_page(fs, node, (uint64_t)at >> kPageShift, &page);
        if (err)
            break;
        memcpy(page + (at & (kPageBytes - 1)), buf + done, part);
        done += part;
    }
    if (done > 0) {
        if (off + (off_t)done > node->attr.st_size)
            node->attr.st_size = off + (off_t)done;
        mem_touch(node, kTouchData);
    }
    *ret_done = done;
    return done > 0 ? 0 : err;
}

/* Zeroes [off, end) without adding pages: whole pages become holes, edges are overwritten. */
static void make_hole(struct mem_fs* fs, struct mem_node* node, off_t off, off_t end)
{
    while (off < end && (off & (kPageBytes - 1))) {
        size_t part = part_in_page(off, (size_t)(end - off));
        char* page = pages_find(&node->pages, (uint64_t)off >> kPageShift);
        if (page)
            memset(page + (off & (kPageBytes - 1)), 0, part);
        off += (off_t)part;
    }
    off_t last = end & ~(off_t)(kPageBytes - 1);
    if (off < last) {
        uncharge_pages(fs,
                       pages_drop(&node->pages, (uint64_t)off >> kPageShift, (uint64_t)last >> kPageShift));
        off = last;
    }
    if (off < end) {
        char* page = pages_find(&node->pages, (uint64_t)off >> kPageShift);
        if (page)
            memset(page, 0, (size_t)(end - off));
    }
}

int mem_resize(struct mem_fs* fs, struct mem_node* node, off_t size)
{
    if (size < 0)
        return EINVAL;
    if (size > MEM_MAX_BYTES)
        return EFBIG;
    /* Pages may exist past the end (FALLOC_FL_KEEP_SIZE): a truncate frees those too. */
    make_hole(fs, node, size, MEM_MAX_BYTES);
    node->attr.st_size = size;
    return 0;
}

void mem_drop_data(struct mem_fs* fs, struct mem_node* node)
{
    uncharge_pages(fs, pages_drop(&node->pages, 0, (uint64_t)MEM_MAX_BYTES >> kPageShift));
}

static int make_pages(struct mem_fs* fs, struct mem_node* node, off_t off, off_t end)
{
    uint64_t last = ((uint64_t)end + kPageBytes - 1) >> kPageShift;
    for (uint64_t index = (uint64_t)off >> kPageShift; index < last; index++) {
        char* page;
        int err = get_page(fs, node, index, &page);
        if (err)
            return err;
    }
    return 0;
}

/* REQUIRES: all pages of [off, end) are present. */
static void zero_pages(struct mem_node* node, off_t off, off_t end)
{
    while (off < end) {
        size_t part = part_in_page(off, (size_t)(end - off));
        memset(pages_find(&node->pages, (uint64_t)off >> kPageShift) + (off & (kPageBytes - 1)), 0, part);
        off += (off_t)part;
    }
}

int mem_fallocate(struct mem_fs* fs, struct mem_node* node, int mode, off_t off, off_t len)
{
    if (off < 0 || len <= 0)
        return EINVAL;
    if (len > MEM_MAX_BYTES || off > MEM_MAX_BYTES - len)
        return EFBIG;
    int keep_size = mode & FALLOC_FL_KEEP_SIZE;
    int kind = mode & ~FALLOC_FL_KEEP_SIZE;
    off_t end = off + len;
    if (kind == FALLOC_FL_PUNCH_HOLE) {
        if (!keep_size)
            return EOPNOTSUPP;
        make_hole(fs, node, off, end);
    } else if (kind == 0 || kind == FALLOC_FL_ZERO_RANGE) {
        /* Space first: a call that fails must not have destroyed data. */
        if ((uint64_t)(len >> kPageShift) > fs->max_pages)
            return ENOSPC;
        int err = make_pages(fs, node, off, end);
        if (err)
            return err;
        if (kind == FALLOC_FL_ZERO_RANGE)
            zero_pages(node, off, end);
        if (!keep_size && end > node->attr.st_size)
            node->attr.st_size = end;
    } else {
        return EOPNOTSUPP;
    }
    mem_touch(node, kTouchData);
    return 0;
}

int mem_seek(struct mem_node* node, off_t off, int whence, off_t* ret_off)
{
    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return EINVAL;
    if (off < 0 || off >= node->attr.st_size)
        return ENXIO;
    uint64_t limit = ((uint64_t)node->attr.st_size + kPageBytes - 1) >> kPageShift;
    uint64_t index = (uint64_t)off >> kPageShift;
    uint64_t found = pages_next(&node->pages, index, limit, whence == SEEK_DATA);
    if (found == limit) {
        if (whence == SEEK_DATA)
            return ENXIO;
        *ret_off = node->attr.st_size; /* the end of a file counts as a hole */
        return 0;
    }
    off_t at = (off_t)(found << kPageShift);
    *ret_off = at > off ? at : off;
    return 0;
}

int mem_copy(struct mem_fs* fs, struct mem_node* in, off_t off_in, struct mem_node* out, off_t off_out,
             size_t len, size_t* ret_done)
{
    if (off_in >= in->attr.st_size) {
        *ret_done = 0;
        return 0;
    }
    if ((off_t)len > in->attr.st_size - off_in)
        len = (size_t)(in->attr.st_size - off_in);
    if (in == out && off_in < off_out + (off_t)len && off_out < off_in + (off_t)len)
        return EINVAL;
    int err = 0;
    size_t done = 0;
    while (done < len && !err) {
        char buf[kPageBytes];
        size_t part = len - done < sizeof(buf) ? len - done : sizeof(buf);
        size_t written = 0;
        (void)mem_read(in, buf, part, off_in + (off_t)done);
        err = mem_write(fs, out, buf, part, off_out + (off_t)done, &written);
        done += written;
    }
    *ret_done = done;
    return done > 0 ? 0 : err;
}
