// File contents. Each direction has two operations, with and without a bufvec, of which a filesystem may
// bring either; the bufvec form is preferred, since it saves a copy where it exists.
#include "highlevel/call.hpp"

#include "highlevel/config.hpp"

#include <memory>

namespace rf::hl {
namespace {

struct FreeBufvec {
    void operator()(fuse_bufvec* buf) const noexcept { free_bufvec(buf); }
};
using UniqueBufvec = std::unique_ptr<fuse_bufvec, FreeBufvec>;

// A list of one piece of memory, or null. All families agree on what it looks like.
UniqueBufvec memory_bufvec(std::size_t size) noexcept
{
    UniqueBufvec list(static_cast<fuse_bufvec*>(std::malloc(sizeof(fuse_bufvec))));
    if (!list)
        return nullptr;
    *list = FUSE_BUFVEC_INIT(size);
    list->buf[0].mem = std::malloc(size ? size : 1);
    return list->buf[0].mem ? std::move(list) : nullptr;
}

void complain_of_excess(const char* what, const char* path, std::size_t got, std::size_t size)
{
    log::error("fuse: %s returned more than was asked for: path=%s bytes=%zu size=%zu, passed on", what,
               shown(path), got, size);
}

bool is_plain_memory(const fuse_bufvec& list) noexcept
{
    return list.count == 1 && list.idx == 0 && !(list.buf[0].flags & FUSE_BUF_IS_FD) &&
           list.off <= list.buf[0].size;
}

// write for a filesystem that has only that one.
int write_flat(fuse_fs& fs, const char* path, fuse_bufvec& list, off_t off, fuse_file_info* fi)
{
    if (is_plain_memory(list)) {
        const char* data = static_cast<const char*>(list.buf[0].mem) + list.off;
        return call(fs, fs.op.write, path, data, list.buf[0].size - list.off, off, fi);
    }
    const std::size_t most = fuse_buf_size(&list);
    const UniqueChars memory(static_cast<char*>(std::malloc(most ? most : 1)));
    if (!memory)
        return -ENOMEM;
    fuse_bufvec flat = FUSE_BUFVEC_INIT(most);
    flat.buf[0].mem = memory.get();
    const ssize_t got = fuse_buf_copy(&flat, &list, static_cast<fuse_buf_copy_flags>(0));
    if (got < 0)
        return static_cast<int>(got);
    const char* data = memory.get();
    return call(fs, fs.op.write, path, data, static_cast<std::size_t>(got), off, fi);
}

} // namespace

int fs_read_buf(fuse_fs& fs, const char* path, fuse_bufvec** out, std::size_t size, off_t off,
                fuse_file_info* fi)
{
    *out = nullptr;
    RF_HL_TRACE(fs, "fs: read path=%s size=%zu off=%lld fh=%llu", shown(path), size,
                static_cast<long long>(off), handle(fi));
    if (!fs.op.read_buf && !fs.op.read)
        return -ENOSYS;
    UniqueBufvec list;
    int rc = 0;
    if (fs.op.read_buf) {
        fuse_bufvec* theirs = nullptr;
        rc = call(fs, fs.op.read_buf, path, &theirs, size, off, fi);
        list.reset(theirs);
        if (rc >= 0 && !list)
            rc = -EIO; // success without data
    } else {
        list = memory_bufvec(size);
        if (!list)
            return -ENOMEM;
        rc = call(fs, fs.op.read, path, static_cast<char*>(list->buf[0].mem), size, off, fi);
        if (rc >= 0)
            list->buf[0].size = static_cast<std::size_t>(rc);
    }
    if (rc < 0)
        return rc;
    const std::size_t got = fuse_buf_size(list.get());
    RF_HL_TRACE(fs, "fs: read path=%s returned=%zu", shown(path), got);
    if (got > size)
        complain_of_excess("read", path, got, size);
    *out = list.release();
    return 0;
}

int fs_read(fuse_fs& fs, const char* path, char* buf, std::size_t size, off_t off, fuse_file_info* fi)
{
    int rc = -ENOSYS;
    if (fs.op.read_buf) {
        fuse_bufvec* got = nullptr;
        rc = fs_read_buf(fs, path, &got, size, off, fi);
        const UniqueBufvec list(got);
        if (rc < 0)
            return rc;
        fuse_bufvec target = FUSE_BUFVEC_INIT(size);
        target.buf[0].mem = buf;
        return static_cast<int>(fuse_buf_copy(&target, list.get(), static_cast<fuse_buf_copy_flags>(0)));
    }
    RF_HL_TRACE(fs, "fs: read path=%s size=%zu off=%lld fh=%llu", shown(path), size,
                static_cast<long long>(off), handle(fi));
    rc = call(fs, fs.op.read, path, buf, size, off, fi);
    RF_HL_TRACE(fs, "fs: read path=%s returned=%d", shown(path), rc);
    if (rc > 0 && static_cast<std::size_t>(rc) > size)
        complain_of_excess("read", path, static_cast<std::size_t>(rc), size);
    return rc;
}

int fs_write_buf(fuse_fs& fs, const char* path, fuse_bufvec* buf, off_t off, fuse_file_info* fi)
{
    const std::size_t size = fuse_buf_size(buf);
    RF_HL_TRACE(fs, "fs: write path=%s%s size=%zu off=%lld fh=%llu", shown(path),
                fi && fi->writepage ? " late" : "", size, static_cast<long long>(off), handle(fi));
    if (!fs.op.write_buf && !fs.op.write)
        return -ENOSYS;
    const int rc =
        fs.op.write_buf ? call(fs, fs.op.write_buf, path, buf, off, fi) : write_flat(fs, path, *buf, off, fi);
    RF_HL_TRACE(fs, "fs: write path=%s returned=%d", shown(path), rc);
    if (rc > 0 && static_cast<std::size_t>(rc) > size)
        complain_of_excess("write", path, static_cast<std::size_t>(rc), size);
    return rc;
}

int fs_write(fuse_fs& fs, const char* path, const char* buf, std::size_t size, off_t off, fuse_file_info* fi)
{
    fuse_bufvec list = FUSE_BUFVEC_INIT(size);
    list.buf[0].mem = const_cast<char*>(buf); // a source is only read
    return fs_write_buf(fs, path, &list, off, fi);
}

int fs_fallocate(fuse_fs& fs, const char* path, int mode, off_t off, off_t length, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: fallocate path=%s mode=%#x off=%lld length=%lld fh=%llu", shown(path),
                static_cast<unsigned>(mode), static_cast<long long>(off), static_cast<long long>(length),
                handle(fi));
    return call(fs, fs.op.fallocate, path, mode, off, length, fi);
}

ssize_t fs_copy_file_range(fuse_fs& fs, const char* path_in, fuse_file_info* fi_in, off_t off_in,
                           const char* path_out, fuse_file_info* fi_out, off_t off_out, std::size_t size,
                           int flags)
{
    RF_HL_TRACE(fs, "fs: copy_file_range from=%s fh=%llu off=%lld to=%s fh=%llu off=%lld size=%zu",
                shown(path_in), handle(fi_in), static_cast<long long>(off_in), shown(path_out),
                handle(fi_out), static_cast<long long>(off_out), size);
    return call(fs, fs.op.copy_file_range, path_in, fi_in, off_in, path_out, fi_out, off_out, size, flags);
}

off_t fs_lseek(fuse_fs& fs, const char* path, off_t off, int whence, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: lseek path=%s off=%lld whence=%d fh=%llu", shown(path), static_cast<long long>(off),
                whence, handle(fi));
    return call(fs, fs.op.lseek, path, off, whence, fi);
}

} // namespace rf::hl
