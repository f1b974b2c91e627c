// Collects what the code under test logs, for tests that check messages or silence.
#pragma once

#include "base/log.hpp"

#include <cstdio>
#include <cstring>

namespace log_capture {

inline char g_text[8192];
inline std::size_t g_used = 0;
inline int g_last_level = -1;

inline void sink(int level, const char* format, va_list args)
{
    g_last_level = level;
    const int n = vsnprintf(g_text + g_used, sizeof(g_text) - g_used, format, args);
    if (n > 0 && g_used + static_cast<std::size_t>(n) < sizeof(g_text))
        g_used += static_cast<std::size_t>(n);
}

/// From here on messages are collected, starting empty.
inline void start()
{
    g_used = 0;
    g_text[0] = '\0';
    g_last_level = -1;
    rf::log::set_sink(sink);
}

inline bool is_empty()
{
    return g_text[0] == '\0';
}

inline bool contains(const char* text)
{
    return std::strstr(g_text, text) != nullptr;
}

} // namespace log_capture
