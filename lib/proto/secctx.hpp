// Security labels that come with requests which create something: the extension FUSE_SECURITY_CTX of the
// wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rf {
inline namespace proto {

/// One label; pointers into the extension bytes.
struct SecurityLabel {
    const char* name = nullptr; ///< NUL-terminated
    std::span<const std::byte> value;
};

/// Labels in a request's extensions; 0 if there are none, -EINVAL if the bytes contradict themselves.
[[nodiscard]] int count_labels(std::span<const std::byte> extensions) noexcept;

/// Reads the label at `position` (0 for the first) and moves `position` on. 1; 0 behind the last; -EINVAL.
[[nodiscard]] int next_label(std::span<const std::byte> extensions, std::size_t& position,
                             SecurityLabel& out) noexcept;

} // namespace proto
} // namespace rf
