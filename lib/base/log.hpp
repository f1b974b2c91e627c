// The one logger. Core code calls these; where the text goes (stderr, syslog, the application's own function)
// is set by whoever installs a sink. The logger adds the newline.
//
// Shape of a message: "what failed: subject key=value (ERRNO NAME), consequence".
#pragma once

#include <cstdarg>

namespace rf::log {

/// Severities; the numbers are syslog's and also those of enum fuse_log_level.
enum Level : int { kEmerg = 0, kAlert, kCrit, kErr, kWarning, kNotice, kInfo, kDebug };

/// Receives one complete message, newline included. Any thread.
using Sink = void (*)(int level, const char* format, va_list args);

/// Installs `sink`; nullptr brings the default (stderr) back. Any thread; takes effect for later messages.
void set_sink(Sink sink) noexcept;

/// True if a sink other than the default is installed. Any thread and any signal handler.
[[nodiscard]] bool has_sink() noexcept;

/// Sends one message to the installed sink exactly as given: no newline is added. Any thread.
void write_raw(int level, const char* format, va_list args);

[[gnu::format(printf, 1, 2)]] void error(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void warning(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void info(const char* format, ...);
/// Says nothing unless set_debug(true). Any thread.
[[gnu::format(printf, 1, 2)]] void debug(const char* format, ...);
void set_debug(bool on) noexcept;

/// Name of an errno value for messages ("EIO"), or a decimal number if it has none. Accepts either sign.
const char* errno_name(int error) noexcept;

} // namespace rf::log
