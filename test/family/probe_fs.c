/* The filesystem of the probe, as a program of the family's time would be written, looking at everything it
 * is given. */
#include "abi.h"
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

const char* const file_names[NR_FILES] = {"",       "",      "plain", "keep", "direct",
                                          "stream", "quiet", "wide",  "dir",  "fresh"};

static struct fuse_session* session;
static char content[FILE_BYTES];
static int content_fd = -1;
static const char retrieve_cookie;

void wrong(const char* format, ...)
{
    char text[sizeof(shared->first_failure)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (!shared->first_failure[0])
        memcpy(shared->first_failure, text, sizeof(text));
}

/* One page per object, given away for good: there are few. */
void* at_the_end_of_memory(size_t bytes)
{
    const size_t page = 4096;
    char* two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (two == MAP_FAILED || mprotect(two + page, page, PROT_NONE) != 0)
        abort();
    return two + page - bytes;
}

/* What is given to fuse_reply_open(): ends where the family's structure ends. Up to 3.16 its last four bytes
 * are padding, which programs leave as it was; a library that took them for backing_id would ask for
 * passthrough. */
static struct fuse_file_info* answer_of(const struct fuse_file_info* fi)
{
    struct fuse_file_info* answer = at_the_end_of_memory(sizeof(*answer));

    memcpy(answer, fi, sizeof(*answer));
#if !FAMILY_D
    memset((char*)answer + 36, 0x77, 4);
#endif
    return answer;
}

static void fill_attr(uint64_t ino, struct stat* st)
{
    memset(st, 0, sizeof(*st));
    st->st_ino = ino;
    st->st_nlink = 1;
    st->st_mode = ino == ROOT || ino == FOLDER ? S_IFDIR | 0755 : S_IFREG | 0644;
    st->st_size = S_ISREG(st->st_mode) ? FILE_BYTES : 0;
}

static void do_init(void* userdata, struct fuse_conn_info* conn)
{
    int right = userdata == shared && conn->proto_major == 7 && conn->max_write >= 4096 &&
                conn->capable != 0 && (conn->want & ~conn->capable) == 0;

#if FAMILY_D
    right = right && (uint32_t)conn->capable_ext == conn->capable && (uint32_t)conn->want_ext == conn->want;
#else
    /* Nobody has to leave them alone: they were "reserved". */
    memset(conn->reserved, 0xff, sizeof(conn->reserved));
#endif
    atomic_store(&shared->init_is_right, right);
}

static void do_destroy(void* userdata)
{
    if (userdata == shared)
        atomic_fetch_add(&shared->destroys, 1);
}

static void store(void)
{
    struct fuse_bufvec list = {.count = 3};
    char text[] = STORED_TEXT;

    list.buf[0].size = 6;
    list.buf[0].mem = text;
    list.buf[1].size = 3;
    list.buf[1].mem = text + 6;
    list.buf[2].size = sizeof(text) - 10;
    list.buf[2].mem = text + 9;
    if (fuse_lowlevel_notify_store(session, KEEP, 0, &list, 0) != 0)
        wrong("notify_store failed");
}

static void do_lookup(fuse_req_t req, uint64_t parent, const char* name)
{
    struct fuse_entry_param e;

    if (parent == ROOT && strcmp(name, "store-now") == 0)
        store();
    if (parent == ROOT && strcmp(name, "retrieve-now") == 0 &&
        fuse_lowlevel_notify_retrieve(session, KEEP, strlen(STORED_TEXT), 0, (void*)&retrieve_cookie) != 0)
        wrong("notify_retrieve failed");
    memset(&e, 0, sizeof(e));
    for (int ino = PLAIN; ino < FRESH && parent == ROOT; ino++) {
        if (strcmp(name, file_names[ino]) == 0) {
            e.ino = ino;
            e.attr_timeout = e.entry_timeout = 60;
            fill_attr(ino, &e.attr);
            fuse_reply_entry(req, &e);
            return;
        }
    }
    fuse_reply_err(req, ENOENT);
}

static void do_getattr(fuse_req_t req, uint64_t ino, struct fuse_file_info* fi)
{
    struct stat st;

    if (fi && fi->fh != handle_of(ino))
        wrong("getattr: fh=%#llx", (unsigned long long)fi->fh);
    fill_attr(ino, &st);
    fuse_reply_attr(req, &st, 60);
}

static void do_setattr(fuse_req_t req, uint64_t ino, struct stat* attr, int to_set, struct fuse_file_info* fi)
{
    (void)attr;
    (void)to_set;
    do_getattr(req, ino, fi);
}

static void do_open(fuse_req_t req, uint64_t ino, struct fuse_file_info* fi)
{
    struct seen* seen = &shared->file[ino];

    atomic_fetch_add(&seen->opens, 1);
    atomic_store(&seen->open_flags, fi->flags);
    if (fi->writepage || fi->direct_io || fi->keep_cache || fi->flush || fi->nonseekable ||
        fi->flock_release || fi->cache_readdir || fi->padding || fi->fh || fi->lock_owner || fi->poll_events)
        wrong("open: something is set in advance");
#if FAMILY_D
    if (fi->backing_id || fi->compat_flags || fi->reserved[0] || fi->reserved[1])
        wrong("open: something new is set in advance");
#endif
    fi->fh = handle_of(ino);
    fi->direct_io = ino == DIRECT || ino == WIDE;
    fi->keep_cache = ino == KEEP || ino == FOLDER;
    fi->nonseekable = ino == STREAM;
    fi->cache_readdir = ino == FOLDER;
#if FAMILY_A
    /* Bits that later families know; here they are padding. */
    fi->padding = ino == QUIET ? 1 : ino == WIDE ? 2 : 0;
#else
    fi->noflush = ino == QUIET;
#endif
#if FAMILY_C || FAMILY_D
    fi->parallel_direct_writes = ino == WIDE;
#elif FAMILY_B
    fi->padding = ino == WIDE ? 1 : 0;
#endif
    fuse_reply_open(req, answer_of(fi));
}

static void do_create(fuse_req_t req, uint64_t parent, const char* name, mode_t mode,
                      struct fuse_file_info* fi)
{
    struct fuse_entry_param e;

    (void)parent;
    (void)mode;
    if (strcmp(name, file_names[FRESH]) != 0) {
        fuse_reply_err(req, EPERM);
        return;
    }
    atomic_store(&shared->file[FRESH].open_flags, fi->flags);
    memset(&e, 0, sizeof(e));
    e.ino = FRESH;
    fill_attr(FRESH, &e.attr);
    fi->fh = handle_of(FRESH);
    fi->direct_io = 1;
    fuse_reply_create(req, &e, answer_of(fi));
}

/* Three pieces: memory, the same bytes in a file, memory. */
static void do_read(fuse_req_t req, uint64_t ino, size_t size, off_t off, struct fuse_file_info* fi)
{
    struct seen* seen = &shared->file[ino];
    const size_t left = off < FILE_BYTES ? (size_t)(FILE_BYTES - off) : 0;
    const size_t n = size < left ? size : left;
    struct fuse_bufvec list = {.count = 3};

    atomic_fetch_add(&seen->reads, 1);
    atomic_store(&seen->last_read_bytes, (int)size);
    atomic_store(&seen->read_fh, fi->fh);
    list.buf[0].size = n / 3;
    list.buf[0].mem = content + off;
    list.buf[1].size = n / 3;
    list.buf[1].flags = BUF_IS_FD | BUF_FD_SEEK;
    list.buf[1].fd = content_fd;
    list.buf[1].pos = off + (off_t)(n / 3);
    list.buf[2].size = n - 2 * (n / 3);
    list.buf[2].mem = content + off + 2 * (n / 3);
    if (fuse_buf_size(&list) != n)
        wrong("fuse_buf_size of a reply: %zu, wanted %zu", fuse_buf_size(&list), n);
    fuse_reply_data(req, &list, 0);
}

static void wait_for_another_writer(struct seen* seen)
{
    const struct timespec moment = {0, 1000000};
    const int here = atomic_fetch_add(&seen->writers, 1) + 1;
    int moments = atomic_load(&shared->write_wait_ms);

    if (here > atomic_load(&seen->most_writers))
        atomic_store(&seen->most_writers, here);
    while (moments-- > 0 && atomic_load(&seen->most_writers) < 2)
        nanosleep(&moment, NULL);
    atomic_fetch_sub(&seen->writers, 1);
}

static void do_write_buf(fuse_req_t req, uint64_t ino, struct fuse_bufvec* from, off_t off,
                         struct fuse_file_info* fi)
{
    const size_t room = 2 * (1 << 20);
    char* dump = malloc(room); /* one for each handler: two of them write at once */
    struct seen* seen = &shared->file[ino];
    struct fuse_bufvec to = {.count = 2};
    const size_t size = fuse_buf_size(from);
    ssize_t n;

    (void)off;
    if (!dump)
        abort();
    atomic_fetch_add(&seen->writes, 1);
    atomic_store(&seen->writepage_bit, fi->writepage);
    if (ino == WIDE)
        wait_for_another_writer(seen);
    to.buf[0].size = 1;
    to.buf[0].mem = dump;
    to.buf[1].size = room - 1;
    to.buf[1].mem = dump + 1;
    n = fuse_buf_copy(&to, from, 0);
    if (n != (ssize_t)size)
        wrong("write: %zd bytes copied of %zu", n, size);
    free(dump);
    fuse_reply_write(req, size);
}

static void do_flush(fuse_req_t req, uint64_t ino, struct fuse_file_info* fi)
{
    struct seen* seen = &shared->file[ino];

    atomic_store(&seen->flush_bit, fi->flush);
    atomic_store(&seen->flush_owner, fi->lock_owner);
    if (fi->flock_release || fi->nonseekable || fi->cache_readdir || fi->padding)
        wrong("flush: another bit is set");
    atomic_fetch_add(&seen->flushes, 1);
    fuse_reply_err(req, 0);
}

static void do_release(fuse_req_t req, uint64_t ino, struct fuse_file_info* fi)
{
    struct seen* seen = &shared->file[ino];

    if (fi->fh != handle_of(ino))
        wrong("release: fh=%#llx", (unsigned long long)fi->fh);
    atomic_store(&seen->release_flock_bit, fi->flock_release);
    atomic_fetch_add(&seen->releases, 1);
    fuse_reply_err(req, 0);
}

static void do_releasedir(fuse_req_t req, uint64_t ino, struct fuse_file_info* fi)
{
    (void)ino;
    (void)fi;
    fuse_reply_err(req, 0);
}

static void do_readdir(fuse_req_t req, uint64_t ino, size_t size, off_t off, struct fuse_file_info* fi)
{
    struct stat st;
    char entry[64];
    size_t bytes = 0;

    (void)fi;
    atomic_fetch_add(&shared->file[ino].readdirs, 1);
    fill_attr(PLAIN, &st);
    if (off == 0)
        bytes = fuse_add_direntry(req, entry, size < sizeof(entry) ? size : sizeof(entry), "entry", &st, 1);
    fuse_reply_buf(req, entry, bytes);
}

static void do_setlk(fuse_req_t req, uint64_t ino, struct fuse_file_info* fi, struct flock* lock, int sleep)
{
    (void)sleep;
    if (lock->l_type == F_WRLCK)
        atomic_store(&shared->file[ino].lock_owner, fi->lock_owner);
    fuse_reply_err(req, 0);
}

static void do_getlk(fuse_req_t req, uint64_t ino, struct fuse_file_info* fi, struct flock* lock)
{
    (void)ino;
    (void)fi;
    (void)lock;
    fuse_reply_err(req, ENOSYS);
}

static void do_flock(fuse_req_t req, uint64_t ino, struct fuse_file_info* fi, int op)
{
    (void)ino;
    (void)fi;
    (void)op;
    fuse_reply_err(req, 0);
}

static void do_poll(fuse_req_t req, uint64_t ino, struct fuse_file_info* fi, struct fuse_pollhandle* handle)
{
    (void)handle; /* the client polls without waiting */
    atomic_store(&shared->file[ino].poll_events, fi->poll_events);
    fuse_reply_poll(req, POLLIN);
}

static void do_retrieve_reply(fuse_req_t req, void* cookie, uint64_t ino, off_t off, struct fuse_bufvec* from)
{
    char text[sizeof(STORED_TEXT)] = "";
    struct fuse_bufvec to = {.count = 2};

    to.buf[0].size = 7;
    to.buf[0].mem = text;
    to.buf[1].size = sizeof(text) - 8;
    to.buf[1].mem = text + 7;
    if (fuse_buf_copy(&to, from, 0) != (ssize_t)strlen(STORED_TEXT) || strcmp(text, STORED_TEXT) != 0 ||
        cookie != &retrieve_cookie || ino != KEEP || off != 0)
        wrong("retrieved \"%s\"", text);
    else
        atomic_store(&shared->retrieved_is_right, 1);
    fuse_reply_err(req, 0);
}

static const fuse_op ops[NR_OPS] = {
    [OP_INIT] = (fuse_op)do_init,           [OP_DESTROY] = (fuse_op)do_destroy,
    [OP_LOOKUP] = (fuse_op)do_lookup,       [OP_GETATTR] = (fuse_op)do_getattr,
    [OP_SETATTR] = (fuse_op)do_setattr,     [OP_OPEN] = (fuse_op)do_open,
    [OP_READ] = (fuse_op)do_read,           [OP_FLUSH] = (fuse_op)do_flush,
    [OP_RELEASE] = (fuse_op)do_release,     [OP_OPENDIR] = (fuse_op)do_open,
    [OP_READDIR] = (fuse_op)do_readdir,     [OP_RELEASEDIR] = (fuse_op)do_releasedir,
    [OP_CREATE] = (fuse_op)do_create,       [OP_GETLK] = (fuse_op)do_getlk,
    [OP_SETLK] = (fuse_op)do_setlk,         [OP_POLL] = (fuse_op)do_poll,
    [OP_WRITE_BUF] = (fuse_op)do_write_buf, [OP_RETRIEVE_REPLY] = (fuse_op)do_retrieve_reply,
    [OP_FLOCK] = (fuse_op)do_flock,
};

/* The application's own buffer, which ends where the family's structure ends. */
static int loop_of_our_own(void)
{
    struct fuse_buf* buf = at_the_end_of_memory(sizeof(*buf));
    int rc = 0;

    memset(buf, 0, sizeof(*buf));
    while (!fuse_session_exited(session)) {
        rc = fuse_session_receive_buf(session, buf);
        if (rc == -EINTR)
            continue;
        if (rc <= 0)
            break;
        fuse_session_process_buf(session, buf);
    }
    free(buf->mem);
    return rc < 0 ? rc : 0;
}

static int loop_with_threads(void)
{
#if FAMILY_A
    struct fuse_loop_config_v1 config = {0, 10};

    return fuse_session_loop_mt(session, &config);
#else
    struct fuse_loop_config* config = fuse_loop_cfg_create();
    const int rc = fuse_session_loop_mt(session, config);

    fuse_loop_cfg_destroy(config);
    return rc;
#endif
}

static struct fuse_session* new_session(struct fuse_args* args)
{
#if FAMILY_D
    const struct libfuse_version version = {3, 18, 2, 0};

    return fuse_session_new_versioned(args, ops, sizeof(ops), &version, shared);
#else
    return fuse_session_new(args, ops, sizeof(ops), shared);
#endif
}

static void check_lists(void)
{
    const size_t bytes = offsetof(struct fuse_bufvec, buf) + 3 * sizeof(struct fuse_buf);
    struct fuse_bufvec* from = at_the_end_of_memory(bytes);
    struct fuse_bufvec* to = at_the_end_of_memory(bytes);
    char text[] = "one two three", copy[sizeof(text)] = "";

    memset(from, 0, bytes);
    memset(to, 0, bytes);
    from->count = to->count = 3;
    from->buf[0].size = 4;
    from->buf[0].mem = text;
    from->buf[1].size = 4;
    from->buf[1].mem = text + 4;
    from->buf[2].size = 5;
    from->buf[2].mem = text + 8;
    to->buf[0].size = 1;
    to->buf[0].mem = copy;
    to->buf[1].size = 11;
    to->buf[1].mem = copy + 1;
    to->buf[2].size = 1;
    to->buf[2].mem = copy + 12;
    if (fuse_buf_size(from) != 13)
        wrong("fuse_buf_size: %zu", fuse_buf_size(from));
    if (fuse_buf_copy(to, from, 0) != 13 || strcmp(copy, text) != 0)
        wrong("fuse_buf_copy made \"%s\" of \"%s\"", copy, text);
}

/* The release we run on, as far as the library says. */
static void check_version(void)
{
    const int wanted = FAMILY_A ? 310 : FAMILY_B ? 314 : FAMILY_C ? 316 : 319;
    const char* ours = "ringfuse";
    char name[20];

    snprintf(name, sizeof(name), "3.%d.", wanted - 300);
#ifdef REFERENCE
    ours = "";
#endif
    if (fuse_version() != wanted || strncmp(fuse_pkgversion(), name, strlen(name)) != 0 ||
        !strstr(fuse_pkgversion(), ours))
        wrong("version %d, %s", fuse_version(), fuse_pkgversion());
}

void serve(const char* mountpoint, int own_loop)
{
    char* argv[] = {"probe", NULL};
    struct fuse_args args = {1, argv, 0};

    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (char)(i * 7 + i / 256);
    content_fd = memfd_create("content", MFD_CLOEXEC);
    if (write(content_fd, content, sizeof(content)) != (ssize_t)sizeof(content))
        abort();
    session = new_session(&args);
    if (!session || fuse_session_mount(session, mountpoint) != 0) {
        wrong("no session, or not mounted");
        atomic_store(&shared->loop_result, -1);
        _exit(1);
    }
    check_lists();
    check_version();
    const int rc = own_loop ? loop_of_our_own() : loop_with_threads();
    atomic_store(&shared->loop_result, rc);
    snprintf(shared->transport, sizeof(shared->transport), "%s", ringfuse_transport_name(session));
    fuse_session_unmount(session);
    fuse_session_destroy(session);
    exit(0);
}
