// Extended attributes.
#include "highlevel/ops.hpp"

#include "highlevel/answer_buffer.hpp"

#include <cerrno>

namespace rf::hl {
namespace {

/// Calls change(path) and answers with its result.
template <class Change>
void change_attributes(fuse_req_t req, fuse_ino_t ino, Change&& change)
{
    Operation op(req);
    LockedPath path(op.nodes());
    path.aim_at(ino);
    int rc = path.lock();
    if (rc == 0)
        rc = change(op.fs(), path.c_str());
    path.release();
    op.answer_status(rc);
}

/// Calls get(path, buffer, size); size 0 asks for the length alone.
template <class Get>
void get_attributes(fuse_req_t req, fuse_ino_t ino, size_t size, Get&& get)
{
    Operation op(req);
    LockedPath path(op.nodes());
    path.aim_at(ino);
    if (const int rc = path.lock(); rc < 0)
        return op.answer_status(rc);
    if (size == 0) {
        const int rc = get(op.fs(), path.c_str(), nullptr, size_t{0});
        path.release();
        if (rc < 0)
            return op.answer_status(rc);
        fuse_reply_xattr(op.answer(), static_cast<size_t>(rc));
        return;
    }
    AnswerBuffer buffer(req, size);
    int rc = buffer.data() ? get(op.fs(), path.c_str(), buffer.data(), size) : -ENOMEM;
    path.release();
    if (rc > 0 && static_cast<size_t>(rc) > size)
        rc = -ERANGE;
    if (rc <= 0)
        return op.answer_status(rc);
    fuse_reply_buf(op.answer(), buffer.data(), static_cast<size_t>(rc));
}

} // namespace

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, size_t size, int flags)
{
    change_attributes(req, ino, [=](fuse_fs& fs, const char* path) {
        return fs_setxattr(fs, path, name, value, size, flags);
    });
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char* name)
{
    change_attributes(req, ino,
                      [=](fuse_fs& fs, const char* path) { return fs_removexattr(fs, path, name); });
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char* name, size_t size)
{
    get_attributes(req, ino, size, [=](fuse_fs& fs, const char* path, char* buf, size_t room) {
        return fs_getxattr(fs, path, name, buf, room);
    });
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    get_attributes(req, ino, size, [](fuse_fs& fs, const char* path, char* buf, size_t room) {
        return fs_listxattr(fs, path, buf, room);
    });
}

} // namespace rf::hl
