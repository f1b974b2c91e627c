/*
 * What a program knows of libfuse3 that was built with the headers of one family of releases, declared here
 * once more from the measured layouts, so that nothing of ours hides a mistake of ours. The build defines
 * FAMILY as one of 1 (3.0 to 3.10), 2 (3.11 to 3.14.0), 3 (3.14.1 to 3.16), 4 (3.17 and later).
 */
#ifndef FAMILY_ABI_H
#define FAMILY_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define FAMILY_A (FAMILY == 1)
#define FAMILY_B (FAMILY == 2)
#define FAMILY_C (FAMILY == 3)
#define FAMILY_D (FAMILY == 4)

#define IMPORT(name, versioned) __asm__(".symver " #name ", " versioned)

typedef struct fuse_req* fuse_req_t;
struct fuse_session;
struct fuse_pollhandle;

struct fuse_args {
    int argc;
    char** argv;
    int allocated;
};

struct fuse_file_info {
    int32_t flags;
    uint32_t writepage : 1;
    uint32_t direct_io : 1;
    uint32_t keep_cache : 1;
#if FAMILY_C
    uint32_t parallel_direct_writes : 1;
#endif
    uint32_t flush : 1;
    uint32_t nonseekable : 1;
    uint32_t flock_release : 1;
    uint32_t cache_readdir : 1;
#if FAMILY_A
    uint32_t padding : 25;
#else
    uint32_t noflush : 1;
#if FAMILY_D
    uint32_t parallel_direct_writes : 1;
    uint32_t padding : 23;
#elif FAMILY_C
    uint32_t padding : 23;
#else
    uint32_t padding : 24;
#endif
#endif
    uint32_t padding2;
#if FAMILY_D
    uint32_t padding3;
#endif
    uint64_t fh;
    uint64_t lock_owner;
    uint32_t poll_events;
#if FAMILY_D
    int32_t backing_id;
    uint64_t compat_flags;
    uint64_t reserved[2];
#endif
};
_Static_assert(sizeof(struct fuse_file_info) == (FAMILY_D ? 64 : 40), "fuse_file_info");
_Static_assert(offsetof(struct fuse_file_info, fh) == 16, "fuse_file_info.fh");

struct fuse_entry_param {
    uint64_t ino;
    uint64_t generation;
    struct stat attr;
    double attr_timeout;
    double entry_timeout;
};
_Static_assert(sizeof(struct fuse_entry_param) == 176, "fuse_entry_param");

struct fuse_conn_info {
    uint32_t proto_major;
    uint32_t proto_minor;
    uint32_t max_write;
    uint32_t max_read;
    uint32_t max_readahead;
    uint32_t capable;
    uint32_t want;
    uint32_t max_background;
    uint32_t congestion_threshold;
    uint32_t time_gran;
#if FAMILY_D
    uint32_t max_backing_stack_depth;
    uint32_t no_interrupt : 1;
    uint32_t bits : 31;
    uint64_t capable_ext;
    uint64_t want_ext;
    uint16_t request_timeout;
    uint16_t reserved[31];
#else
    uint32_t reserved[22];
#endif
};
_Static_assert(sizeof(struct fuse_conn_info) == 128, "fuse_conn_info");

#define BUF_IS_FD (1 << 1)
#define BUF_FD_SEEK (1 << 2)

struct fuse_buf {
    size_t size;
    int flags;
    void* mem;
    int fd;
    off_t pos;
#if FAMILY_D
    size_t mem_size;
#endif
};
_Static_assert(sizeof(struct fuse_buf) == (FAMILY_D ? 48 : 40), "fuse_buf");

struct fuse_bufvec {
    size_t count;
    size_t idx;
    size_t off;
    struct fuse_buf buf[3];
};

struct fuse_loop_config_v1 {
    int clone_fd;
    unsigned int max_idle_threads;
};

struct libfuse_version {
    uint32_t major;
    uint32_t minor;
    uint32_t hotfix;
    uint32_t padding;
};

