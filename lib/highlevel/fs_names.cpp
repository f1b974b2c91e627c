// What makes, removes and moves names, and symbolic links.
#include "highlevel/call.hpp"

namespace rf::hl {

int fs_mknod(fuse_fs& fs, const char* path, mode_t mode, dev_t rdev)
{
    RF_HL_TRACE(fs, "fs: mknod path=%s mode=%#o rdev=%#llx umask=%#o", shown(path), mode,
                static_cast<unsigned long long>(rdev), thread_context().umask);
    return call(fs, fs.op.mknod, path, mode, rdev);
}

int fs_mkdir(fuse_fs& fs, const char* path, mode_t mode)
{
    RF_HL_TRACE(fs, "fs: mkdir path=%s mode=%#o umask=%#o", shown(path), mode, thread_context().umask);
    return call(fs, fs.op.mkdir, path, mode);
}

int fs_unlink(fuse_fs& fs, const char* path)
{
    RF_HL_TRACE(fs, "fs: unlink path=%s", shown(path));
    return call(fs, fs.op.unlink, path);
}

int fs_rmdir(fuse_fs& fs, const char* path)
{
    RF_HL_TRACE(fs, "fs: rmdir path=%s", shown(path));
    return call(fs, fs.op.rmdir, path);
}

int fs_symlink(fuse_fs& fs, const char* target, const char* path)
{
    RF_HL_TRACE(fs, "fs: symlink target=%s path=%s", target, shown(path));
    return call(fs, fs.op.symlink, target, path);
}

int fs_readlink(fuse_fs& fs, const char* path, char* buf, std::size_t size)
{
    RF_HL_TRACE(fs, "fs: readlink path=%s size=%zu", shown(path), size);
    return call(fs, fs.op.readlink, path, buf, size);
}

int fs_rename(fuse_fs& fs, const char* from, const char* to, unsigned flags)
{
    RF_HL_TRACE(fs, "fs: rename from=%s to=%s flags=%#x", shown(from), shown(to), flags);
    return call(fs, fs.op.rename, from, to, flags);
}

int fs_link(fuse_fs& fs, const char* from, const char* to)
{
    RF_HL_TRACE(fs, "fs: link from=%s to=%s", shown(from), shown(to));
    return call(fs, fs.op.link, from, to);
}

} // namespace rf::hl
