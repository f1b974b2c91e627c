// Which libfuse3 we pass for, and saying so: fuse_version(), fuse_pkgversion(), the banner of
// RINGFUSE_VERBOSE=1.
#include "abi/export.hpp"
#include "abi/handles.hpp"

#include "base/log.hpp"
#include "cli/version.hpp"
#include "family/family.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>

namespace {

/// "3.14.0 (ringfuse 0.1.0)" for each release that can be emulated; they differ in the minor.
const char* package_version(std::uint32_t minor)
{
    switch (minor) {
    case 10:
        return "3.10.5 (ringfuse " RF_PACKAGE_VERSION ")";
    case 14:
        return "3.14.0 (ringfuse " RF_PACKAGE_VERSION ")";
    case 16:
        return "3.16.2 (ringfuse " RF_PACKAGE_VERSION ")";
    default:
        return "3.19.0 (ringfuse " RF_PACKAGE_VERSION ")";
    }
}

} // namespace

bool rf::abi::is_verbose() noexcept
{
    const char* verbose = ::secure_getenv("RINGFUSE_VERBOSE");
    return verbose && std::strcmp(verbose, "1") == 0;
}

void fuse_session::prepare_banner() noexcept
{
    if (rf::abi::is_verbose())
        banner_fd_ = rf::UniqueFd(rf::from_libc(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)));
}

void fuse_session::announce(const char* transport, const char* why)
{
    if (!banner_fd_)
        return;
    const rf::family::Release release = rf::family::emulated_release();
    std::array<char, 512> line;
    const int bytes =
        snprintf(line.data(), line.size(),
                 "ringfuse " RF_PACKAGE_VERSION ": libfuse %u.%u.%u, layout %s (%s), transport %s (%s)\n",
                 release.major, release.minor, release.patch, rf::family::letter(rf::family::current()),
                 rf::family::reason(), transport, why);
    if (bytes > 0) {
        line.back() = '\n';
        const std::size_t length = std::min(static_cast<std::size_t>(bytes), line.size());
        // Nobody is told if it cannot be written: stderr is where that would go.
        (void)!::write(banner_fd_.get(), line.data(), length);
    }
    banner_fd_.reset();
}

extern "C" {

RF_EXPORT int fuse_version(void)
{
    const rf::family::Release release = rf::family::emulated_release();
    return static_cast<int>(FUSE_MAKE_VERSION(release.major, release.minor));
}

RF_EXPORT const char* fuse_pkgversion(void)
{
    return package_version(rf::family::emulated_release().minor);
}

} // extern "C"
