/* A character device: a queue of bytes. read(2) takes what is there and waits if there is nothing (EAGAIN
 * with O_NONBLOCK, EINTR after a signal); write(2) adds what fits and fails with ENOSPC if nothing does;
 * poll(2) tells; the ioctls are in cuse_queue.h. Says "ready" on standard output when the kernel was told of
 * the device. */
#define FUSE_USE_VERSION 314
#include "cuse_queue.h"

#include <cuse_lowlevel.h>
#include <errno.h>
#include <fuse_opt.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMostReaders = 16 };

/* Everything below `lock` is guarded by it. A waiting request is answered by whoever takes it out of
 * `readers`. */
static struct {
    pthread_mutex_t lock;
    char bytes[kQueueBytes];
    size_t used;
    size_t room;
    struct {
        fuse_req_t req;
        size_t size;
    } readers[kMostReaders];
    size_t nr_readers;
    struct fuse_pollhandle* poller;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .room = kQueueBytes};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void tell_poller(void)
{
    if (!queue.poller)
        return;
    fuse_lowlevel_notify_poll(queue.poller);
    fuse_pollhandle_destroy(queue.poller);
    queue.poller = NULL;
}

static void take_front(fuse_req_t req, size_t size)
{
    const size_t taken = smaller(size, queue.used);
    fuse_reply_buf(req, queue.bytes, taken);
    memmove(queue.bytes, queue.bytes + taken, queue.used - taken);
    queue.used -= taken;
}

static void forget_reader(size_t i)
{
    queue.nr_readers--;
    memmove(&queue.readers[i], &queue.readers[i + 1], (queue.nr_readers - i) * sizeof(queue.readers[0]));
}

static void on_interrupt(fuse_req_t req, void* unused)
{
    (void)unused;
    pthread_mutex_lock(&queue.lock);
    for (size_t i = 0; i < queue.nr_readers; i++) {
        if (queue.readers[i].req != req)
            continue;
        forget_reader(i);
        fuse_reply_err(req, EINTR);
        break;
    }
    pthread_mutex_unlock(&queue.lock);
}

static void queue_init_done(void* userdata)
{
    (void)userdata;
    puts("ready");
    fflush(stdout);
}

static void queue_open(fuse_req_t req, struct fuse_file_info* fi)
{
    fi->nonseekable = 1;
    fuse_reply_open(req, fi);
}

static void queue_read(fuse_req_t req, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)off;
    /* Outside of the lock, which on_interrupt takes: it may run in here. It does nothing for a request that
     * does not wait yet, so a look at the flag has to follow. */
    fuse_req_interrupt_func(req, on_interrupt, NULL);
    pthread_mutex_lock(&queue.lock);
    if (queue.used > 0) {
        take_front(req, size);
        tell_poller();
    } else if (fi->flags & O_NONBLOCK) {
        fuse_reply_err(req, EAGAIN);
    } else if (queue.nr_readers == kMostReaders) {
        fuse_reply_err(req, EBUSY);
    } else if (fuse_req_interrupted(req)) {
        fuse_reply_err(req, EINTR);
    } else {
        queue.readers[queue.nr_readers].req = req;
        queue.readers[queue.nr_readers].size = size;
        queue.nr_readers++;
    }
    pthread_mutex_unlock(&queue.lock);
}

static void queue_write(fuse_req_t req, const char* buf, size_t size, off_t off, struct fuse_file_info* fi)
{
    (void)off;
    (void)fi;
    pthread_mutex_lock(&queue.lock);
    const size_t added = queue.used < queue.room ? smaller(size, queue.room - queue.used) : 0;
    memcpy(queue.bytes + queue.used, buf, added);
    queue.used += added;
    if (added == 0 && size > 0)
        fuse_reply_err(req, ENOSPC);
    else
        fuse_reply_write(req, added);
    while (queue.used > 0 && queue.nr_readers > 0) {
        const fuse_req_t reader = queue.readers[0].req;
        const size_t wanted = queue.readers[0].size;
        forget_reader(0);
        take_front(reader, wanted);
    }
    tell_poller();
    pthread_mutex_unlock(&queue.lock);
}

static void queue_release(fuse_req_t req, struct fuse_file_info* fi)
{
    (void)fi;
    fuse_reply_err(req, 0);
}

static void queue_poll(fuse_req_t req, struct fuse_file_info* fi, struct fuse_pollhandle* handle)
{
    (void)fi;
    pthread_mutex_lock(&queue.lock);
    if (handle) {
        if (queue.poller)
            fuse_pollhandle_destroy(queue.poller);
        queue.poller = handle;
    }
    const unsigned ready = (queue.used > 0 ? POLLIN : 0u) | (queue.used < queue.room ? POLLOUT : 0u);
    fuse_reply_poll(req, ready);
    pthread_mutex_unlock(&queue.lock);
}

