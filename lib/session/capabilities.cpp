#include "session/capabilities.hpp"

#include "proto/kernel.hpp"

#include <array>

namespace rf {
namespace {

struct Pair {
    std::uint64_t capability;
    std::uint64_t init_flag;
};

constexpr std::array kPairs{
    Pair{FUSE_CAP_ASYNC_READ, kern::INIT_ASYNC_READ},
    Pair{FUSE_CAP_POSIX_LOCKS, kern::INIT_POSIX_LOCKS},
    Pair{FUSE_CAP_ATOMIC_O_TRUNC, kern::INIT_ATOMIC_O_TRUNC},
    Pair{FUSE_CAP_EXPORT_SUPPORT, kern::INIT_EXPORT_SUPPORT},
    Pair{FUSE_CAP_DONT_MASK, kern::INIT_DONT_MASK},
    Pair{FUSE_CAP_SPLICE_WRITE, kern::INIT_SPLICE_WRITE},
    Pair{FUSE_CAP_SPLICE_MOVE, kern::INIT_SPLICE_MOVE},
    Pair{FUSE_CAP_SPLICE_READ, kern::INIT_SPLICE_READ},
    Pair{FUSE_CAP_FLOCK_LOCKS, kern::INIT_FLOCK_LOCKS},
    Pair{FUSE_CAP_IOCTL_DIR, kern::INIT_HAS_IOCTL_DIR},
    Pair{FUSE_CAP_AUTO_INVAL_DATA, kern::INIT_AUTO_INVAL_DATA},
    Pair{FUSE_CAP_READDIRPLUS, kern::INIT_DO_READDIRPLUS},
    Pair{FUSE_CAP_READDIRPLUS_AUTO, kern::INIT_READDIRPLUS_AUTO},
    Pair{FUSE_CAP_ASYNC_DIO, kern::INIT_ASYNC_DIO},
    Pair{FUSE_CAP_WRITEBACK_CACHE, kern::INIT_WRITEBACK_CACHE},
    Pair{FUSE_CAP_NO_OPEN_SUPPORT, kern::INIT_NO_OPEN_SUPPORT},
    Pair{FUSE_CAP_PARALLEL_DIROPS, kern::INIT_PARALLEL_DIROPS},
    Pair{FUSE_CAP_POSIX_ACL, kern::INIT_POSIX_ACL},
    Pair{FUSE_CAP_HANDLE_KILLPRIV, kern::INIT_HANDLE_KILLPRIV},
    Pair{FUSE_CAP_HANDLE_KILLPRIV_V2, kern::INIT_HANDLE_KILLPRIV_V2},
    Pair{FUSE_CAP_CACHE_SYMLINKS, kern::INIT_CACHE_SYMLINKS},
    Pair{FUSE_CAP_NO_OPENDIR_SUPPORT, kern::INIT_NO_OPENDIR_SUPPORT},
    Pair{FUSE_CAP_EXPLICIT_INVAL_DATA, kern::INIT_EXPLICIT_INVAL_DATA},
    Pair{FUSE_CAP_EXPIRE_ONLY, kern::INIT_HAS_EXPIRE_ONLY},
    Pair{FUSE_CAP_SETXATTR_EXT, kern::INIT_SETXATTR_EXT},
    Pair{FUSE_CAP_DIRECT_IO_ALLOW_MMAP, kern::INIT_DIRECT_IO_ALLOW_MMAP},
    Pair{FUSE_CAP_PASSTHROUGH, kern::INIT_PASSTHROUGH},
    Pair{FUSE_CAP_NO_EXPORT_SUPPORT, kern::INIT_NO_EXPORT_SUPPORT},
    Pair{FUSE_CAP_OVER_IO_URING, kern::INIT_OVER_IO_URING},
    Pair{FUSE_CAP_ALLOW_IDMAP, kern::INIT_ALLOW_IDMAP},
    Pair{FUSE_CAP_SECURITY_CTX, kern::INIT_SECURITY_CTX},
};

} // namespace

std::uint64_t capabilities_of(std::uint64_t flags) noexcept
{
    std::uint64_t capabilities = 0;
    for (const Pair& pair : kPairs)
        capabilities |= flags & pair.init_flag ? pair.capability : 0;
    return capabilities;
}

std::uint64_t init_flags_of(std::uint64_t capabilities) noexcept
{
    std::uint64_t flags = 0;
    for (const Pair& pair : kPairs)
        flags |= capabilities & pair.capability ? pair.init_flag : 0;
    return flags;
}

std::uint64_t default_capabilities(const fuse_lowlevel_ops& ops) noexcept
{
    std::uint64_t wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ASYNC_DIO |
                           FUSE_CAP_IOCTL_DIR | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_OVER_IO_URING;
    if (ops.write_buf)
        wanted |= FUSE_CAP_SPLICE_READ;
    if (ops.getlk && ops.setlk)
        wanted |= FUSE_CAP_POSIX_LOCKS;
    if (ops.flock)
        wanted |= FUSE_CAP_FLOCK_LOCKS;
    if (ops.readdirplus)
        wanted |= FUSE_CAP_READDIRPLUS;
    if (ops.readdirplus && ops.readdir)
        wanted |= FUSE_CAP_READDIRPLUS_AUTO;
    return wanted;
}

} // namespace rf
