// Sessions for C callers: creation, mount, loops, end.
#include "abi/boundary.hpp"
#include "abi/export.hpp"
#include "abi/handles.hpp"

#include "base/log.hpp"
#include "cli/environment.hpp"
#include "cli/loop_config.hpp"
#include "cli/preload.hpp"
#include "cli/signals.hpp"
#include "cli/version.hpp"
#include "family/family.hpp"
#include "mount/mount.hpp"
#include "mount/unmount.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

namespace {

namespace log = rf::log;

/// Whatever is left in `args` after all parsers is a mistake of the user.
bool all_options_known(const fuse_args& args)
{
    if (args.argc == 1 && args.argv[0][0] == '-')
        log::warning("fuse: argv[0] looks like an option, but is taken as the program's name: %s",
                     args.argv[0]);
    if (args.argc <= 1)
        return true;
    std::string unknown;
    for (int i = 1; i < args.argc; ++i)
        unknown.append(i > 1 ? " " : "").append(args.argv[i]);
    log::error("fuse: unknown option(s): `%s'", unknown.c_str());
    return false;
}

fuse_session* new_session(fuse_args* args, const fuse_lowlevel_ops* op, size_t op_size,
                          const libfuse_version* version, void* userdata)
{
    if (rf::family::latch(version, rf::family::Table::kLowLevel, op ? op_size : 0) < 0)
        return nullptr;
    return rf::abi::make_session(args, op, op_size, userdata).release();
}

rf::LoopConfig loop_config(const fuse_loop_config& from)
{
    rf::LoopConfig config;
    config.max_threads = from.max_threads;
    config.max_idle_threads =
        from.max_idle_threads == rf::cli::kIdleThreadsUnset ? -1 : static_cast<int>(from.max_idle_threads);
    config.clone_fd = from.clone_fd;
    config.single = from.max_threads <= 1;
    return config;
}

int run_loop(fuse_session* se, const rf::LoopConfig& config)
{
    const int rc = se->run(config);
    if (rf::abi::is_verbose()) {
        const rf::SessionStats stats = se->stats();
        log::info("ringfuse: transport=%s ring_requests=%llu device_requests=%llu queues=%u workers=%u",
                  se->transport_name(), static_cast<unsigned long long>(stats.transport.ring_requests),
                  static_cast<unsigned long long>(stats.transport.device_requests), stats.transport.nr_queues,
                  stats.transport.nr_workers);
    }
    return rc;
}

void stop_by_signal(void* session, int signo)
{
    static_cast<fuse_session*>(session)->exit_from_signal(signo);
}

} // namespace

std::unique_ptr<fuse_session> rf::abi::make_session(fuse_args* args, const fuse_lowlevel_ops* op,
                                                    std::size_t op_size, void* userdata)
{
    rf::cli::check_environment();
    rf::cli::forget_preload();
    if (!args || args->argc < 1) {
        log::error("fuse: no arguments: fuse_session_new() needs at least the program's name");
        return nullptr;
    }
    rf::SessionOptions options;
    rf::mount::Options mount_options;
    if (rf::parse_session_options(args, options) < 0 || rf::mount::parse_options(args, mount_options) < 0)
        return nullptr;
    if (!all_options_known(*args))
        return nullptr;
    mount_options.allow_other |= options.allow_root;
    if (rf::mount::open_standard_fds() < 0)
        return nullptr;

    std::unique_ptr<fuse_session> session(new fuse_session(op, op_size, userdata, options));
    session->mount_options = std::move(mount_options);
    session->prepare_banner();
    if (const int rc = session->open(); rc < 0) {
        log::error("fuse: session not created (%s)", log::errno_name(rc));
        return nullptr;
    }
    return session;
}

void fuse_session::note_mount()
{
    recorder().change([this](rf::stat::Facts& facts) {
        rf::stat::set_text(facts.library, RF_PACKAGE_VERSION);
        rf::stat::set_text(facts.mountpoint, mounted.mountpoint);
        facts.connection = mounted.id ? static_cast<int>(mounted.id->minor) : -1;
    });
}

