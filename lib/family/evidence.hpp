// What this process and this machine say about the caller's headers. Reads only; any thread.
#pragma once

#include "family/choose.hpp"

namespace rf::family {

/// Everything but the entry point and the operations.
[[nodiscard]] Evidence gather_evidence() noexcept;

/// Needs of all objects loaded now.
[[nodiscard]] Needs needs_of_process() noexcept;

/// The release of the distribution's libfuse3.so.3, by the name of the file behind the link.
[[nodiscard]] std::optional<Release> host_release() noexcept;

} // namespace rf::family
