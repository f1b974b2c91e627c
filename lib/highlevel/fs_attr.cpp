// Attributes of files and of the filesystem.
#include "highlevel/call.hpp"

namespace rf::hl {

int fs_getattr(fuse_fs& fs, const char* path, struct stat* st, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: getattr path=%s fh=%llu", shown(path), handle(fi));
    return call(fs, fs.op.getattr, path, st, fi);
}

int fs_statx(fuse_fs& fs, const char* path, int flags, int mask, struct statx* stx, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: statx path=%s flags=%#x mask=%#x fh=%llu", shown(path), static_cast<unsigned>(flags),
                static_cast<unsigned>(mask), handle(fi));
    return call(fs, fs.op.statx, path, flags, mask, stx, fi);
}

int fs_chmod(fuse_fs& fs, const char* path, mode_t mode, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: chmod path=%s mode=%#o fh=%llu", shown(path), mode, handle(fi));
    return call(fs, fs.op.chmod, path, mode, fi);
}

int fs_chown(fuse_fs& fs, const char* path, uid_t uid, gid_t gid, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: chown path=%s uid=%d gid=%d fh=%llu", shown(path), static_cast<int>(uid),
                static_cast<int>(gid), handle(fi));
    return call(fs, fs.op.chown, path, uid, gid, fi);
}

int fs_truncate(fuse_fs& fs, const char* path, off_t size, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: truncate path=%s size=%lld fh=%llu", shown(path), static_cast<long long>(size),
                handle(fi));
    return call(fs, fs.op.truncate, path, size, fi);
}

int fs_utimens(fuse_fs& fs, const char* path, const timespec* tv, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: utimens path=%s atime=%lld.%09ld mtime=%lld.%09ld fh=%llu", shown(path),
                static_cast<long long>(tv[0].tv_sec), tv[0].tv_nsec, static_cast<long long>(tv[1].tv_sec),
                tv[1].tv_nsec, handle(fi));
    return call(fs, fs.op.utimens, path, tv, fi);
}

int fs_access(fuse_fs& fs, const char* path, int mask)
{
    RF_HL_TRACE(fs, "fs: access path=%s mask=%#o", shown(path), static_cast<unsigned>(mask));
    return call(fs, fs.op.access, path, mask);
}

int fs_statfs(fuse_fs& fs, const char* path, struct statvfs* out)
{
    RF_HL_TRACE(fs, "fs: statfs path=%s", shown(path));
    if (!fs.op.statfs) {
        out->f_namemax = 255;
        out->f_bsize = 512;
        return 0;
    }
    return call(fs, fs.op.statfs, path, out);
}

} // namespace rf::hl