extern "C" {

// Programs built before 3.17 come here; some bindings pass no operations, just to mount.
RF_EXPORT fuse_session* fuse_session_new(fuse_args* args, const fuse_lowlevel_ops* op, size_t op_size,
                                         void* userdata)
{
    return rf::abi::guarded<fuse_session*>(
        nullptr, [&] { return new_session(args, op, op_size, /* version= */ nullptr, userdata); });
}

RF_EXPORT fuse_session* fuse_session_new_versioned(fuse_args* args, const fuse_lowlevel_ops* op,
                                                   size_t op_size, const libfuse_version* version,
                                                   void* userdata)
{
    if (!op || op_size == 0 || !version) {
        log::error("fuse: session not created: operations, their size and the version are needed (EINVAL)");
        return nullptr;
    }
    return rf::abi::guarded<fuse_session*>(nullptr,
                                           [&] { return new_session(args, op, op_size, version, userdata); });
}

RF_EXPORT int fuse_session_custom_io_317(fuse_session* se, const fuse_custom_io* io, size_t op_size, int fd)
{
    if (!se || fd < 0) {
        log::error("fuse: custom io refused: fd=%d (EBADF)", fd);
        return -EBADF;
    }
    fuse_custom_io known{};
    if (io)
        std::memcpy(&known, io, std::min(op_size, sizeof(known)));
    if (!known.read || !known.writev) {
        log::error("fuse: custom io refused: read and writev are needed (EINVAL)");
        return -EINVAL;
    }
    // Nobody mounts here, but init() has to agree with these options all the same.
    se->set_mount_facts(std::string(), se->mount_options.max_read.value_or(0),
                        se->mount_options.default_permissions);
    se->attach(fd, /* owned= */ true, {known.writev, known.read, known.clone_fd, se->userdata()});
    return 0;
}

RF_EXPORT int fuse_session_custom_io_30(fuse_session* se, const fuse_custom_io* io, int fd)
{
    return fuse_session_custom_io_317(se, io, offsetof(fuse_custom_io, clone_fd), fd);
}

RF_EXPORT int fuse_session_mount(fuse_session* se, const char* mountpoint)
{
    if (!se || !mountpoint || se->fd() >= 0) {
        log::error("fuse: mount refused: %s (EINVAL)",
                   !mountpoint ? "no mount point" : "no session, or mounted already");
        return -1;
    }
    return rf::abi::guarded<int>(-1, [&] {
        if (se->check_transport() < 0)
            return -1;
        if (rf::mount::mount(mountpoint, se->mount_options, se->mounted) < 0)
            return -1;
        // A descriptor somebody else mounted has no path we could know.
        se->set_mount_facts(se->mounted.external ? std::string() : se->mounted.mountpoint,
                            se->mount_options.max_read.value_or(0), se->mount_options.default_permissions);
        se->attach(se->mounted.fd.release(), /* owned= */ true, {}, se->mounted.keep_alive.get());
        se->note_mount();
        return 0;
    });
}

RF_EXPORT void fuse_session_unmount(fuse_session* se)
{
    if (!se || se->fd() < 0)
        return;
    // A dead connection has no mount of ours any more; afterwards there is no descriptor left to ask.
    const bool gone = rf::mount::connection_is_gone(se->fd());
    se->detach();
    if (gone || se->has_left_mount())
        se->mounted = {};
    else
        (void)rf::mount::unmount(se->mounted);
}

RF_EXPORT void fuse_session_destroy(fuse_session* se)
{
    if (!se)
        return;
    se->watchdog.stop();
    se->close();
    delete se;
}

RF_EXPORT int fuse_session_fd(fuse_session* se)
{
    return se ? se->fd() : -1;
}

RF_EXPORT int fuse_session_loop(fuse_session* se)
{
    if (!se)
        return -EINVAL;
    rf::LoopConfig config;
    config.max_threads = 1;
    config.single = true;
    return run_loop(se, config);
}

RF_EXPORT int fuse_session_loop_mt_312(fuse_session* se, fuse_loop_config* config)
{
    if (!se)
        return -EINVAL;
    return run_loop(se, loop_config(rf::cli::settings_behind(config)));
}

RF_EXPORT int fuse_session_loop_mt_32(fuse_session* se, fuse_loop_config_v1* old)
{
    if (!se || !old)
        return -EINVAL;
    fuse_loop_config config;
    rf::cli::convert_loop_config(config, *old);
    return fuse_session_loop_mt_312(se, &config);
}

RF_EXPORT int fuse_session_loop_mt_31(fuse_session* se, int clone_fd)
{
    fuse_loop_config config;
    config.clone_fd = clone_fd != 0;
    return fuse_session_loop_mt_312(se, &config);
}

RF_EXPORT void fuse_session_exit(fuse_session* se)
{
    if (se)
        se->exit();
}

RF_EXPORT int fuse_session_exited(fuse_session* se)
{
    return se && se->exited();
}

RF_EXPORT void fuse_session_reset(fuse_session* se)
{
    if (se)
        se->reset();
}

RF_EXPORT int fuse_session_receive_buf(fuse_session* se, fuse_buf* buf)
{
    if (!se || !buf || se->fd() < 0)
        return -EINVAL;
    if (!buf->mem) {
        // The caller frees it. Always the full size, which never changes: that is what `mem` holds from now
        // on. mem_size is not set: callers of family A to C have no such member.
        buf->mem = std::malloc(se->buffer_bytes());
        if (!buf->mem)
            return -ENOMEM;
    }
    const ssize_t n = se->device().read(se->fd(), {static_cast<std::byte*>(buf->mem), se->buffer_bytes()});
    if (n == 0)
        se->stop(rf::StopCause::kUnmounted, 0);
    buf->size = n > 0 ? static_cast<std::size_t>(n) : 0;
    buf->flags = static_cast<fuse_buf_flags>(0);
    return static_cast<int>(n);
}

RF_EXPORT void fuse_session_process_buf(fuse_session* se, const fuse_buf* buf)
{
    if (!se || !buf)
        return;
    if (!(buf->flags & FUSE_BUF_IS_FD)) {
        se->process_message({static_cast<const std::byte*>(buf->mem), buf->size});
        return;
    }
    // A message in a pipe: only an application that read the device itself has one.
    const std::unique_ptr<std::byte[]> copy(new (std::nothrow) std::byte[buf->size]);
    const ssize_t n = copy ? rf::from_libc(::read(buf->fd, copy.get(), buf->size)) : -ENOMEM;
    if (n < 0)
        log::error("message not read from its pipe: fd=%d (%s), skipped", buf->fd,
                   log::errno_name(static_cast<int>(n)));
    else
        se->process_message({copy.get(), static_cast<std::size_t>(n)});
}

RF_EXPORT void fuse_session_set_debug(fuse_session* se, int debug)
{
    if (se)
        se->set_debug(debug != 0);
}

RF_EXPORT void fuse_session_set_sync_init(fuse_session*)
{
    // Mounting waits for nothing here: init() runs in the loop, as with every kernel that has no synchronous
    // INIT.
    log::debug("synchronous init is not used, init() runs when the loop starts");
}

RF_EXPORT int fuse_session_start_teardown_watchdog(fuse_session* se, unsigned timeout_secs)
{
    constexpr unsigned kMostSeconds = 86400;
    if (!se || timeout_secs == 0 || timeout_secs > kMostSeconds)
        return -EINVAL;
    return se->watchdog.start(timeout_secs);
}

RF_EXPORT void fuse_session_stop_teardown_watchdog(fuse_session* se)
{
    if (se)
        se->watchdog.stop();
}

RF_EXPORT int fuse_set_signal_handlers(fuse_session* se)
{
    return se && rf::cli::set_signal_handlers(se, stop_by_signal) == 0 ? 0 : -1;
}

RF_EXPORT int fuse_set_fail_signal_handlers(fuse_session* se)
{
    return se && rf::cli::set_fail_signal_handlers(se, stop_by_signal) == 0 ? 0 : -1;
}

RF_EXPORT void fuse_remove_signal_handlers(fuse_session* se)
{
    if (se)
        rf::cli::remove_signal_handlers(se);
}

} // extern "C"
