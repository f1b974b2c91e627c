/*
 * The low-level API: requests by inode number, answered explicitly. Life of a
 * filesystem: fuse_parse_cmdline(), fuse_session_new(), fuse_session_mount(),
 * a loop, fuse_session_unmount(), fuse_session_destroy().
 *
 * FUSE_USE_VERSION chooses between forms of one function: cmd of ioctl is an
 * int below 35; fuse_session_loop_mt() takes clone_fd below 32, the public
 * struct fuse_loop_config below 312, and the private one from there on;
 * fuse_session_custom_io() takes op_size from 317 on.
 *
 * RINGFUSE_BUILDING_LIBRARY is for the library's own sources: it replaces
 * wrappers and macros by the plain prototypes of what the library defines.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FUSE_LOWLEVEL_H_
#define FUSE_LOWLEVEL_H_

#ifndef FUSE_USE_VERSION
#error FUSE_USE_VERSION is not defined
#endif

#include "fuse_common.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <utime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Complete only with _GNU_SOURCE or <linux/stat.h>. */
struct statx;

/* Names and structures */

/** Inode number of the root of every mount. */
#define FUSE_ROOT_ID 1

/** Inode number, chosen by the filesystem; 0 is no inode. */
typedef uint64_t fuse_ino_t;

/** One request. Valid from the operation until its reply, which consumes it. */
typedef struct fuse_req *fuse_req_t;

/**
 * What a name stands for: the answer to lookup and to everything that creates.
 */
struct fuse_entry_param {
	/** Inode; each answer counts as one lookup until forgotten. 0 (in lookup):
	 * the name does not exist, and that may be cached for entry_timeout. */
	fuse_ino_t ino;

	/** Tells two uses of one inode number apart. The pair must be unique
	 * for the life of the mount if it is exported over NFS. */
	uint64_t generation;

	/** Attributes; st_ino is what stat(2) shows. */
	struct stat attr;

	/** Seconds the attributes may be cached. */
	double attr_timeout;

	/** Seconds the name may be cached. */
	double entry_timeout;
};

/** Who asks. All zero for requests the kernel makes by itself. */
struct fuse_ctx {
	/** File-system user id of the caller. */
	uid_t uid;

	/** File-system group id of the caller. */
	gid_t gid;

	/** Thread id in our pid namespace; 0: from outside of it. */
	pid_t pid;

	/** Only for requests that create; else 0. */
	mode_t umask;
};

/** One entry of forget_multi: drop nlookup lookups of ino. */
struct fuse_forget_data {
	fuse_ino_t ino;
	uint64_t nlookup;
};

/**
 * Replacements for the system calls on the session's descriptor. read and
 * writev are needed; the others may be NULL. All return what the system call
 * would: -1 and errno on error.
 */
struct fuse_custom_io {
	/** Send one whole message. */
	ssize_t (*writev)(int fd, struct iovec *iov, int count, void *userdata);

	/** Receive one whole message. */
	ssize_t (*read)(int fd, void *buf, size_t buf_len, void *userdata);

	/** Receive one message into a pipe. */
	ssize_t (*splice_receive)(int fdin, off_t *offin, int fdout,
				  off_t *offout, size_t len,
				  unsigned int flags, void *userdata);

	/** Send one message out of a pipe. */
	ssize_t (*splice_send)(int fdin, off_t *offin, int fdout,
			       off_t *offout, size_t len,
			       unsigned int flags, void *userdata);

	/** Open another descriptor for the same session; the library closes it.
	 * Used from FUSE_USE_VERSION 317 on. */
	int (*clone_fd)(int master_fd);
};

/** What to do with a cached name. */
enum fuse_notify_entry_flags {
	/** Drop it. */
	FUSE_LL_INVALIDATE = 0,

	/** Keep it, but look it up again at its next use. */
	FUSE_LL_EXPIRE_ONLY = (1 << 0)
};

/**
 * Bits of to_set in setattr. The first six and CTIME name the fields that are
 * valid; *_NOW ask for the present time instead. KILL_*: the set-id bits are to
 * be cleared as well. FILE: the change comes through an open file; OPEN: it is
 * the truncation of an open(2). The others are hints of the kernel.
 */
#define FUSE_SET_ATTR_MODE	(1 << 0)
#define FUSE_SET_ATTR_UID	(1 << 1)
#define FUSE_SET_ATTR_GID	(1 << 2)
#define FUSE_SET_ATTR_SIZE	(1 << 3)
#define FUSE_SET_ATTR_ATIME	(1 << 4)
#define FUSE_SET_ATTR_MTIME	(1 << 5)
#define FUSE_SET_ATTR_ATIME_NOW	(1 << 7)
#define FUSE_SET_ATTR_MTIME_NOW	(1 << 8)
#define FUSE_SET_ATTR_FORCE	(1 << 9)
#define FUSE_SET_ATTR_CTIME	(1 << 10)
#define FUSE_SET_ATTR_KILL_SUID	(1 << 11)
#define FUSE_SET_ATTR_KILL_SGID	(1 << 12)
#define FUSE_SET_ATTR_FILE	(1 << 13)
#define FUSE_SET_ATTR_KILL_PRIV	(1 << 14)
#define FUSE_SET_ATTR_OPEN	(1 << 15)
#define FUSE_SET_ATTR_TIMES_SET	(1 << 16)
#define FUSE_SET_ATTR_TOUCH	(1 << 17)

/**
 * What a filesystem does. Each operation but init, destroy and the forgets must
 * be answered exactly once, now or later, from any thread; "Reply" names the
 * functions that may do it, and fuse_reply_err() always may. An operation that
 * is NULL is answered with ENOSYS, except where noted. Names, data, fi and attr
 * are borrowed until the operation returns or the request is answered, whichever
 * is first.
 *
 * With the multi-threaded loop operations run at the same time on several
 * threads; with fuse_session_loop() one after the other on the calling thread.
 */
struct fuse_lowlevel_ops {
	/** First of all. May change the [rw] fields of conn, which is valid
	 * only until return.
	 * Wire: FUSE_INIT. */
	void (*init)(void *userdata, struct fuse_conn_info *conn);

	/** Last of all: the kernel will ask nothing more. Called once, also
	 * without an orderly unmount. The inodes still counted are gone too.
	 * Wire: FUSE_DESTROY. */
	void (*destroy)(void *userdata);

	/** Find a name in a directory.
	 * Reply: fuse_reply_entry().  Wire: FUSE_LOOKUP. */
	void (*lookup)(fuse_req_t req, fuse_ino_t parent, const char *name);

	/** Drop nlookup lookups of an inode; at zero the kernel does not know
	 * it any more. Inodes still known at unmount may get no forget.
	 * Reply: fuse_reply_none().  NULL: ignored.  Wire: FUSE_FORGET. */
	void (*forget)(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup);

