// The generic command line of a FUSE program: -f, -s, -d, -o clone_fd, … and the mountpoint.
#pragma once

#include <cstddef>
#include <fuse_lowlevel.h>

namespace rf::cli {

constexpr unsigned kDefaultMaxThreads = 10;
constexpr unsigned kIdleThreadsUnset = ~0u;

/// Bytes of struct fuse_cmdline_opts that binaries built before 3.12 own; they end in front of max_threads.
constexpr std::size_t kOldCmdlineBytes = 40;
static_assert(offsetof(fuse_cmdline_opts, max_threads) == kOldCmdlineBytes);
static_assert(sizeof(fuse_cmdline_opts) == 48);

/// Takes the generic options out of `args`, into `opts` (overwritten whole), and appends a default subtype
/// made from argv[0] if the command line names neither fsname nor subtype. 0, or negative errno after logging
/// why; then opts.mountpoint is nullptr. On success opts.mountpoint is malloc'ed (or nullptr) and belongs to
/// the caller.
[[nodiscard]] int parse_cmdline(fuse_args& args, fuse_cmdline_opts& opts);

/// True for "/dev/fd/N": not a path to resolve but an open, already mounted descriptor.
[[nodiscard]] bool is_fd_mountpoint(const char* mountpoint) noexcept;

} // namespace rf::cli
