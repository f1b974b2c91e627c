// Open directories.
#include "highlevel/call.hpp"

namespace rf::hl {

int fs_opendir(fuse_fs& fs, const char* path, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: opendir path=%s", shown(path));
    return call_or(0, fs, fs.op.opendir, path, fi);
}

int fs_readdir(fuse_fs& fs, const char* path, void* buf, fuse_fill_dir_t filler, off_t off,
               fuse_file_info* fi, fuse_readdir_flags flags)
{
    RF_HL_TRACE(fs, "fs: readdir path=%s%s off=%lld fh=%llu", shown(path),
                flags & FUSE_READDIR_PLUS ? " plus" : "", static_cast<long long>(off), handle(fi));
    return call(fs, fs.op.readdir, path, buf, filler, off, fi, flags);
}

int fs_releasedir(fuse_fs& fs, const char* path, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: releasedir path=%s fh=%llu", shown(path), handle(fi));
    return call_or(0, fs, fs.op.releasedir, path, fi);
}

int fs_fsyncdir(fuse_fs& fs, const char* path, int datasync, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: fsyncdir path=%s datasync=%d fh=%llu", shown(path), datasync, handle(fi));
    return call(fs, fs.op.fsyncdir, path, datasync, fi);
}

} // namespace rf::hl
