// The last words of a process that dies of a fatal signal.
#pragma once

namespace rf::cli {

/// Loads what a backtrace needs, so that report_crash() allocates nothing. Before the handlers are installed.
void prepare_crash_report() noexcept;

/// Writes signal and backtrace straight to stderr. If the log goes elsewhere the report goes there as well,
/// although syslog and an application's function are not async-signal-safe; an alarm ends the process should
/// they hang. Runs inside a signal handler whose signals are back to their defaults.
void report_crash(int signo) noexcept;

} // namespace rf::cli
