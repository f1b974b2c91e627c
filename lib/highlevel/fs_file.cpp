// Open files, without their data.
#include "highlevel/call.hpp"

namespace rf::hl {
namespace {

unsigned flags_of(const fuse_file_info* fi) noexcept
{
    return fi ? static_cast<unsigned>(fi->flags) : 0;
}

} // namespace

int fs_open(fuse_fs& fs, const char* path, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: open path=%s flags=%#x", shown(path), flags_of(fi));
    return call_or(0, fs, fs.op.open, path, fi);
}

int fs_create(fuse_fs& fs, const char* path, mode_t mode, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: create path=%s mode=%#o flags=%#x umask=%#o", shown(path), mode, flags_of(fi),
                thread_context().umask);
    return call(fs, fs.op.create, path, mode, fi);
}

int fs_flush(fuse_fs& fs, const char* path, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: flush path=%s fh=%llu", shown(path), handle(fi));
    return call(fs, fs.op.flush, path, fi);
}

int fs_release(fuse_fs& fs, const char* path, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: release path=%s flags=%#x fh=%llu", shown(path), flags_of(fi), handle(fi));
    return call_or(0, fs, fs.op.release, path, fi);
}

int fs_fsync(fuse_fs& fs, const char* path, int datasync, fuse_file_info* fi)
{
    RF_HL_TRACE(fs, "fs: fsync path=%s datasync=%d fh=%llu", shown(path), datasync, handle(fi));
    return call(fs, fs.op.fsync, path, datasync, fi);
}

int fs_lock(fuse_fs& fs, const char* path, fuse_file_info* fi, int cmd, struct flock* lock)
{
    RF_HL_TRACE(fs, "fs: lock path=%s cmd=%d type=%d start=%lld length=%lld fh=%llu", shown(path), cmd,
                lock->l_type, static_cast<long long>(lock->l_start), static_cast<long long>(lock->l_len),
                handle(fi));
    return call(fs, fs.op.lock, path, fi, cmd, lock);
}

int fs_flock(fuse_fs& fs, const char* path, fuse_file_info* fi, int op)
{
    RF_HL_TRACE(fs, "fs: flock path=%s op=%#x fh=%llu", shown(path), static_cast<unsigned>(op), handle(fi));
    return call(fs, fs.op.flock, path, fi, op);
}

int fs_ioctl(fuse_fs& fs, const char* path, unsigned cmd, void* arg, fuse_file_info* fi, unsigned flags,
             void* data)
{
    RF_HL_TRACE(fs, "fs: ioctl path=%s cmd=%#x flags=%#x fh=%llu", shown(path), cmd, flags, handle(fi));
    return call_or(-ENOTTY, fs, fs.op.ioctl, path, cmd, arg, fi, flags, data);
}

int fs_poll(fuse_fs& fs, const char* path, fuse_file_info* fi, fuse_pollhandle* ph, unsigned* revents)
{
    const int rc = call(fs, fs.op.poll, path, fi, ph, revents);
    RF_HL_TRACE(fs, "fs: poll path=%s fh=%llu handle=%p revents=%#x result=%d", shown(path), handle(fi),
                static_cast<void*>(ph), *revents, rc);
    return rc;
}

int fs_bmap(fuse_fs& fs, const char* path, std::size_t block_bytes, std::uint64_t* index)
{
    RF_HL_TRACE(fs, "fs: bmap path=%s block_bytes=%zu index=%llu", shown(path), block_bytes,
                static_cast<unsigned long long>(*index));
    return call(fs, fs.op.bmap, path, block_bytes, index);
}

int fs_syncfs(fuse_fs& fs, const char* path)
{
    RF_HL_TRACE(fs, "fs: syncfs path=%s", shown(path));
    return call(fs, fs.op.syncfs, path);
}

} // namespace rf::hl
