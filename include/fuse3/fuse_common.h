/*
 * What the low-level, the high-level and the CUSE API share: open files, the
 * negotiated connection, buffers, the loop's settings, signals.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FUSE_COMMON_H_
#define FUSE_COMMON_H_

#include "libfuse_config.h"
#include "fuse_opt.h"
#include "fuse_log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** API number of a release: major * 100 + minor. Releases before 3.10 used two
 * digits (30 to 39), which compare below these. */
#define FUSE_MAKE_VERSION(maj, min) ((maj) * 100 + (min))

/** API number of these headers. */
#define FUSE_VERSION FUSE_MAKE_VERSION(FUSE_MAJOR_VERSION, FUSE_MINOR_VERSION)

#ifndef FUSE_USE_VERSION
#error define FUSE_USE_VERSION (30 to 319) before including a FUSE header
#elif FUSE_USE_VERSION < 30
#error FUSE_USE_VERSION must be 30 or more
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct fuse_session;
struct fuse_pollhandle;
struct fuse_conn_info_opts;

/**
 * The headers a program was compiled with. The wrappers fill it; all zero
 * stands for "not known".
 */
struct libfuse_version {
	uint32_t major;
	uint32_t minor;
	uint32_t hotfix;
	/** 0 */
	uint32_t padding;
};

/**
 * One open file or directory. Comes with every operation on it; what the
 * filesystem sets in open, opendir or create goes to the kernel.
 */
struct fuse_file_info {
	/** Flags of open(2). Valid in open, create and release. */
	int32_t flags;

	/** write: the data comes from the page cache after the fact; uid, gid
	 * and pid of the request mean nothing, and fh may be that of another
	 * open of the same file. */
	uint32_t writepage : 1;

	/** Set in open or create: bypass the page cache. */
	uint32_t direct_io : 1;

	/** Set in open: what the page cache holds of the file stays valid. */
	uint32_t keep_cache : 1;

	/** Some descriptor was closed: set in flush, and in a release that
	 * carries a flush. */
	uint32_t flush : 1;

	/** Set in open: the file cannot seek. */
	uint32_t nonseekable : 1;

	/** release: give up the flock(2) locks of lock_owner. */
	uint32_t flock_release : 1;

	/** Set in opendir: the kernel may cache the entries. */
	uint32_t cache_readdir : 1;

	/** Set in open: no flush wanted when a descriptor is closed. */
	uint32_t noflush : 1;

	/** Set in open together with direct_io: writes to one file may run at
	 * the same time. */
	uint32_t parallel_direct_writes : 1;

	uint32_t padding : 23;
	uint32_t padding2 : 32;
	uint32_t padding3 : 32;

	/** Handle chosen by the filesystem in open, opendir or create; comes
	 * back with every later operation on the same open file. */
	uint64_t fh;

	/** Who owns a lock: valid in lock operations, flush, release, and in
	 * reads and writes under mandatory locking. */
	uint64_t lock_owner;

	/** poll: POLLIN etc. asked for; 0 if the kernel does not say. */
	uint32_t poll_events;

	/** Set in open or create: id from fuse_passthrough_open(); the kernel
	 * then reads and writes the backing file itself. 0: no. */
	int32_t backing_id;

	/** 0 */
	uint64_t compat_flags;
	uint64_t reserved[2];
};

/**
 * How the multi-threaded loop runs. From FUSE_USE_VERSION 312 on the structure
 * is private and fuse_loop_cfg_*() sets it; this is its older public form.
 */
#if FUSE_USE_VERSION < FUSE_MAKE_VERSION(3, 12)
struct fuse_loop_config_v1;
struct fuse_loop_config {
#else
struct fuse_loop_config_v1 {
#endif
	/** Non-zero: one /dev/fuse descriptor per thread. */
	int clone_fd;

