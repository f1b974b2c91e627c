#include "cli/environment.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <unistd.h>

namespace rf::cli {
namespace {

constexpr std::string_view kPrefix = "RINGFUSE_";

// All that the library reads; a test compares this with the sources.
constexpr std::array kKnown{
    std::string_view("RINGFUSE_ABI"),         std::string_view("RINGFUSE_DISABLE"),
    std::string_view("RINGFUSE_NONBLOCKING"), std::string_view("RINGFUSE_PAYLOAD_MEMORY"),
    std::string_view("RINGFUSE_PIN"),         std::string_view("RINGFUSE_RUN"),
    std::string_view("RINGFUSE_STATISTICS"),  std::string_view("RINGFUSE_TRANSPORT"),
    std::string_view("RINGFUSE_VERBOSE"),     std::string_view("RINGFUSE_WORKERS"),
};

// Variables of the project's scripts, which filesystems they start inherit.
constexpr std::array kScripts{
    std::string_view("RINGFUSE_BUILD"),
    std::string_view("RINGFUSE_QUICKSTART_"),
    std::string_view("RINGFUSE_SOAK_"),
    std::string_view("RINGFUSE_TEST_"),
};

bool starts_with(std::string_view text, std::string_view head) noexcept
{
    return text.substr(0, head.size()) == head;
}

constinit std::atomic<bool> was_checked{false};

} // namespace

bool is_known_variable(std::string_view name) noexcept
{
    if (!starts_with(name, kPrefix) || std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end())
        return true;
    return std::any_of(kScripts.begin(), kScripts.end(),
                       [&](std::string_view script) { return starts_with(name, script); });
}

void check_environment()
{
    // Relaxed: no memory hangs on it.
    if (was_checked.exchange(true, std::memory_order_relaxed))
        return;
    for (char** entry = ::environ; entry && *entry; ++entry) {
        const std::string_view text(*entry);
        const std::string_view name = text.substr(0, text.find('='));
        if (!is_known_variable(name))
            log::warning("environment variable unknown: %.*s, ignored", static_cast<int>(name.size()),
                         name.data());
    }
}

} // namespace rf::cli
