// Extended attributes.
#include "highlevel/call.hpp"

namespace rf::hl {

int fs_setxattr(fuse_fs& fs, const char* path, const char* name, const char* value, std::size_t size,
                int flags)
{
    RF_HL_TRACE(fs, "fs: setxattr path=%s name=%s size=%zu flags=%#x", shown(path), name, size,
                static_cast<unsigned>(flags));
    return call(fs, fs.op.setxattr, path, name, value, size, flags);
}

int fs_getxattr(fuse_fs& fs, const char* path, const char* name, char* value, std::size_t size)
{
    RF_HL_TRACE(fs, "fs: getxattr path=%s name=%s size=%zu", shown(path), name, size);
    return call(fs, fs.op.getxattr, path, name, value, size);
}

int fs_listxattr(fuse_fs& fs, const char* path, char* list, std::size_t size)
{
    RF_HL_TRACE(fs, "fs: listxattr path=%s size=%zu", shown(path), size);
    return call(fs, fs.op.listxattr, path, list, size);
}

int fs_removexattr(fuse_fs& fs, const char* path, const char* name)
{
    RF_HL_TRACE(fs, "fs: removexattr path=%s name=%s", shown(path), name);
    return call(fs, fs.op.removexattr, path, name);
}

} // namespace rf::hl