	/** Threads that may wait for requests; more than that end. */
	unsigned int max_idle_threads;
};

/*
 * Abilities (fuse_conn_info.capable_ext: the kernel offers it; want_ext: the
 * filesystem asks for it). The numbering is this API's, not the wire's. Marked
 * [on]: asked for unless the filesystem says otherwise.
 */

/** [on] Reads of one open file may arrive at the same time. */
#define FUSE_CAP_ASYNC_READ		(1UL << 0)

/** fcntl(2) locks go to the filesystem. [on] if getlk and setlk exist. */
#define FUSE_CAP_POSIX_LOCKS		(1UL << 1)

/** [on] O_TRUNC comes with open instead of a setattr before it. */
#define FUSE_CAP_ATOMIC_O_TRUNC		(1UL << 3)

/** lookup of "." and ".." works, so the mount may be exported over NFS. */
#define FUSE_CAP_EXPORT_SUPPORT		(1UL << 4)

/** The umask is applied by the filesystem, not by the kernel. */
#define FUSE_CAP_DONT_MASK		(1UL << 6)

/** Replies may be spliced to the device. */
#define FUSE_CAP_SPLICE_WRITE		(1UL << 7)

/** Splicing may move pages instead of copying them. */
#define FUSE_CAP_SPLICE_MOVE		(1UL << 8)

/** Requests may be spliced from the device. [on] if write_buf exists. */
#define FUSE_CAP_SPLICE_READ		(1UL << 9)

/** flock(2) locks go to the filesystem. [on] if flock exists. */
#define FUSE_CAP_FLOCK_LOCKS		(1UL << 10)

/** [on] ioctl(2) works on directories. */
#define FUSE_CAP_IOCTL_DIR		(1UL << 11)

/** [on] Cached pages are dropped when size or mtime turn out changed. */
#define FUSE_CAP_AUTO_INVAL_DATA	(1UL << 12)

/** readdirplus exists. [on] if it does. */
#define FUSE_CAP_READDIRPLUS		(1UL << 13)

/** The kernel picks readdir or readdirplus. [on] if both exist. */
#define FUSE_CAP_READDIRPLUS_AUTO	(1UL << 14)

/** [on] Direct I/O of one process may be several requests at a time. */
#define FUSE_CAP_ASYNC_DIO		(1UL << 15)

/** Writes stay in the page cache and arrive later, in pages. */
#define FUSE_CAP_WRITEBACK_CACHE	(1UL << 16)

/** open may answer ENOSYS: then there is no open and release any more. */
#define FUSE_CAP_NO_OPEN_SUPPORT	(1UL << 17)

/** Lookups and readdirs in one directory may run at the same time. */
#define FUSE_CAP_PARALLEL_DIROPS	(1UL << 18)

/** The kernel checks POSIX ACLs kept in extended attributes. */
#define FUSE_CAP_POSIX_ACL		(1UL << 19)

/** The filesystem clears set-id bits and capabilities on write, chown and
 * truncate. */
#define FUSE_CAP_HANDLE_KILLPRIV	(1UL << 20)

/** As HANDLE_KILLPRIV, but each request says whether it is to be done. */
#define FUSE_CAP_HANDLE_KILLPRIV_V2	(1UL << 21)

/** The kernel may cache the targets of symbolic links. */
#define FUSE_CAP_CACHE_SYMLINKS		(1UL << 23)

/** opendir may answer ENOSYS: then there is no opendir and releasedir. */
#define FUSE_CAP_NO_OPENDIR_SUPPORT	(1UL << 24)

/** Cached pages are dropped only when the filesystem says so. Excludes
 * AUTO_INVAL_DATA. */
#define FUSE_CAP_EXPLICIT_INVAL_DATA	(1UL << 25)

/** fuse_lowlevel_notify_expire_entry() works. */
#define FUSE_CAP_EXPIRE_ONLY		(1UL << 26)

/** setxattr carries flags beyond those of setxattr(2). */
#define FUSE_CAP_SETXATTR_EXT		(1UL << 27)

/** Shared mmap(2) works on direct_io files. */
#define FUSE_CAP_DIRECT_IO_ALLOW_MMAP	(1UL << 28)

/** The kernel may read and write a backing file itself. */
#define FUSE_CAP_PASSTHROUGH		(1UL << 29)

/** The mount must not be exported over NFS. */
#define FUSE_CAP_NO_EXPORT_SUPPORT	(1UL << 30)

/** [on if enabled] Requests travel over io_uring. */
#define FUSE_CAP_OVER_IO_URING		(1UL << 31)

/** Id-mapped mounts are allowed; needs default_permissions. */
#define FUSE_CAP_ALLOW_IDMAP		(UINT64_C(1) << 32)

/** mknod, mkdir, symlink, create and tmpfile carry security labels, see
 * fuse_req_secctx_next(). */
#define FUSE_CAP_SECURITY_CTX		(UINT64_C(1) << 33)

/* Flags of ioctl requests. */

/** The caller is a 32-bit program. */
#define FUSE_IOCTL_COMPAT	(1 << 0)
/** Not restricted to sizes coded in the command (CUSE only). */
#define FUSE_IOCTL_UNRESTRICTED	(1 << 1)
/** Asks the kernel to come again with more data. */
#define FUSE_IOCTL_RETRY	(1 << 2)
/** The target is a directory. */
#define FUSE_IOCTL_DIR		(1 << 4)

/** Most pieces an ioctl retry may ask for, in and out together. */
#define FUSE_IOCTL_MAX_IOV	256

/** Values for fuse_conn_info.max_backing_stack_depth: the backing files lie
 * on an ordinary filesystem, or on one that is itself stacked. */
#define FUSE_BACKING_STACKED_UNDER	(0)
#define FUSE_BACKING_STACKED_OVER	(1)

/* Flags for fuse_set_conn_flag(). */

/** The handlers never block: one io_uring thread may hold many requests. */
#define FUSE_CONN_FLAG_SINGLE_ISSUER	(1 << 0)
/** Do not ask the kernel to send interrupts. */
#define FUSE_CONN_FLAG_NO_INTERRUPT	(1 << 1)

/**
 * What kernel and filesystem agree on. The init operation gets it with the
 * kernel's offer filled in, and may change the fields marked [rw].
 */
struct fuse_conn_info {
	/** Protocol version of the kernel. */
	uint32_t proto_major;
	uint32_t proto_minor;