/* An unrestricted ioctl names the memory it needs, first its argument, then what the argument points to; each
 * answer brings the ioctl back with that much more. Under the lock. */
static void peek(fuse_req_t req, void* arg, const void* in, size_t in_bytes, size_t out_bytes)
{
    struct queue_peek wanted;
    const struct iovec argument = {arg, sizeof(wanted)};
    if (in_bytes < sizeof(wanted)) {
        fuse_reply_ioctl_retry(req, &argument, 1, NULL, 0);
        return;
    }
    memcpy(&wanted, in, sizeof(wanted));
    const size_t bytes = smaller(wanted.bytes, queue.used);
    const struct iovec target = {(void*)(uintptr_t)wanted.to, bytes};
    if (bytes > 0 && out_bytes == 0)
        fuse_reply_ioctl_retry(req, &argument, 1, &target, 1);
    else
        fuse_reply_ioctl(req, (int)bytes, queue.bytes, smaller(bytes, out_bytes));
}

static void set_room(fuse_req_t req, const void* in, size_t in_bytes)
{
    int32_t room = 0;
    if (in_bytes >= sizeof(room))
        memcpy(&room, in, sizeof(room));
    if (room <= 0 || room > kQueueBytes) {
        fuse_reply_err(req, EINVAL);
        return;
    }
    queue.room = (size_t)room;
    fuse_reply_ioctl(req, 0, NULL, 0);
}

static void queue_ioctl(fuse_req_t req, int cmd, void* arg, struct fuse_file_info* fi, unsigned flags,
                        const void* in, size_t in_bytes, size_t out_bytes)
{
    (void)fi;
    const int unrestricted = (flags & FUSE_IOCTL_UNRESTRICTED) != 0;
    const struct iovec argument = {arg, sizeof(int32_t)};
    pthread_mutex_lock(&queue.lock);
    const int32_t used = (int32_t)queue.used;
    switch ((unsigned)cmd) {
    case QUEUE_GET_BYTES:
        if (unrestricted && out_bytes == 0)
            fuse_reply_ioctl_retry(req, NULL, 0, &argument, 1);
        else
            fuse_reply_ioctl(req, 0, &used, sizeof(used));
        break;
    case QUEUE_SET_ROOM:
        if (unrestricted && in_bytes == 0)
            fuse_reply_ioctl_retry(req, &argument, 1, NULL, 0);
        else
            set_room(req, in, in_bytes);
        break;
    case QUEUE_CLEAR:
        queue.used = 0;
        fuse_reply_ioctl(req, 0, NULL, 0);
        tell_poller();
        break;
    case QUEUE_PEEK:
        if (unrestricted)
            peek(req, arg, in, in_bytes, out_bytes);
        else
            fuse_reply_err(req, EPERM);
        break;
    default:
        fuse_reply_err(req, ENOTTY);
    }
    pthread_mutex_unlock(&queue.lock);
}

static const struct cuse_lowlevel_ops kOps = {
    .init_done = queue_init_done,
    .open = queue_open,
    .read = queue_read,
    .write = queue_write,
    .release = queue_release,
    .ioctl = queue_ioctl,
    .poll = queue_poll,
};

struct options {
    char* name;
    int unrestricted;
};

static const struct fuse_opt kOptions[] = {
    {"--name=%s", offsetof(struct options, name), 0},
    {"--unrestricted", offsetof(struct options, unrestricted), 1},
    FUSE_OPT_END,
};

int main(int argc, char* argv[])
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct options options = {NULL, 0};
    if (fuse_opt_parse(&args, &options, kOptions, NULL) != 0 || !options.name) {
        fprintf(stderr, "usage: cuse_queue --name=NAME [--unrestricted] [-f] [-s] [-d]\n");
        return 1;
    }
    char name[128];
    snprintf(name, sizeof(name), "DEVNAME=%s", options.name);
    const char* properties[] = {name};
    struct cuse_info info;
    memset(&info, 0, sizeof(info));
    info.dev_info_argc = 1;
    info.dev_info_argv = properties;
    info.flags = options.unrestricted ? CUSE_UNRESTRICTED_IOCTL : 0;
    const int code = cuse_lowlevel_main(args.argc, args.argv, &info, &kOps, NULL);
    free(options.name);
    fuse_opt_free_args(&args);
    return code;
}