	/** Attributes of an inode. fi: the open file it was asked through, or
	 * NULL.
	 * Reply: fuse_reply_attr().  Wire: FUSE_GETATTR. */
	void (*getattr)(fuse_req_t req, fuse_ino_t ino,
			struct fuse_file_info *fi);

	/** Change the attributes that to_set (FUSE_SET_ATTR_*) names. fi: the
	 * open file for ftruncate(2) and the like, or NULL.
	 * Reply: fuse_reply_attr(), the new state.  Wire: FUSE_SETATTR. */
	void (*setattr)(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
			int to_set, struct fuse_file_info *fi);

	/** Target of a symbolic link.
	 * Reply: fuse_reply_readlink().  Wire: FUSE_READLINK. */
	void (*readlink)(fuse_req_t req, fuse_ino_t ino);

	/** Create a file that is no directory and no link. mode has the type
	 * and, without DONT_MASK, the umask applied; rdev is for devices.
	 * Reply: fuse_reply_entry().  Wire: FUSE_MKNOD. */
	void (*mknod)(fuse_req_t req, fuse_ino_t parent, const char *name,
		      mode_t mode, dev_t rdev);

	/** Create a directory.
	 * Reply: fuse_reply_entry().  Wire: FUSE_MKDIR. */
	void (*mkdir)(fuse_req_t req, fuse_ino_t parent, const char *name,
		      mode_t mode);

	/** Remove a name. The inode lives on until it is forgotten.
	 * Reply: fuse_reply_err(), 0 for success.  Wire: FUSE_UNLINK. */
	void (*unlink)(fuse_req_t req, fuse_ino_t parent, const char *name);

	/** Remove an empty directory. Lives on as after unlink.
	 * Reply: fuse_reply_err().  Wire: FUSE_RMDIR. */
	void (*rmdir)(fuse_req_t req, fuse_ino_t parent, const char *name);

	/** Create a symbolic link to the text `link`.
	 * Reply: fuse_reply_entry().  Wire: FUSE_SYMLINK. */
	void (*symlink)(fuse_req_t req, const char *link, fuse_ino_t parent,
			const char *name);

	/** Move a name, replacing the target. flags: those of renameat2(2);
	 * answer EINVAL to the ones not done.
	 * Reply: fuse_reply_err().  Wire: FUSE_RENAME, FUSE_RENAME2. */
	void (*rename)(fuse_req_t req, fuse_ino_t parent, const char *name,
		       fuse_ino_t newparent, const char *newname,
		       unsigned int flags);

	/** Give an inode another name.
	 * Reply: fuse_reply_entry().  Wire: FUSE_LINK. */
	void (*link)(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent,
		     const char *newname);

	/** Open a file. fi->flags has no O_CREAT, O_EXCL, O_NOCTTY, and O_TRUNC
	 * only with ATOMIC_O_TRUNC. May set fh and the open fields of fi.
	 * Reply: fuse_reply_open().  NULL: success, fh 0.  Wire: FUSE_OPEN. */
	void (*open)(fuse_req_t req, fuse_ino_t ino,
		     struct fuse_file_info *fi);

	/** Read up to size bytes at off. Fewer mean end of file, unless opened
	 * with direct_io.
	 * Reply: fuse_reply_buf(), _iov(), _data().  Wire: FUSE_READ. */
	void (*read)(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		     struct fuse_file_info *fi);

	/** Write size bytes at off. Fewer are allowed only with direct_io.
	 * Not called if write_buf exists.
	 * Reply: fuse_reply_write().  Wire: FUSE_WRITE. */
	void (*write)(fuse_req_t req, fuse_ino_t ino, const char *buf,
		      size_t size, off_t off, struct fuse_file_info *fi);

	/** A descriptor of the open file was closed; may come more than once,
	 * and not for every open. Last chance to report a write error to
	 * close(2). Drop the locks of fi->lock_owner.
	 * Reply: fuse_reply_err().  Wire: FUSE_FLUSH. */
	void (*flush)(fuse_req_t req, fuse_ino_t ino,
		      struct fuse_file_info *fi);

	/** The open file is gone: once for each open. An error reaches nobody.
	 * Reply: fuse_reply_err().  NULL: success.  Wire: FUSE_RELEASE. */
	void (*release)(fuse_req_t req, fuse_ino_t ino,
			struct fuse_file_info *fi);

	/** Put data (and, unless datasync, attributes) on stable storage.
	 * Reply: fuse_reply_err().  Wire: FUSE_FSYNC. */
	void (*fsync)(fuse_req_t req, fuse_ino_t ino, int datasync,
		      struct fuse_file_info *fi);

	/** Open a directory. May set fh, cache_readdir, keep_cache.
	 * Reply: fuse_reply_open().  NULL: success, fh 0.
	 * Wire: FUSE_OPENDIR. */
	void (*opendir)(fuse_req_t req, fuse_ino_t ino,
			struct fuse_file_info *fi);

	/** List from position off (0, or an off given with an earlier entry)
	 * in at most size bytes, packed by fuse_add_direntry(). No bytes:
	 * the end. Counts no lookups.
	 * Reply: fuse_reply_buf(), _iov(), _data().  Wire: FUSE_READDIR. */
	void (*readdir)(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			struct fuse_file_info *fi);

	/** The open directory is gone: once for each opendir.
	 * Reply: fuse_reply_err().  NULL: success.  Wire: FUSE_RELEASEDIR. */
	void (*releasedir)(fuse_req_t req, fuse_ino_t ino,
			   struct fuse_file_info *fi);

	/** fsync for a directory.
	 * Reply: fuse_reply_err().  Wire: FUSE_FSYNCDIR. */
	void (*fsyncdir)(fuse_req_t req, fuse_ino_t ino, int datasync,
			 struct fuse_file_info *fi);

	/** Size and use of the filesystem that holds ino.
	 * Reply: fuse_reply_statfs().  NULL: zeros, name length 255, block
	 * size 512.  Wire: FUSE_STATFS. */
	void (*statfs)(fuse_req_t req, fuse_ino_t ino);

	/** Set an extended attribute. flags: XATTR_CREATE, XATTR_REPLACE.
	 * Reply: fuse_reply_err().  Wire: FUSE_SETXATTR. */
	void (*setxattr)(fuse_req_t req, fuse_ino_t ino, const char *name,
			 const char *value, size_t size, int flags);

	/** Value of an extended attribute. size 0: only its length; ERANGE
	 * if size is too small; ENODATA if there is none.
	 * Reply: fuse_reply_xattr() for size 0, else fuse_reply_buf().
	 * Wire: FUSE_GETXATTR. */
	void (*getxattr)(fuse_req_t req, fuse_ino_t ino, const char *name,
			 size_t size);

