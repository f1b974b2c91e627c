#include "base/log.hpp"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rf::log {
namespace {

void to_stderr(int, const char* format, va_list args)
{
    vfprintf(stderr, format, args);
}

// Relaxed is enough: the pointer is the whole state, a function's code needs no publication.
std::atomic<Sink> g_sink{nullptr};
// A hint only: a message more or less while it changes.
std::atomic<bool> g_debug{false};

// Long enough for any message of ours; a longer one is cut and still ends in a newline.
constexpr std::size_t kLineBytes = 1024;

[[gnu::format(printf, 2, 3)]] void forward(int level, const char* format, ...)
{
    va_list args;
    va_start(args, format);
    write_raw(level, format, args);
    va_end(args);
}

void emit(int level, const char* format, va_list args)
{
    std::array<char, kLineBytes> line;
    vsnprintf(line.data(), line.size(), format, args);
    forward(level, "%s\n", line.data());
}

} // namespace

void set_sink(Sink sink) noexcept
{
    g_sink.store(sink, std::memory_order_relaxed);
}

bool has_sink() noexcept
{
    return g_sink.load(std::memory_order_relaxed) != nullptr;
}

void write_raw(int level, const char* format, va_list args)
{
    const Sink sink = g_sink.load(std::memory_order_relaxed);
    (sink ? sink : to_stderr)(level, format, args);
}

void error(const char* format, ...)
{
    va_list args;
    va_start(args, format);
    emit(kErr, format, args);
    va_end(args);
}

void warning(const char* format, ...)
{
    va_list args;
    va_start(args, format);
    emit(kWarning, format, args);
    va_end(args);
}

void info(const char* format, ...)
{
    va_list args;
    va_start(args, format);
    emit(kInfo, format, args);
    va_end(args);
}

void set_debug(bool on) noexcept
{
    g_debug.store(on, std::memory_order_relaxed);
}

void debug(const char* format, ...)
{
    if (!g_debug.load(std::memory_order_relaxed))
        return;
    va_list args;
    va_start(args, format);
    emit(kDebug, format, args);
    va_end(args);
}

const char* errno_name(int error) noexcept
{
    if (const char* name = strerrorname_np(std::abs(error)))
        return name;
    thread_local std::array<char, 16> digits;
    snprintf(digits.data(), digits.size(), "%d", std::abs(error));
    return digits.data();
}

} // namespace rf::log
