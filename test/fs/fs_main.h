/* The life of a test filesystem's process, shared by every program in this folder: command line, session,
 * mount, signals, daemonize, loop, unmount. Uses only the public low-level API, so that the same source runs
 * on any library which offers it. Include this first: it fixes the API version. */
#ifndef RF_TEST_FS_MAIN_H
#define RF_TEST_FS_MAIN_H

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

/* What the process exits with. */
enum fs_exit {
    kFsExitOk = 0,    /* unmounted, or ended by SIGHUP, SIGINT or SIGTERM */
    kFsExitUsage = 1, /* bad command line */
    kFsExitMount = 2, /* no session, no mount, or the start hook failed */
    kFsExitLoop = 3,  /* the request loop ended with an error */
};

struct fs_program {
    const char* help; /* this filesystem's own options, one line each */
    const struct fuse_lowlevel_ops* ops;
    void* userdata;
    /* May be NULL. Runs after the fork of fuse_daemonize and before the loop: the place to start threads.
     * Returns 0 or -errno. */
    int (*start)(void* userdata);
    /* May be NULL. Runs after the loop, when no handler runs any more. */
    void (*stop)(void* userdata);
};

/* Runs the filesystem until it is unmounted. `args` has lost the filesystem's own options already and is
 * freed here. Returns an fs_exit value. */
int fs_main(struct fuse_args* args, const struct fs_program* program);

#endif
