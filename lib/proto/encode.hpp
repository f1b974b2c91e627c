// From the C library's structures to the bytes of a reply, and back for the requests that carry such.
//
// Pure functions, any thread. Outputs are written whole, padding included: no byte of ours leaks to the
// kernel.
#pragma once

#include "proto/kernel.hpp"

#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <span>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

namespace rf {
inline namespace proto {

/// How long the kernel may keep something.
struct Timeout {
    uint64_t seconds = 0;
    uint32_t nanoseconds = 0; ///< below 10^9
};

/// Negative and NaN give 0; what does not fit a signed 64-bit count of seconds gives the largest.
[[nodiscard]] Timeout split_timeout(double seconds) noexcept;

/// `flags` is left 0: nothing in a stat says submount or DAX.
void encode_attr(const struct stat& from, kern::fuse_attr& out) noexcept;

struct EntryArgs {
    uint64_t nodeid = 0; ///< 0: the name does not exist, remember that for entry_timeout
    uint64_t generation = 0;
    double entry_timeout = 0;          ///< seconds
    double attr_timeout = 0;           ///< seconds
    const struct stat* attr = nullptr; ///< nullptr: all zero
};

void encode_entry(const EntryArgs& args, kern::fuse_entry_out& out) noexcept;
void encode_attr_out(const struct stat& from, double timeout, kern::fuse_attr_out& out) noexcept;
void encode_statfs(const struct statvfs& from, kern::fuse_statfs_out& out) noexcept;
/// `flags` goes to fuse_statx_out.flags; no bit of it is defined today.
void encode_statx(const struct statx& from, double timeout, uint32_t flags,
                  kern::fuse_statx_out& out) noexcept;

// How much of the structure a peer of this minor takes.
[[nodiscard]] size_t entry_out_bytes(uint32_t minor) noexcept;
[[nodiscard]] size_t attr_out_bytes(uint32_t minor) noexcept;
[[nodiscard]] size_t statfs_out_bytes(uint32_t minor) noexcept;

/// A lock found by F_GETLK. REQUIRES: l_whence is SEEK_SET. Ranges past the largest offset end there.
void encode_lock(const struct flock& from, kern::fuse_file_lock& out) noexcept;
/// l_whence becomes SEEK_SET; a range to the largest offset gets l_len 0.
void decode_lock(const kern::fuse_file_lock& from, struct flock& out) noexcept;

/// The new values; in.valid says which count. Everything else in `out` becomes 0.
void decode_setattr(const kern::fuse_setattr_in& in, struct stat& out) noexcept;

// Directory records. Both return the bytes the record takes, and write it (padding zeroed) only if it fits.
[[nodiscard]] size_t dirent_bytes(size_t namelen) noexcept;
[[nodiscard]] size_t dirent_plus_bytes(size_t namelen) noexcept;
/// `off` is the position behind this record: what the kernel sends to go on from here.
[[nodiscard]] size_t add_dirent(std::span<std::byte> out, const char* name, uint64_t ino, mode_t mode,
                                uint64_t off) noexcept;
[[nodiscard]] size_t add_dirent_plus(std::span<std::byte> out, const char* name, uint64_t ino, mode_t mode,
                                     uint64_t off, const kern::fuse_entry_out& entry) noexcept;

/// Room for any IOCTL retry answer.
constexpr size_t kIoctlRetryMaxBytes =
    sizeof(kern::fuse_ioctl_out) + kern::kIoctlMaxIov * sizeof(kern::fuse_ioctl_iovec);

/// The answer "fetch these areas of the caller and ask again": header and vectors, `in` before `out`. Peers
/// below minor 16 get struct iovec, others fuse_ioctl_iovec. Bytes written, or -EINVAL (more than
/// kIoctlMaxIov vectors) or -ENOSPC (`buffer` too small; nothing written).
[[nodiscard]] int encode_ioctl_retry(uint32_t minor, std::span<const struct iovec> in,
                                     std::span<const struct iovec> out, std::span<std::byte> buffer) noexcept;

} // namespace proto
} // namespace rf
