/*
 * Where the library's messages go. Usable without any other header.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FUSE_LOG_H_
#define FUSE_LOG_H_

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Severity of a message. The numbers equal those of syslog(3). */
enum fuse_log_level {
	FUSE_LOG_EMERG = 0,
	FUSE_LOG_ALERT = 1,
	FUSE_LOG_CRIT = 2,
	FUSE_LOG_ERR = 3,
	FUSE_LOG_WARNING = 4,
	FUSE_LOG_NOTICE = 5,
	FUSE_LOG_INFO = 6,
	FUSE_LOG_DEBUG = 7
};

/**
 * Receives every message instead of stderr.
 *
 * @level  how serious it is; filtering is the receiver's business
 * @fmt    printf format, usually ending in a newline; borrowed until return
 * @ap     its arguments; the caller ends them
 *
 * Thread: any, several at once.  Since: FUSE_3.7
 */
typedef void (*fuse_log_func_t)(enum fuse_log_level level,
				const char *fmt, va_list ap);

/**
 * Choose who receives messages.
 *
 * @func  the receiver; NULL brings back the default, which writes to stderr
 *
 * Thread: any; best before the first session, since a message already on its
 * way may still reach the previous receiver.  Since: FUSE_3.7
 */
void fuse_set_log_func(fuse_log_func_t func);

/**
 * Send one message the way the library sends its own.
 *
 * @level  severity
 * @fmt    printf format, with its own newline; borrowed until return
 *
 * Thread: any; not from a signal handler.  Since: FUSE_3.7
 */
void fuse_log(enum fuse_log_level level, const char *fmt, ...);

/**
 * Send the messages that would go to stderr to syslog(3) from now on. A function
 * set with fuse_set_log_func() still gets them instead.
 *
 * @ident     name in front of each message; copied. NULL: the program's name
 * @option    LOG_PID etc., as for openlog(3)
 * @facility  LOG_DAEMON etc., as for openlog(3)
 *
 * Thread: one, during start-up.  Since: FUSE_3.17
 */
void fuse_log_enable_syslog(const char *ident, int option, int facility);

/**
 * End what fuse_log_enable_syslog() began: close the connection to syslog.
 * Harmless when it was never begun.
 *
 * Thread: one, during shut-down.  Since: FUSE_3.17
 */
void fuse_log_close_syslog(void);

#ifdef __cplusplus
}
#endif

#endif /* FUSE_LOG_H_ */
