// mount(8)'s own table of options that the kernel does not keep (`user=`, `x-...`): /run/mount/utab.
// A real /etc/mtab file is not kept up to date: it is a link to /proc wherever util-linux is younger than
// 2013, and newer releases of mount(8) cannot write it any more.
#pragma once

#include "mount/options.hpp"

namespace rf::mount {

/// Adds a line for a mount that mount(2) made. Does nothing unless we are root, there are such options, `-n`
/// is absent and the table exists. True if there is a line to remove later.
[[nodiscard]] bool add_to_utab(const std::string& source, const std::string& mountpoint,
                               const Options& options);

/// Removes the line. REQUIRES: still mounted.
void remove_from_utab(const std::string& mountpoint);

} // namespace rf::mount
