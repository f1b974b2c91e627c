/*
 * A directory shown as it is. Structures of the library are cleared with memset() over the size this program
 * knows, as bindings do that start from nothing and then set what they need.
 */
#include "binding.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define CAP_PARALLEL_DIROPS (1u << 18)

struct binding binding;

typedef int (*filler)(void* buffer, const char* name, const struct stat* st, off_t off, int flags);

static const char* below(const char* path)
{
    return path[1] ? path + 1 : ".";
}

static int result(long rc)
{
    return rc < 0 ? -errno : (int)rc;
}

/* Two callers wait for each other; where one thread serves, the first waits in vain. */
static int meet(void)
{
    const struct timespec moment = {0, 10000000};

    atomic_fetch_add(&binding.meeting, 1);
    for (int i = 0; i < 2000 && atomic_load(&binding.meeting) < 2; i++)
        nanosleep(&moment, NULL);
    return atomic_load(&binding.meeting) < 2 ? -ETIMEDOUT : -ENOENT;
}

/* Each operation on an open file: with nullpath_ok there is no path. */
static int file_of(const char* path, const struct fuse_file_info* fi)
{
    atomic_fetch_add(path ? &binding.named : &binding.nameless, 1);
    return (int)fi->fh;
}

static void* do_init(struct fuse_conn_info* conn, struct fuse_config* cfg)
{
    atomic_fetch_add(&binding.inits, 1);
    conn->want |= conn->capable & CAP_PARALLEL_DIROPS;
    memset(cfg, 0, sizeof(*cfg));
    cfg->use_ino = 1;
    cfg->nullpath_ok = 1;
    return binding.get_context()->private_data;
}

static void do_destroy(void* data)
{
    if (data == &binding)
        atomic_fetch_add(&binding.destroys, 1);
}

static int do_getattr(const char* path, struct stat* st, struct fuse_file_info* fi)
{
    struct fuse_context* context = binding.get_context();

    if (context->private_data != &binding || !context->fuse || context->pid <= 0)
        atomic_fetch_add(&binding.strange_contexts, 1);
    memset(st, 0, sizeof(*st));
    if (path && strncmp(path, "/.meet", 6) == 0)
        return meet();
    return result(fi ? fstat((int)fi->fh, st) : fstatat(binding.root, below(path), st, AT_SYMLINK_NOFOLLOW));
}

static int do_readlink(const char* path, char* buffer, size_t bytes)
{
    const ssize_t n = readlinkat(binding.root, below(path), buffer, bytes - 1);

    if (n < 0)
        return -errno;
    buffer[n] = '\0';
    return 0;
}

static int do_mknod(const char* path, mode_t mode, dev_t device)
{
    return result(mknodat(binding.root, below(path), mode, device));
}

static int do_mkdir(const char* path, mode_t mode)
{
    return result(mkdirat(binding.root, below(path), mode));
}

static int do_unlink(const char* path)
{
    return result(unlinkat(binding.root, below(path), 0));
}

static int do_rmdir(const char* path)
{
    return result(unlinkat(binding.root, below(path), AT_REMOVEDIR));
}

static int do_symlink(const char* target, const char* path)
{
    return result(symlinkat(target, binding.root, below(path)));
}

static int do_rename(const char* from, const char* to, unsigned flags)
{
    return result(renameat2(binding.root, below(from), binding.root, below(to), flags));
}

static int do_link(const char* from, const char* to)
{
    return result(linkat(binding.root, below(from), binding.root, below(to), 0));
}

static int do_chmod(const char* path, mode_t mode, struct fuse_file_info* fi)
{
    return result(fi ? fchmod((int)fi->fh, mode) : fchmodat(binding.root, below(path), mode, 0));
}

static int do_chown(const char* path, uid_t uid, gid_t gid, struct fuse_file_info* fi)
{
    return result(fi ? fchown((int)fi->fh, uid, gid)
                     : fchownat(binding.root, below(path), uid, gid, AT_SYMLINK_NOFOLLOW));
}

static int do_truncate(const char* path, off_t bytes, struct fuse_file_info* fi)
{
    if (fi)
        return result(ftruncate((int)fi->fh, bytes));
    const int fd = openat(binding.root, below(path), O_WRONLY | O_CLOEXEC);
    const int rc = fd < 0 ? -errno : result(ftruncate(fd, bytes));

    if (fd >= 0)
        close(fd);
    return rc;
}

/* `fd` is what openat() gave. All of the structure but the handle is cleared, as far as this program knows
 * it. */
