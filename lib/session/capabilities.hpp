// FUSE_CAP_* (the application's numbering) and INIT flags (the kernel's): what each means in the other.
#pragma once

#include <cstdint>
#include <fuse_lowlevel.h>

namespace rf {

/// FUSE_CAP_* for the INIT flags in `flags`; flags without a counterpart are dropped.
[[nodiscard]] std::uint64_t capabilities_of(std::uint64_t flags) noexcept;
/// INIT flags for the FUSE_CAP_* in `capabilities`.
[[nodiscard]] std::uint64_t init_flags_of(std::uint64_t capabilities) noexcept;

/// What a session asks for unless its init() changes it: what the operations it has make sensible.
[[nodiscard]] std::uint64_t default_capabilities(const fuse_lowlevel_ops& ops) noexcept;

} // namespace rf
