// Notifications for C callers. Any thread; 0 or -errno, where -ENOENT means the kernel had nothing cached.
#include "session/notify.hpp"
#include "abi/export.hpp"
#include "abi/handles.hpp"
#include "buf/copy.hpp"

#include <array>
#include <cstring>
#include <memory>
#include <new>

namespace {

namespace kern = rf::kern;

// When the wire learnt each notification (7.N). Older kernels refuse the whole message; say so before.
constexpr std::uint32_t kMinorInval = 12;
constexpr std::uint32_t kMinorStore = 15;
constexpr std::uint32_t kMinorDelete = 18;
constexpr std::uint32_t kMinorExpire = 38;
constexpr std::uint32_t kMinorEpoch = 44;
constexpr std::uint32_t kMinorPrune = 45;

int inval_entry(fuse_session* se, fuse_ino_t parent, const char* name, size_t namelen, std::uint32_t flags)
{
    kern::fuse_notify_inval_entry_out out{};
    out.parent = parent;
    out.namelen = static_cast<std::uint32_t>(namelen);
    out.flags = flags;
    char nul = '\0';
    std::array<iovec, 3> body{iovec{&out, sizeof(out)}, iovec{const_cast<char*>(name), namelen},
                              iovec{&nul, 1}};
    return se->notify(kern::NOTIFY_INVAL_ENTRY, body);
}

int store(fuse_session* se, fuse_ino_t ino, off_t offset, const void* data, std::size_t size)
{
    kern::fuse_notify_store_out out{};
    out.nodeid = ino;
    out.offset = static_cast<std::uint64_t>(offset);
    out.size = static_cast<std::uint32_t>(size);
    std::array<iovec, 2> body{iovec{&out, sizeof(out)}, iovec{const_cast<void*>(data), size}};
    return se->notify(kern::NOTIFY_STORE, body);
}

} // namespace

extern "C" {

RF_EXPORT int fuse_lowlevel_notify_poll(fuse_pollhandle* ph)
{
    if (!ph)
        return 0;
    kern::fuse_notify_poll_wakeup_out out{ph->kernel_handle};
    std::array<iovec, 1> body{iovec{&out, sizeof(out)}};
    return ph->session->notify(kern::NOTIFY_POLL, body);
}

RF_EXPORT void fuse_pollhandle_destroy(fuse_pollhandle* ph)
{
    delete ph;
}

RF_EXPORT int fuse_lowlevel_notify_inval_inode(fuse_session* se, fuse_ino_t ino, off_t off, off_t len)
{
    if (!se)
        return -EINVAL;
    if (!se->speaks(kMinorInval))
        return -ENOSYS;
    kern::fuse_notify_inval_inode_out out{};
    out.ino = ino;
    out.off = off;
    out.len = len;
    std::array<iovec, 1> body{iovec{&out, sizeof(out)}};
    return se->notify(kern::NOTIFY_INVAL_INODE, body);
}

RF_EXPORT int fuse_lowlevel_notify_inval_entry(fuse_session* se, fuse_ino_t parent, const char* name,
                                               size_t namelen)
{
    if (!se || !name)
        return -EINVAL;
    return se->speaks(kMinorInval) ? inval_entry(se, parent, name, namelen, 0) : -ENOSYS;
}

RF_EXPORT int fuse_lowlevel_notify_expire_entry(fuse_session* se, fuse_ino_t parent, const char* name,
                                                size_t namelen)
{
    if (!se || !name)
        return -EINVAL;
    return se->speaks(kMinorExpire) ? inval_entry(se, parent, name, namelen, kern::EXPIRE_ONLY) : -ENOSYS;
}

RF_EXPORT int fuse_lowlevel_notify_delete(fuse_session* se, fuse_ino_t parent, fuse_ino_t child,
                                          const char* name, size_t namelen)
{
    if (!se || !name)
        return -EINVAL;
    if (!se->speaks(kMinorDelete))
        return -ENOSYS;
    kern::fuse_notify_delete_out out{};
    out.parent = parent;
    out.child = child;
    out.namelen = static_cast<std::uint32_t>(namelen);
    char nul = '\0';
    std::array<iovec, 3> body{iovec{&out, sizeof(out)}, iovec{const_cast<char*>(name), namelen},
                              iovec{&nul, 1}};
    return se->notify(kern::NOTIFY_DELETE, body);
}

RF_EXPORT int fuse_lowlevel_notify_store(fuse_session* se, fuse_ino_t ino, off_t offset, fuse_bufvec* bufv,
                                         fuse_buf_copy_flags flags)
{
    if (!se || !bufv)
        return -EINVAL;
    if (!se->speaks(kMinorStore))
        return -ENOSYS;
    const std::size_t size = rf::buf::size(*bufv);
    if (bufv->count == 1 && bufv->idx == 0 && bufv->off == 0 && !(bufv->buf[0].flags & FUSE_BUF_IS_FD))
        return store(se, ino, offset, bufv->buf[0].mem, size);

    const std::unique_ptr<std::byte[]> gathered(new (std::nothrow) std::byte[size]);
    if (!gathered)
        return -ENOMEM;
    fuse_bufvec target = FUSE_BUFVEC_INIT(size);
    target.buf[0].mem = gathered.get();
    const ssize_t n = rf::buf::copy(target, *bufv, flags);
    return n < 0 ? static_cast<int>(n) : store(se, ino, offset, gathered.get(), static_cast<std::size_t>(n));
}

RF_EXPORT int fuse_lowlevel_notify_retrieve(fuse_session* se, fuse_ino_t ino, size_t size, off_t offset,
                                            void* cookie)
{
    return se ? se->retrieve(ino, size, offset, cookie) : -EINVAL;
}

RF_EXPORT int fuse_lowlevel_notify_increment_epoch(fuse_session* se)
{
    if (!se)
        return -EINVAL;
    return se->speaks(kMinorEpoch) ? se->notify(kern::NOTIFY_INC_EPOCH, {}) : -ENOSYS;
}

RF_EXPORT int fuse_lowlevel_notify_prune(fuse_session* se, fuse_ino_t* nodeids, uint32_t count)
{
    if (!se || (count > 0 && !nodeids))
        return -EINVAL;
    if (!se->speaks(kMinorPrune))
        return -ENOSYS;
    static_assert(sizeof(fuse_ino_t) == sizeof(std::uint64_t));
    kern::fuse_notify_prune_out out{};
    out.count = count;
    std::array<iovec, 2> body{iovec{&out, sizeof(out)},
                              iovec{nodeids, std::size_t{count} * sizeof(*nodeids)}};
    return se->notify(kern::NOTIFY_PRUNE, body);
}

} // extern "C"
