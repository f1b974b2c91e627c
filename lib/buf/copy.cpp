// Walks two buffer lists at once and picks the way to move each stretch that both have in one piece.
#include "buf/copy.hpp"

#include "buf/fd_io.hpp"
#include "family/layout.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <fcntl.h>

namespace rf::buf {
namespace {

// The most that one call can report.
constexpr std::size_t kMaxCopy = SSIZE_MAX;

bool is_fd(const fuse_buf& buf)
{
    return buf.flags & FUSE_BUF_IS_FD;
}

// Steps over buffers that are used up (or empty); nullptr at the end of the list.
const fuse_buf* current(fuse_bufvec& bufs)
{
    while (bufs.idx < bufs.count && bufs.off >= family::piece(bufs, bufs.idx).size) {
        bufs.idx++;
        bufs.off = 0;
    }
    return bufs.idx < bufs.count ? &family::piece(bufs, bufs.idx) : nullptr;
}

// A position from the caller that lies outside its buffer.
bool is_broken(const fuse_bufvec& bufs)
{
    return bufs.idx < bufs.count && bufs.off > family::piece(bufs, bufs.idx).size;
}

// False if `len` bytes at `off` do not fit into a file position.
bool spot_of(const fuse_buf& buf, std::size_t off, std::size_t len, FdSpot& spot)
{
    spot = FdSpot{.fd = buf.fd,
                  .positional = (buf.flags & FUSE_BUF_FD_SEEK) != 0,
                  .retry = (buf.flags & FUSE_BUF_FD_RETRY) != 0,
                  .pos = 0};
    if (!spot.positional)
        return true;
    off_t end = 0;
    return !__builtin_add_overflow(buf.pos, off, &spot.pos) && !__builtin_add_overflow(spot.pos, len, &end);
}

unsigned splice_flags_of(unsigned flags)
{
    return (flags & FUSE_BUF_SPLICE_MOVE ? SPLICE_F_MOVE : 0u) |
           (flags & FUSE_BUF_SPLICE_NONBLOCK ? SPLICE_F_NONBLOCK : 0u);
}

ssize_t between_fds(const FdSpot& dst, const FdSpot& src, std::size_t len, unsigned flags)
{
    if (flags & FUSE_BUF_NO_SPLICE)
        return bounce(dst, src, len);
    const bool force = flags & FUSE_BUF_FORCE_SPLICE;
    const unsigned splice_flags = splice_flags_of(flags);
    const ssize_t n = splice_direct(dst, src, len, splice_flags);
    if (n != -EINVAL)
        return n;
    // Neither is a pipe, or one of them cannot be spliced.
    if (!force)
        return bounce(dst, src, len);
    if (is_pipe(dst.fd) || is_pipe(src.fd))
        return -EINVAL;
    return splice_through_pipe(dst, src, len, splice_flags);
}

// REQUIRES: 0 < len, and both buffers have that much after their offset.
ssize_t move_stretch(const fuse_buf& dst, std::size_t dst_off, const fuse_buf& src, std::size_t src_off,
                     std::size_t len, unsigned flags)
{
    FdSpot to;
    FdSpot from;
    if ((is_fd(dst) && !spot_of(dst, dst_off, len, to)) || (is_fd(src) && !spot_of(src, src_off, len, from)))
        return -EOVERFLOW;
    if ((!is_fd(dst) && !dst.mem) || (!is_fd(src) && !src.mem))
        return -EFAULT;
    char* const dst_mem = static_cast<char*>(dst.mem);
    const char* const src_mem = static_cast<const char*>(src.mem);
    if (is_fd(dst) && is_fd(src))
        return between_fds(to, from, len, flags);
    if (is_fd(dst))
        return write_fd(to, src_mem + src_off, len);
    if (is_fd(src))
        return read_fd(from, dst_mem + dst_off, len);
    memmove(dst_mem + dst_off, src_mem + src_off, len);
    return static_cast<ssize_t>(len);
}

} // namespace

std::size_t size(const fuse_bufvec& bufs)
{
    std::size_t total = 0;
    for (std::size_t i = 0; i < bufs.count; i++) {
        if (__builtin_add_overflow(total, family::piece(bufs, i).size, &total))
            return SIZE_MAX;
    }
    return total;
}

ssize_t copy(fuse_bufvec& dst, fuse_bufvec& src, fuse_buf_copy_flags flags)
{
    if (is_broken(dst) || is_broken(src))
        return -EINVAL;
    if (&dst == &src) // everything is where it belongs
        return static_cast<ssize_t>(std::min(size(dst), kMaxCopy));

    std::size_t copied = 0;
    while (copied < kMaxCopy) {
        const fuse_buf* const from = current(src);
        const fuse_buf* const to = current(dst);
        if (!from || !to)
            break;
        const std::size_t len = std::min({from->size - src.off, to->size - dst.off, kMaxCopy - copied});
        const ssize_t n = move_stretch(*to, dst.off, *from, src.off, len, static_cast<unsigned>(flags));
        if (n < 0 && copied == 0)
            return n;
        if (n <= 0)
            break;
        const std::size_t moved = static_cast<std::size_t>(n);
        // Invariant: nobody moves more than asked, or the positions would leave their buffers.
        assert(moved <= len);
        copied += moved;
        src.off += moved;
        dst.off += moved;
        if (moved < len)
            break;
    }
    return static_cast<ssize_t>(copied);
}

} // namespace rf::buf
