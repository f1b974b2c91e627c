/* Path operations of hl_memfs on file locks. A call that must wait waits inside the operation, and asks
 * fuse_interrupted() now and then whether its caller has given up. */
#include "hl_memfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

static struct mem_lock from_flock(const struct fuse_file_info* fi, const struct flock* lock)
{
    uint64_t start = (uint64_t)lock->l_start;
    return (struct mem_lock){
        .owner = fi->lock_owner,
        .start = start,
        .end = lock->l_len == 0 ? INT64_MAX : start + (uint64_t)lock->l_len - 1,
        .type = lock->l_type,
        .pid = lock->l_pid,
    };
}

/* REQUIRES: fs->locks. */
static void wait_a_moment(struct hl_memfs* hl)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 50 * 1000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&hl->locks_changed, &hl->fs.locks, &until);
}

static int set_lock(struct mem_lock** list, const struct mem_lock* want, int sleep)
{
    struct hl_memfs* hl = hl_memfs();
    int rc = 0;
    pthread_mutex_lock(&hl->fs.locks);
    while (rc == 0 && want->type != F_UNLCK && mem_lock_conflict(*list, want)) {
        if (!sleep)
            rc = -EAGAIN;
        else if (fuse_interrupted())
            rc = -EINTR;
        else
            wait_a_moment(hl);
    }
    if (rc == 0) {
        rc = -mem_lock_set(list, want);
        pthread_cond_broadcast(&hl->locks_changed);
    }
    pthread_mutex_unlock(&hl->fs.locks);
    return rc;
}

static void get_lock(struct mem_node* node, const struct mem_lock* want, struct flock* lock)
{
    struct mem_fs* fs = hl_fs();
    pthread_mutex_lock(&fs->locks);
    const struct mem_lock* blocker = mem_lock_conflict(node->posix_locks, want);
    if (blocker) {
        lock->l_type = (short)blocker->type;
        lock->l_whence = SEEK_SET;
        lock->l_start = (off_t)blocker->start;
        lock->l_len = blocker->end == INT64_MAX ? 0 : (off_t)(blocker->end - blocker->start + 1);
        lock->l_pid = blocker->pid;
    } else {
        lock->l_type = F_UNLCK;
    }
    pthread_mutex_unlock(&fs->locks);
}

static int hl_lock(const char* path, struct fuse_file_info* fi, int cmd, struct flock* lock)
{
    const struct mem_lock want = from_flock(fi, lock);
    struct mem_node* node;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0)
        return rc;
    if (cmd == F_GETLK)
        get_lock(node, &want, lock);
    else
        rc = set_lock(&node->posix_locks, &want, cmd == F_SETLKW);
    hl_drop(node);
    return rc;
}

void hl_drop_flock(struct mem_node* node, uint64_t owner)
{
    const struct mem_lock all = {.owner = owner, .end = INT64_MAX, .type = F_UNLCK};
    (void)set_lock(&node->flocks, &all, /* sleep= */ 0);
}

/* True if `owner` holds a flock of another type. */
static int changes_type(struct mem_node* node, const struct mem_lock* want)
{
    struct mem_fs* fs = hl_fs();
    int changes = 0;
    pthread_mutex_lock(&fs->locks);
    for (const struct mem_lock* l = node->flocks; l; l = l->next)
        changes |= l->owner == want->owner && l->type != want->type;
    pthread_mutex_unlock(&fs->locks);
    return changes;
}

static int hl_flock(const char* path, struct fuse_file_info* fi, int op)
{
    struct mem_lock want = {.owner = fi->lock_owner, .end = INT64_MAX, .type = F_UNLCK};
    int kind = op & ~LOCK_NB;
    if (kind != LOCK_UN)
        want.type = kind == LOCK_EX ? F_WRLCK : F_RDLCK;
    struct mem_node* node;
    int rc = hl_hold(path, fi, &node);
    if (rc < 0)
        return rc;
    /* As in the kernel, changing the type of a flock gives up the old lock first. */
    if (changes_type(node, &want))
        hl_drop_flock(node, want.owner);
    rc = set_lock(&node->flocks, &want, !(op & LOCK_NB));
    hl_drop(node);
    return rc;
}

void hl_memfs_add_lock_ops(struct fuse_operations* ops)
{
    ops->lock = hl_lock;
    ops->flock = hl_flock;
}
