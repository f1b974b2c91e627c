/* A filesystem that ends its own session: a look-up of the name "exit" calls fuse_session_exit() and is
 * answered with ENOENT. Any other name does not exist either. "exit_unanswered" ends the session and leaves
 * the caller without an answer. Prints what the loop returned. */
#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct fuse_session* g_session;

static void exit_lookup(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    (void)parent;
    if (strncmp(name, "exit", 4) == 0)
        fuse_session_exit(g_session);
    if (strcmp(name, "exit_unanswered") != 0)
        fuse_reply_err(req, ENOENT);
}

static void exit_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi)
{
    (void)fi;
    const struct stat st = {.st_ino = ino, .st_mode = S_IFDIR | 0755, .st_nlink = 2};
    fuse_reply_attr(req, &st, 1.0);
}

static void exit_destroy(void* userdata)
{
    (void)userdata;
    printf("destroyed\n");
}

static const struct fuse_lowlevel_ops kOps = {
    .lookup = exit_lookup,
    .getattr = exit_getattr,
    .destroy = exit_destroy,
};

static int serve(const struct fuse_cmdline_opts* opts)
{
    int code = 2;
    if (fuse_session_mount(g_session, opts->mountpoint) == 0) {
        int rc = opts->singlethread ? fuse_session_loop(g_session) : fuse_session_loop_mt(g_session, NULL);
        printf("loop rc=%d\n", rc);
        code = rc == 0 ? 0 : 3;
        fuse_session_unmount(g_session);
    }
    return code;
}

int main(int argc, char* argv[])
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct fuse_cmdline_opts opts = {0};
    int code = 1;
    if (fuse_parse_cmdline(&args, &opts) == 0)
        g_session = fuse_session_new(&args, &kOps, sizeof(kOps), NULL);
    if (g_session) {
        code = serve(&opts);
        fuse_session_destroy(g_session);
    }
    free(opts.mountpoint);
    fuse_opt_free_args(&args);
    return code;
}
