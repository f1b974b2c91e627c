// extern "C" face of the log.
#include "base/log.hpp"
#include "abi/export.hpp"
#include "cli/log_target.hpp"

#include <cstdarg>

extern "C" {

RF_EXPORT void fuse_set_log_func(fuse_log_func_t func)
{
    rf::cli::set_log_function(func);
}

RF_EXPORT void fuse_log(enum fuse_log_level level, const char* fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    rf::log::write_raw(level, fmt, args);
    va_end(args);
}

RF_EXPORT void fuse_log_enable_syslog(const char* ident, int option, int facility)
{
    rf::cli::enable_syslog(ident, option, facility);
}

RF_EXPORT void fuse_log_close_syslog(void)
{
    rf::cli::close_syslog();
}

} // extern "C"
