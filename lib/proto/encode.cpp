// Attributes, entries, statistics and locks between the C library's structures and the wire: see encode.hpp.
#include "proto/encode.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace rf {
inline namespace proto {

namespace {

constexpr uint64_t kMaxSeconds = std::numeric_limits<int64_t>::max();
constexpr double kNanosPerSecond = 1e9;
constexpr uint32_t kMaxNanos = 999'999'999;
constexpr uint64_t kMaxOffset = std::numeric_limits<int64_t>::max(); // the kernel's "to the end"

void encode_sx_time(const struct statx_timestamp& from, kern::fuse_sx_time& out)
{
    out = {.tv_sec = from.tv_sec, .tv_nsec = from.tv_nsec, .reserved = 0};
}

uint32_t clamp_u32(uint64_t value)
{
    return static_cast<uint32_t>(std::min<uint64_t>(value, std::numeric_limits<uint32_t>::max()));
}

} // namespace

Timeout split_timeout(double seconds) noexcept
{
    if (!(seconds > 0)) // NaN too
        return {};
    // Kernel: the seconds become a signed 64-bit time. 2^63 is exact in a double, 2^63 - 1 is not.
    if (seconds >= 0x1p63)
        return {.seconds = kMaxSeconds, .nanoseconds = 0};
    const double whole = std::floor(seconds);
    const double nanos = (seconds - whole) * kNanosPerSecond;
    return {.seconds = static_cast<uint64_t>(whole),
            .nanoseconds = std::min(static_cast<uint32_t>(nanos), kMaxNanos)};
}

void encode_attr(const struct stat& from, kern::fuse_attr& out) noexcept
{
    out = {
        .ino = from.st_ino,
        .size = static_cast<uint64_t>(from.st_size),
        .blocks = static_cast<uint64_t>(from.st_blocks),
        .atime = static_cast<uint64_t>(from.st_atim.tv_sec),
        .mtime = static_cast<uint64_t>(from.st_mtim.tv_sec),
        .ctime = static_cast<uint64_t>(from.st_ctim.tv_sec),
        .atimensec = static_cast<uint32_t>(from.st_atim.tv_nsec),
        .mtimensec = static_cast<uint32_t>(from.st_mtim.tv_nsec),
        .ctimensec = static_cast<uint32_t>(from.st_ctim.tv_nsec),
        .mode = from.st_mode,
        .nlink = clamp_u32(from.st_nlink),
        .uid = from.st_uid,
        .gid = from.st_gid,
        // The low half of glibc's dev_t is the kernel's 32-bit device number.
        .rdev = static_cast<uint32_t>(from.st_rdev),
        .blksize = static_cast<uint32_t>(from.st_blksize),
        .flags = 0,
    };
}

void encode_entry(const EntryArgs& args, kern::fuse_entry_out& out) noexcept
{
    const Timeout entry = split_timeout(args.entry_timeout);
    const Timeout attr = split_timeout(args.attr_timeout);
    out = {
        .nodeid = args.nodeid,
        .generation = args.generation,
        .entry_valid = entry.seconds,
        .attr_valid = attr.seconds,
        .entry_valid_nsec = entry.nanoseconds,
        .attr_valid_nsec = attr.nanoseconds,
        .attr = {},
    };
    if (args.attr)
        encode_attr(*args.attr, out.attr);
}

void encode_attr_out(const struct stat& from, double timeout, kern::fuse_attr_out& out) noexcept
{
    const Timeout valid = split_timeout(timeout);
    out = {.attr_valid = valid.seconds, .attr_valid_nsec = valid.nanoseconds, .dummy = 0, .attr = {}};
    encode_attr(from, out.attr);
}

void encode_statfs(const struct statvfs& from, kern::fuse_statfs_out& out) noexcept
{
    out.st = {
        .blocks = from.f_blocks,
        .bfree = from.f_bfree,
        .bavail = from.f_bavail,
        .files = from.f_files,
        .ffree = from.f_ffree,
        .bsize = clamp_u32(from.f_bsize),
        .namelen = clamp_u32(from.f_namemax),
        .frsize = clamp_u32(from.f_frsize),
        .padding = 0,
        .spare = {},
    };
}

void encode_statx(const struct statx& from, double timeout, uint32_t flags,
                  kern::fuse_statx_out& out) noexcept
{
    const Timeout valid = split_timeout(timeout);
    out = {};
    out.attr_valid = valid.seconds;
    out.attr_valid_nsec = valid.nanoseconds;
    out.flags = flags;
    kern::fuse_statx& to = out.stat;
    to.mask = from.stx_mask;
    to.blksize = from.stx_blksize;
    to.attributes = from.stx_attributes;
    to.nlink = from.stx_nlink;
    to.uid = from.stx_uid;
    to.gid = from.stx_gid;
    to.mode = from.stx_mode;
    to.ino = from.stx_ino;
    to.size = from.stx_size;
    to.blocks = from.stx_blocks;
    to.attributes_mask = from.stx_attributes_mask;
    encode_sx_time(from.stx_atime, to.atime);
    encode_sx_time(from.stx_btime, to.btime);
    encode_sx_time(from.stx_ctime, to.ctime);
    encode_sx_time(from.stx_mtime, to.mtime);
    to.rdev_major = from.stx_rdev_major;
    to.rdev_minor = from.stx_rdev_minor;
    to.dev_major = from.stx_dev_major;
    to.dev_minor = from.stx_dev_minor;
}

size_t entry_out_bytes(uint32_t minor) noexcept
{
    return minor < 9 ? kern::kCompatEntryOutBytes : sizeof(kern::fuse_entry_out);
}

size_t attr_out_bytes(uint32_t minor) noexcept
{
    return minor < 9 ? kern::kCompatAttrOutBytes : sizeof(kern::fuse_attr_out);
}

size_t statfs_out_bytes(uint32_t minor) noexcept
{
    return minor < 4 ? kern::kCompatStatfsOutBytes : sizeof(kern::fuse_statfs_out);
}

void encode_lock(const struct flock& from, kern::fuse_file_lock& out) noexcept
{
    out = {.start = 0,
           .end = 0,
           .type = static_cast<uint32_t>(from.l_type),
           .pid = static_cast<uint32_t>(from.l_pid)};
    if (from.l_type == F_UNLCK)
        return; // "nothing in the way" has no range
    const auto start = static_cast<uint64_t>(from.l_start);
    const auto length = static_cast<uint64_t>(from.l_len);
    out.start = start;
    const bool to_end = length == 0 || length > kMaxOffset || start > kMaxOffset - length;
    out.end = to_end ? kMaxOffset : start + length - 1;
}

void decode_lock(const kern::fuse_file_lock& from, struct flock& out) noexcept
{
    out = {};
    out.l_type = static_cast<short>(from.type);
    out.l_whence = SEEK_SET;
    out.l_start = static_cast<off_t>(from.start);
    // Unsigned arithmetic: an end before the start, which the kernel never sends, wraps instead of
    // overflowing.
    out.l_len = from.end >= kMaxOffset ? 0 : static_cast<off_t>(from.end - from.start + 1);
    out.l_pid = static_cast<pid_t>(from.pid);
}

void decode_setattr(const kern::fuse_setattr_in& in, struct stat& out) noexcept
{
    out = {};
    out.st_mode = in.mode;
    out.st_uid = in.uid;
    out.st_gid = in.gid;
    out.st_size = static_cast<off_t>(in.size);
    out.st_atim = {.tv_sec = static_cast<time_t>(in.atime), .tv_nsec = in.atimensec};
    out.st_mtim = {.tv_sec = static_cast<time_t>(in.mtime), .tv_nsec = in.mtimensec};
    out.st_ctim = {.tv_sec = static_cast<time_t>(in.ctime), .tv_nsec = in.ctimensec};
}

} // namespace proto
} // namespace rf
