// fuse_main(): what a program would write itself with the public functions, in that order. The process forks
// after the mount and before the loop, which is what starts rings and threads.
#include "highlevel/main.hpp"

#include "base/log.hpp"
#include "highlevel/config.hpp"

#include <cerrno>
#include <cstdio>
#include <fuse_lowlevel.h>
#include <memory>

namespace rf::hl {
namespace {

struct DestroyLoopConfig {
    void operator()(fuse_loop_config* config) const noexcept { fuse_loop_cfg_destroy(config); }
};
using UniqueLoopConfig = std::unique_ptr<fuse_loop_config, DestroyLoopConfig>;

void print_version()
{
    std::printf("FUSE library version %s\n", fuse_pkgversion());
    fuse_lowlevel_version();
}

/// A program that clears argv[0] prints its own usage line.
void print_usage(fuse_args& args)
{
    if (args.argv[0][0] != '\0')
        std::printf("usage: %s [options] <mountpoint>\n\n", args.argv[0]);
    std::printf("FUSE options:\n");
    fuse_cmdline_help();
    fuse_lib_help(&args);
}

MainResult run_loop(fuse* f, const fuse_cmdline_opts& opts)
{
    if (opts.singlethread)
        return fuse_loop(f) == 0 ? kMainDone : kMainLoopFailed;
    const UniqueLoopConfig config(fuse_loop_cfg_create());
    if (!config) {
        log::error("fuse: no memory for the loop's settings (ENOMEM), giving up");
        return kMainNoMemory;
    }
    fuse_loop_cfg_set_clone_fd(config.get(), static_cast<unsigned>(opts.clone_fd));
    fuse_loop_cfg_set_idle_threads(config.get(), opts.max_idle_threads);
    fuse_loop_cfg_set_max_threads(config.get(), opts.max_threads);
    return fuse_loop_mt_312(f, config.get()) == 0 ? kMainDone : kMainLoopFailed;
}

MainResult serve(fuse* f, const fuse_cmdline_opts& opts)
{
    if (fuse_daemonize(opts.foreground) != 0)
        return kMainNotInBackground;
    fuse_session* session = fuse_get_session(f);
    if (fuse_set_signal_handlers(session) != 0)
        return kMainNoSignalHandlers;
    const MainResult result = run_loop(f, opts);
    fuse_remove_signal_handlers(session);
    return result;
}

/// The part of an orderly start; help and version are no failures.
MainResult mount_and_serve(fuse_args& args, const fuse_cmdline_opts& opts, const fuse_operations* op,
                           std::size_t op_size, libfuse_version& version, void* user_data)
{
    if (opts.show_version) {
        print_version();
        return kMainDone;
    }
    if (opts.show_help) {
        print_usage(args);
        return kMainDone;
    }
    if (!opts.mountpoint) {
        log::error("fuse: no mountpoint given: %s (EINVAL), giving up", args.argc > 0 ? args.argv[0] : "");
        return kMainNoMountpoint;
    }
    fuse* f = _fuse_new_31(&args, op, op_size, &version, user_data);
    if (!f)
        return kMainNoFilesystem;
    MainResult result = kMainNotMounted;
    if (fuse_mount(f, opts.mountpoint) == 0) {
        result = serve(f, opts);
        fuse_unmount(f);
    }
    fuse_destroy(f);
    return result;
}

} // namespace

MainResult main_loop(int argc, char** argv, const fuse_operations* op, std::size_t op_size,
                     libfuse_version& version, void* user_data)
{
    fuse_args args = FUSE_ARGS_INIT(argc, argv);
    fuse_cmdline_opts opts{};
    if (fuse_parse_cmdline_312(&args, &opts) != 0) {
        fuse_opt_free_args(&args);
        return kMainBadArguments;
    }
    const UniqueChars mountpoint(opts.mountpoint);
    const MainResult result = mount_and_serve(args, opts, op, op_size, version, user_data);
    fuse_opt_free_args(&args);
    return result;
}

} // namespace rf::hl