	/** Names of all extended attributes, each with its NUL. size as in
	 * getxattr.
	 * Reply: fuse_reply_xattr() for size 0, else fuse_reply_buf().
	 * Wire: FUSE_LISTXATTR. */
	void (*listxattr)(fuse_req_t req, fuse_ino_t ino, size_t size);

	/** Remove an extended attribute.
	 * Reply: fuse_reply_err().  Wire: FUSE_REMOVEXATTR. */
	void (*removexattr)(fuse_req_t req, fuse_ino_t ino, const char *name);

	/** May the caller do mask (R_OK, ...)? Not asked with
	 * default_permissions.
	 * Reply: fuse_reply_err().  NULL: everything may be done.
	 * Wire: FUSE_ACCESS. */
	void (*access)(fuse_req_t req, fuse_ino_t ino, int mask);

	/** mknod of a regular file and open in one.
	 * Reply: fuse_reply_create().  NULL: mknod and open are called.
	 * Wire: FUSE_CREATE. */
	void (*create)(fuse_req_t req, fuse_ino_t parent, const char *name,
		       mode_t mode, struct fuse_file_info *fi);

	/** Find a lock that stands against this one.
	 * Reply: fuse_reply_lock().  Wire: FUSE_GETLK. */
	void (*getlk)(fuse_req_t req, fuse_ino_t ino,
		      struct fuse_file_info *fi, struct flock *lock);

	/** Take or release a lock of fi->lock_owner. sleep: wait for it, and
	 * answer EINTR when interrupted.
	 * Reply: fuse_reply_err().  Wire: FUSE_SETLK, FUSE_SETLKW. */
	void (*setlk)(fuse_req_t req, fuse_ino_t ino,
		      struct fuse_file_info *fi, struct flock *lock, int sleep);

	/** Which device block is block idx (of blocksize bytes) of the file?
	 * Only for mounts with blkdev.
	 * Reply: fuse_reply_bmap().  Wire: FUSE_BMAP. */
	void (*bmap)(fuse_req_t req, fuse_ino_t ino, size_t blocksize,
		     uint64_t idx);
#if FUSE_USE_VERSION < 35
	/** ioctl(2). in_buf holds the in_bufsz bytes the caller passed;
	 * out_bufsz may be returned. arg is a number in the caller's memory.
	 * flags: FUSE_IOCTL_*.
	 * Reply: fuse_reply_ioctl(), _iov(), _retry() (CUSE).
	 * Wire: FUSE_IOCTL. */
	void (*ioctl)(fuse_req_t req, fuse_ino_t ino, int cmd, void *arg,
		      struct fuse_file_info *fi, unsigned flags,
		      const void *in_buf, size_t in_bufsz, size_t out_bufsz);
#else
	void (*ioctl)(fuse_req_t req, fuse_ino_t ino, unsigned int cmd,
		      void *arg, struct fuse_file_info *fi, unsigned flags,
		      const void *in_buf, size_t in_bufsz, size_t out_bufsz);
#endif

	/** Which of fi->poll_events are ready now? ph non-NULL: also notify
	 * once when that changes, then destroy the handle; it is
	 * the filesystem's from here on.
	 * Reply: fuse_reply_poll().  NULL: always ready.  Wire: FUSE_POLL. */
	void (*poll)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		     struct fuse_pollhandle *ph);

	/** write, with data that may still be in a pipe. bufv is borrowed
	 * until return.
	 * Reply: fuse_reply_write().  Wire: FUSE_WRITE. */
	void (*write_buf)(fuse_req_t req, fuse_ino_t ino,
			  struct fuse_bufvec *bufv, off_t off,
			  struct fuse_file_info *fi);

	/** Data that fuse_lowlevel_notify_retrieve() asked for; may be less
	 * than asked. bufv is borrowed until return.
	 * Reply: fuse_reply_none().  Wire: FUSE_NOTIFY_REPLY. */
	void (*retrieve_reply)(fuse_req_t req, void *cookie, fuse_ino_t ino,
			       off_t offset, struct fuse_bufvec *bufv);

	/** forget for count inodes at once.
	 * Reply: fuse_reply_none().  NULL: forget is called for each.
	 * Wire: FUSE_BATCH_FORGET. */
	void (*forget_multi)(fuse_req_t req, size_t count,
			     struct fuse_forget_data *forgets);

	/** flock(2) by fi->lock_owner. op: LOCK_SH, LOCK_EX or LOCK_UN, maybe
	 * with LOCK_NB.
	 * Reply: fuse_reply_err().  Wire: FUSE_SETLK with FUSE_LK_FLOCK. */
	void (*flock)(fuse_req_t req, fuse_ino_t ino,
		      struct fuse_file_info *fi, int op);

	/** Allocate, punch or zero length bytes at offset. mode: that of
	 * fallocate(2).
	 * Reply: fuse_reply_err().  Wire: FUSE_FALLOCATE. */
	void (*fallocate)(fuse_req_t req, fuse_ino_t ino, int mode,
			  off_t offset, off_t length,
			  struct fuse_file_info *fi);

	/** readdir with attributes, packed by fuse_add_direntry_plus(). Each
	 * entry except "." and ".." with ino not 0 counts as a lookup.
	 * Reply: fuse_reply_buf(), _iov(), _data().
	 * Wire: FUSE_READDIRPLUS. */
	void (*readdirplus)(fuse_req_t req, fuse_ino_t ino, size_t size,
			    off_t off, struct fuse_file_info *fi);

	/** Copy len bytes between two open files without moving them through
	 * the kernel.
	 * Reply: fuse_reply_write(), what was copied.  NULL: the kernel
	 * reads and writes.  Wire: FUSE_COPY_FILE_RANGE, _64. */
	void (*copy_file_range)(fuse_req_t req, fuse_ino_t ino_in,
				off_t off_in, struct fuse_file_info *fi_in,
				fuse_ino_t ino_out, off_t off_out,
				struct fuse_file_info *fi_out, size_t len,
				int flags);

	/** Next data or hole from off. whence: SEEK_DATA, SEEK_HOLE.
	 * Reply: fuse_reply_lseek().  NULL: all is data.
	 * Wire: FUSE_LSEEK. */
	void (*lseek)(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		      struct fuse_file_info *fi);

	/** Create and open a file without a name.
	 * Reply: fuse_reply_create().  Wire: FUSE_TMPFILE. */
	void (*tmpfile)(fuse_req_t req, fuse_ino_t parent, mode_t mode,
			struct fuse_file_info *fi);

	/** Attributes with those of statx(2). mask: STATX_* wanted; fi: open
	 * file, or NULL.
	 * Reply: fuse_reply_statx().  NULL: getattr is asked.
	 * Wire: FUSE_STATX. */
	void (*statx)(fuse_req_t req, fuse_ino_t ino, int flags, int mask,
		      struct fuse_file_info *fi);

	/** Put everything on stable storage. ino: the root. Only for
	 * privileged mounts.
	 * Reply: fuse_reply_err().  Wire: FUSE_SYNCFS. */
	void (*syncfs)(fuse_req_t req, fuse_ino_t ino);
};

