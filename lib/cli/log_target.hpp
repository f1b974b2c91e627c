// Where the log goes: stderr (the default), syslog, or the application's own function. An application's
// function wins over syslog while both are set. Threads: set up by one thread at a time; messages may be
// under way on others and reach the target of before.
#pragma once

#include <fuse_log.h>

namespace rf::cli {

/// nullptr brings back stderr, or syslog if that was enabled.
void set_log_function(fuse_log_func_t function) noexcept;

/// Opens syslog and sends messages there. `ident` is copied, cut at 63 bytes; nullptr: the program's name.
void enable_syslog(const char* ident, int option, int facility) noexcept;

/// Closes syslog; messages go to stderr again. Harmless when it was not open.
void close_syslog() noexcept;

} // namespace rf::cli
