// INIT negotiation: what the kernel offers, what we want, what both get. Pure functions; the answers can be
// tested for every kernel there ever was without having one.
//
// Kernel: process_init_reply(), fs/fuse/inode.c (v6.18): the reply is not masked by the offer. A bit that was
// never offered may switch something on that the kernel is not ready for, so the masking happens here.
#pragma once

#include "proto/kernel.hpp"

#include <cstddef>
#include <cstdint>

namespace rf {
inline namespace proto {

struct Offer {
    uint32_t minor = 0;        ///< spoken from now on: the kernel's, at most kern::kMinor
    uint32_t kernel_minor = 0; ///< as sent
    uint64_t flags = 0;        ///< offered INIT flags, both words
    uint32_t max_readahead = 0;
    bool major_too_new = false; ///< answer our version only, then wait for another INIT
};

/// Reads an INIT request of `wire_bytes` bytes. 0, or -EPROTO if the kernel's major is older than ours, or
/// -EINVAL if not even the version was sent. `out` is written only on success.
[[nodiscard]] int read_offer(const kern::fuse_init_in& in, size_t wire_bytes, Offer& out) noexcept;

struct Wants {
    /// Behaviour to switch on if offered. negotiate() itself decides about EXT, MAX_PAGES, BIG_WRITES,
    /// OVER_IO_URING and REQUEST_TIMEOUT, whatever is set here.
    uint64_t flags = 0;
    uint32_t max_write = 1u << 20;
    uint32_t max_pages_limit = 256; ///< /proc/sys/fs/fuse/max_pages_limit; 256 where there is none
    uint32_t max_readahead = UINT32_MAX;
    uint16_t max_background = 0;       ///< 0: the kernel's default
    uint16_t congestion_threshold = 0; ///< 0: three quarters of max_background
    uint32_t time_gran = 1;            ///< nanoseconds, 1 to 10^9
    uint32_t max_stack_depth = 0;      ///< for PASSTHROUGH: 1 or 2
    uint16_t request_timeout = 0;      ///< seconds, 0: none
    bool ring = false;                 ///< every ring is set up and waits for the answer
    bool default_permissions = false;  ///< the mount has that option; ALLOW_IDMAP needs it or POSIX_ACL
};

struct Agreed {
    kern::fuse_init_out out{}; ///< the reply, out_bytes of it
    size_t out_bytes = 0;
    uint64_t flags = 0; ///< in force now; the same bits as in `out`
    uint32_t minor = 0;
    uint32_t max_write = 0;         ///< no WRITE will be longer
    uint32_t max_pages = 0;         ///< in force in the kernel, whether sent or not
    uint32_t max_payload_bytes = 0; ///< what a ring payload buffer must hold, at least
    bool ring = false;
};

[[nodiscard]] Agreed negotiate(const Offer& offer, const Wants& wants) noexcept;

} // namespace proto
} // namespace rf
