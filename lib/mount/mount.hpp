// Mounting: from options and a directory to an open FUSE device. Called once per session, before any thread
// of ours exists; the caller's thread only.
#pragma once

#include "base/fd.hpp"
#include "mount/mountinfo.hpp"
#include "mount/options.hpp"

#include <optional>
#include <string>

namespace rf::mount {

struct Mounted {
    // The connection. The session may release() it and own it from then on, see unmount().
    UniqueFd fd;
    std::string mountpoint; // absolute where that could be found out
    bool external = false;  // "/dev/fd/N": somebody else mounted and will unmount
    bool by_fusermount = false;
    bool in_utab = false;      // mount(8)'s table has a line for it
    UniqueFd keep_alive;       // auto_unmount: the mount goes when the last copy is closed
    std::optional<MountId> id; // what is ours on mountpoint; none: not known
};

/// Mounts on `mountpoint`, or adopts N for "/dev/fd/N". Makes sure that descriptors 0 to 2 are open first. 0,
/// or -errno after a message.
[[nodiscard]] int mount(const char* mountpoint, const Options& options, Mounted& out);

/// Opens /dev/null until descriptors 0 to 2 are taken: a device, socket or event of ours must never become
/// somebody's stdin, stdout or stderr. 0, or -errno after a message.
[[nodiscard]] int open_standard_fds();

/// N of "/dev/fd/N", or -1 for every other text.
[[nodiscard]] int device_fd_of(const char* mountpoint);

} // namespace rf::mount
