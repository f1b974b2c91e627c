// Range checks of the loop's settings.
#include "cli/loop_config.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace rf::cli {
namespace {

bool in_range(const char* name, unsigned value) noexcept
{
    if (value >= 1 && value <= kMaxThreads)
        return true;
    log::error("fuse: loop setting out of range 1 to %u: %s=%u (%s), keeping the old value", kMaxThreads,
               name, value, log::errno_name(EINVAL));
    return false;
}

} // namespace

void set_max_threads(fuse_loop_config& config, unsigned value) noexcept
{
    if (in_range("max_threads", value))
        config.max_threads = value;
}

void set_idle_threads(fuse_loop_config& config, unsigned value) noexcept
{
    // The unset mark is what the command line hands over by default: no reason to complain.
    if (value == kIdleThreadsUnset || in_range("max_idle_threads", value))
        config.max_idle_threads = value;
}

void convert_loop_config(fuse_loop_config& config, const fuse_loop_config_v1& old) noexcept
{
    config.clone_fd = old.clone_fd != 0;
    set_idle_threads(config, old.max_idle_threads);
    if (config.max_idle_threads != kIdleThreadsUnset)
        config.max_threads = std::max(config.max_threads, config.max_idle_threads);
}

fuse_loop_config settings_behind(const fuse_loop_config* given) noexcept
{
    fuse_loop_config config;
    // Of what is not ours nothing but the eight bytes of the old structure may be read.
    fuse_loop_config_v1 old{};
    if (given)
        std::memcpy(&old, given, sizeof(old));
    if (given && static_cast<std::uint32_t>(old.clone_fd) == kLoopConfigMark)
        config = *given;
    else if (given)
        convert_loop_config(config, old);
    return config;
}

} // namespace rf::cli