/* Answers */

/**
 * Answer with an error, or with a bare success.
 *
 * @req  consumed in every case
 * @err  errno, positive; 0: done, for the operations that return nothing
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_out_header.error.
 * Since: FUSE_3.0
 */
int fuse_reply_err(fuse_req_t req, int err);

/**
 * End a request that takes no answer: forget, forget_multi, retrieve_reply.
 *
 * @req  consumed
 *
 * Thread: any, once per request.  Wire: nothing is sent.  Since: FUSE_3.0
 */
void fuse_reply_none(fuse_req_t req);

/**
 * Answer lookup, mknod, mkdir, symlink, link.
 *
 * @req  consumed in every case
 * @e    borrowed until return
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless). On error no
 *         lookup was counted
 *
 * Thread: any, once per request.  Wire: fuse_entry_out.  Since: FUSE_3.0
 */
int fuse_reply_entry(fuse_req_t req, const struct fuse_entry_param *e);

/**
 * Answer create and tmpfile.
 *
 * @req  consumed in every case
 * @e    the new inode; borrowed until return
 * @fi   fh and the open fields are used; borrowed until return
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless). On error no
 *         lookup was counted, and no release will come
 *
 * Thread: any, once per request.  Wire: fuse_entry_out, fuse_open_out.
 * Since: FUSE_3.0
 */
int fuse_reply_create(fuse_req_t req, const struct fuse_entry_param *e,
		      const struct fuse_file_info *fi);

/**
 * Answer getattr and setattr.
 *
 * @req           consumed in every case
 * @attr          borrowed until return
 * @attr_timeout  seconds it may be cached; negative counts as 0
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_attr_out.  Since: FUSE_3.0
 */
int fuse_reply_attr(fuse_req_t req, const struct stat *attr,
		    double attr_timeout);

/**
 * Answer statx.
 *
 * @req           consumed in every case
 * @flags         0
 * @statx         stx_mask says which fields hold; borrowed until return
 * @attr_timeout  seconds it may be cached; negative counts as 0
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_statx_out.  Since: FUSE_3.18
 */
int fuse_reply_statx(fuse_req_t req, int flags, struct statx *statx,
		     double attr_timeout);

/**
 * Answer readlink.
 *
 * @req   consumed in every case
 * @link  target, NUL-terminated; borrowed until return
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: the text without its NUL.
 * Since: FUSE_3.0
 */
int fuse_reply_readlink(fuse_req_t req, const char *link);

/**
 * Answer open and opendir.
 *
 * @req  consumed in every case
 * @fi   fh and the open fields are used; borrowed until return
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless). On error no
 *         release will come
 *
 * Thread: any, once per request.  Wire: fuse_open_out.  Since: FUSE_3.0
 */
int fuse_reply_open(fuse_req_t req, const struct fuse_file_info *fi);

/**
 * Answer write, write_buf, copy_file_range.
 *
 * @req    consumed in every case
 * @count  bytes done, not more than asked
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.
 * Wire: fuse_write_out, fuse_copy_file_range_out.  Since: FUSE_3.0
 */
int fuse_reply_write(fuse_req_t req, size_t count);

/**
 * Answer with bytes from memory: read, readdir, getxattr, listxattr.
 *
 * @req   consumed in every case
 * @buf   borrowed until return; may be NULL if size is 0
 * @size  bytes, not more than the request asked for
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_out_header + bytes.
 * Since: FUSE_3.0
 */
int fuse_reply_buf(fuse_req_t req, const char *buf, size_t size);

/**
 * Answer with bytes that may be behind descriptors. They are spliced if the
 * kernel, the flags and the session allow it, and copied otherwise.
 *
 * @req    consumed in every case
 * @bufv   its position moves; the rest is borrowed until return. A range that
 *         ends early makes a short answer
 * @flags  how to copy, see enum fuse_buf_copy_flags
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_out_header + bytes.
 * Since: FUSE_3.0
 */
int fuse_reply_data(fuse_req_t req, struct fuse_bufvec *bufv,
		    enum fuse_buf_copy_flags flags);

/**
 * Answer with bytes gathered from memory.
 *
 * @req    consumed in every case
 * @iov    borrowed until return
 * @count  pieces, 0 to IOV_MAX - 1
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_out_header + bytes.
 * Since: FUSE_3.0
 */
int fuse_reply_iov(fuse_req_t req, const struct iovec *iov, int count);

/**
 * Answer statfs.
 *
 * @req    consumed in every case
 * @stbuf  borrowed until return; f_favail, f_fsid and f_flag are not sent
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_statfs_out.  Since: FUSE_3.0
 */
int fuse_reply_statfs(fuse_req_t req, const struct statvfs *stbuf);

/**
 * Answer getxattr and listxattr with size 0.
 *
 * @req    consumed in every case
 * @count  bytes a buffer would need
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_getxattr_out.  Since: FUSE_3.0
 */
int fuse_reply_xattr(fuse_req_t req, size_t count);

/**
 * Answer getlk.
 *
 * @req   consumed in every case
 * @lock  the lock in the way, or l_type F_UNLCK; borrowed until return
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_lk_out.  Since: FUSE_3.0
 */
int fuse_reply_lock(fuse_req_t req, const struct flock *lock);

/**
 * Answer bmap.
 *
 * @req  consumed in every case
 * @idx  block on the device
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_bmap_out.  Since: FUSE_3.0
 */
int fuse_reply_bmap(fuse_req_t req, uint64_t idx);

/**
 * Pack one entry of a readdir answer. Nothing is written if it does not fit.
 *
 * @req      the readdir request; not answered by this
 * @buf      where to write; may be NULL if bufsize is 0
 * @bufsize  bytes left there
 * @name     NUL-terminated; borrowed until return
 * @stbuf    only st_ino and the type bits of st_mode are used
 * @off      position of the next entry, not 0; comes back in a later readdir
 * @return bytes the entry needs; more than bufsize: it did not fit
 *
 * Thread: any.  Wire: fuse_dirent.  Since: FUSE_3.0
 */
size_t fuse_add_direntry(fuse_req_t req, char *buf, size_t bufsize,
			 const char *name, const struct stat *stbuf,
			 off_t off);

/**
 * Pack one entry of a readdirplus answer. Nothing is written if it does not fit.
 *
 * @req      the readdirplus request; not answered by this
 * @buf      where to write; may be NULL if bufsize is 0
 * @bufsize  bytes left there
 * @name     NUL-terminated; borrowed until return
 * @e        as for fuse_reply_entry(); ino 0: the name only, no lookup counted
 * @off      position of the next entry, not 0; comes back in a later readdirplus
 * @return bytes the entry needs; more than bufsize: it did not fit
 *
 * Thread: any.  Wire: fuse_direntplus.  Since: FUSE_3.0
 */
