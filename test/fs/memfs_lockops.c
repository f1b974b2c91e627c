/* FUSE operations of memfs on file locks: getlk, setlk, flock. A request that must wait is put on fs->waiters
 * and its handler returns; whoever frees the lock answers it, and an interrupt answers it with EINTR.
 *
 * An interrupt may come at any time on any thread, also while the lock is being granted. So its callback is
 * given the number of the waiter, never its address: a number that is no longer on the list means "answered,
 * do nothing". */
#include "memfs_lockops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

static struct mem_lock** list_of(struct mem_node* node, int is_flock)
{
    return is_flock ? &node->flocks : &node->posix_locks;
}

/* Moves every waiter of `node` that can have its lock now to the returned list. REQUIRES: fs->locks. */
static struct mem_waiter* grant(struct mem_fs* fs, struct mem_node* node)
{
    struct mem_waiter* granted = NULL;
    struct mem_waiter** link = &fs->waiters;
    while (*link) {
        struct mem_waiter* w = *link;
        struct mem_lock** list = list_of(node, w->is_flock);
        if (w->node != node || !w->waiting || mem_lock_conflict(*list, &w->want)) {
            link = &w->next;
            continue;
        }
        w->err = mem_lock_set(list, &w->want);
        *link = w->next;
        w->next = granted;
        granted = w;
        /* A lock that was turned from write to read may let an older waiter in. */
        link = &fs->waiters;
    }
    return granted;
}

static void answer_all(struct mem_waiter* granted)
{
    while (granted) {
        struct mem_waiter* w = granted;
        granted = w->next;
        fuse_reply_err(w->req, w->err);
        free(w);
    }
}

void mem_drop_locks(struct mem_fs* fs, struct mem_node* node, uint64_t owner, int is_flock)
{
    const struct mem_lock all = {.owner = owner, .end = INT64_MAX, .type = F_UNLCK};
    pthread_mutex_lock(&fs->locks);
    (void)mem_lock_set(list_of(node, is_flock), &all);
    struct mem_waiter* granted = grant(fs, node);
    pthread_mutex_unlock(&fs->locks);
    answer_all(granted);
}

static struct mem_waiter** find_waiter(struct mem_fs* fs, uint64_t id)
{
    struct mem_waiter** link = &fs->waiters;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    return link;
}

static void on_interrupt(fuse_req_t req, void* data)
{
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_waiter* doomed = NULL;
    pthread_mutex_lock(&fs->locks);
    struct mem_waiter** link = find_waiter(fs, (uint64_t)(uintptr_t)data);
    struct mem_waiter* w = *link;
    if (w && w->waiting) {
        *link = w->next;
        doomed = w;
    } else if (w) {
        w->interrupted = 1; /* its handler is about to look */
    }
    pthread_mutex_unlock(&fs->locks);
    if (doomed) {
        free(doomed);
        fuse_reply_err(req, EINTR);
    }
}

/* True if the owner of `blocker` waits, perhaps through others, for `owner`. Bounded as the kernel bounds it.
 */
static int would_deadlock(struct mem_fs* fs, uint64_t owner, const struct mem_lock* blocker)
{
    for (int depth = 0; blocker && depth < 10; depth++) {
        if (blocker->owner == owner)
            return 1;
        struct mem_waiter* w = fs->waiters;
        while (w && (w->is_flock || w->want.owner != blocker->owner))
            w = w->next;
        blocker = w ? mem_lock_conflict(w->node->posix_locks, &w->want) : NULL;
    }
    return 0;
}

static struct mem_waiter* add_waiter(struct mem_fs* fs, fuse_req_t req, struct mem_node* node, int is_flock,
                                     const struct mem_lock* want)
{
    struct mem_waiter* w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->id = ++fs->last_waiter;
    w->req = req;
    w->node = node;
    w->is_flock = is_flock;
    w->want = *want;
    struct mem_waiter** tail = &fs->waiters;
    while (*tail)
        tail = &(*tail)->next;
    *tail = w;
    return w;
}

/* Second half of a lock that must wait. The interrupt callback is set while the request cannot be answered
 * yet, since a request that another thread may answer must not be touched; only then does the waiter become
 * visible to grant(). */
static void start_waiting(struct mem_fs* fs, struct mem_waiter* w)
{
    struct mem_node* node = w->node;
    uint64_t id = w->id;
    fuse_req_interrupt_func(w->req, on_interrupt, (void*)(uintptr_t)id);
    pthread_mutex_lock(&fs->locks);
    struct mem_waiter* granted = NULL;
    if (w->interrupted) {
        *find_waiter(fs, id) = w->next;
        w->err = EINTR;
        w->next = NULL;
        granted = w;
    } else {
        w->waiting = 1;
        granted = grant(fs, node); /* the lock may have become free meanwhile */
    }
    pthread_mutex_unlock(&fs->locks);
    answer_all(granted);
}

static void set_lock(fuse_req_t req, struct mem_node* node, int is_flock, const struct mem_lock* want,
                     int sleep)
{
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_lock** list = list_of(node, is_flock);
    struct mem_waiter* waiter = NULL;
    int err = 0;
    pthread_mutex_lock(&fs->locks);
    struct mem_lock* blocker = want->type == F_UNLCK ? NULL : mem_lock_conflict(*list, want);
    if (!blocker) {
        err = mem_lock_set(list, want);
    } else if (!sleep) {
        err = EAGAIN;
    } else if (!is_flock && would_deadlock(fs, want->owner, blocker)) {
        err = EDEADLK;
    } else {
        waiter = add_waiter(fs, req, node, is_flock, want);
        err = waiter ? 0 : ENOLCK;
    }
    struct mem_waiter* granted = grant(fs, node);
    pthread_mutex_unlock(&fs->locks);
    answer_all(granted);
    if (waiter)
        start_waiting(fs, waiter);
    else
        fuse_reply_err(req, err);
}

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

static void memfs_getlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi, struct flock* lock)
{
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_node* node = mem_node_of(fs, ino);
    const struct mem_lock want = from_flock(fi, lock);
    pthread_mutex_lock(&fs->locks);
    const struct mem_lock* blocker = mem_lock_conflict(node->posix_locks, &want);
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
    fuse_reply_lock(req, lock);
}

static void memfs_setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi, struct flock* lock,
                        int sleep)
{
    const struct mem_lock want = from_flock(fi, lock);
    set_lock(req, mem_node_of(mem_fs_of(req), ino), /* is_flock= */ 0, &want, sleep);
}

static void memfs_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi, int op)
{
    struct mem_fs* fs = mem_fs_of(req);
    struct mem_node* node = mem_node_of(fs, ino);
    struct mem_lock want = {.owner = fi->lock_owner, .end = INT64_MAX, .type = F_UNLCK};
    int kind = op & ~LOCK_NB;
    if (kind != LOCK_UN)
        want.type = kind == LOCK_EX ? F_WRLCK : F_RDLCK;
    /* As in the kernel, changing the type of a flock gives up the old lock first. */
    pthread_mutex_lock(&fs->locks);
    int changes = 0;
    for (const struct mem_lock* l = node->flocks; l; l = l->next)
        changes |= l->owner == want.owner && l->type != want.type;
    pthread_mutex_unlock(&fs->locks);
    if (changes)
        mem_drop_locks(fs, node, want.owner, /* is_flock= */ 1);
    set_lock(req, node, /* is_flock= */ 1, &want, !(op & LOCK_NB));
}

void memfs_add_lock_ops(struct fuse_lowlevel_ops* ops)
{
    ops->getlk = memfs_getlk;
    ops->setlk = memfs_setlk;
    ops->flock = memfs_flock;
}
