// Which transport runs: what was asked for, what this machine can do, and the words for it when it cannot.
#pragma once

#include <string>
#include <string_view>

namespace rf {

enum class Choice { kAuto, kFuseUring, kDevice, kDeviceUring };

/// "auto", "fuse_uring", "dev", "dev_uring"; false for anything else.
[[nodiscard]] bool parse_choice(std::string_view text, Choice& out) noexcept;
[[nodiscard]] const char* choice_name(Choice choice) noexcept;

/// What the environment says: RINGFUSE_TRANSPORT, or RINGFUSE_DISABLE=1 for the plain device. 1 if `out` was
/// set, 0 if there is nothing, -EINVAL for a value we do not know.
[[nodiscard]] int choice_from_environment(Choice& out);

/// Tries whether this process can have the ring: the kernel's switch and one io_uring of the kind we need. 0,
/// or -errno with `why` saying what is missing and what helps.
[[nodiscard]] int probe_ring(std::string& why);

/// The same for the device through io_uring.
[[nodiscard]] int probe_device_uring(std::string& why);

/// The reason, and the remedy, for a ring that could not be set up with `error`.
[[nodiscard]] std::string explain_ring_error(int error);

/// The first line of a small file such as those of /proc/sys, without its newline; empty if it cannot be
/// read.
[[nodiscard]] std::string read_line(const char* path);

/// Pages a request may carry: /proc/sys/fs/fuse/max_pages_limit, 256 on kernels without it.
[[nodiscard]] unsigned max_pages_limit() noexcept;

} // namespace rf