size_t fuse_add_direntry_plus(fuse_req_t req, char *buf, size_t bufsize,
			      const char *name,
			      const struct fuse_entry_param *e, off_t off);

/**
 * Answer an unrestricted ioctl by naming the caller's memory it needs; the
 * request then comes again with it.
 *
 * @req        consumed in every case
 * @in_iov     what to read, addresses of the caller; borrowed until return
 * @in_count   pieces; in_count + out_count at most FUSE_IOCTL_MAX_IOV
 * @out_iov    what will be written; borrowed until return
 * @out_count  pieces
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_ioctl_out with FUSE_IOCTL_RETRY.
 * Since: FUSE_3.0
 */
int fuse_reply_ioctl_retry(fuse_req_t req, const struct iovec *in_iov,
			   size_t in_count, const struct iovec *out_iov,
			   size_t out_count);

/**
 * Answer an ioctl.
 *
 * @req     consumed in every case
 * @result  what ioctl(2) returns
 * @buf     bytes for the caller; borrowed until return; may be NULL if size is 0
 * @size    bytes, at most out_bufsz
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_ioctl_out.  Since: FUSE_3.0
 */
int fuse_reply_ioctl(fuse_req_t req, int result, const void *buf, size_t size);

/**
 * Answer an ioctl with bytes gathered from memory.
 *
 * @req     consumed in every case
 * @result  what ioctl(2) returns
 * @iov     borrowed until return
 * @count   pieces, together at most out_bufsz bytes
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_ioctl_out.  Since: FUSE_3.0
 */
int fuse_reply_ioctl_iov(fuse_req_t req, int result, const struct iovec *iov,
			 int count);

/**
 * Answer poll.
 *
 * @req      consumed in every case
 * @revents  POLLIN etc. that are ready now
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_poll_out.  Since: FUSE_3.0
 */
int fuse_reply_poll(fuse_req_t req, unsigned revents);

/**
 * Answer lseek.
 *
 * @req  consumed in every case
 * @off  the position found
 * @return 0, or -errno: the kernel refused the answer (-ENOENT: the request was
 *         interrupted or the mount is gone; harmless)
 *
 * Thread: any, once per request.  Wire: fuse_lseek_out.
 * Since: FUSE_3.0 (header 3.8)
 */
int fuse_reply_lseek(fuse_req_t req, off_t off);

/**
 * Hand a backing file to the kernel; put the id in fi->backing_id when answering
 * open or create. Needs FUSE_CAP_PASSTHROUGH and the privileges the kernel asks
 * for.
 *
 * @req  the open or create; not answered by this
 * @fd   an open file; may be closed after return
 * @return id above 0; 0 or less: it failed (a message was logged), go on without
 *
 * Thread: any.  Wire: FUSE_DEV_IOC_BACKING_OPEN.  Since: FUSE_3.17
 */
int fuse_passthrough_open(fuse_req_t req, int fd);

/**
 * Take a backing file back. Open files that use it go on.
 *
 * @req         any request of the session; not answered by this
 * @backing_id  from fuse_passthrough_open()
 * @return 0 or more; negative: it failed
 *
 * Thread: any.  Wire: FUSE_DEV_IOC_BACKING_CLOSE.  Since: FUSE_3.17
 */
int fuse_passthrough_close(fuse_req_t req, int backing_id);

/* Telling the kernel */

/**
 * Wake those who poll; the kernel then asks poll again. Once per handle.
 *
 * @ph  NULL: nothing to do; stays the caller's, see fuse_pollhandle_destroy()
 * @return 0, or -errno
 *
 * Thread: any.  Wire: FUSE_NOTIFY_POLL.  Since: FUSE_3.0
 */
int fuse_lowlevel_notify_poll(struct fuse_pollhandle *ph);

/**
 * Make every cached name of the mount stale at once; each is looked up again at
 * its next use.
 *
 * @se  mounted session
 * @return 0, or -errno; -ENOSYS: the kernel cannot
 *
 * Thread: any; not while holding a lock that an operation on the same inode
 * needs: the kernel may wait for that operation.  Wire: FUSE_NOTIFY_INC_EPOCH.
 * Since: FUSE_3.18
 */
int fuse_lowlevel_notify_increment_epoch(struct fuse_session *se);

/**
 * Drop cached attributes, and cached data in a range, of an inode.
 *
 * @se   mounted session
 * @ino  inode
 * @off  first byte; negative: attributes only
 * @len  bytes; 0 or less: to the end
 * @return 0, or -errno; -ENOENT: the kernel does not know the inode
 *
 * Thread: any; not while holding a lock that an operation on the same inode
 * needs: the kernel may wait for that operation.
 * Wire: FUSE_NOTIFY_INVAL_INODE.  Since: FUSE_3.0
 */
int fuse_lowlevel_notify_inval_inode(struct fuse_session *se, fuse_ino_t ino,
				     off_t off, off_t len);

/**
 * Drop a cached name, and the attributes of its directory.
 *
 * @se       mounted session
 * @parent   directory
 * @name     need not be NUL-terminated; borrowed until return
 * @namelen  bytes
 * @return 0, or -errno; -ENOENT: the kernel does not know the directory or name
 *
 * Thread: any; not while holding a lock that an operation on the same inode
 * needs: the kernel may wait for that operation.
 * Wire: FUSE_NOTIFY_INVAL_ENTRY.  Since: FUSE_3.0
 */
int fuse_lowlevel_notify_inval_entry(struct fuse_session *se, fuse_ino_t parent,
				     const char *name, size_t namelen);

/**
 * Let the cache time of a name run out. Unlike an invalidation this leaves alone
 * mounts below it and open files. Needs FUSE_CAP_EXPIRE_ONLY.
 *
 * @se       mounted session
 * @parent   directory
 * @name     need not be NUL-terminated; borrowed until return
 * @namelen  bytes
 * @return 0, or -errno; -ENOSYS: the kernel cannot; -ENOENT: the kernel does not
 *         know the directory or name
 *
 * Thread: any; not while holding a lock that an operation on the same inode
 * needs: the kernel may wait for that operation.
 * Wire: FUSE_NOTIFY_INVAL_ENTRY with FUSE_EXPIRE_ONLY.
 * Since: FUSE_3.12 (header 3.13)
 */
int fuse_lowlevel_notify_expire_entry(struct fuse_session *se,
				      fuse_ino_t parent, const char *name,
				      size_t namelen);

#ifndef RINGFUSE_BUILDING_LIBRARY
/* Sources written for 3.13 and 3.14.0 pass a fifth argument, of this type;
 * without FUSE_LL_EXPIRE_ONLY it asks for an invalidation. */
