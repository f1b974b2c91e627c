// Reads, writes and splices with the "short but not failed" rules of buffer copies.
#include "buf/fd_io.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/stat.h>

namespace rf::buf {
namespace {

// On the stack of whatever thread a filesystem has, so not large.
constexpr std::size_t kBounceBytes = 16 * 1024;

// What a new pipe holds unless the user has used up his share of pipe pages (then it is less, and splice
// moves less per call).
constexpr std::size_t kPipeBytes = 64 * 1024;

// Runs `step(done)` until `len` bytes are done, it reports the end or an error, or, without `retry`, once.
template <class Step>
ssize_t repeat(std::size_t len, bool retry, Step step)
{
    std::size_t done = 0;
    while (done < len) {
        const ssize_t n = step(done);
        if (n == -EINTR)
            continue;
        if (n < 0 && done == 0)
            return n;
        if (n <= 0)
            break;
        done += static_cast<std::size_t>(n);
        if (!retry)
            break;
    }
    return static_cast<ssize_t>(done);
}

// Empties `pipe` of `len` bytes into `dst`. What splice refuses is written from memory if `must_not_lose`:
// the bytes are nowhere else any more.
ssize_t drain(const FdSpot& dst, int pipe, std::size_t len, unsigned splice_flags, bool must_not_lose)
{
    const FdSpot src{.fd = pipe, .positional = false, .retry = true, .pos = 0};
    const ssize_t n = splice_direct(dst, src, len, splice_flags);
    const std::size_t done = n > 0 ? static_cast<std::size_t>(n) : 0;
    if (done == len || !must_not_lose)
        return n;
    const ssize_t more = bounce(dst.after(done), src, len - done);
    if (more < 0 && done == 0)
        return more;
    return static_cast<ssize_t>(done) + std::max<ssize_t>(more, 0);
}

} // namespace

ssize_t read_fd(const FdSpot& src, char* mem, std::size_t len)
{
    return repeat(len, src.retry, [&](std::size_t done) {
        return from_libc(src.positional ? pread(src.fd, mem + done, len - done, src.after(done).pos)
                                        : read(src.fd, mem + done, len - done));
    });
}

ssize_t write_fd(const FdSpot& dst, const char* mem, std::size_t len)
{
    return repeat(len, dst.retry, [&](std::size_t done) {
        return from_libc(dst.positional ? pwrite(dst.fd, mem + done, len - done, dst.after(done).pos)
                                        : write(dst.fd, mem + done, len - done));
    });
}

ssize_t bounce(const FdSpot& dst, const FdSpot& src, std::size_t len)
{
    std::array<char, kBounceBytes> chunk;
    std::size_t done = 0;
    while (done < len) {
        const std::size_t want = std::min(chunk.size(), len - done);
        const ssize_t n = read_fd(src.after(done), chunk.data(), want);
        if (n < 0 && done == 0)
            return n;
        if (n <= 0)
            break;
        const std::size_t got = static_cast<std::size_t>(n);
        // Bytes taken from a stream cannot be put back: write them all if that is possible at all.
        FdSpot spot = dst.after(done);
        spot.retry = spot.retry || !src.positional;
        const ssize_t written = write_fd(spot, chunk.data(), got);
        if (written < 0 && done == 0)
            return written;
        done += static_cast<std::size_t>(std::max<ssize_t>(written, 0));
        if (written < n || got < want)
            break;
    }
    return static_cast<ssize_t>(done);
}

ssize_t splice_direct(const FdSpot& dst, const FdSpot& src, std::size_t len, unsigned splice_flags)
{
    return repeat(len, src.retry || dst.retry, [&](std::size_t done) {
        loff_t in = src.after(done).pos;
        loff_t out = dst.after(done).pos;
        return from_libc(splice(src.fd, src.positional ? &in : nullptr, dst.fd,
                                dst.positional ? &out : nullptr, len - done, splice_flags));
    });
}

ssize_t splice_through_pipe(const FdSpot& dst, const FdSpot& src, std::size_t len, unsigned splice_flags)
{
    std::array<int, 2> ends{-1, -1};
    const int rc = from_libc(pipe2(ends.data(), O_CLOEXEC));
    if (rc < 0)
        return rc;
    const UniqueFd out_end(ends[0]);
    const UniqueFd in_end(ends[1]);
    const FdSpot pipe_in{.fd = in_end.get(), .positional = false, .retry = false, .pos = 0};

    // A file may give less than asked for at a page boundary, so only a stream's short transfer means
    // "enough".
    const bool go_on = src.positional || src.retry || dst.retry;
    return repeat(len, go_on, [&](std::size_t done) -> ssize_t {
        FdSpot from = src.after(done);
        from.retry = false; // the pipe must be empty again before more goes in, or this thread would block
        const ssize_t n = splice_direct(pipe_in, from, std::min(kPipeBytes, len - done), splice_flags);
        if (n <= 0)
            return n;
        return drain(dst.after(done), out_end.get(), static_cast<std::size_t>(n), splice_flags,
                     !src.positional);
    });
}

bool is_pipe(int fd)
{
    struct stat st {};
    return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

} // namespace rf::buf
