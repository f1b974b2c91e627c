/* hl_passthrough: the program. See hl_pt.h. */
#include "hl_pt.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct fuse_opt kOptions[] = {
    {"source=%s", offsetof(struct hl_pt, source), 0},
    {"plain_io", offsetof(struct hl_pt, plain_io), 1},
    {"direct_io", offsetof(struct hl_pt, direct_io), 1},
    {"nullpath_ok", offsetof(struct hl_pt, nullpath_ok), 1},
    {"no_readdirplus", offsetof(struct hl_pt, no_readdirplus), 1},
    FUSE_OPT_END,
};

struct hl_pt* hl_pt(void)
{
    return fuse_get_context()->private_data;
}

const char* hl_pt_name(const char* path)
{
    return path[1] ? path + 1 : ".";
}

int hl_pt_result(long rc)
{
    return rc < 0 ? -errno : (int)rc;
}

int hl_pt_give_to_caller(const char* path, mode_t mode)
{
    const struct fuse_context* context = fuse_get_context();
    const struct hl_pt* pt = hl_pt();
    const char* name = hl_pt_name(path);
    if (!pt->is_root || (context->uid == 0 && context->gid == 0))
        return 0;
    /* In a set-group-ID directory the group is the directory's already. */
    const char* slash = strrchr(name, '/');
    char* parent = slash ? strndup(name, (size_t)(slash - name)) : strdup(".");
    struct stat dir;
    int rc = !parent ? -ENOMEM : hl_pt_result(fstatat(pt->root, parent, &dir, 0));
    free(parent);
    if (rc < 0)
        return rc;
    gid_t gid = dir.st_mode & S_ISGID ? (gid_t)-1 : context->gid;
    rc = hl_pt_result(fchownat(pt->root, name, context->uid, gid, AT_SYMLINK_NOFOLLOW));
    /* Changing the owner of a file takes these bits away. */
    if (rc == 0 && S_ISREG(mode) && (mode & (S_ISUID | S_ISGID)))
        rc = hl_pt_result(fchmodat(pt->root, name, mode & 07777, 0));
    return rc;
}

static void* pt_init(struct fuse_conn_info* conn, struct fuse_config* config)
{
    struct hl_pt* pt = hl_pt();
    /* The kernel clears set-user-ID bits itself unless the server promises to. */
    conn->want &= ~(unsigned)FUSE_CAP_HANDLE_KILLPRIV;
    if (pt->no_readdirplus)
        conn->want &= ~(unsigned)FUSE_CAP_READDIRPLUS;
    conn->time_gran = 1;
    config->use_ino = 1;
    config->direct_io = pt->direct_io;
    config->nullpath_ok = pt->nullpath_ok;
    return pt;
}

static int serve(struct fuse_args* args, struct hl_pt* pt)
{
    struct fuse_operations ops = {.init = pt_init};
    hl_pt_add_name_ops(&ops);
    hl_pt_add_attr_ops(&ops);
    hl_pt_add_file_ops(&ops, pt);
    hl_pt_add_newer_ops(&ops);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    umask(0); /* the kernel has applied the caller's */
    return fuse_main(args->argc, args->argv, &ops, pt);
}

int main(int argc, char* argv[])
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct hl_pt pt = {.is_root = geteuid() == 0, .root = -1};
    int code = 1;
    if (fuse_opt_parse(&args, &pt, kOptions, NULL) == 0 &&
        fuse_opt_add_arg(&args, "-odefault_permissions") == 0) {
        if (pt.source)
            pt.root = open(pt.source, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (pt.root < 0)
            fprintf(stderr, "no directory to show, want -o source=DIR (%s)\n", strerror(errno));
        else
            code = serve(&args, &pt);
    }
    if (pt.root >= 0)
        close(pt.root);
    fuse_opt_free_args(&args);
    free(pt.source);
    return code;
}
