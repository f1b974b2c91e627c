// Open files: create, open, flush, release, fsync.
#include "highlevel/ops.hpp"

#include <cerrno>
#include <fcntl.h>

namespace rf::hl {
namespace {

using family::FileBit;

/// What options say about every file that is opened.
void apply_open_options(const fuse_config& options, fuse_file_info& fi) noexcept
{
    if (options.direct_io)
        fi.direct_io = 1;
    if (options.kernel_cache)
        fi.keep_cache = 1;
    if (options.no_rofd_flush && (fi.flags & O_ACCMODE) == O_RDONLY)
        family::set(fi, FileBit::kNoflush);
    if (fi.direct_io && options.parallel_direct_writes)
        family::set(fi, FileBit::kParallelDirectWrites);
}

/// Release and what follows from it. The node's count of open files includes this one.
void close_file(::fuse& f, fuse_ino_t ino, const char* path, fuse_file_info* fi)
{
    fs_release(*f.fs, path, fi);
    note_close(f, ino, path);
}

/// Creates, and finds out what was created. A file that is no regular one cannot be opened so.
int create_file(Operation& op, LockedPath& path, const char* name, mode_t mode, fuse_file_info* fi,
                fuse_entry_param& e)
{
    int rc = fs_create(op.fs(), path.c_str(), mode, fi);
    if (rc < 0)
        return rc;
    rc = look_up(op.core(), path.base(), name, path.c_str(), e, fi);
    if (rc == 0 && !S_ISREG(e.attr.st_mode)) {
        op.nodes().forget(e.ino, 1);
        rc = -EIO;
    }
    if (rc < 0)
        fs_release(op.fs(), path.c_str(), fi);
    return rc;
}

void count_open(Node* node) noexcept
{
    if (node)
        node->opens.fetch_add(1, std::memory_order_seq_cst);
}

} // namespace

void op_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* fi)
{
    Operation op(req);
    ::fuse& f = op.core();
    LockedPath path(op.nodes());
    path.aim_at(parent, name);
    fuse_entry_param e{};
    int rc = path.lock();
    if (rc == 0)
        rc = create_file(op, path, name, mode, fi, e);
    if (rc < 0) {
        path.release();
        return op.answer_status(rc);
    }
    apply_open_options(op.options(), *fi);
    count_open(op.nodes().find(e.ino));
    if (fuse_reply_create(op.answer(), &e, fi) == -ENOENT) {
        // Nobody waits any more, so nobody will close it.
        close_file(f, e.ino, path.c_str(), fi);
        f.nodes.forget(e.ino, 1);
    }
}

void op_open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi)
{
    Operation op(req);
    ::fuse& f = op.core();
    LockedPath path(op.nodes());
    path.aim_at(ino);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_open(op.fs(), path.c_str(), fi);
    if (rc < 0) {
        path.release();
        return op.answer_status(rc);
    }
    apply_open_options(op.options(), *fi);
    if (op.options().auto_cache && cache_is_valid(f, path.base(), path.c_str(), fi))
        fi->keep_cache = 1;
    count_open(&path.base());
    if (fuse_reply_open(op.answer(), fi) == -ENOENT)
        close_file(f, ino, path.c_str(), fi);
}

void op_flush(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino);
    int rc = path.lock();
    if (rc == 0)
        rc = flush_file(op, ino, path.text(), fi);
    path.release();
    op.answer_status(rc);
}

void op_release(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino);
    // Without a path it has to be released all the same: it will not be asked again.
    (void)path.lock();
    int rc = 0;
    if (family::has(*fi, FileBit::kFlush)) {
        rc = flush_file(op, ino, path.text(), fi);
        if (rc == -ENOSYS)
            rc = 0;
    }
    close_file(op.core(), ino, path.text(), fi);
    path.release();
    op.answer_status(rc);
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, fuse_file_info* fi)
{
    Operation op(req);
    OpenPath path(op, ino);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_fsync(op.fs(), path.text(), datasync, fi);
    path.release();
    op.answer_status(rc);
}

} // namespace rf::hl
