#include "highlevel/file_locks.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

namespace rf::hl {
namespace {

constexpr std::uint64_t kEnd = INT64_MAX; // of the largest file

} // namespace

FileLocks::Range FileLocks::range_of(const struct flock& lock, std::uint64_t owner) noexcept
{
    const std::uint64_t first = static_cast<std::uint64_t>(lock.l_start);
    // Length 0: up to the end, however far that moves.
    const std::uint64_t last = lock.l_len == 0 ? kEnd : first + static_cast<std::uint64_t>(lock.l_len) - 1;
    return {first, last, owner, lock.l_pid, lock.l_type};
}

bool FileLocks::conflict(struct flock& wanted, std::uint64_t owner) const noexcept
{
    const Range asked = range_of(wanted, owner);
    for (const Range& range : ranges_) {
        if (range.owner == owner || range.last < asked.first || asked.last < range.first)
            continue;
        if (range.type != F_WRLCK && asked.type != F_WRLCK)
            continue;
        wanted.l_type = range.type;
        wanted.l_whence = SEEK_SET;
        wanted.l_start = static_cast<off_t>(range.first);
        wanted.l_len = range.last == kEnd ? 0 : static_cast<off_t>(range.last - range.first + 1);
        wanted.l_pid = range.pid;
        return true;
    }
    return false;
}

/// Whether two ranges of one owner are one lock: they touch, and are of one kind.
bool FileLocks::joins(const Range& one, const Range& other) noexcept
{
    return one.type == other.type && one.first <= other.last + 1 && other.first <= one.last + 1;
}

int FileLocks::granted(const struct flock& lock, std::uint64_t owner)
{
    Range fresh = range_of(lock, owner);
    try {
        std::vector<Range> kept;
        kept.reserve(ranges_.size() + 2);
        for (const Range& range : ranges_) {
            if (range.owner != owner) {
                kept.push_back(range);
            } else if (joins(range, fresh) && fresh.type != F_UNLCK) {
                fresh.first = std::min(fresh.first, range.first);
                fresh.last = std::max(fresh.last, range.last);
            } else if (range.last < fresh.first || fresh.last < range.first) {
                kept.push_back(range);
            } else {
                keep_ends(range, fresh, kept);
            }
        }
        if (fresh.type != F_UNLCK)
            kept.push_back(fresh);
        ranges_ = std::move(kept);
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
    return 0;
}

/// What sticks out of `taken` on either side stays.
void FileLocks::keep_ends(const Range& range, const Range& taken, std::vector<Range>& kept)
{
    if (range.first < taken.first) {
        kept.push_back(range);
        kept.back().last = taken.first - 1;
    }
    if (range.last > taken.last) {
        kept.push_back(range);
        kept.back().first = taken.last + 1;
    }
}

} // namespace rf::hl
