// Signals that end a session. This file knows a session only as a pointer and a function that stops it.
//
// One session per process: signals belong to the process. A signal the application handles or ignores is left
// to it: only default dispositions are replaced, and only our own are taken back. Threads: set and remove
// from one thread at a time; the handlers run on whichever thread the kernel picks.
#pragma once

namespace rf::cli {

/// Asks the session to end because of `signo`, and to report it as the loop's result. Runs inside a signal
/// handler: async-signal-safe, and it leaves errno alone.
using StopFunction = void (*)(void* session, int signo);

/// SIGHUP, SIGINT, SIGTERM -> stop(session, signo); SIGPIPE has no effect. 0, or negative errno after
/// logging, with the signals of this group as they were. A second call makes its session the one to stop. As
/// long as one is set `stop` has to be the same function in every call: a handler reads the two one after the
/// other.
[[nodiscard]] int set_signal_handlers(void* session, StopFunction stop) noexcept;

/// SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT -> a backtrace on stderr and in the log, stop(session,
/// signo), and death by that signal. Returns as above.
[[nodiscard]] int set_fail_signal_handlers(void* session, StopFunction stop) noexcept;

/// Takes both groups back. When it returns no handler holds `session` any more, so it may be freed. For a
/// session other than the current one it only logs.
void remove_signal_handlers(void* session) noexcept;

} // namespace rf::cli
