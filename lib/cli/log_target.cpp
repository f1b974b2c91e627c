// Picks the sink of base/log.hpp from what the application asked for.
#include "cli/log_target.hpp"

#include "base/log.hpp"

#include <array>
#include <atomic>
#include <cstdio>
#include <syslog.h>

namespace rf::cli {
namespace {

// Relaxed is enough for both: each is the whole state, and the sink that reads it was installed after it.
std::atomic<fuse_log_func_t> g_function{nullptr};
std::atomic<bool> g_to_syslog{false};

// openlog() keeps the pointer, so the name must outlive the caller's string.
constinit std::array<char, 64> g_ident{};

void to_application(int level, const char* format, va_list args)
{
    if (const fuse_log_func_t function = g_function.load(std::memory_order_relaxed))
        function(static_cast<fuse_log_level>(level), format, args);
    else // taken away between the choice of this sink and the call
        vfprintf(stderr, format, args);
}

void to_syslog(int level, const char* format, va_list args)
{
    vsyslog(level, format, args);
}

void choose_sink() noexcept
{
    if (g_function.load(std::memory_order_relaxed))
        log::set_sink(to_application);
    else
        log::set_sink(g_to_syslog.load(std::memory_order_relaxed) ? to_syslog : nullptr);
}

} // namespace

void set_log_function(fuse_log_func_t function) noexcept
{
    g_function.store(function, std::memory_order_relaxed);
    choose_sink();
}

void enable_syslog(const char* ident, int option, int facility) noexcept
{
    if (ident)
        std::snprintf(g_ident.data(), g_ident.size(), "%s", ident);
    openlog(ident ? g_ident.data() : nullptr, option, facility);
    g_to_syslog.store(true, std::memory_order_relaxed);
    choose_sink();
}

void close_syslog() noexcept
{
    if (!g_to_syslog.exchange(false, std::memory_order_relaxed))
        return;
    choose_sink();
    closelog();
}

} // namespace rf::cli
