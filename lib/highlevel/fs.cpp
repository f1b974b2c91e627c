// Life of a filesystem object: made of an operation table, started, ended.
#include "highlevel/fs.hpp"

#include "family/layout.hpp"
#include "highlevel/call.hpp"
#include "highlevel/modules.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace rf::hl {

fuse_fs* fs_new(const fuse_operations* op, std::size_t op_size, void* user_data)
{
    auto* fs = new (std::nothrow) fuse_fs;
    if (!fs) {
        log::error("fuse: no memory for a filesystem (%s), giving up", log::errno_name(ENOMEM));
        return nullptr;
    }
    if (op_size > sizeof(fs->op))
        log::warning("fuse: operation table of %zu bytes is newer than this library, which knows %zu: some "
                     "operations are not used",
                     op_size, sizeof(fs->op));
    if (op)
        std::memcpy(static_cast<void*>(&fs->op), op, std::min(op_size, sizeof(fs->op)));
    fs->user_data = user_data;
    return fs;
}

void fs_init(fuse_fs& fs, fuse_conn_info& conn, fuse_config* config)
{
    if (!fs.op.write_buf)
        fuse_unset_feature_flag(&conn, FUSE_CAP_SPLICE_READ);
    if (!fs.op.lock)
        fuse_unset_feature_flag(&conn, FUSE_CAP_POSIX_LOCKS);
    if (!fs.op.flock)
        fuse_unset_feature_flag(&conn, FUSE_CAP_FLOCK_LOCKS);
    if (!fs.op.init)
        return;
    const UserDataScope scope(fs);
    fs.user_data = fs.op.init(&conn, config);
}

void fs_destroy(fuse_fs* fs)
{
    if (!fs)
        return;
    if (fs->op.destroy) {
        const UserDataScope scope(*fs);
        fs->op.destroy(fs->user_data);
    }
    // The code behind the table may go only now.
    if (fs->module)
        release_module(fs->module);
    delete fs;
}

void fs_discard(fuse_fs* fs)
{
    if (!fs)
        return;
    fuse_fs* lowest = fs;
    while (lowest->below)
        lowest = lowest->below;
    lowest->op.destroy = nullptr;
    fs_destroy(fs);
}

void free_bufvec(fuse_bufvec* buf) noexcept
{
    if (!buf)
        return;
    for (std::size_t i = 0; i < buf->count; ++i) {
        const fuse_buf& piece = family::piece(*buf, i);
        if (!(piece.flags & FUSE_BUF_IS_FD))
            std::free(piece.mem);
    }
    std::free(buf);
}

} // namespace rf::hl
