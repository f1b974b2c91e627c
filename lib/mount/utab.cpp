// mount(8)'s table, changed only through mount(8) and umount(8) themselves: its format and lock are theirs.
#include "mount/utab.hpp"

#include "base/log.hpp"
#include "mount/process.hpp"

#include <unistd.h>

namespace rf::mount {

bool add_to_utab(const std::string& source, const std::string& mountpoint, const Options& options)
{
    if (options.mtab_options.empty() || options.no_mtab || geteuid() != 0 ||
        access("/run/mount/utab", R_OK | W_OK) != 0)
        return false;
    // --fake: everything but the mount; -i: no mount.fuse helper, which would start the filesystem again.
    const Program program{
        .candidates = search_path("/bin/mount", "mount"),
        .argv = {"mount", "--no-canonicalize", "-i", "--fake", "-t", options.type(), "-o",
                 options.mtab_list(), "--", source, mountpoint},
    };
    const int status = run(program);
    if (status != 0)
        log::warning("mount table not updated: %s status=%d, mount(8) will not show x- and user options",
                     mountpoint.c_str(), status);
    return status == 0;
}

void remove_from_utab(const std::string& mountpoint)
{
    const Program program{
        .candidates = search_path("/bin/umount", "umount"),
        .argv = {"umount", "--no-canonicalize", "-i", "--fake", "--", mountpoint},
        .quiet = true,
    };
    const int status = run(program);
    if (status != 0)
        log::warning("mount table not updated: %s status=%d, it keeps a stale line", mountpoint.c_str(),
                     status);
}

} // namespace rf::mount
