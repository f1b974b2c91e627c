// Settings of the multi-threaded loop. Applications see a pointer (FUSE_USE_VERSION >= 312) and the
// fuse_loop_cfg_* functions; the loop reads the fields.
#pragma once

#include "cli/cmdline.hpp"

#include <cstdint>
#include <fuse_common.h>

namespace rf::cli {

/// Where the old structure has clone_fd, which never has this value.
constexpr std::uint32_t kLoopConfigMark = 0x52464c43;

} // namespace rf::cli

/// Invariant: every value has passed through the setters below, so the loop need not check again.
struct fuse_loop_config {
    std::uint32_t mark = rf::cli::kLoopConfigMark;
    unsigned max_threads = rf::cli::kDefaultMaxThreads; // 1 to kMaxThreads
    unsigned max_idle_threads =
        rf::cli::kIdleThreadsUnset; // 1 to kMaxThreads, or kIdleThreadsUnset: no limit
    bool clone_fd = false;
};

namespace rf::cli {

constexpr unsigned kMaxThreads = 100000;

/// A value out of range is refused with a message, and the old one stays.
void set_max_threads(fuse_loop_config& config, unsigned value) noexcept;
void set_idle_threads(fuse_loop_config& config, unsigned value) noexcept;

/// Takes over the 8-byte structure that programs below version 312 fill themselves. It knows no max_threads:
/// the loop it was made for started threads without limit and kept max_idle_threads. So max_threads is raised
/// to that number and never lowered to it: handlers that wait for each other were safe with few idle threads.
void convert_loop_config(fuse_loop_config& config, const fuse_loop_config_v1& old) noexcept;

/// The settings behind a pointer that a program handed to a loop of 3.12 and later; nullptr: the defaults. A
/// program of an older layout that looks the loop up without a version gets that one, too, and hands over the
/// structure it knows.
[[nodiscard]] fuse_loop_config settings_behind(const fuse_loop_config* given) noexcept;

} // namespace rf::cli