	/** [rw] Most bytes in a write, at least 4096. */
	uint32_t max_write;

	/** [rw] Most bytes in a read; 0: no limit. Must equal the mount option
	 * max_read if that was given. */
	uint32_t max_read;

	/** [rw] Most bytes read ahead; may only be lowered. */
	uint32_t max_readahead;

	/** Low half of capable_ext. */
	uint32_t capable;

	/** [rw] Low half of want_ext, for programs that know only 32 bits.
	 * Change this or want_ext, not both. */
	uint32_t want;

	/** [rw] Requests of background kind (readahead, asynchronous writes)
	 * in flight; 0: the kernel's default. */
	uint32_t max_background;

	/** [rw] Background requests from which the mount counts as congested;
	 * 0: three quarters of max_background. */
	uint32_t congestion_threshold;

	/** [rw] Granularity of timestamps in nanoseconds: a power of ten from
	 * 1 to 1000000000. */
	uint32_t time_gran;

	/** [rw] FUSE_BACKING_STACKED_*, for FUSE_CAP_PASSTHROUGH. */
	uint32_t max_backing_stack_depth;

	/** [rw] See FUSE_CONN_FLAG_NO_INTERRUPT. */
	uint32_t no_interrupt : 1;

	/** [rw] See FUSE_CONN_FLAG_SINGLE_ISSUER. */
	uint32_t io_uring_single_issuer : 1;

	uint32_t padding : 30;

	/** FUSE_CAP_* the kernel offers. */
	uint64_t capable_ext;

	/** [rw] FUSE_CAP_* to ask for; best through fuse_set_feature_flag(). */
	uint64_t want_ext;

	/** [rw] Seconds until the kernel gives up on a request and aborts the
	 * connection; 0: never. */
	uint16_t request_timeout;