#define fuse_expire_flags fuse_notify_entry_flags
static inline int
ringfuse_notify_entry_flags(struct fuse_session *se, fuse_ino_t parent,
			    const char *name, size_t namelen,
			    enum fuse_notify_entry_flags flags)
{
	if (flags & FUSE_LL_EXPIRE_ONLY)
		return fuse_lowlevel_notify_expire_entry(se, parent, name,
							 namelen);
	return fuse_lowlevel_notify_inval_entry(se, parent, name, namelen);
}
#define RINGFUSE_SIXTH_(a, b, c, d, e, f, ...) f
#define fuse_lowlevel_notify_expire_entry(...)				\
	RINGFUSE_SIXTH_(__VA_ARGS__, ringfuse_notify_entry_flags,	\
			fuse_lowlevel_notify_expire_entry, 0)(__VA_ARGS__)
#endif

/**
 * Say that a name is gone, so that inotify tells its watchers.
 *
 * @se       mounted session
 * @parent   directory
 * @child    inode the name stood for; 0: the same as inval_entry
 * @name     need not be NUL-terminated; borrowed until return
 * @namelen  bytes
 * @return 0, or -errno; -ENOENT: the kernel does not know the directory or name;
 *         -ENOTEMPTY, -EBUSY: the name is in use
 *
 * Thread: any; not while holding a lock that an operation on the same inode
 * needs: the kernel may wait for that operation.  Wire: FUSE_NOTIFY_DELETE.
 * Since: FUSE_3.0
 */
int fuse_lowlevel_notify_delete(struct fuse_session *se, fuse_ino_t parent,
				fuse_ino_t child, const char *name,
				size_t namelen);

/**
 * Put data into the page cache, as if it had been read. May enlarge the file.
 *
 * @se      mounted session
 * @ino     inode
 * @offset  first byte
 * @bufv    its position moves; the rest is borrowed until return
 * @flags   how to copy, see enum fuse_buf_copy_flags
 * @return 0, or -errno; part of the data may be stored then
 *
 * Thread: any; not while holding a lock that an operation on the same inode
 * needs: the kernel may wait for that operation.  Wire: FUSE_NOTIFY_STORE.
 * Since: FUSE_3.0
 */
int fuse_lowlevel_notify_store(struct fuse_session *se, fuse_ino_t ino,
			       off_t offset, struct fuse_bufvec *bufv,
			       enum fuse_buf_copy_flags flags);

/**
 * Ask for data of the page cache; it comes to the retrieve_reply operation.
 *
 * @se      mounted session
 * @ino     inode
 * @size    bytes wanted; at most max_write come
 * @offset  first byte
 * @cookie  comes back to retrieve_reply
 * @return 0, or -errno; then no reply comes
 *
 * Thread: any; not while holding a lock that an operation on the same inode
 * needs: the kernel may wait for that operation.  Wire: FUSE_NOTIFY_RETRIEVE.
 * Since: FUSE_3.0
 */
int fuse_lowlevel_notify_retrieve(struct fuse_session *se, fuse_ino_t ino,
				  size_t size, off_t offset, void *cookie);

/**
 * Ask the kernel to forget inodes that nobody uses.
 *
 * @se       mounted session
 * @nodeids  inodes; borrowed until return
 * @count    how many
 * @return 0, or -errno; -ENOSYS: the kernel cannot
 *
 * Thread: any; not while holding a lock that an operation on the same inode
 * needs: the kernel may wait for that operation.  Wire: FUSE_NOTIFY_PRUNE.
 * Since: FUSE_3.19
 */
int fuse_lowlevel_notify_prune(struct fuse_session *se, fuse_ino_t *nodeids,
			       uint32_t count);

/* About a request */

/**
 * The userdata given to fuse_session_new().
 *
 * @req  not answered yet
 * @return that pointer
 *
 * Thread: any.  Since: FUSE_3.0
 */
void *fuse_req_userdata(fuse_req_t req);

/**
 * Who asks.
 *
 * @req  not answered yet
 * @return valid until the request is answered
 *
 * Thread: any.  Wire: fuse_in_header.  Since: FUSE_3.0
 */
const struct fuse_ctx *fuse_req_ctx(fuse_req_t req);

/**
 * Supplementary groups of who asks, as of now; they may have changed since.
 *
 * @req   not answered yet
 * @size  room in list; 0: only count
 * @list  filled up to size
 * @return number of groups, maybe more than size; -ENOSYS or another -errno: not
 *         known
 *
 * Thread: any.  Wire: /proc/PID/task/TID/status.  Since: FUSE_3.0
 */
int fuse_req_getgroups(fuse_req_t req, int size, gid_t list[]);

/**
 * Called when the caller of a request was interrupted. It should make the
 * request end soon, with EINTR; it must not answer another request.
 *
 * @req   the interrupted request; not answered while this runs
 * @data  as given to fuse_req_interrupt_func()
 *
 * Thread: any that is not in the request's operation.  Wire: FUSE_INTERRUPT.
 * Since: FUSE_3.0
 */
typedef void (*fuse_interrupt_func_t)(fuse_req_t req, void *data);

/**
 * Ask to be told of an interrupt. If it already happened, func is called from
 * here. The function is not called once the request is answered.
 *
 * @req   not answered yet
 * @func  NULL: stop being told
 * @data  handed to func
 *
 * Thread: any.  Wire: FUSE_INTERRUPT.  Since: FUSE_3.0
 */
void fuse_req_interrupt_func(fuse_req_t req, fuse_interrupt_func_t func,
			     void *data);

/**
 * Was the caller interrupted?
 *
 * @req  not answered yet
 * @return 1 if so, else 0
 *
 * Thread: any.  Wire: FUSE_INTERRUPT.  Since: FUSE_3.0
 */
int fuse_req_interrupted(fuse_req_t req);

/**
 * The request's own answer buffer, so that read can fill it without a copy;
 * answer with fuse_reply_buf() and this address. Only for requests that came
 * over io_uring.
 *
 * @req         not answered yet
 * @payload     set to the buffer, valid until the request is answered
 * @payload_sz  set to its bytes
 * @mr          set to the handle of a registered buffer, NULL if there is none;
 *              may be NULL
 * @return 0, or -errno: -EINVAL: this request has no such buffer
 *
 * Thread: any.  Since: FUSE_3.18
 */
int fuse_req_get_payload(fuse_req_t req, char **payload, size_t *payload_sz,
			 void **mr);

/**
 * Did the request come over io_uring?
 *
 * @req  not answered yet
 * @return true if so
 *
 * Thread: any.  Since: FUSE_3.18
 */
bool fuse_req_is_uring(fuse_req_t req);

/**
 * How many security labels came with a request that creates. Needs
 * FUSE_CAP_SECURITY_CTX.
 *
 * @req  not answered yet
 * @return 0 or more; 0 also for requests that cannot carry any
 *
 * Thread: any.  Wire: fuse_secctx_header.  Since: FUSE_3.19
 */
