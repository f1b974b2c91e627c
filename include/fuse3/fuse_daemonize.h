/*
 * Going into the background before the filesystem is mounted, so that threads
 * may be started before the mount and errors still reach the shell.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FUSE_DAEMONIZE_H_
#define FUSE_DAEMONIZE_H_

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Keep the current directory instead of moving to "/". */
#define FUSE_DAEMONIZE_NO_CHDIR (1 << 0)

/** Stay in the foreground: no fork; success and failure have nobody to tell. */
#define FUSE_DAEMONIZE_NO_BACKGROUND (1 << 1)

/**
 * Fork. The child returns from here and goes on; the parent waits for its
 * verdict and exits with it. Must be followed by exactly one
 * fuse_daemonize_early_success() or fuse_daemonize_early_fail(); a child that
 * dies without one makes the parent exit with a failure.
 *
 * @flags  FUSE_DAEMONIZE_*, or 0
 * @return 0 in the child (or at once with NO_BACKGROUND); -errno: nothing
 *         happened; -EALREADY if it was started before; -EINVAL for unknown
 *         flags
 *
 * Thread: the only one of the process.  Since: FUSE_3.19
 */
int fuse_daemonize_early_start(unsigned int flags);

/**
 * Tell the waiting parent that all is well; it exits with 0. Standard input,
 * output and error go to /dev/null from here. No effect when not active.
 *
 * Thread: one.  Since: FUSE_3.19
 */
void fuse_daemonize_early_success(void);

/**
 * Tell the waiting parent that it did not work. No effect when not active.
 *
 * @err  exit status for the parent: an errno of either sign, or 1 to 255; 0
 *       counts as 1
 *
 * Thread: one.  Since: FUSE_3.19
 */
void fuse_daemonize_early_fail(int err);

/**
 * Ask whether a start still waits for its verdict.
 *
 * @return true from a successful start until success or fail
 *
 * Thread: any.  Since: FUSE_3.19
 */
bool fuse_daemonize_early_is_active(void);

#ifdef __cplusplus
}
#endif

#endif /* FUSE_DAEMONIZE_H_ */
