/* One order of steps for all test filesystems; see fs_main.h. */
#include "fs_main.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_loop(struct fuse_session* se, const struct fuse_cmdline_opts* opts)
{
    if (opts->singlethread)
        return fuse_session_loop(se);
    struct fuse_loop_config* config = fuse_loop_cfg_create();
    if (!config)
        return -1;
    fuse_loop_cfg_set_clone_fd(config, (unsigned)opts->clone_fd);
    /* UINT_MAX is "not given": the library's own default stays. */
    if (opts->max_idle_threads != UINT_MAX)
        fuse_loop_cfg_set_idle_threads(config, opts->max_idle_threads);
    if (opts->max_threads != UINT_MAX)
        fuse_loop_cfg_set_max_threads(config, opts->max_threads);
    int rc = fuse_session_loop_mt(se, config);
    fuse_loop_cfg_destroy(config);
    return rc;
}

static int serve(struct fuse_session* se, const struct fuse_cmdline_opts* opts,
                 const struct fs_program* program)
{
    if (fuse_set_signal_handlers(se) != 0)
        return kFsExitMount;
    if (fuse_session_mount(se, opts->mountpoint) != 0) {
        fuse_remove_signal_handlers(se);
        return kFsExitMount;
    }
    int code = kFsExitMount;
    int started = 0;
    if (fuse_daemonize(opts->foreground) == 0) {
        int rc = program->start ? program->start(program->userdata) : 0;
        started = rc == 0;
        if (started) {
            /* A positive result is the number of the signal that ended the loop: asked for, so no failure. */
            rc = run_loop(se, opts);
            code = rc < 0 ? kFsExitLoop : kFsExitOk;
        }
        if (rc < 0)
            fprintf(stderr, "serving ended: mountpoint=%s rc=%d, unmounting\n", opts->mountpoint, rc);
    }
    fuse_session_unmount(se);
    fuse_remove_signal_handlers(se);
    if (started && program->stop)
        program->stop(program->userdata);
    return code;
}

static int run(struct fuse_args* args, const struct fuse_cmdline_opts* opts, const struct fs_program* program)
{
    if (opts->show_help) {
        printf("usage: %s [options] <mountpoint>\n\n%s", args->argv[0], program->help);
        fuse_cmdline_help();
        fuse_lowlevel_help();
        return kFsExitOk;
    }
    if (opts->show_version) {
        printf("FUSE library version %s\n", fuse_pkgversion());
        fuse_lowlevel_version();
        return kFsExitOk;
    }
    if (!opts->mountpoint) {
        fprintf(stderr, "no mountpoint given, try '%s --help'\n", args->argv[0]);
        return kFsExitUsage;
    }
    struct fuse_session* se = fuse_session_new(args, program->ops, sizeof(*program->ops), program->userdata);
    if (!se)
        return kFsExitUsage;
    int code = serve(se, opts, program);
    fuse_session_destroy(se);
    return code;
}

int fs_main(struct fuse_args* args, const struct fs_program* program)
{
    struct fuse_cmdline_opts opts;
    memset(&opts, 0, sizeof(opts));
    int code = kFsExitUsage;
    if (fuse_parse_cmdline(args, &opts) == 0)
        code = run(args, &opts, program);
    free(opts.mountpoint);
    fuse_opt_free_args(args);
    return code;
}
