// The descriptor side of buffer copies: plain reads and writes, and splice. Any thread; no state.
// Everywhere: bytes moved (0 at the end of the source), or -errno if nothing was moved. EINTR is retried.
#pragma once

#include <cstddef>
#include <sys/types.h>

namespace rf::buf {

/// A place in a descriptor.
struct FdSpot {
    int fd = -1;
    bool positional = false; // use `pos`; otherwise the descriptor's own position
    bool retry = false;      // go on after a short transfer
    off_t pos = 0;

    [[nodiscard]] FdSpot after(std::size_t bytes) const
    {
        FdSpot spot = *this;
        spot.pos += positional ? static_cast<off_t>(bytes) : 0;
        return spot;
    }
};

[[nodiscard]] ssize_t read_fd(const FdSpot& src, char* mem, std::size_t len);
[[nodiscard]] ssize_t write_fd(const FdSpot& dst, const char* mem, std::size_t len);

/// Copies through a buffer on the stack.
[[nodiscard]] ssize_t bounce(const FdSpot& dst, const FdSpot& src, std::size_t len);

/// Splices; one of the two must be a pipe. `splice_flags` are SPLICE_F_*. -EINVAL: the two cannot be spliced.
[[nodiscard]] ssize_t splice_direct(const FdSpot& dst, const FdSpot& src, std::size_t len,
                                    unsigned splice_flags);

/// Splices between two descriptors that are no pipes, through a pipe made for this call.
[[nodiscard]] ssize_t splice_through_pipe(const FdSpot& dst, const FdSpot& src, std::size_t len,
                                          unsigned splice_flags);

[[nodiscard]] bool is_pipe(int fd);

} // namespace rf::buf