	/** Not for the filesystem: leave it as it is. */
	uint16_t reserved[31];
};

/**
 * Ask for an ability.
 *
 * @conn  the one given to init
 * @flag  one or more FUSE_CAP_*
 * @return true if the kernel offers all of them (and they are now asked for);
 *         false: nothing was changed
 *
 * Thread: the one in init.  Wire: fuse_init_out.flags, flags2.
 * Since: FUSE_3.17.3
 */
bool fuse_set_feature_flag(struct fuse_conn_info *conn, uint64_t flag);

/**
 * Stop asking for an ability.
 *
 * @conn  the one given to init
 * @flag  one or more FUSE_CAP_*
 *
 * Thread: the one in init.  Wire: fuse_init_out.flags, flags2.
 * Since: FUSE_3.17.3
 */
void fuse_unset_feature_flag(struct fuse_conn_info *conn, uint64_t flag);

/**
 * Ask whether the kernel offers an ability.
 *
 * @conn  the one given to init
 * @flag  one or more FUSE_CAP_*
 * @return true if all of them are offered
 *
 * Thread: the one in init.  Wire: fuse_init_in.flags, flags2.
 * Since: FUSE_3.17.3
 */
bool fuse_get_feature_flag(struct fuse_conn_info *conn, uint64_t flag);

/**
 * Carry a change of the 32-bit want over to want_ext. The library does this
 * itself after init; only a layer that calls somebody else's init needs it.
 *
 * @conn  the one given to init
 * @return 0, or -EINVAL if both fields were changed in different ways
 *
 * Thread: the one in init.  Since: FUSE_3.17.3
 */
int fuse_convert_to_conn_want_ext(struct fuse_conn_info *conn);

/**
 * Say something about the filesystem that the kernel does not negotiate.
 *
 * @conn  the one given to init
 * @flag  FUSE_CONN_FLAG_*; bits from 32 up are not looked at
 * @return true if the library knows the flag (and it is now set)
 *
 * Thread: the one in init.  Since: FUSE_3.19
 */
bool fuse_set_conn_flag(struct fuse_conn_info *conn, uint64_t flag);

/**
 * Take connection options (max_write=, async_read, splice_move, ...) out of a
 * command line, for fuse_apply_conn_info_opts() in init.
 *
 * @args  recognised options are removed
 * @return malloc'd, to be given to free(); NULL after a message
 *
 * Thread: any, no two on the same list.  Since: FUSE_3.0
 */
struct fuse_conn_info_opts *fuse_parse_conn_info_opts(struct fuse_args *args);

/**
 * Put parsed connection options into effect. Best as the last step of init.
 *
 * @opts  from fuse_parse_conn_info_opts(); stays the caller's
 * @conn  the one given to init
 *
 * Thread: the one in init.  Since: FUSE_3.0
 */
void fuse_apply_conn_info_opts(struct fuse_conn_info_opts *opts,
			       struct fuse_conn_info *conn);

/**
 * Go into the background: fork, new session, "/" as directory, standard
 * streams to /dev/null. The parent exits with 0. To be called after the mount
 * and before any thread is started.
 *
 * @foreground  non-zero: only change the directory
 * @return 0, or -1 after a message
 *
 * Thread: the only one of the process.  Since: FUSE_3.0
 */
int fuse_daemonize(int foreground);

/**
 * API number of the library that runs, comparable with FUSE_VERSION.
 *
 * @return major * 100 + minor
 *
 * Thread: any.  Since: FUSE_3.0
 */
int fuse_version(void);

/**
 * Full name of the library's release, for people.
 *
 * @return constant string
 *
 * Thread: any.  Since: FUSE_3.0
 */
const char *fuse_pkgversion(void);

/**
 * Free a poll handle that the poll operation was given. Nothing may notify it
 * afterwards.
 *
 * @ph  consumed; may be NULL
 *
 * Thread: any, once per handle.  Since: FUSE_3.0
 */
void fuse_pollhandle_destroy(struct fuse_pollhandle *ph);

/* Buffers */

/** What a fuse_buf is. */
enum fuse_buf_flags {
	/** Data is behind `fd`, not at `mem`. */
	FUSE_BUF_IS_FD		= (1 << 1),

