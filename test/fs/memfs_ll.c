/* memfs: the program. Options, capabilities, and the operation table put together from the parts in memfs.h.
 */
#include "memfs.h"
#include "memfs_lockops.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct fuse_opt kOptions[] = {
    {"timeout=%lf", offsetof(struct mem_fs, timeout), 0},
    {"size_mib=%u", offsetof(struct mem_fs, size_mib), 0},
    {"max_write=%u", offsetof(struct mem_fs, max_write), 0},
    {"direct_io", offsetof(struct mem_fs, direct_io), 1},
    {"writeback", offsetof(struct mem_fs, writeback), 1},
    {"plain_write", offsetof(struct mem_fs, plain_write), 1},
    {"no_readdirplus", offsetof(struct mem_fs, no_readdirplus), 1},
    FUSE_OPT_END,
};

static const char kHelp[] =
    "memfs_ll options:\n"
    "    -o timeout=S        seconds the kernel may cache names and attributes (1.0)\n"
    "    -o size_mib=N       largest sum of file data (4096)\n"
    "    -o max_write=N      most bytes of one request (the library's default)\n"
    "    -o direct_io        no page cache\n"
    "    -o writeback        the kernel's write-back cache\n"
    "    -o plain_write      write instead of write_buf\n"
    "    -o no_readdirplus   readdir only\n\n";

static void memfs_init(void* userdata, struct fuse_conn_info* conn)
{
    const struct mem_fs* fs = userdata;
    /* The kernel clears set-user-ID bits itself unless the server promises to. */
    conn->want &= ~(unsigned)FUSE_CAP_HANDLE_KILLPRIV;
    if (fs->writeback && (conn->capable & FUSE_CAP_WRITEBACK_CACHE))
        conn->want |= FUSE_CAP_WRITEBACK_CACHE;
    conn->time_gran = 1;
    if (fs->max_write > 0)
        conn->max_write = fs->max_write;
}

static void free_waiters(struct mem_fs* fs)
{
    while (fs->waiters) {
        struct mem_waiter* doomed = fs->waiters;
        fs->waiters = doomed->next;
        free(doomed);
    }
}

int main(int argc, char* argv[])
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct mem_fs fs = {.timeout = 1.0, .size_mib = 4096};
    if (fuse_opt_parse(&args, &fs, kOptions, NULL) != 0 ||
        fuse_opt_add_arg(&args, "-odefault_permissions") != 0)
        return kFsExitUsage;
    umask(0); /* the kernel has applied the caller's */
    fs.max_pages = (uint64_t)fs.size_mib << (20 - kPageShift);
    if (mem_fs_init(&fs) < 0) {
        fprintf(stderr, "set-up failed: no memory\n");
        return kFsExitMount;
    }
    struct fuse_lowlevel_ops ops = {.init = memfs_init};
    memfs_add_name_ops(&ops);
    memfs_add_rename_ops(&ops);
    memfs_add_attr_ops(&ops);
    memfs_add_xattr_ops(&ops);
    memfs_add_file_ops(&ops);
    memfs_add_io_ops(&ops, &fs);
    memfs_add_readdir_ops(&ops, &fs);
    memfs_add_lock_ops(&ops);
    const struct fs_program program = {.help = kHelp, .ops = &ops, .userdata = &fs};
    int code = fs_main(&args, &program);
    free_waiters(&fs);
    mem_fs_free(&fs);
    return code;
}