static int opened(int fd, struct fuse_file_info* fi)
{
    if (fd < 0)
        return -errno;
    memset(fi, 0, sizeof(*fi));
    fi->fh = (uint64_t)fd;
    return 0;
}

static int do_open(const char* path, struct fuse_file_info* fi)
{
    return opened(openat(binding.root, below(path), (fi->flags & ~(O_CREAT | O_EXCL)) | O_CLOEXEC), fi);
}

static int do_create(const char* path, mode_t mode, struct fuse_file_info* fi)
{
    return opened(openat(binding.root, below(path), fi->flags | O_CREAT | O_CLOEXEC, mode), fi);
}

static int do_read(const char* path, char* buffer, size_t bytes, off_t off, struct fuse_file_info* fi)
{
    return result(pread(file_of(path, fi), buffer, bytes, off));
}

static int do_write(const char* path, const char* buffer, size_t bytes, off_t off, struct fuse_file_info* fi)
{
    return result(pwrite(file_of(path, fi), buffer, bytes, off));
}

static int do_statfs(const char* path, struct statvfs* st)
{
    (void)path;
    memset(st, 0, sizeof(*st));
    return result(fstatvfs(binding.root, st));
}

static int do_flush(const char* path, struct fuse_file_info* fi)
{
    return file_of(path, fi) > 0 && fi->flush ? 0 : -EIO;
}

static int do_release(const char* path, struct fuse_file_info* fi)
{
    return result(close(file_of(path, fi)));
}

static int do_fsync(const char* path, int only_data, struct fuse_file_info* fi)
{
    return result(only_data ? fdatasync(file_of(path, fi)) : fsync(file_of(path, fi)));
}

static int do_opendir(const char* path, struct fuse_file_info* fi)
{
    const int fd = openat(binding.root, below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* dir = fd < 0 ? NULL : fdopendir(fd);

    memset(fi, 0, sizeof(*fi));
    fi->fh = (uint64_t)(uintptr_t)dir;
    return dir ? 0 : -errno;
}

static int do_readdir(const char* path, void* buffer, filler fill, off_t off, struct fuse_file_info* fi,
                      int flags)
{
    DIR* dir = (DIR*)(uintptr_t)fi->fh;
    const struct dirent* entry;

    (void)off;
    (void)flags;
    atomic_fetch_add(path ? &binding.named : &binding.nameless, 1);
    rewinddir(dir);
    while ((entry = readdir(dir))) {
        if (fill(buffer, entry->d_name, NULL, 0, 0))
            return -ENOMEM;
    }
    return 0;
}

static int do_releasedir(const char* path, struct fuse_file_info* fi)
{
    (void)path;
    return result(closedir((DIR*)(uintptr_t)fi->fh));
}

static int do_utimens(const char* path, const struct timespec times[2], struct fuse_file_info* fi)
{
    return result(fi ? futimens((int)fi->fh, times)
                     : utimensat(binding.root, below(path), times, AT_SYMLINK_NOFOLLOW));
}

const fuse_op binding_ops[HL_NR_OPS] = {
    [HL_GETATTR] = (fuse_op)do_getattr, [HL_READLINK] = (fuse_op)do_readlink,
    [HL_MKNOD] = (fuse_op)do_mknod,     [HL_MKDIR] = (fuse_op)do_mkdir,
    [HL_UNLINK] = (fuse_op)do_unlink,   [HL_RMDIR] = (fuse_op)do_rmdir,
    [HL_SYMLINK] = (fuse_op)do_symlink, [HL_RENAME] = (fuse_op)do_rename,
    [HL_LINK] = (fuse_op)do_link,       [HL_CHMOD] = (fuse_op)do_chmod,
    [HL_CHOWN] = (fuse_op)do_chown,     [HL_TRUNCATE] = (fuse_op)do_truncate,
    [HL_OPEN] = (fuse_op)do_open,       [HL_READ] = (fuse_op)do_read,
    [HL_WRITE] = (fuse_op)do_write,     [HL_STATFS] = (fuse_op)do_statfs,
    [HL_FLUSH] = (fuse_op)do_flush,     [HL_RELEASE] = (fuse_op)do_release,
    [HL_FSYNC] = (fuse_op)do_fsync,     [HL_OPENDIR] = (fuse_op)do_opendir,
    [HL_READDIR] = (fuse_op)do_readdir, [HL_RELEASEDIR] = (fuse_op)do_releasedir,
    [HL_INIT] = (fuse_op)do_init,       [HL_DESTROY] = (fuse_op)do_destroy,
    [HL_CREATE] = (fuse_op)do_create,   [HL_UTIMENS] = (fuse_op)do_utimens,
};
