/* The reply thread of null_ll: a list under a mutex, one thread that empties it. */
#include "null_reply.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct queued {
    struct queued* next;
    struct null_reply reply;
};

/* All guarded by mutex, except thread, which only start and stop touch. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct queued* head;
    struct queued** tail;
    int stopping;
    pthread_t thread;
} g_queue = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .tail = &g_queue.head};

static void reply_data(const struct null_reply* r)
{
    struct fuse_bufvec vec = FUSE_BUFVEC_INIT(r->size);
    vec.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
    vec.buf[0].fd = r->fd;
    vec.buf[0].pos = r->off;
    fuse_reply_data(r->req, &vec, (enum fuse_buf_copy_flags)0);
}

void null_reply_now(const struct null_reply* r)
{
    switch (r->kind) {
    case kNullReplyAttr:
        fuse_reply_attr(r->req, &r->attr, r->attr_timeout);
        break;
    case kNullReplyWrite:
        fuse_reply_write(r->req, r->size);
        break;
    case kNullReplyBuf:
        fuse_reply_buf(r->req, r->mem, r->size);
        break;
    case kNullReplyData:
        reply_data(r);
        break;
    }
}

void null_reply_later(const struct null_reply* reply)
{
    struct queued* item = malloc(sizeof(*item));
    if (!item) {
        fuse_reply_err(reply->req, ENOMEM);
        return;
    }
    item->next = NULL;
    item->reply = *reply;
    pthread_mutex_lock(&g_queue.mutex);
    *g_queue.tail = item;
    g_queue.tail = &item->next;
    pthread_mutex_unlock(&g_queue.mutex);
    pthread_cond_signal(&g_queue.wake);
}

static void* reply_main(void* unused)
{
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&g_queue.mutex);
        while (!g_queue.head && !g_queue.stopping)
            pthread_cond_wait(&g_queue.wake, &g_queue.mutex);
        struct queued* list = g_queue.head;
        g_queue.head = NULL;
        g_queue.tail = &g_queue.head;
        pthread_mutex_unlock(&g_queue.mutex);
        if (!list)
            return NULL;
        while (list) {
            struct queued* item = list;
            list = item->next;
            null_reply_now(&item->reply);
            free(item);
        }
    }
}

int null_reply_start(void)
{
    /* Signals belong to the thread inside the loop: one that landed here would not wake it. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int rc = -pthread_create(&g_queue.thread, NULL, reply_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

void null_reply_stop(void)
{
    pthread_mutex_lock(&g_queue.mutex);
    g_queue.stopping = 1;
    pthread_mutex_unlock(&g_queue.mutex);
    pthread_cond_signal(&g_queue.wake);
    pthread_join(g_queue.thread, NULL);
}