/* Places in fuse_lowlevel_ops. */
enum {
    OP_INIT = 0,
    OP_DESTROY = 1,
    OP_LOOKUP = 2,
    OP_GETATTR = 4,
    OP_SETATTR = 5,
    OP_OPEN = 14,
    OP_READ = 15,
    OP_FLUSH = 17,
    OP_RELEASE = 18,
    OP_OPENDIR = 20,
    OP_READDIR = 21,
    OP_RELEASEDIR = 22,
    OP_CREATE = 30,
    OP_GETLK = 31,
    OP_SETLK = 32,
    OP_POLL = 35,
    OP_WRITE_BUF = 36,
    OP_RETRIEVE_REPLY = 37,
    OP_FLOCK = 39,
    /* 3.0 to 3.3 end at 42, 3.4 to 3.7 at 43, 3.8 to 3.16 at 44. */
    NR_OPS = FAMILY_A   ? 43
             : FAMILY_D ? 47
                        : 44
};
typedef void (*fuse_op)(void);

int fuse_session_mount(struct fuse_session* se, const char* mountpoint);
int fuse_session_receive_buf(struct fuse_session* se, struct fuse_buf* buf);
void fuse_session_process_buf(struct fuse_session* se, const struct fuse_buf* buf);
int fuse_session_exited(struct fuse_session* se);
void fuse_session_unmount(struct fuse_session* se);
void fuse_session_destroy(struct fuse_session* se);

int fuse_reply_err(fuse_req_t req, int err);
int fuse_reply_entry(fuse_req_t req, const struct fuse_entry_param* e);
int fuse_reply_create(fuse_req_t req, const struct fuse_entry_param* e, const struct fuse_file_info* fi);
int fuse_reply_attr(fuse_req_t req, const struct stat* attr, double timeout);
int fuse_reply_open(fuse_req_t req, const struct fuse_file_info* fi);
int fuse_reply_write(fuse_req_t req, size_t count);
int fuse_reply_buf(fuse_req_t req, const char* buf, size_t size);
int fuse_reply_data(fuse_req_t req, struct fuse_bufvec* bufv, int flags);
int fuse_reply_poll(fuse_req_t req, unsigned revents);
size_t fuse_add_direntry(fuse_req_t req, char* buf, size_t bufsize, const char* name, const struct stat* st,
                         off_t off);
int fuse_lowlevel_notify_store(struct fuse_session* se, uint64_t ino, off_t off, struct fuse_bufvec* bufv,
                               int flags);
int fuse_lowlevel_notify_retrieve(struct fuse_session* se, uint64_t ino, size_t size, off_t off,
                                  void* cookie);
size_t fuse_buf_size(const struct fuse_bufvec* bufv);
ssize_t fuse_buf_copy(struct fuse_bufvec* dst, struct fuse_bufvec* src, int flags);
int fuse_version(void);
const char* fuse_pkgversion(void);
#ifndef REFERENCE
/* Not libfuse's: proof of what carried the requests. */
const char* ringfuse_transport_name(struct fuse_session* se);
#else
#define ringfuse_transport_name(se) ((void)(se), "dev")
#endif

#if FAMILY_D
struct fuse_session* fuse_session_new_versioned(struct fuse_args* args, const fuse_op* ops, size_t op_size,
                                                const struct libfuse_version* version, void* userdata);
#else
struct fuse_session* fuse_session_new(struct fuse_args* args, const fuse_op* ops, size_t op_size,
                                      void* userdata);
#endif
#if FAMILY_A
int fuse_session_loop_mt(struct fuse_session* se, struct fuse_loop_config_v1* config);
IMPORT(fuse_session_loop_mt, "fuse_session_loop_mt@FUSE_3.2");
#else
struct fuse_loop_config* fuse_loop_cfg_create(void);
void fuse_loop_cfg_destroy(struct fuse_loop_config* config);
int fuse_session_loop_mt(struct fuse_session* se, struct fuse_loop_config* config);
IMPORT(fuse_session_loop_mt, "fuse_session_loop_mt@FUSE_3.12");
#endif

#endif
