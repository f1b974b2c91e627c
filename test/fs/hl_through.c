/* libfusemod_through.so: a module as an application's author would write it, which hands every call on to the
 * filesystem below it by the fuse_fs_* functions. With `-o modules=through` nothing may change. */
#include <fuse.h>

static struct fuse_fs* below; /* one stack in a process is enough for a test */

static int through_getattr(const char* path, struct stat* st, struct fuse_file_info* fi)
{
    return fuse_fs_getattr(below, path, st, fi);
}

static int through_readlink(const char* path, char* buf, size_t size)
{
    return fuse_fs_readlink(below, path, buf, size);
}

static int through_mknod(const char* path, mode_t mode, dev_t rdev)
{
    return fuse_fs_mknod(below, path, mode, rdev);
}

static int through_mkdir(const char* path, mode_t mode)
{
    return fuse_fs_mkdir(below, path, mode);
}

static int through_unlink(const char* path)
{
    return fuse_fs_unlink(below, path);
}

static int through_rmdir(const char* path)
{
    return fuse_fs_rmdir(below, path);
}

static int through_symlink(const char* target, const char* path)
{
    return fuse_fs_symlink(below, target, path);
}

static int through_rename(const char* from, const char* to, unsigned int flags)
{
    return fuse_fs_rename(below, from, to, flags);
}

static int through_link(const char* from, const char* to)
{
    return fuse_fs_link(below, from, to);
}

static int through_chmod(const char* path, mode_t mode, struct fuse_file_info* fi)
{
    return fuse_fs_chmod(below, path, mode, fi);
}

static int through_chown(const char* path, uid_t uid, gid_t gid, struct fuse_file_info* fi)
{
    return fuse_fs_chown(below, path, uid, gid, fi);
}

static int through_truncate(const char* path, off_t size, struct fuse_file_info* fi)
{
    return fuse_fs_truncate(below, path, size, fi);
}

static int through_open(const char* path, struct fuse_file_info* fi)
{
    return fuse_fs_open(below, path, fi);
}

static int through_read(const char* path, char* buf, size_t size, off_t off, struct fuse_file_info* fi)
{
    return fuse_fs_read(below, path, buf, size, off, fi);
}

static int through_write(const char* path, const char* buf, size_t size, off_t off, struct fuse_file_info* fi)
{
    return fuse_fs_write(below, path, buf, size, off, fi);
}

static int through_statfs(const char* path, struct statvfs* st)
{
    return fuse_fs_statfs(below, path, st);
}

static int through_flush(const char* path, struct fuse_file_info* fi)
{
    return fuse_fs_flush(below, path, fi);
}

static int through_release(const char* path, struct fuse_file_info* fi)
{
    return fuse_fs_release(below, path, fi);
}

static int through_fsync(const char* path, int datasync, struct fuse_file_info* fi)
{
    return fuse_fs_fsync(below, path, datasync, fi);
}

static int through_setxattr(const char* path, const char* name, const char* value, size_t size, int flags)
{
    return fuse_fs_setxattr(below, path, name, value, size, flags);
}

static int through_getxattr(const char* path, const char* name, char* value, size_t size)
{
    return fuse_fs_getxattr(below, path, name, value, size);
}

static int through_listxattr(const char* path, char* list, size_t size)
{
    return fuse_fs_listxattr(below, path, list, size);
}

static int through_removexattr(const char* path, const char* name)
{
    return fuse_fs_removexattr(below, path, name);
}

static int through_opendir(const char* path, struct fuse_file_info* fi)
{
    return fuse_fs_opendir(below, path, fi);
}

static int through_readdir(const char* path, void* buf, fuse_fill_dir_t filler, off_t off,
                           struct fuse_file_info* fi, enum fuse_readdir_flags flags)
{
    return fuse_fs_readdir(below, path, buf, filler, off, fi, flags);
}

static int through_releasedir(const char* path, struct fuse_file_info* fi)
{
    return fuse_fs_releasedir(below, path, fi);
}

static int through_fsyncdir(const char* path, int datasync, struct fuse_file_info* fi)
{
    return fuse_fs_fsyncdir(below, path, datasync, fi);
}

static void* through_init(struct fuse_conn_info* conn, struct fuse_config* cfg)
{
    fuse_fs_init(below, conn, cfg);
    return NULL;
}

static void through_destroy(void* data)
{
    (void)data;
    fuse_fs_destroy(below);
}

