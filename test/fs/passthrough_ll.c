/* passthrough: the program. Options, capabilities, and the operation table put together from the parts in
 * pt.h. */
#include "pt.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct fuse_opt kOptions[] = {
    {"source=%s", offsetof(struct pt, source), 0},
    {"cache=%s", offsetof(struct pt, cache_name), 0},
    {"timeout=%lf", offsetof(struct pt, timeout), 0},
    {"writeback", offsetof(struct pt, writeback), 1},
    {"direct_io", offsetof(struct pt, direct_io), 1},
    {"passthrough", offsetof(struct pt, passthrough), 1},
    {"plain_write", offsetof(struct pt, plain_write), 1},
    {"no_readdirplus", offsetof(struct pt, no_readdirplus), 1},
    FUSE_OPT_END,
};

static const char kHelp[] =
    "passthrough_ll options:\n"
    "    -o source=DIR       what to show (required)\n"
    "    -o cache=never|auto|always\n"
    "                        what the kernel may keep between opens (auto)\n"
    "    -o timeout=S        seconds it may cache names and attributes (by cache: 0, 1, 86400)\n"
    "    -o writeback        the kernel's write-back cache\n"
    "    -o direct_io        no page cache\n"
    "    -o passthrough      backing files: the kernel reads and writes DIR itself\n"
    "    -o plain_write      write instead of write_buf\n"
    "    -o no_readdirplus   readdir only\n\n";

void pt_init(void* userdata, struct fuse_conn_info* conn)
{
    const struct pt* pt = userdata;
    /* The kernel clears set-user-ID bits itself unless the server promises to. */
    conn->want &= ~(unsigned)FUSE_CAP_HANDLE_KILLPRIV;
    if (pt->writeback && (conn->capable & FUSE_CAP_WRITEBACK_CACHE))
        conn->want |= FUSE_CAP_WRITEBACK_CACHE;
    conn->time_gran = 1;
}

/* Turns the texts of the options into values. Returns 0, or -1 after a message. */
static int check_options(struct pt* pt)
{
    static const char* const kNames[] = {"never", "auto", "always"};
    static const double kTimeouts[] = {0, 1, 86400};
    pt->cache = kCacheAuto;
    if (pt->cache_name) {
        int i = 0;
        while (i < 3 && strcmp(pt->cache_name, kNames[i]) != 0)
            i++;
        if (i == 3) {
            fprintf(stderr, "unknown option value: cache=%s, want never, auto or always\n", pt->cache_name);
            return -1;
        }
        pt->cache = (enum pt_cache)i;
    }
    if (pt->timeout < 0)
        pt->timeout = kTimeouts[pt->cache];
    if (!pt->source) {
        fprintf(stderr, "no directory to show, want -o source=DIR\n");
        return -1;
    }
    if (pt->passthrough && pt->writeback) {
        fprintf(stderr, "-o passthrough and -o writeback exclude each other\n");
        return -1;
    }
    return 0;
}

/* One descriptor per inode the kernel knows: take what the limits allow. */
static void raise_fd_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void pt_stop(void* userdata)
{
    (void)userdata;
    pt_flock_stop();
}

static int run(struct fuse_args* args, struct pt* pt)
{
    struct fuse_lowlevel_ops ops = {.init = pt_init};
    pt_add_inode_ops(&ops);
    pt_add_name_ops(&ops);
    pt_add_attr_ops(&ops);
    pt_add_xattr_ops(&ops);
    pt_add_file_ops(&ops);
    pt_add_io_ops(&ops, pt);
    pt_add_dir_ops(&ops, pt);
    if (passthrough_add_newer_ops(&ops, pt) != 0)
        return kFsExitUsage;
    int err = -pt_init_table(pt);
    if (err) {
        fprintf(stderr, "set-up failed: source=%s (%s)\n", pt->source, strerror(err));
        return kFsExitUsage;
    }
    const struct fs_program program = {.help = kHelp, .ops = &ops, .userdata = pt, .stop = pt_stop};
    return fs_main(args, &program);
}

static int wants_help(int argc, char* argv[])
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-V") == 0 ||
            strcmp(argv[i], "--version") == 0)
            return 1;
    return 0;
}

int main(int argc, char* argv[])
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct pt pt = {.timeout = -1, .is_root = geteuid() == 0, .root = {.fd = -1}};
    if (wants_help(argc, argv))
        return fs_main(&args, &(struct fs_program){.help = kHelp, .ops = &(struct fuse_lowlevel_ops){0}});
    int code = kFsExitUsage;
    if (fuse_opt_parse(&args, &pt, kOptions, NULL) == 0 &&
        fuse_opt_add_arg(&args, "-odefault_permissions") == 0 && check_options(&pt) == 0) {
        umask(0); /* the kernel has applied the caller's */
        raise_fd_limit();
        code = run(&args, &pt);
    }
    fuse_opt_free_args(&args);
    pt_free_table(&pt);
    free(pt.source);
    free(pt.cache_name);
    return code;
}