	/** Use `pos` instead of the descriptor's own position. */
	FUSE_BUF_FD_SEEK	= (1 << 2),

	/** Go on after a short read or write, until size, end or error. */
	FUSE_BUF_FD_RETRY	= (1 << 3)
};

/** How fuse_buf_copy() may go about it. */
enum fuse_buf_copy_flags {
	/** Never splice(2). */
	FUSE_BUF_NO_SPLICE	= (1 << 1),

	/** Splice between two descriptors even if neither is a pipe known to
	 * be one; errors are not covered up by a copy. */
	FUSE_BUF_FORCE_SPLICE	= (1 << 2),

	/** Let splice move pages. */
	FUSE_BUF_SPLICE_MOVE	= (1 << 3),

	/** Do not wait for a pipe. */
	FUSE_BUF_SPLICE_NONBLOCK = (1 << 4)
};

/** One piece of data: memory, or a range of a descriptor. */
struct fuse_buf {
	/** Bytes of data. */
	size_t size;

	enum fuse_buf_flags flags;

	/** Memory, unless FUSE_BUF_IS_FD. */
	void *mem;

	/** Descriptor, if FUSE_BUF_IS_FD. */
	int fd;

	/** Position in bytes, if FUSE_BUF_FD_SEEK. */
	off_t pos;

	/** Bytes allocated at mem; 0: not known. For
	 * fuse_session_receive_buf(). */
	size_t mem_size;
};

/** A list of pieces, with a position inside. Allocate for more than one. */
struct fuse_bufvec {
	/** Pieces. */
	size_t count;

	/** Current piece. */
	size_t idx;

	/** Bytes already used of the current piece. */
	size_t off;

