#include "cli/preload.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace rf::cli {
namespace {

constinit std::atomic<bool> was_done{false};

} // namespace

void forget_preload() noexcept
{
    // Relaxed: the one thread that gets through reads nothing of the others'.
    if (was_done.exchange(true, std::memory_order_relaxed))
        return;
    const char* ours = ::secure_getenv("RINGFUSE_RUN");
    const char* preload = ::getenv("LD_PRELOAD");
    if (!ours || !*ours)
        return;
    const std::size_t bytes = std::strlen(ours);
    if (preload && std::strncmp(preload, ours, bytes) == 0) {
        if (preload[bytes] == '\0')
            (void)::unsetenv("LD_PRELOAD");
        else if (preload[bytes] == ':')
            // Out of memory: the helpers get the library, which does nothing by itself.
            (void)::setenv("LD_PRELOAD", preload + bytes + 1, 1);
    }
    (void)::unsetenv("RINGFUSE_RUN");
}

} // namespace rf::cli
