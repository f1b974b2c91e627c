// Going into the background, in two ways:
//   daemonize()   after the mount: fork, and the parent leaves as soon as the child is set up;
//   early_*()     before the mount: fork, and the parent waits until the child says how mounting went.
// Either way the parent's exit status tells the truth, also when the child dies without a word.
// Threads: the only thread of the process, early_is_active() excepted.
#pragma once

namespace rf::cli {

/// Leaves the terminal: new session, directory "/", stdio on /dev/null. The parent never returns. With
/// `foreground` only the directory changes. 0, or negative errno after logging, -EBUSY if an early start is
/// waiting.
[[nodiscard]] int daemonize(bool foreground) noexcept;

/// Forks; the child returns and has its own session and, unless FUSE_DAEMONIZE_NO_CHDIR, the directory "/".
/// It keeps stdio until early_success(), so that errors are seen. If the waiting parent is killed the child
/// gets SIGTERM. FUSE_DAEMONIZE_NO_BACKGROUND: no fork. 0, or negative errno: -EALREADY (a start is waiting),
/// -EINVAL (flags).
[[nodiscard]] int early_start(unsigned flags) noexcept;

/// Puts stdio on /dev/null and lets the parent exit with 0. Nothing if no start is waiting.
void early_success() noexcept;

/// Lets the parent exit with `error`: an errno of either sign or a status; 0 and what fits no status count
/// as 1.
void early_fail(int error) noexcept;

/// True from early_start() to early_success() or early_fail(). Any thread.
[[nodiscard]] bool early_is_active() noexcept;

} // namespace rf::cli