	struct fuse_buf buf[1];
};

/** A list of one memory piece of the given size; set buf[0].mem, or .fd and
 * .flags, before use. */
#ifdef __cplusplus
#define FUSE_BUFVEC_INIT(size__)					\
	(fuse_bufvec{ 1, 0, 0, { { static_cast<size_t>(size__),		\
				   static_cast<fuse_buf_flags>(0),	\
				   nullptr, -1, 0, 0 } } })
#else
#define FUSE_BUFVEC_INIT(size__)					\
	((struct fuse_bufvec) { 1, 0, 0, { { (size__),			\
					     (enum fuse_buf_flags) 0,	\
					     NULL, -1, 0, 0 } } })
#endif

/**
 * Bytes in a whole list, without regard to its position.
 *
 * @bufv  borrowed until return
 * @return bytes; SIZE_MAX if the sum is more than that
 *
 * Thread: any.  Since: FUSE_3.0
 */
size_t fuse_buf_size(const struct fuse_bufvec *bufv);

/**
 * Copy from one list to another, until one of them ends. Both positions move.
 * Descriptors are read and written with pread/pwrite if they have a position,
 * and spliced where that helps.
 *
 * @dst    target
 * @src    source
 * @flags  FUSE_BUF_*SPLICE*, or 0
 * @return bytes copied, less than wanted at the end of the source or when an
 *         error came after the first byte; -errno if nothing was copied
 *
 * Thread: any, no two on the same list.  Since: FUSE_3.0
 */
ssize_t fuse_buf_copy(struct fuse_bufvec *dst, struct fuse_bufvec *src,
		      enum fuse_buf_copy_flags flags);

/* Signals */

/**
 * Let SIGHUP, SIGINT and SIGTERM end the session's loop, and ignore SIGPIPE.
 * Signals somebody already handles are left alone. One session per process.
 *
 * @se  must outlive fuse_remove_signal_handlers()
 * @return 0, or -1 after a message
 *
 * Thread: one, outside the loop.  Since: FUSE_3.0
 */
int fuse_set_signal_handlers(struct fuse_session *se);

/**
 * Log a backtrace when the process dies of SIGSEGV, SIGABRT and the like, end
 * the session, and then die of it.
 *
 * @se  must outlive fuse_remove_signal_handlers()
 * @return 0, or -1 after a message
 *
 * Thread: one, outside the loop.  Since: FUSE_3.17
 */
int fuse_set_fail_signal_handlers(struct fuse_session *se);

/**
 * Give back the signals that the two functions above took, if they are still
 * theirs.
 *
 * @se  the one they were given
 *
 * Thread: one, outside the loop.  Since: FUSE_3.0
 */
void fuse_remove_signal_handlers(struct fuse_session *se);

/* Settings of the multi-threaded loop */

#if FUSE_USE_VERSION >= FUSE_MAKE_VERSION(3, 12)
struct fuse_loop_config;

/**
 * Make settings with the defaults: 10 threads at most, idle ones stay, no
 * cloned descriptors.
 *
 * @return for fuse_loop_cfg_destroy(); NULL if memory is short
 *
 * Thread: any.  Since: FUSE_3.12
 */
struct fuse_loop_config *fuse_loop_cfg_create(void);

/**
 * Free settings. The loop keeps no reference, so any time after it began will
 * do.
 *
 * @config  consumed; may be NULL
 *
 * Thread: any.  Since: FUSE_3.12
 */
void fuse_loop_cfg_destroy(struct fuse_loop_config *config);

/**
 * Limit the threads that wait for requests; more than that end. Costly to set
 * low, since threads come and go then.
 *
 * @config  settings
 * @value   threads, 1 to 100000; UINT_MAX: no limit. Others are refused with a
 *          message
 *
 * Thread: any, no two on the same settings.  Since: FUSE_3.12
 */
void fuse_loop_cfg_set_idle_threads(struct fuse_loop_config *config,
				    unsigned int value);

/**
 * Limit the threads. This many handlers can block before requests wait.
 *
 * @config  settings
 * @value   threads, 1 to 100000. Others are refused with a message
 *
 * Thread: any, no two on the same settings.  Since: FUSE_3.12
 */
void fuse_loop_cfg_set_max_threads(struct fuse_loop_config *config,
				   unsigned int value);

/**
 * Give each thread its own /dev/fuse descriptor.
 *
 * @config  settings
 * @value   non-zero: yes
 *
 * Thread: any, no two on the same settings.  Wire: FUSE_DEV_IOC_CLONE.
 * Since: FUSE_3.12
 */
void fuse_loop_cfg_set_clone_fd(struct fuse_loop_config *config,
				unsigned int value);

/**
 * Take over older settings.
 *
 * @config   changed: clone_fd, idle threads, and the limit of threads if it is
 *           below those
 * @v1_conf  borrowed until return
 *
 * Thread: any, no two on the same settings.  Since: FUSE_3.12
 */
void fuse_loop_cfg_convert(struct fuse_loop_config *config,
			   struct fuse_loop_config_v1 *v1_conf);
#endif

/* Binary interface */

RINGFUSE_ASSERT(off_t_is_64_bits_wide__define__FILE_OFFSET_BITS_64,
		sizeof(off_t) == 8);
RINGFUSE_ASSERT_SIZE(libfuse_version, 16);
RINGFUSE_ASSERT_SIZE(fuse_file_info, 64);
RINGFUSE_ASSERT_SIZE(fuse_conn_info, 128);
RINGFUSE_ASSERT_SIZE(fuse_buf, 48);
RINGFUSE_ASSERT_SIZE(fuse_bufvec, 72);
#if FUSE_USE_VERSION < FUSE_MAKE_VERSION(3, 12)
RINGFUSE_ASSERT_SIZE(fuse_loop_config, 8);
#else
RINGFUSE_ASSERT_SIZE(fuse_loop_config_v1, 8);
#endif

#ifdef __cplusplus
}
#endif

#endif /* FUSE_COMMON_H_ */
