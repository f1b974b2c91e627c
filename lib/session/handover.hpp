// What one session tells another about the connection they share: the agreement of INIT and the mount, as a
// block of bytes that travels between processes of one machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace rf {

/// Only whole numbers and a path: nothing here is of one process.
struct Handover {
    // What the kernel was answered.
    std::uint64_t flags = 0; // INIT flags in force
    std::uint32_t minor = 0;
    std::uint32_t max_write = 0;
    std::uint32_t max_readahead = 0;
    std::uint32_t max_background = 0;
    std::uint32_t congestion_threshold = 0;
    std::uint64_t retrieve_limit = 0;
    std::uint64_t next_retrieve = 0; // numbers below may still be in use

    // The mount.
    std::int32_t connection = -1; // -1: not known
    std::uint32_t max_read = 0;
    bool default_permissions = false;
    bool by_fusermount = false;
    bool in_utab = false;
    bool external = false; // somebody else unmounts it
    bool has_id = false;
    std::uint32_t id_major = 0;
    std::uint32_t id_minor = 0;
    std::string mountpoint;
};

/// No block is longer.
inline constexpr std::size_t kMostHandoverBytes = 8192;

/// Writes the block: its size, or -ENOBUFS if `out` is too small, -ENAMETOOLONG for a longer mount point.
[[nodiscard]] int encode_handover(const Handover& in, std::span<std::byte> out) noexcept;

/// 0; -EINVAL: not such a block, or damaged; -EPROTO: of another version, or a protocol newer than ours.
/// `out` is written only on success.
[[nodiscard]] int decode_handover(std::span<const std::byte> in, Handover& out);

/// The number of the connection behind a /dev/fuse descriptor, as in /sys/fs/fuse/connections; -1 if it is
/// none, or the kernel does not say.
[[nodiscard]] int connection_number(int fd) noexcept;

} // namespace rf
