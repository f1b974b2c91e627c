// fusermount3, the distribution's setuid helper, through the protocol that every release of it speaks:
// _FUSE_COMMFD names a socket, the opened device comes back over it.
#pragma once

#include "base/fd.hpp"

#include <string>

namespace rf::mount {

struct FusermountResult {
    UniqueFd device; // close-on-exec
    // With auto_unmount: as long as any copy of this socket is open, fusermount3 leaves the mount alone. It
    // is close-on-exec; who executes a successor that is to keep the mount must clear that.
    UniqueFd keep_alive;
};

/// Mounts on `mountpoint` with the comma list `options`. `quiet` drops what the helper writes to stderr.
/// 0 or -errno: -ENOENT no fusermount3, -EIO it refused (only its own text says why).
[[nodiscard]] int fusermount_mount(const char* mountpoint, const std::string& options, bool auto_unmount,
                                   bool quiet, FusermountResult& out);

/// Unmounts lazily. 0 or -errno, as above.
[[nodiscard]] int fusermount_unmount(const char* mountpoint);

} // namespace rf::mount
