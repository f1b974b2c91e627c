// extern "C" face of going into the background.
#include "cli/daemonize.hpp"
#include "abi/export.hpp"

#include <fuse_common.h>
#include <fuse_daemonize.h>

extern "C" {

RF_EXPORT int fuse_daemonize(int foreground)
{
    return rf::cli::daemonize(foreground != 0) < 0 ? -1 : 0;
}

RF_EXPORT int fuse_daemonize_early_start(unsigned int flags)
{
    return rf::cli::early_start(flags);
}

RF_EXPORT void fuse_daemonize_early_success(void)
{
    rf::cli::early_success();
}

RF_EXPORT void fuse_daemonize_early_fail(int err)
{
    rf::cli::early_fail(err);
}

RF_EXPORT bool fuse_daemonize_early_is_active(void)
{
    return rf::cli::early_is_active();
}

} // extern "C"
