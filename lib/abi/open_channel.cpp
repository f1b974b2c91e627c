// fuse_open_channel(): a mount for somebody else's session, as mount.fuse3 makes one before it gives up its
// privileges and starts the filesystem on "/dev/fd/N".
#include "abi/boundary.hpp"
#include "abi/export.hpp"

#include "mount/mount.hpp"

#include <cstring>
#include <fuse_opt.h>

namespace {

int open_channel(const char* mountpoint, const char* options)
{
    fuse_args args{};
    if (fuse_opt_add_arg(&args, "") < 0)
        return -1;
    rf::mount::Options parsed;
    rf::mount::Mounted mounted;
    const bool has_options = options && *options;
    const bool added =
        !has_options || (fuse_opt_add_arg(&args, "-o") == 0 && fuse_opt_add_arg(&args, options) == 0);
    int rc = added && rf::mount::parse_options(&args, parsed) == 0 ? 0 : -1;
    if (rc == 0 && args.argc > 1) {
        rf::log::error("fuse: unknown mount option(s): %s (EINVAL)", args.argv[args.argc - 1]);
        rc = -1;
    }
    if (rc == 0)
        rc = rf::mount::mount(mountpoint, parsed, mounted);
    fuse_opt_free_args(&args);
    if (rc < 0)
        return -1;
    // Not closed: the mount made with auto_unmount lives as long as this end, which is the process's.
    (void)mounted.keep_alive.release();
    return mounted.fd.release();
}

} // namespace

extern "C" {

RF_EXPORT int fuse_open_channel(const char* mountpoint, const char* options)
{
    if (!mountpoint) {
        rf::log::error("fuse: mount refused: no mount point (EINVAL)");
        return -1;
    }
    return rf::abi::guarded<int>(-1, [&] { return open_channel(mountpoint, options); });
}

} // extern "C"