static int through_access(const char* path, int mask)
{
    return fuse_fs_access(below, path, mask);
}

static int through_create(const char* path, mode_t mode, struct fuse_file_info* fi)
{
    return fuse_fs_create(below, path, mode, fi);
}

static int through_lock(const char* path, struct fuse_file_info* fi, int cmd, struct flock* lock)
{
    return fuse_fs_lock(below, path, fi, cmd, lock);
}

static int through_utimens(const char* path, const struct timespec* tv, struct fuse_file_info* fi)
{
    return fuse_fs_utimens(below, path, tv, fi);
}

static int through_bmap(const char* path, size_t blocksize, uint64_t* idx)
{
    return fuse_fs_bmap(below, path, blocksize, idx);
}

static int through_ioctl(const char* path, unsigned int cmd, void* arg, struct fuse_file_info* fi,
                         unsigned int flags, void* data)
{
    return fuse_fs_ioctl(below, path, cmd, arg, fi, flags, data);
}

static int through_poll(const char* path, struct fuse_file_info* fi, struct fuse_pollhandle* ph,
                        unsigned* revents)
{
    return fuse_fs_poll(below, path, fi, ph, revents);
}

static int through_write_buf(const char* path, struct fuse_bufvec* buf, off_t off, struct fuse_file_info* fi)
{
    return fuse_fs_write_buf(below, path, buf, off, fi);
}

static int through_read_buf(const char* path, struct fuse_bufvec** buf, size_t size, off_t off,
                            struct fuse_file_info* fi)
{
    return fuse_fs_read_buf(below, path, buf, size, off, fi);
}

static int through_flock(const char* path, struct fuse_file_info* fi, int op)
{
    return fuse_fs_flock(below, path, fi, op);
}

static int through_fallocate(const char* path, int mode, off_t off, off_t length, struct fuse_file_info* fi)
{
    return fuse_fs_fallocate(below, path, mode, off, length, fi);
}

static ssize_t through_copy_file_range(const char* path_in, struct fuse_file_info* fi_in, off_t off_in,
                                       const char* path_out, struct fuse_file_info* fi_out, off_t off_out,
                                       size_t size, int flags)
{
    return fuse_fs_copy_file_range(below, path_in, fi_in, off_in, path_out, fi_out, off_out, size, flags);
}

static off_t through_lseek(const char* path, off_t off, int whence, struct fuse_file_info* fi)
{
    return fuse_fs_lseek(below, path, off, whence, fi);
}

static int through_statx(const char* path, int flags, int mask, struct statx* stx, struct fuse_file_info* fi)
{
    return fuse_fs_statx(below, path, flags, mask, stx, fi);
}

static const struct fuse_operations operations = {
    .getattr = through_getattr,
    .readlink = through_readlink,
    .mknod = through_mknod,
    .mkdir = through_mkdir,
    .unlink = through_unlink,
    .rmdir = through_rmdir,
    .symlink = through_symlink,
    .rename = through_rename,
    .link = through_link,
    .chmod = through_chmod,
    .chown = through_chown,
    .truncate = through_truncate,
    .open = through_open,
    .read = through_read,
    .write = through_write,
    .statfs = through_statfs,
    .flush = through_flush,
    .release = through_release,
    .fsync = through_fsync,
    .setxattr = through_setxattr,
    .getxattr = through_getxattr,
    .listxattr = through_listxattr,
    .removexattr = through_removexattr,
    .opendir = through_opendir,
    .readdir = through_readdir,
    .releasedir = through_releasedir,
    .fsyncdir = through_fsyncdir,
    .init = through_init,
    .destroy = through_destroy,
    .access = through_access,
    .create = through_create,
    .lock = through_lock,
    .utimens = through_utimens,
    .bmap = through_bmap,
    .ioctl = through_ioctl,
    .poll = through_poll,
    .write_buf = through_write_buf,
    .read_buf = through_read_buf,
    .flock = through_flock,
    .fallocate = through_fallocate,
    .copy_file_range = through_copy_file_range,
    .lseek = through_lseek,
    .statx = through_statx,
};

static struct fuse_fs* through_new(struct fuse_args* args, struct fuse_fs* fs[])
{
    (void)args;
    below = fs[0];
    return fuse_fs_new(&operations, sizeof(operations), NULL);
}

FUSE_REGISTER_MODULE(through, through_new);
