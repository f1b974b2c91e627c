// Data of open files: read, write, fallocate, copy_file_range, lseek.
#include "highlevel/ops.hpp"

#include "base/log.hpp"
#include "highlevel/answer_buffer.hpp"

#include <cerrno>

namespace rf::hl {
namespace {

/// An application with read alone reads into the answer itself.
void read_directly(Operation& op, OpenPath& path, size_t size, off_t off, fuse_file_info* fi)
{
    AnswerBuffer buffer(op.request(), size);
    int rc = buffer.data() ? fs_read(op.fs(), path.text(), buffer.data(), size, off, fi) : -ENOMEM;
    path.release();
    if (rc < 0)
        return op.answer_status(rc);
    fuse_reply_buf(op.answer(), buffer.data(), std::min(static_cast<size_t>(rc), size));
}

/// What is behind a descriptor is read while the path is held, as the descriptor belongs to the open file.
void read_by_list(Operation& op, OpenPath& path, size_t size, off_t off, fuse_file_info* fi)
{
    fuse_bufvec* list = nullptr;
    const int rc = fs_read_buf(op.fs(), path.text(), &list, size, off, fi);
    if (rc < 0)
        op.answer_status(rc);
    else
        fuse_reply_data(op.answer(), list, FUSE_BUF_SPLICE_MOVE);
    path.release();
    free_bufvec(list);
}

} // namespace

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino);
    if (const int rc = path.lock(); rc < 0)
        return op.answer_status(rc);
    if (op.fs().op.read && !op.fs().op.read_buf)
        read_directly(op, path, size, off, fi);
    else
        read_by_list(op, path, size, off, fi);
}

void op_write_buf(fuse_req_t req, fuse_ino_t ino, fuse_bufvec* buf, off_t off, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_write_buf(op.fs(), path.text(), buf, off, fi);
    path.release();
    if (rc < 0)
        return op.answer_status(rc);
    fuse_reply_write(op.answer(), static_cast<size_t>(rc));
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t length, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_fallocate(op.fs(), path.text(), mode, off, length, fi);
    path.release();
    op.answer_status(rc);
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in, fuse_file_info* fi_in,
                        fuse_ino_t ino_out, off_t off_out, fuse_file_info* fi_out, size_t len, int flags)
{
    Operation op(req);
    OpenPath in(op, ino_in);
    OpenPath out(op, ino_out);
    ssize_t copied = OpenPath::lock_both(in, out);
    if (copied == 0)
        copied =
            fs_copy_file_range(op.fs(), in.text(), fi_in, off_in, out.text(), fi_out, off_out, len, flags);
    out.release();
    in.release();
    if (copied < 0)
        return op.answer_status(static_cast<int>(copied));
    fuse_reply_write(op.answer(), static_cast<size_t>(copied));
}

void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino);
    off_t found = path.lock();
    if (found == 0)
        found = fs_lseek(op.fs(), path.text(), off, whence, fi);
    path.release();
    if (found < 0)
        return op.answer_status(static_cast<int>(found));
    fuse_reply_lseek(op.answer(), found);
}

} // namespace rf::hl
