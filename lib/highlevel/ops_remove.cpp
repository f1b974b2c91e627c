// Names that go or move: unlink, rmdir, rename. Their paths are held for writing.
#include "highlevel/ops.hpp"

#include <cerrno>
#include <cstdio>
#include <ctime>

namespace rf::hl {
namespace {

int remove_directory(Operation& op, fuse_ino_t parent, const char* name)
{
    LockedPath path(op.nodes());
    path.aim_to_change(parent, name);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_rmdir(op.fs(), path.c_str());
    if (rc >= 0)
        op.nodes().remove_name(*path.target());
    return rc;
}

} // namespace

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    Operation op(req);
    LockedPath path(op.nodes());
    path.aim_to_change(parent, name);
    int rc = path.lock();
    if (rc == 0)
        rc = hide_if_open(op.core(), path);
    if (rc == 1) {
        rc = fs_unlink(op.fs(), path.c_str());
        if (rc >= 0)
            op.nodes().remove_name(*path.target());
    }
    path.release();
    op.answer_status(rc);
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    Operation op(req);
    int rc = remove_directory(op, parent, name);
    // close() does not wait for RELEASE, so a file closed and unlinked a moment ago may still be hidden in
    // here. Its RELEASE is on the way, and needs the path: let it pass for a while, 63 ms in all.
    constexpr int kMostTries = 6;
    for (int i = 0;
         i < kMostTries && rc == -ENOTEMPTY && op.core().nr_hidden.load(std::memory_order_relaxed) > 0; ++i) {
        const timespec pause{0, 1000000L << i};
        ::clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
        rc = remove_directory(op, parent, name);
    }
    op.answer_status(rc);
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t newparent, const char* newname,
               unsigned flags)
{
    Operation op(req);
    LockedPath from(op.nodes());
    LockedPath to(op.nodes());
    from.aim_to_change(parent, name);
    to.aim_to_change(newparent, newname);
    int rc = LockedPath::lock_both(from, to);
    const bool exchanges = (flags & RENAME_EXCHANGE) != 0;
    // An open file that is replaced stays reachable for who has it open.
    if (rc == 0 && to.target() && !exchanges && !(flags & RENAME_NOREPLACE))
        rc = hide_if_open(op.core(), to);
    if (rc >= 0)
        rc = fs_rename(op.fs(), from.c_str(), to.c_str(), flags);
    if (rc >= 0 && to.target()) {
        if (exchanges)
            op.nodes().exchange(*from.target(), *to.target());
        else
            op.nodes().move(*from.target(), *to.target());
    }
    to.release();
    from.release();
    op.answer_status(rc);
}

} // namespace rf::hl
