// Unmounting what mount() mounted.
#pragma once

#include "mount/mount.hpp"

namespace rf::mount {

/// True if the connection behind `fd` is over: unmounted or aborted. Never blocks, any thread.
[[nodiscard]] bool connection_is_gone(int fd);

/// Ends the mount; `mounted` is empty afterwards. Does nothing for an external mount, a connection that is
/// gone, or when something else is on the mount point by now. 0, or -errno after a message.
///
/// REQUIRES: a session that released `mounted.fd` polled it (connection_is_gone) and has closed it, and so
/// are its clones and rings: the kernel writes dirty pages back while it unmounts, and with nobody to answer
/// it would wait.
[[nodiscard]] int unmount(Mounted& mounted);

} // namespace rf::mount
