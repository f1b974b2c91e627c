// extern "C" face of the command line, the help and version texts and the connection options.
#include "cli/cmdline.hpp"
#include "abi/export.hpp"
#include "base/log.hpp"
#include "cli/help.hpp"
#include "cli/preload.hpp"
#include "mount/options.hpp"
#include "proto/kernel.hpp"
#include "session/conn_opts.hpp"

#include <cerrno>
#include <cstring>

extern "C" {

RF_EXPORT int fuse_parse_cmdline_312(fuse_args* args, fuse_cmdline_opts* opts)
{
    rf::cli::forget_preload();
    return args && opts && rf::cli::parse_cmdline(*args, *opts) == 0 ? 0 : -1;
}

// The caller's structure ends after kOldCmdlineBytes: what lies behind it is not ours to write.
RF_EXPORT int fuse_parse_cmdline_30(fuse_args* args, fuse_cmdline_opts* opts)
{
    rf::cli::forget_preload();
    if (!args || !opts)
        return -1;
    fuse_cmdline_opts whole;
    const int rc = rf::cli::parse_cmdline(*args, whole);
    std::memcpy(static_cast<void*>(opts), &whole, rf::cli::kOldCmdlineBytes);
    return rc == 0 ? 0 : -1;
}

RF_EXPORT void fuse_cmdline_help(void)
{
    rf::cli::print_cmdline_help();
}

RF_EXPORT void fuse_lowlevel_help(void)
{
    rf::cli::print_lowlevel_help();
    rf::mount::print_help();
}

RF_EXPORT void fuse_lowlevel_version(void)
{
    rf::cli::print_lowlevel_version(rf::kern::kMajor, rf::kern::kMinor);
}

RF_EXPORT fuse_conn_info_opts* fuse_parse_conn_info_opts(fuse_args* args)
{
    return args ? rf::parse_conn_opts(*args) : nullptr;
}

RF_EXPORT void fuse_apply_conn_info_opts(fuse_conn_info_opts* opts, fuse_conn_info* conn)
{
    if (opts && conn)
        rf::apply_conn_opts(*opts, *conn);
}

} // extern "C"
