/* flock for passthrough. A request that must wait gets a thread of its own, so that waiters never use up the
 * workers of the library. That thread tries again and again, because a flock() that sleeps could not be ended
 * by an interrupt on another thread. The descriptor stays open meanwhile: its user waits for the answer.
 *
 * The interrupt callback knows a waiter by number, never by address: it may run while the answer is being
 * sent. */
#include "pt.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>

struct waiter {
    struct waiter* next;
    uint64_t id; /* never reused */
    fuse_req_t req;
    int fd;
    int op;
    int interrupted;
};

/* All guarded by lock. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* somebody was interrupted, or the list became shorter */
    struct waiter* list;
    uint64_t last_id;
    int stopping;
} g_flock = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int try_lock(int fd, int op)
{
    return flock(fd, op | LOCK_NB) == 0 ? 0 : errno;
}

static void pause_ms(int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&g_flock.changed, &g_flock.lock, &until);
}

static void forget_waiter(struct waiter* w)
{
    struct waiter** link = &g_flock.list;
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    pthread_cond_broadcast(&g_flock.changed);
}

static void* waiter_main(void* arg)
{
    struct waiter* w = arg;
    int err = EWOULDBLOCK;
    pthread_mutex_lock(&g_flock.lock);
    for (int ms = 1; err == EWOULDBLOCK; ms = ms < 20 ? 2 * ms : 20) {
        if (w->interrupted || g_flock.stopping) {
            err = EINTR;
            break;
        }
        pause_ms(ms);
        pthread_mutex_unlock(&g_flock.lock);
        err = try_lock(w->fd, w->op);
        pthread_mutex_lock(&g_flock.lock);
    }
    pthread_mutex_unlock(&g_flock.lock);
    fuse_reply_err(w->req, err);
    /* Off the list only now: pt_flock_stop() must not return while a reply is on its way. */
    pthread_mutex_lock(&g_flock.lock);
    forget_waiter(w);
    pthread_mutex_unlock(&g_flock.lock);
    free(w);
    return NULL;
}

static void on_interrupt(fuse_req_t req, void* data)
{
    (void)req;
    pthread_mutex_lock(&g_flock.lock);
    for (struct waiter* w = g_flock.list; w; w = w->next)
        if (w->id == (uint64_t)(uintptr_t)data)
            w->interrupted = 1;
    pthread_cond_broadcast(&g_flock.changed);
    pthread_mutex_unlock(&g_flock.lock);
}

static int start_thread(struct waiter* w)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* signals belong to the thread inside the loop */
    int err = pthread_create(&thread, &attr, waiter_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return err;
}

static void wait_for_lock(fuse_req_t req, int fd, int op)
{
    struct waiter* w = calloc(1, sizeof(*w));
    if (!w) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    w->req = req;
    w->fd = fd;
    w->op = op;
    pthread_mutex_lock(&g_flock.lock);
    w->id = ++g_flock.last_id;
    w->next = g_flock.list;
    g_flock.list = w;
    pthread_mutex_unlock(&g_flock.lock);
    /* Before the thread starts: after that the request may be answered at any time. */
    fuse_req_interrupt_func(req, on_interrupt, (void*)(uintptr_t)w->id);
    int err = start_thread(w);
    if (err) {
        pthread_mutex_lock(&g_flock.lock);
        forget_waiter(w);
        pthread_mutex_unlock(&g_flock.lock);
        free(w);
        fuse_reply_err(req, err);
    }
}

void pt_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info* fi, int op)
{
    (void)ino;
    int err = try_lock((int)fi->fh, op);
    if (err == EWOULDBLOCK && !(op & LOCK_NB))
        wait_for_lock(req, (int)fi->fh, op);
    else
        fuse_reply_err(req, err);
}

void pt_flock_stop(void)
{
    pthread_mutex_lock(&g_flock.lock);
    g_flock.stopping = 1;
    pthread_cond_broadcast(&g_flock.changed);
    while (g_flock.list)
        pthread_cond_wait(&g_flock.changed, &g_flock.lock);
    pthread_mutex_unlock(&g_flock.lock);
}
