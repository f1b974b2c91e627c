// Locks: fcntl record locks and flock. What the filesystem granted is noted at the node, so that a question
// whose answer we know is not asked.
#include "highlevel/ops.hpp"

#include "highlevel/file_locks.hpp"

#include <cerrno>
#include <fcntl.h>
#include <new>

namespace rf::hl {
namespace {

/// Notes at the node what the filesystem granted. Without memory for it the filesystem is asked again later.
void note_granted(::fuse& f, fuse_ino_t ino, const struct flock& lock, std::uint64_t owner)
{
    Node* node = f.nodes.find(ino);
    if (!node)
        return;
    const MutexLock guard(f.nodes.extra_mutex(*node));
    const bool nothing_noted = !node->extra || !node->extra->locks;
    if (nothing_noted && lock.l_type == F_UNLCK)
        return;
    if (!node->extra)
        node->extra = new (std::nothrow) NodeExtra;
    if (node->extra && !node->extra->locks)
        node->extra->locks = new (std::nothrow) FileLocks;
    if (node->extra && node->extra->locks)
        (void)node->extra->locks->granted(lock, owner);
}

bool known_conflict(::fuse& f, fuse_ino_t ino, struct flock& lock, std::uint64_t owner)
{
    Node* node = f.nodes.find(ino);
    if (!node)
        return false;
    const MutexLock guard(f.nodes.extra_mutex(*node));
    return node->extra && node->extra->locks && node->extra->locks->conflict(lock, owner);
}

int ask_for_lock(Operation& op, fuse_ino_t ino, fuse_file_info* fi, int command, struct flock* lock)
{
    OpenPath path(op, ino);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_lock(op.fs(), path.text(), fi, command, lock);
    return rc;
}

} // namespace

void op_getlk(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, struct flock* lock)
{
    Operation op(req);
    int rc = 0;
    if (!known_conflict(op.core(), ino, *lock, fi->lock_owner))
        rc = ask_for_lock(op, ino, fi, F_GETLK, lock);
    if (rc < 0)
        return op.answer_status(rc);
    fuse_reply_lock(op.answer(), lock);
}

void op_setlk(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, struct flock* lock, int sleep)
{
    Operation op(req);
    const int rc = ask_for_lock(op, ino, fi, sleep ? F_SETLKW : F_SETLK, lock);
    if (rc == 0)
        note_granted(op.core(), ino, *lock, fi->lock_owner);
    op.answer_status(rc);
}

void op_flock(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi, int operation)
{
    Operation op(req);
    OpenPath path(op, ino);
    int rc = path.lock();
    if (rc == 0)
        rc = fs_flock(op.fs(), path.text(), fi, operation);
    path.release();
    op.answer_status(rc);
}

int flush_file(Operation& op, fuse_ino_t ino, const char* path, fuse_file_info* fi)
{
    int rc = fs_flush(op.fs(), path, fi);
    if (!op.fs().op.lock)
        return rc;
    struct flock all {};
    all.l_type = F_UNLCK;
    all.l_whence = SEEK_SET;
    if (fs_lock(op.fs(), path, fi, F_SETLK, &all) != -ENOSYS) {
        note_granted(op.core(), ino, all, fi->lock_owner);
        // Were ENOSYS passed on, the kernel would not tell of closed descriptors any more, and locks would
        // stay.
        if (rc == -ENOSYS)
            rc = 0;
    }
    return rc;
}

} // namespace rf::hl
