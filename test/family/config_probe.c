/*
 * The path API's fuse_config and fuse_file_info in each binary layout, on the real kernel: what init() is
 * shown, and what comes of what it sets.
 *
 * usage: config_probe_X [LAYOUT]    LAYOUT, exit codes: as the probe
 */
#include "abi_path.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int fuse_mount(struct fuse* f, const char* mountpoint);
int fuse_loop(struct fuse* f);
void fuse_unmount(struct fuse* f);
void fuse_destroy(struct fuse* f);
#if FAMILY_D
struct fuse* _fuse_new_31(struct fuse_args* args, const fuse_op* ops, size_t op_size,
                          struct libfuse_version* version, void* user_data);
#else
struct fuse* fuse_new(struct fuse_args* args, const fuse_op* ops, size_t op_size, void* user_data);
IMPORT(fuse_new, "fuse_new@FUSE_3.1");
#endif

static struct {
    atomic_int inits, flushes, releases, named_reads, nameless_reads, loop_result;
    char first_failure[200];
} * shared;
static char mountpoint[] = "/tmp/ringfuse-family-XXXXXX";
static const char options[] =
    "-oattr_timeout=3,ac_attr_timeout=7,entry_timeout=2,negative_timeout=1,uid=7,gid=8,umask=027,"
    "remember=5,kernel_cache";

#define EXPECT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition) && !shared->first_failure[0])                                                       \
            snprintf(shared->first_failure, sizeof(shared->first_failure), "%d: %s", __LINE__, #condition);  \
    } while (0)

static void check_common(const struct fuse_config* cfg)
{
    EXPECT(cfg->set_gid && cfg->gid == 8 && cfg->set_uid && cfg->uid == 7 && cfg->set_mode &&
           cfg->umask == 027);
    EXPECT(cfg->entry_timeout == 2 && cfg->negative_timeout == 1 && cfg->attr_timeout == 3);
    EXPECT(cfg->remember == 5 && cfg->hard_remove == 0 && cfg->use_ino == 0 && cfg->readdir_ino == 0);
    EXPECT(cfg->direct_io == 0 && cfg->kernel_cache == 1 && cfg->auto_cache == 0);
}

static void* do_init(struct fuse_conn_info* conn, struct fuse_config* cfg)
{
    (void)conn;
    atomic_fetch_add(&shared->inits, 1);
    check_common(cfg);
    EXPECT(cfg->ac_attr_timeout_set == 1 && cfg->ac_attr_timeout == 7);
    EXPECT(cfg->nullpath_ok == 0 && cfg->show_help == 0 && cfg->modules == NULL && cfg->debug == 0);
    /* Some bindings start from nothing. All that lies in the structure is theirs. */
    memset(cfg, 0, sizeof(*cfg));
    cfg->set_uid = 1;
    cfg->uid = 9;
    cfg->attr_timeout = cfg->entry_timeout = 60;
    cfg->ac_attr_timeout = 60;
    cfg->nullpath_ok = 1;
#if !FAMILY_A
    cfg->no_rofd_flush = 1;
#endif
    return NULL;
}

static int do_getattr(const char* path, struct stat* st, struct fuse_file_info* fi)
{
    (void)fi;
    memset(st, 0, sizeof(*st));
    st->st_nlink = 1;
    st->st_mode = path && strcmp(path, "/") == 0 ? S_IFDIR | 0755 : S_IFREG | 0644;
    st->st_size = 4;
    return !path || strcmp(path, "/") == 0 || strcmp(path, "/file") == 0 ? 0 : -ENOENT;
}

static int do_open(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    fi->fh = 77;
    fi->nonseekable = 1;
    return 0;
}

static int do_read(const char* path, char* buffer, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)off;
    EXPECT(fi->fh == 77);
    atomic_fetch_add(path ? &shared->named_reads : &shared->nameless_reads, 1);
    memset(buffer, 'x', size < 4 ? size : 4);
    return size < 4 ? (int)size : 4;
}

static int do_flush(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    EXPECT(fi->flush == 1 && fi->nonseekable == 0 && fi->cache_readdir == 0);
    atomic_fetch_add(&shared->flushes, 1);
    return 0;
}

static int do_release(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    EXPECT(fi->flock_release == 0);
    atomic_fetch_add(&shared->releases, 1);
    return 0;
}

static const fuse_op ops[HL_NR_OPS] = {
    [HL_GETATTR] = (fuse_op)do_getattr, [HL_OPEN] = (fuse_op)do_open,       [HL_READ] = (fuse_op)do_read,
    [HL_FLUSH] = (fuse_op)do_flush,     [HL_RELEASE] = (fuse_op)do_release, [HL_INIT] = (fuse_op)do_init,
};

static void serve(void)
{
    char program[] = "probe", words[sizeof(options)];
    char* argv[] = {program, words, NULL};
    struct fuse_args args = {2, argv, 0};
    struct fuse* f;

    memcpy(words, options, sizeof(options));
#if FAMILY_D
    struct libfuse_version version = {3, 18, 2, 0};

    f = _fuse_new_31(&args, ops, sizeof(ops), &version, NULL);
#else
    f = fuse_new(&args, ops, sizeof(ops), NULL);
#endif
    if (!f || fuse_mount(f, mountpoint) != 0)
        _exit(1);
    atomic_store(&shared->loop_result, fuse_loop(f));
    fuse_unmount(f);
    fuse_destroy(f);
    exit(0);
}

static int wait_for(atomic_int* counter, int value)
{
    const struct timespec moment = {0, 5000000};

    for (int i = 0; i < 4000 && atomic_load(counter) < value; i++)
        nanosleep(&moment, NULL);
    return atomic_load(counter) == value;
}

static void check_from_outside(void)
{
    char path[300], text[5] = "";
    struct stat st;

    snprintf(path, sizeof(path), "%s/file", mountpoint);
    EXPECT(stat(path, &st) == 0 && st.st_uid == 9 && st.st_gid == 0);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    EXPECT(fd >= 0 && read(fd, text, 4) == 4 && strcmp(text, "xxxx") == 0);
    EXPECT(lseek(fd, 0, SEEK_SET) < 0 && errno == ESPIPE);
    close(fd);
    EXPECT(wait_for(&shared->releases, 1));
    EXPECT(atomic_load(&shared->named_reads) == 0 && atomic_load(&shared->nameless_reads) > 0);
    EXPECT(atomic_load(&shared->flushes) == FAMILY_A);
}

int main(int argc, char* argv[])
{
    const char* layout = argc > 1 ? argv[1] : FAMILY_B ? "B" : FAMILY_C ? "C" : NULL;
    int status = 0;

    if (getuid() != 0 || access("/dev/fuse", R_OK | W_OK) != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        printf("skipped: needs root, /dev/fuse and a mount namespace\n");
        return 77;
    }
    layout ? setenv("RINGFUSE_ABI", layout, 1) : unsetenv("RINGFUSE_ABI");
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || !mkdtemp(mountpoint))
        abort();
    const pid_t server = fork();
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve();
    }
    alarm(100);
    if (wait_for(&shared->inits, 1))
        check_from_outside();
    EXPECT(atomic_load(&shared->inits) == 1);
    EXPECT(umount(mountpoint) == 0);
    umount2(mountpoint, MNT_DETACH);
    if (layout && argc > 1)
        kill(server, SIGKILL);
    waitpid(server, &status, 0);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0 && atomic_load(&shared->loop_result) == 0);
    rmdir(mountpoint);
    printf("%s", shared->first_failure);
    return shared->first_failure[0] ? 1 : 0;
}
