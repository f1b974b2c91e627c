// extern "C" face of filesystem objects: for applications and modules that stack filesystems.
#include "abi/export.hpp"
#include "highlevel/fs.hpp"

namespace hl = rf::hl;

extern "C" {

RF_EXPORT fuse_fs* fuse_fs_new(const fuse_operations* op, size_t op_size, void* user_data)
{
    return hl::fs_new(op, op_size, user_data);
}

RF_EXPORT void fuse_fs_init(fuse_fs* fs, fuse_conn_info* conn, fuse_config* cfg)
{
    hl::fs_init(*fs, *conn, cfg);
}

RF_EXPORT void fuse_fs_destroy(fuse_fs* fs)
{
    hl::fs_destroy(fs);
}

RF_EXPORT int fuse_fs_getattr(fuse_fs* fs, const char* path, struct stat* buf, fuse_file_info* fi)
{
    return hl::fs_getattr(*fs, path, buf, fi);
}

RF_EXPORT int fuse_fs_rename(fuse_fs* fs, const char* oldpath, const char* newpath, unsigned int flags)
{
    return hl::fs_rename(*fs, oldpath, newpath, flags);
}

RF_EXPORT int fuse_fs_unlink(fuse_fs* fs, const char* path)
{
    return hl::fs_unlink(*fs, path);
}

RF_EXPORT int fuse_fs_rmdir(fuse_fs* fs, const char* path)
{
    return hl::fs_rmdir(*fs, path);
}

RF_EXPORT int fuse_fs_symlink(fuse_fs* fs, const char* linkname, const char* path)
{
    return hl::fs_symlink(*fs, linkname, path);
}

RF_EXPORT int fuse_fs_link(fuse_fs* fs, const char* oldpath, const char* newpath)
{
    return hl::fs_link(*fs, oldpath, newpath);
}

RF_EXPORT int fuse_fs_release(fuse_fs* fs, const char* path, fuse_file_info* fi)
{
    return hl::fs_release(*fs, path, fi);
}

RF_EXPORT int fuse_fs_open(fuse_fs* fs, const char* path, fuse_file_info* fi)
{
    return hl::fs_open(*fs, path, fi);
}

RF_EXPORT int fuse_fs_read(fuse_fs* fs, const char* path, char* buf, size_t size, off_t off,
                           fuse_file_info* fi)
{
    return hl::fs_read(*fs, path, buf, size, off, fi);
}

RF_EXPORT int fuse_fs_read_buf(fuse_fs* fs, const char* path, fuse_bufvec** bufp, size_t size, off_t off,
                               fuse_file_info* fi)
{
    return hl::fs_read_buf(*fs, path, bufp, size, off, fi);
}

RF_EXPORT int fuse_fs_write(fuse_fs* fs, const char* path, const char* buf, size_t size, off_t off,
                            fuse_file_info* fi)
{
    return hl::fs_write(*fs, path, buf, size, off, fi);
}

RF_EXPORT int fuse_fs_write_buf(fuse_fs* fs, const char* path, fuse_bufvec* buf, off_t off,
                                fuse_file_info* fi)
{
    return hl::fs_write_buf(*fs, path, buf, off, fi);
}

RF_EXPORT int fuse_fs_fsync(fuse_fs* fs, const char* path, int datasync, fuse_file_info* fi)
{
    return hl::fs_fsync(*fs, path, datasync, fi);
}

RF_EXPORT int fuse_fs_flush(fuse_fs* fs, const char* path, fuse_file_info* fi)
{
    return hl::fs_flush(*fs, path, fi);
}

RF_EXPORT int fuse_fs_statfs(fuse_fs* fs, const char* path, struct statvfs* buf)
{
    return hl::fs_statfs(*fs, path, buf);
}

RF_EXPORT int fuse_fs_opendir(fuse_fs* fs, const char* path, fuse_file_info* fi)
{
    return hl::fs_opendir(*fs, path, fi);
}

RF_EXPORT int fuse_fs_readdir(fuse_fs* fs, const char* path, void* buf, fuse_fill_dir_t filler, off_t off,
                              fuse_file_info* fi, fuse_readdir_flags flags)
{
    return hl::fs_readdir(*fs, path, buf, filler, off, fi, flags);
}

RF_EXPORT int fuse_fs_fsyncdir(fuse_fs* fs, const char* path, int datasync, fuse_file_info* fi)
{
    return hl::fs_fsyncdir(*fs, path, datasync, fi);
}

RF_EXPORT int fuse_fs_releasedir(fuse_fs* fs, const char* path, fuse_file_info* fi)
{
    return hl::fs_releasedir(*fs, path, fi);
}

RF_EXPORT int fuse_fs_create(fuse_fs* fs, const char* path, mode_t mode, fuse_file_info* fi)
{
    return hl::fs_create(*fs, path, mode, fi);
}

RF_EXPORT int fuse_fs_lock(fuse_fs* fs, const char* path, fuse_file_info* fi, int cmd, struct flock* lock)
{
    return hl::fs_lock(*fs, path, fi, cmd, lock);
}

RF_EXPORT int fuse_fs_flock(fuse_fs* fs, const char* path, fuse_file_info* fi, int op)
{
    return hl::fs_flock(*fs, path, fi, op);
}

RF_EXPORT int fuse_fs_chmod(fuse_fs* fs, const char* path, mode_t mode, fuse_file_info* fi)
{
    return hl::fs_chmod(*fs, path, mode, fi);
}

RF_EXPORT int fuse_fs_chown(fuse_fs* fs, const char* path, uid_t uid, gid_t gid, fuse_file_info* fi)
{
    return hl::fs_chown(*fs, path, uid, gid, fi);
}

RF_EXPORT int fuse_fs_truncate(fuse_fs* fs, const char* path, off_t size, fuse_file_info* fi)
{
    return hl::fs_truncate(*fs, path, size, fi);
}

RF_EXPORT int fuse_fs_utimens(fuse_fs* fs, const char* path, const timespec* tv, fuse_file_info* fi)
{
    return hl::fs_utimens(*fs, path, tv, fi);
}

RF_EXPORT int fuse_fs_access(fuse_fs* fs, const char* path, int mask)
{
    return hl::fs_access(*fs, path, mask);
}

RF_EXPORT int fuse_fs_readlink(fuse_fs* fs, const char* path, char* buf, size_t len)
{
    return hl::fs_readlink(*fs, path, buf, len);
}

RF_EXPORT int fuse_fs_mknod(fuse_fs* fs, const char* path, mode_t mode, dev_t rdev)
{
    return hl::fs_mknod(*fs, path, mode, rdev);
}

RF_EXPORT int fuse_fs_mkdir(fuse_fs* fs, const char* path, mode_t mode)
{
    return hl::fs_mkdir(*fs, path, mode);
}

RF_EXPORT int fuse_fs_setxattr(fuse_fs* fs, const char* path, const char* name, const char* value,
                               size_t size, int flags)
{
    return hl::fs_setxattr(*fs, path, name, value, size, flags);
}

RF_EXPORT int fuse_fs_getxattr(fuse_fs* fs, const char* path, const char* name, char* value, size_t size)
{
    return hl::fs_getxattr(*fs, path, name, value, size);
}

RF_EXPORT int fuse_fs_listxattr(fuse_fs* fs, const char* path, char* list, size_t size)
{
    return hl::fs_listxattr(*fs, path, list, size);
}

RF_EXPORT int fuse_fs_removexattr(fuse_fs* fs, const char* path, const char* name)
{
    return hl::fs_removexattr(*fs, path, name);
}

RF_EXPORT int fuse_fs_bmap(fuse_fs* fs, const char* path, size_t blocksize, uint64_t* idx)
{
    return hl::fs_bmap(*fs, path, blocksize, idx);
}

RF_EXPORT int fuse_fs_ioctl(fuse_fs* fs, const char* path, unsigned int cmd, void* arg, fuse_file_info* fi,
                            unsigned int flags, void* data)
{
    return hl::fs_ioctl(*fs, path, cmd, arg, fi, flags, data);
}

RF_EXPORT int fuse_fs_poll(fuse_fs* fs, const char* path, fuse_file_info* fi, fuse_pollhandle* ph,
                           unsigned* reventsp)
{
    return hl::fs_poll(*fs, path, fi, ph, reventsp);
}

RF_EXPORT int fuse_fs_fallocate(fuse_fs* fs, const char* path, int mode, off_t offset, off_t length,
                                fuse_file_info* fi)
{
    return hl::fs_fallocate(*fs, path, mode, offset, length, fi);
}

RF_EXPORT ssize_t fuse_fs_copy_file_range(fuse_fs* fs, const char* path_in, fuse_file_info* fi_in,
                                          off_t off_in, const char* path_out, fuse_file_info* fi_out,
                                          off_t off_out, size_t len, int flags)
{
    return hl::fs_copy_file_range(*fs, path_in, fi_in, off_in, path_out, fi_out, off_out, len, flags);
}

RF_EXPORT off_t fuse_fs_lseek(fuse_fs* fs, const char* path, off_t off, int whence, fuse_file_info* fi)
{
    return hl::fs_lseek(*fs, path, off, whence, fi);
}

RF_EXPORT int fuse_fs_statx(fuse_fs* fs, const char* path, int flags, int mask, struct statx* stxbuf,
                            fuse_file_info* fi)
{
    return hl::fs_statx(*fs, path, flags, mask, stxbuf, fi);
}

} // extern "C"
