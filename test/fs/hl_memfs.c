/* hl_memfs: the program. Options, what INIT sets, and the operation table put together from the parts in
 * hl_memfs.h. */
#include "hl_memfs.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct fuse_opt kOptions[] = {
    {"size_mib=%u", offsetof(struct hl_memfs, fs.size_mib), 0},
    {"hard_remove", offsetof(struct hl_memfs, hard_remove), 1},
    {"use_ino", offsetof(struct hl_memfs, use_ino), 1},
    {"readdir_ino", offsetof(struct hl_memfs, readdir_ino), 1},
    {"nullpath_ok", offsetof(struct hl_memfs, nullpath_ok), 1},
    {"direct_io", offsetof(struct hl_memfs, direct_io), 1},
    {"intr", offsetof(struct hl_memfs, intr), 1},
    {"no_offsets", offsetof(struct hl_memfs, no_offsets), 1},
    {"plain_io", offsetof(struct hl_memfs, plain_io), 1},
    {"without=%s", offsetof(struct hl_memfs, without), 0},
    FUSE_OPT_END,
};

static const char kHelp[] =
    "hl_memfs options:\n"
    "    -o size_mib=N       largest sum of file data (4096)\n"
    "    -o hard_remove, use_ino, readdir_ino, nullpath_ok, direct_io, intr\n"
    "                        set the member of that name of struct fuse_config in init()\n"
    "    -o no_offsets       list directories without offsets\n"
    "    -o plain_io         read and write instead of read_buf and write_buf\n"
    "    -o without=A[:B…]   leave these operations out\n\n";

/* The operations that -o without= can name. */
#define OPERATION(name)                                                                                      \
    {                                                                                                        \
#name, offsetof(struct fuse_operations, name)                                                        \
    }
static const struct {
    const char* name;
    size_t offset;
} kOperations[] = {
    OPERATION(getattr),
    OPERATION(readlink),
    OPERATION(mknod),
    OPERATION(mkdir),
    OPERATION(unlink),
    OPERATION(rmdir),
    OPERATION(symlink),
    OPERATION(rename),
    OPERATION(link),
    OPERATION(chmod),
    OPERATION(chown),
    OPERATION(truncate),
    OPERATION(open),
    OPERATION(read),
    OPERATION(write),
    OPERATION(statfs),
    OPERATION(flush),
    OPERATION(release),
    OPERATION(fsync),
    OPERATION(setxattr),
    OPERATION(getxattr),
    OPERATION(listxattr),
    OPERATION(removexattr),
    OPERATION(opendir),
    OPERATION(readdir),
    OPERATION(releasedir),
    OPERATION(fsyncdir),
    OPERATION(create),
    OPERATION(lock),
    OPERATION(utimens),
    OPERATION(ioctl),
    OPERATION(poll),
    OPERATION(write_buf),
    OPERATION(read_buf),
    OPERATION(flock),
    OPERATION(fallocate),
    OPERATION(copy_file_range),
    OPERATION(lseek),
};
#undef OPERATION

/* Returns 0, or -1 after a message. */
static int leave_out(struct fuse_operations* ops, char* names)
{
    char* rest = NULL;
    for (char* name = strtok_r(names, ":", &rest); name; name = strtok_r(NULL, ":", &rest)) {
        size_t i = 0;
        while (i < sizeof(kOperations) / sizeof(kOperations[0]) && strcmp(kOperations[i].name, name) != 0)
            i++;
        if (i == sizeof(kOperations) / sizeof(kOperations[0])) {
            fprintf(stderr, "no such operation: without=%s\n", name);
            return -1;
        }
        memset((char*)ops + kOperations[i].offset, 0, sizeof(void (*)(void)));
    }
    return 0;
}

static void* hl_memfs_init(struct fuse_conn_info* conn, struct fuse_config* config)
{
    struct hl_memfs* hl = hl_memfs();
    /* The kernel clears set-user-ID bits itself unless the server promises to. */
    conn->want &= ~(unsigned)FUSE_CAP_HANDLE_KILLPRIV;
    conn->time_gran = 1;
    config->hard_remove = hl->hard_remove;
    config->use_ino = hl->use_ino;
    config->readdir_ino = hl->readdir_ino;
    config->nullpath_ok = hl->nullpath_ok;
    config->direct_io = hl->direct_io;
    config->intr = hl->intr;
    return hl;
}

static int serve(struct fuse_args* args, struct hl_memfs* hl)
{
    struct fuse_operations ops = {.init = hl_memfs_init};
    hl_memfs_add_name_ops(&ops);
    hl_memfs_add_attr_ops(&ops);
    hl_memfs_add_file_ops(&ops, hl);
    hl_memfs_add_misc_ops(&ops);
    hl_memfs_add_lock_ops(&ops);
    if (hl->without && leave_out(&ops, hl->without) != 0)
        return kFsExitUsage;
    return fuse_main(args->argc, args->argv, &ops, hl);
}

int main(int argc, char* argv[])
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct hl_memfs hl = {.fs.size_mib = 4096};
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            fputs(kHelp, stdout);
    if (fuse_opt_parse(&args, &hl, kOptions, NULL) != 0 ||
        fuse_opt_add_arg(&args, "-odefault_permissions") != 0)
        return kFsExitUsage;
    umask(0); /* the kernel has applied the caller's */
    hl.fs.max_pages = (uint64_t)hl.fs.size_mib << (20 - kPageShift);
    pthread_cond_init(&hl.locks_changed, NULL);
    if (mem_fs_init(&hl.fs) < 0) {
        fprintf(stderr, "set-up failed: no memory\n");
        return kFsExitMount;
    }
    int code = serve(&args, &hl);
    fuse_opt_free_args(&args);
    free(hl.without);
    mem_fs_free(&hl.fs);
    pthread_cond_destroy(&hl.locks_changed);
    return code;
}
