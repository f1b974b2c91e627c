// The command-line table and what to do with the words that are no options. Order in a program's life: this
// parser first, the application's own next, the session's and the mount's last; what this one does not know
// it passes on.
#include "cli/cmdline.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"
#include "cli/opt.hpp"

#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

namespace rf::cli {
namespace {

constexpr fuse_opt flag(const char* templ, unsigned long offset)
{
    return {templ, offset, 1};
}
constexpr fuse_opt number(const char* templ, unsigned long offset)
{
    return {templ, offset, 0};
}
constexpr fuse_opt pass_on(const char* templ)
{
    return FUSE_OPT_KEY(templ, FUSE_OPT_KEY_KEEP);
}

// A name that stands several times has several effects: -d sets two fields and stays for the session.
constexpr fuse_opt kTable[] = {
    flag("-h", offsetof(fuse_cmdline_opts, show_help)),
    flag("--help", offsetof(fuse_cmdline_opts, show_help)),
    flag("-V", offsetof(fuse_cmdline_opts, show_version)),
    flag("--version", offsetof(fuse_cmdline_opts, show_version)),
    flag("-d", offsetof(fuse_cmdline_opts, debug)),
    flag("debug", offsetof(fuse_cmdline_opts, debug)),
    flag("-d", offsetof(fuse_cmdline_opts, foreground)),
    flag("debug", offsetof(fuse_cmdline_opts, foreground)),
    pass_on("-d"),
    pass_on("debug"),
    flag("-f", offsetof(fuse_cmdline_opts, foreground)),
    flag("-s", offsetof(fuse_cmdline_opts, singlethread)),
    flag("fsname=", offsetof(fuse_cmdline_opts, nodefault_subtype)),
    pass_on("fsname="),
    flag("subtype=", offsetof(fuse_cmdline_opts, nodefault_subtype)),
    pass_on("subtype="),
    flag("clone_fd", offsetof(fuse_cmdline_opts, clone_fd)),
    number("max_idle_threads=%u", offsetof(fuse_cmdline_opts, max_idle_threads)),
    number("max_threads=%u", offsetof(fuse_cmdline_opts, max_threads)),
    FUSE_OPT_END,
};

int set_mountpoint(fuse_cmdline_opts& opts, const char* arg)
{
    if (opts.mountpoint) {
        log::error("fuse: second mountpoint: %s (%s), giving up", arg, log::errno_name(EINVAL));
        return -1;
    }
    // The daemon changes to "/", so a relative path has to become absolute now.
    opts.mountpoint = is_fd_mountpoint(arg) ? strdup(arg) : realpath(arg, nullptr);
    if (opts.mountpoint)
        return 0;
    log::error("fuse: mountpoint not usable: %s (%s), giving up", arg, log::errno_name(from_libc(-1)));
    return -1;
}

int on_argument(void* data, const char* arg, int key, fuse_args*)
{
    if (key == FUSE_OPT_KEY_NONOPT)
        return set_mountpoint(*static_cast<fuse_cmdline_opts*>(data), arg);
    return 1;
}

// The part after the last '/', unless nothing follows it.
const char* base_name(const char* path) noexcept
{
    const char* slash = std::strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

int add_default_subtype(fuse_args& args) noexcept
{
    if (args.argc < 1)
        return 0;
    // The name goes through the list parser again, so its commas need their backslash.
    char* list = nullptr;
    int rc = add_opt(&list, base_name(args.argv[0]), Escape::kYes);
    const CString name(list);
    if (rc == 0) {
        constexpr char kPrefix[] = "-osubtype=";
        const std::size_t name_bytes = std::strlen(name.get()) + 1;
        CString option(static_cast<char*>(std::malloc(sizeof(kPrefix) - 1 + name_bytes)));
        if (!option) {
            rc = -ENOMEM;
        } else {
            std::memcpy(option.get(), kPrefix, sizeof(kPrefix) - 1);
            std::memcpy(option.get() + sizeof(kPrefix) - 1, name.get(), name_bytes);
            rc = add_arg(args, option.get());
        }
    }
    if (rc < 0)
        log::error("fuse: adding the default subtype failed (%s), giving up", log::errno_name(rc));
    return rc;
}

} // namespace

bool is_fd_mountpoint(const char* mountpoint) noexcept
{
    constexpr char kPrefix[] = "/dev/fd/";
    if (std::strncmp(mountpoint, kPrefix, sizeof(kPrefix) - 1) != 0)
        return false;
    const char* digits = mountpoint + sizeof(kPrefix) - 1;
    char* end = nullptr;
    const long fd = std::strtol(digits, &end, 10);
    return *digits >= '0' && *digits <= '9' && *end == '\0' && fd <= INT_MAX;
}

int parse_cmdline(fuse_args& args, fuse_cmdline_opts& opts)
{
    opts = fuse_cmdline_opts{};
    opts.max_idle_threads = kIdleThreadsUnset;
    opts.max_threads = kDefaultMaxThreads;

    int rc = parse_opts(args, &opts, kTable, on_argument);
    if (rc == 0 && !opts.nodefault_subtype)
        rc = add_default_subtype(args);
    if (rc < 0)
        std::free(std::exchange(opts.mountpoint, nullptr));
    return rc;
}

} // namespace rf::cli
