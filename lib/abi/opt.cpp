// extern "C" face of the option parser (fuse_opt.h): negative errno becomes -1, NULL is tolerated.
#include "cli/opt.hpp"
#include "abi/export.hpp"
#include "base/log.hpp"
#include "cli/preload.hpp"

#include <cerrno>

using rf::cli::Escape;

namespace {

int report(const char* what, int rc) noexcept
{
    if (rc >= 0)
        return 0;
    rf::log::error("fuse: %s failed (%s), nothing changed", what, rf::log::errno_name(rc));
    return -1;
}

} // namespace

extern "C" {

// Not noexcept: the application's callback runs inside. The parser has logged its own errors.
RF_EXPORT int fuse_opt_parse(fuse_args* args, void* data, const fuse_opt opts[], fuse_opt_proc_t proc)
{
    rf::cli::forget_preload();
    if (!args)
        return 0;
    return rf::cli::parse_opts(*args, data, opts, proc) < 0 ? -1 : 0;
}

RF_EXPORT int fuse_opt_add_opt(char** opts, const char* opt)
{
    return report("adding an option", opts && opt ? rf::cli::add_opt(opts, opt, Escape::kNo) : -EINVAL);
}

RF_EXPORT int fuse_opt_add_opt_escaped(char** opts, const char* opt)
{
    return report("adding an option", opts && opt ? rf::cli::add_opt(opts, opt, Escape::kYes) : -EINVAL);
}

RF_EXPORT int fuse_opt_add_arg(fuse_args* args, const char* arg)
{
    return report("adding an argument", args && arg ? rf::cli::add_arg(*args, arg) : -EINVAL);
}

RF_EXPORT int fuse_opt_insert_arg(fuse_args* args, int pos, const char* arg)
{
    return report("inserting an argument", args && arg ? rf::cli::insert_arg(*args, pos, arg) : -EINVAL);
}

RF_EXPORT void fuse_opt_free_args(fuse_args* args)
{
    if (args)
        rf::cli::free_args(*args);
}

RF_EXPORT int fuse_opt_match(const fuse_opt opts[], const char* opt)
{
    return opt && rf::cli::match_opt(opts, opt) ? 1 : 0;
}

} // extern "C"
