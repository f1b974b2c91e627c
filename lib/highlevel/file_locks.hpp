// The record locks (fcntl) of one file, as granted by the filesystem: who asks for a lock that we gave
// somebody else ourselves is answered without it.
#pragma once

#include <cstdint>
#include <fcntl.h>
#include <vector>

namespace rf::hl {

/// Guarded by the node's extra mutex.
class FileLocks {
public:
    /// A lock of another owner that stands against `wanted`, put into `wanted` in its place. False if there
    /// is none.
    [[nodiscard]] bool conflict(struct flock& wanted, std::uint64_t owner) const noexcept;

    /// `lock` was granted: replaces what the owner had in its range (F_UNLCK: with nothing). 0 or -ENOMEM.
    [[nodiscard]] int granted(const struct flock& lock, std::uint64_t owner);

    [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }

private:
    /// Bytes first to last of the file.
    struct Range {
        std::uint64_t first;
        std::uint64_t last;
        std::uint64_t owner;
        pid_t pid;
        short type;
    };
    static Range range_of(const struct flock& lock, std::uint64_t owner) noexcept;
    static bool joins(const Range& one, const Range& other) noexcept;
    static void keep_ends(const Range& range, const Range& taken, std::vector<Range>& kept);

    std::vector<Range> ranges_; // those of one owner neither overlap nor, if of one kind, touch
};

} // namespace rf::hl