int fuse_req_secctx_count(fuse_req_t req);

/**
 * The next security label of a request.
 *
 * @req    not answered yet
 * @name   set to the attribute's name ("security.selinux"), NUL-terminated
 * @value  set to the label; not necessarily NUL-terminated
 * @size   set to the label's bytes
 * @return 1: filled, valid until the request is answered; 0: no more;
 *         -EINVAL: the message is damaged
 *
 * Thread: any, one at a time per request.  Wire: fuse_secctx.
 * Since: FUSE_3.19
 */
int fuse_req_secctx_next(fuse_req_t req, const char **name, const void **value,
			 uint32_t *size);

/**
 * Let fuse_req_secctx_next() begin again.
 *
 * @req  not answered yet
 *
 * Thread: any, one at a time per request.  Since: FUSE_3.19
 */
void fuse_req_secctx_reset(fuse_req_t req);

/* Command line */

/**
 * Print the protocol version, and what fusermount3 says about itself, on
 * standard output.
 *
 * Thread: any.  Since: FUSE_3.0
 */
void fuse_lowlevel_version(void);

/**
 * Print the options of fuse_session_new() on standard output.
 *
 * Thread: any.  Since: FUSE_3.0
 */
void fuse_lowlevel_help(void);

/**
 * Print the options of fuse_parse_cmdline() on standard output.
 *
 * Thread: any.  Since: FUSE_3.0
 */
void fuse_cmdline_help(void);

/** Result of fuse_parse_cmdline(). */
struct fuse_cmdline_opts {
	/** -s */
	int singlethread;

	/** -f or -d */
	int foreground;

	/** -d */
	int debug;

	/** -o fsname= or -o subtype= was given */
	int nodefault_subtype;

	/** Absolute path, for free(); NULL: none was given */
	char *mountpoint;

	/** -V */
	int show_version;

	/** -h */
	int show_help;

	/** -o clone_fd */
	int clone_fd;

	/** -o max_idle_threads= */
	unsigned int max_idle_threads;

	/** -o max_threads= */
	unsigned int max_threads;
};

/**
 * Parse the options that concern the program rather than the filesystem: the
 * mountpoint, foreground, debug, threads. What it does not know stays in the
 * list, and a default subtype from the program's name is added.
 *
 * @args  recognised arguments are removed
 * @opts  overwritten
 * @return 0, or -1 after a message
 *
 * Thread: any, no two on the same list.  Since: FUSE_3.0; with max_threads
 * FUSE_3.12
 */
#ifdef RINGFUSE_BUILDING_LIBRARY
int fuse_parse_cmdline_30(struct fuse_args *args,
			  struct fuse_cmdline_opts *opts);
int fuse_parse_cmdline_312(struct fuse_args *args,
			   struct fuse_cmdline_opts *opts);
#else
int fuse_parse_cmdline(struct fuse_args *args, struct fuse_cmdline_opts *opts);
#endif

/* Sessions */

/**
 * What fuse_session_new() calls.
 *
 * @args      see fuse_session_new()
 * @op        see fuse_session_new(); must not be NULL
 * @op_size   see fuse_session_new(); must not be 0
 * @version   headers of the caller; borrowed until return; must not be NULL
 * @userdata  see fuse_session_new()
 * @return see fuse_session_new()
 *
 * Thread: any.  Since: FUSE_3.17
 */
struct fuse_session *
fuse_session_new_versioned(struct fuse_args *args,
			   const struct fuse_lowlevel_ops *op, size_t op_size,
			   const struct libfuse_version *version,
			   void *userdata);

/**
 * Make a session. Nothing is mounted yet.
 *
 * @args      options; known ones are taken out. Anything left but argv[0] is an
 *            error. Stays the caller's
 * @op        operations; copied
 * @op_size   sizeof(struct fuse_lowlevel_ops) as the caller knows it: shorter
 *            tables end in NULL, the rest of longer ones is ignored with a
 *            message
 * @userdata  for fuse_req_userdata(), init and destroy
 * @return for fuse_session_destroy(); NULL after a message
 *
 * Thread: any; one session at a time is the usual case.  Since: FUSE_3.0
 */
#ifdef RINGFUSE_BUILDING_LIBRARY
struct fuse_session *fuse_session_new(struct fuse_args *args,
				      const struct fuse_lowlevel_ops *op,
				      size_t op_size, void *userdata);
#else
static inline struct fuse_session *
fuse_session_new_fn(struct fuse_args *args, const struct fuse_lowlevel_ops *op,
		    size_t op_size, void *userdata)
{
	const struct libfuse_version version = {
		FUSE_MAJOR_VERSION, FUSE_MINOR_VERSION, FUSE_HOTFIX_VERSION, 0
	};

	return fuse_session_new_versioned(args, op, op_size, &version,
					  userdata);
}
#define fuse_session_new(args, op, op_size, userdata) \
	fuse_session_new_fn(args, op, op_size, userdata)
#endif

/**
 * What fuse_session_custom_io() calls.
 *
 * @se       see fuse_session_custom_io()
 * @io       see fuse_session_custom_io()
 * @op_size  bytes of *io that the caller knows
 * @fd       see fuse_session_custom_io()
 * @return see fuse_session_custom_io()
 *
 * Thread: one, before the loop.  Since: FUSE_3.17
 */
int fuse_session_custom_io_317(struct fuse_session *se,
			       const struct fuse_custom_io *io, size_t op_size,
			       int fd);

/**
 * Run the session over a descriptor that is no /dev/fuse, or with own functions
 * to read and write it. Instead of fuse_session_mount().
 *
 * @se       session that is not mounted
 * @io       copied; read and writev must be there
 * @op_size  (FUSE_USE_VERSION 317 and later) sizeof(struct fuse_custom_io)
 * @fd       the session's from here on if it succeeds
 * @return 0, or -errno: -EINVAL: a function is missing; -EBADF: negative fd
 *
 * Thread: one, before the loop.  Since: FUSE_3.0 (header 3.13),
 * with op_size FUSE_3.17
 */
#ifdef RINGFUSE_BUILDING_LIBRARY
int fuse_session_custom_io_30(struct fuse_session *se,
			      const struct fuse_custom_io *io, int fd);
#elif FUSE_USE_VERSION >= FUSE_MAKE_VERSION(3, 17)
static inline int fuse_session_custom_io(struct fuse_session *se,
					 const struct fuse_custom_io *io,
					 size_t op_size, int fd)
{
	return fuse_session_custom_io_317(se, io, op_size, fd);
}
#else
static inline int fuse_session_custom_io(struct fuse_session *se,
					 const struct fuse_custom_io *io,
					 int fd)
{
	return fuse_session_custom_io_317(
		se, io, offsetof(struct fuse_custom_io, clone_fd), fd);
}
#endif

