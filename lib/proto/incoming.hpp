// One request as it arrived: the header and where the body lies. First stop after the transport.
//
// Both shapes end up in the same structure; only decode() (opcodes.hpp) looks at the difference. Everything
// is checked that can be checked without knowing the opcode.
#pragma once

#include "proto/kernel.hpp"

#include <cstddef>
#include <span>

namespace rf {
inline namespace proto {

/// Invariant: rest.data() is nullptr exactly if the message came from the device. The spans are borrowed.
struct Incoming {
    kern::fuse_in_header header{};
    std::span<const std::byte> fixed; ///< device: all behind the header; ring: the op_in area, its tail stale
    std::span<const std::byte> rest;  ///< device: nothing; ring: the payload
};

/// Takes a whole message read from /dev/fuse. 0, or -EINVAL if it is shorter than a header, if the header
/// states another length, or if its extensions do not fit. `out` is written only on success.
[[nodiscard]] int parse_device_message(std::span<const std::byte> message, Incoming& out) noexcept;

/// Takes what a ring entry holds; `payload` is exactly the payload_sz bytes delivered. 0, or -EINVAL as
/// above.
[[nodiscard]] int parse_ring_message(std::span<const std::byte, kern::kRingAreaBytes> in_out,
                                     std::span<const std::byte, kern::kRingAreaBytes> op_in,
                                     std::span<const std::byte> payload, Incoming& out) noexcept;

/// The extension records at the end of the message (security context, groups): total_extlen * 8 bytes, not
/// aligned. Empty if there are none.
[[nodiscard]] std::span<const std::byte> extensions(const Incoming& message) noexcept;

} // namespace proto
} // namespace rf
