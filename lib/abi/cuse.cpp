// Character devices for C callers: session, /dev/cuse, and the two lives of cuse_lowlevel_main().
#include "abi/boundary.hpp"
#include "abi/export.hpp"
#include "abi/handles.hpp"

#include "base/log.hpp"
#include "cli/cmdline.hpp"
#include "cli/daemonize.hpp"
#include "cli/loop_config.hpp"
#include "cli/opt.hpp"
#include "cli/version.hpp"
#include "family/family.hpp"
#include "session/cuse.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <string>

namespace {

namespace log = rf::log;

constexpr char kDevicePath[] = "/dev/cuse";

/// What 3.0 knew, and all there is so far.
constexpr std::size_t kOps30Bytes = 88;
static_assert(sizeof(cuse_lowlevel_ops) == kOps30Bytes);

fuse_session* new_device(fuse_args* args, const cuse_info* ci, const cuse_lowlevel_ops* clop,
                         std::size_t clop_size, const libfuse_version* version, void* userdata)
{
    if (!ci || !clop) {
        log::error("cuse: session not created: device and operations are needed (EINVAL)");
        return nullptr;
    }
    if (rf::family::latch(version, rf::family::Table::kCuse, clop_size) < 0)
        return nullptr;
    std::unique_ptr<rf::CuseDevice> device = std::make_unique<rf::CuseDevice>();
    if (rf::CuseDevice::make(*ci, *clop, clop_size, *device) < 0)
        return nullptr;
    const fuse_lowlevel_ops ops = device->as_filesystem();
    std::unique_ptr<fuse_session> session = rf::abi::make_session(args, &ops, sizeof(ops), userdata);
    if (session)
        session->set_device(std::move(device));
    return session.release();
}

/// Opens /dev/cuse for `session`. 0 or -errno after a message.
int attach_device(fuse_session& session)
{
    if (const int rc = session.check_transport(); rc < 0)
        return rc;
    const int fd = rf::from_libc(::open(kDevicePath, O_RDWR | O_CLOEXEC));
    if (fd < 0) {
        const bool absent = fd == -ENOENT || fd == -ENODEV || fd == -ENXIO;
        log::error("cuse: cannot open %s (%s)%s", kDevicePath, log::errno_name(fd),
                   absent ? ", try 'modprobe cuse' first" : ", the device is not made");
        return fd;
    }
    session.attach(fd, /* owned= */ true, {});
    session.recorder().change([&session](rf::stat::Facts& facts) {
        rf::stat::set_text(facts.library, RF_PACKAGE_VERSION);
        rf::stat::set_text(facts.mountpoint, std::string("/dev/") + session.cuse()->name());
        facts.connection = -1;
    });
    return 0;
}

/// The words of a mount that fuse_parse_cmdline() leaves or adds, and that a device has no use for.
int drop_subtype(fuse_args& args)
{
    static constexpr fuse_opt kTable[] = {FUSE_OPT_KEY("subtype=", FUSE_OPT_KEY_DISCARD), FUSE_OPT_END};
    return ::fuse_opt_parse(&args, nullptr, kTable, nullptr);
}

struct CommandLine {
    explicit CommandLine(int argc, char** argv) : args{argc, argv, 0} {}
    ~CommandLine()
    {
        std::free(opts.mountpoint);
        ::fuse_opt_free_args(&args);
    }
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;

    fuse_args args;
    fuse_cmdline_opts opts{};
};

fuse_session* set_up(int argc, char** argv, const cuse_info* ci, const cuse_lowlevel_ops* clop,
                     std::size_t clop_size, const libfuse_version* version, int* multithreaded,
                     void* userdata)
{
    CommandLine line(argc, argv);
    if (rf::cli::parse_cmdline(line.args, line.opts) < 0 || drop_subtype(line.args) < 0)
        return nullptr;
    if (multithreaded)
        *multithreaded = line.opts.singlethread ? 0 : 1;
    std::unique_ptr<fuse_session> session(new_device(&line.args, ci, clop, clop_size, version, userdata));
    if (!session || attach_device(*session) < 0)
        return nullptr;
    if (::fuse_set_signal_handlers(session.get()) < 0)
        return nullptr;
    if (rf::cli::daemonize(line.opts.foreground != 0) < 0) {
        ::fuse_remove_signal_handlers(session.get());
        return nullptr;
    }
    return session.release();
}

int run_and_tear_down(fuse_session* session, bool multithreaded)
{
    if (!session)
        return 1;
    int rc = 0;
    if (multithreaded) {
        fuse_loop_config config;
        rc = ::fuse_session_loop_mt_312(session, &config);
    } else {
        rc = ::fuse_session_loop(session);
    }
    ::cuse_lowlevel_teardown(session);
    // A positive result is the signal that ended the loop: the usual end.
    return rc < 0 ? 1 : 0;
}

} // namespace

extern "C" {

RF_EXPORT fuse_session* cuse_lowlevel_new_319(fuse_args* args, const cuse_info* ci,
                                              const cuse_lowlevel_ops* clop, size_t clop_size,
                                              libfuse_version* version, void* userdata)
{
    return rf::abi::guarded<fuse_session*>(
        nullptr, [&] { return new_device(args, ci, clop, clop_size, version, userdata); });
}

// Programs built before 3.19 come here.
RF_EXPORT fuse_session* cuse_lowlevel_new(fuse_args* args, const cuse_info* ci, const cuse_lowlevel_ops* clop,
                                          void* userdata)
{
    return cuse_lowlevel_new_319(args, ci, clop, kOps30Bytes, /* version= */ nullptr, userdata);
}

RF_EXPORT fuse_session* cuse_lowlevel_setup_319(int argc, char* argv[], const cuse_info* ci,
                                                const cuse_lowlevel_ops* clop, size_t clop_size,
                                                libfuse_version* version, int* multithreaded, void* userdata)
{
    return rf::abi::guarded<fuse_session*>(
        nullptr, [&] { return set_up(argc, argv, ci, clop, clop_size, version, multithreaded, userdata); });
}

RF_EXPORT fuse_session* cuse_lowlevel_setup(int argc, char* argv[], const cuse_info* ci,
                                            const cuse_lowlevel_ops* clop, int* multithreaded, void* userdata)
{
    return cuse_lowlevel_setup_319(argc, argv, ci, clop, kOps30Bytes, /* version= */ nullptr, multithreaded,
                                   userdata);
}

RF_EXPORT void cuse_lowlevel_teardown(fuse_session* se)
{
    if (!se)
        return;
    ::fuse_remove_signal_handlers(se);
    ::fuse_session_destroy(se);
}

RF_EXPORT int cuse_lowlevel_main_319(int argc, char* argv[], const cuse_info* ci,
                                     const cuse_lowlevel_ops* clop, size_t clop_size,
                                     libfuse_version* version, void* userdata)
{
    int multithreaded = 0;
    fuse_session* session =
        cuse_lowlevel_setup_319(argc, argv, ci, clop, clop_size, version, &multithreaded, userdata);
    return run_and_tear_down(session, multithreaded != 0);
}

RF_EXPORT int cuse_lowlevel_main(int argc, char* argv[], const cuse_info* ci, const cuse_lowlevel_ops* clop,
                                 void* userdata)
{
    return cuse_lowlevel_main_319(argc, argv, ci, clop, kOps30Bytes, /* version= */ nullptr, userdata);
}

} // extern "C"