/**
 * Mount. The kernel's first request waits until a loop runs.
 *
 * @se          session that is not mounted
 * @mountpoint  path, or "/dev/fd/N" for a descriptor that is mounted already;
 *              copied
 * @return 0, or -1 after a message
 *
 * Thread: one, before the loop.  Wire: fuse.ko mount options; fusermount3.
 * Since: FUSE_3.0
 */
int fuse_session_mount(struct fuse_session *se, const char *mountpoint);

/**
 * Serve requests on this thread only, one after the other, until the mount ends
 * or somebody ends the session.
 *
 * @se  mounted session
 * @return 0: unmounted, or fuse_session_exit(); above 0: number of the signal
 *         that ended it; negative: -errno
 *
 * Thread: one.  Since: FUSE_3.0
 */
int fuse_session_loop(struct fuse_session *se);

/**
 * Serve requests on several threads. All of them are gone on return.
 *
 * @se        mounted session
 * @clone_fd  (FUSE_USE_VERSION below 32) non-zero: one /dev/fuse descriptor per
 *            thread
 * @config    (32 and later) borrowed until return. NULL: the defaults (312 and
 *            later)
 * @return see fuse_session_loop()
 *
 * Thread: one.  Since: FUSE_3.2, in the form of 312 FUSE_3.12
 */
#ifdef RINGFUSE_BUILDING_LIBRARY
int fuse_session_loop_mt_31(struct fuse_session *se, int clone_fd);
int fuse_session_loop_mt_32(struct fuse_session *se,
			    struct fuse_loop_config_v1 *config);
int fuse_session_loop_mt_312(struct fuse_session *se,
			     struct fuse_loop_config *config);
#elif FUSE_USE_VERSION < 32
int fuse_session_loop_mt_31(struct fuse_session *se, int clone_fd);
#define fuse_session_loop_mt(se, clone_fd) fuse_session_loop_mt_31(se, clone_fd)
#elif FUSE_USE_VERSION < FUSE_MAKE_VERSION(3, 12)
int fuse_session_loop_mt_32(struct fuse_session *se,
			    struct fuse_loop_config *config);
#define fuse_session_loop_mt(se, config) fuse_session_loop_mt_32(se, config)
#else
int fuse_session_loop_mt(struct fuse_session *se,
			 struct fuse_loop_config *config);
#endif

/**
 * Ask the loop to end. Requests in progress are finished first.
 *
 * @se  session
 *
 * Thread: any, also a signal handler.  Since: FUSE_3.0
 */
void fuse_session_exit(struct fuse_session *se);

/**
 * Make a session that was asked to end usable for another loop.
 *
 * @se  session without a loop
 *
 * Thread: one.  Since: FUSE_3.0
 */
void fuse_session_reset(struct fuse_session *se);

/**
 * Was the session asked to end, or did the mount end?
 *
 * @se  session
 * @return non-zero if so
 *
 * Thread: any.  Since: FUSE_3.0
 */
int fuse_session_exited(struct fuse_session *se);

/**
 * Unmount, lazily if it is in use. Harmless if it is not mounted.
 *
 * @se  session without a loop
 *
 * Thread: one.  Wire: umount2(2); fusermount3.  Since: FUSE_3.0
 */
void fuse_session_unmount(struct fuse_session *se);

/**
 * Free a session; destroy is called if init was. Unmount first.
 *
 * @se  consumed
 *
 * Thread: one.  Since: FUSE_3.0
 */
void fuse_session_destroy(struct fuse_session *se);

/**
 * Log every request and answer at debug level, or stop doing so; as -o debug.
 *
 * @se     session
 * @debug  non-zero: log
 *
 * Thread: one, before the loop.  Since: FUSE_3.19
 */
void fuse_session_set_debug(struct fuse_session *se, int debug);

/**
 * Ask that fuse_session_mount() return only after the kernel and init have agreed,
 * so that a failure shows there. A request only: this version mounts as usual, and
 * init runs when the loop begins.
 *
 * @se  session that is not mounted
 *
 * Thread: one, before the mount.  Wire: FUSE_DEV_IOC_SYNC_INIT.
 * Since: FUSE_3.19
 */
void fuse_session_set_sync_init(struct fuse_session *se);

/**
 * Guard against handlers that never return: if the loop does not end in time
 * after it was asked to, the connection is aborted and the process exits.
 *
 * @se            session
 * @timeout_secs  seconds after the request to end, 1 to 86400
 * @return 0, or -errno: -EINVAL: out of range; -EALREADY: already running
 *
 * Thread: one.  Since: FUSE_3.19
 */
int fuse_session_start_teardown_watchdog(struct fuse_session *se,
					 unsigned int timeout_secs);

/**
 * End the guard. Harmless if it does not run.
 *
 * @se  session
 *
 * Thread: one.  Since: FUSE_3.19
 */
void fuse_session_stop_teardown_watchdog(struct fuse_session *se);

/* Loops of one's own */

/**
 * Descriptor of the session, for poll(2) in loops of one's own. Not to be read
 * or closed.
 *
 * @se  session
 * @return descriptor; -1: not mounted
 *
 * Thread: any.  Since: FUSE_3.0
 */
int fuse_session_fd(struct fuse_session *se);

/**
 * Serve one message that fuse_session_receive_buf() got.
 *
 * @se   mounted session
 * @buf  stays the caller's; borrowed until return
 *
 * Thread: any, several at once.  Since: FUSE_3.0
 */
void fuse_session_process_buf(struct fuse_session *se,
			      const struct fuse_buf *buf);

/**
 * Wait for one message. For loops of one's own.
 *
 * @se   mounted session
 * @buf  start with all zero: the memory at mem is allocated with malloc, used
 *       again by the next call, and for the caller to free. May come back as a
 *       pipe (FUSE_BUF_IS_FD) that belongs to the thread
 * @return bytes; 0: the mount or the session ended; -EINTR and -EAGAIN: try
 *         again; another -errno: error
 *
 * Thread: any, several at once.  Wire: /dev/fuse read(2).  Since: FUSE_3.0
 */
int fuse_session_receive_buf(struct fuse_session *se, struct fuse_buf *buf);

/* Binary interface */

RINGFUSE_ASSERT_SIZE(fuse_entry_param, 176);
RINGFUSE_ASSERT_SIZE(fuse_ctx, 16);
RINGFUSE_ASSERT_SIZE(fuse_forget_data, 16);
RINGFUSE_ASSERT_SIZE(fuse_custom_io, 40);
RINGFUSE_ASSERT_SIZE(fuse_lowlevel_ops, 376);
RINGFUSE_ASSERT_SIZE(fuse_cmdline_opts, 48);

#ifdef __cplusplus
}
#endif

#endif /* FUSE_LOWLEVEL_H_ */
