/*
 * The high-level API: operations by path, answered by their return value. Life
 * of a filesystem: fuse_main(), or fuse_parse_cmdline() (low-level header),
 * fuse_new(), fuse_mount(), a loop, fuse_unmount(), fuse_destroy().
 *
 * FUSE_USE_VERSION chooses between forms of one function: fuse_new() answers
 * --help itself below 31; cmd of ioctl is an int below 35; fuse_loop_mt() takes
 * clone_fd below 32, the public struct fuse_loop_config below 312, and the
 * private one from there on.
 *
 * RINGFUSE_BUILDING_LIBRARY is for the library's own sources: it replaces
 * wrappers and macros by the plain prototypes of what the library defines.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FUSE_H_
#define FUSE_H_

#include "fuse_common.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Complete only with _GNU_SOURCE or <linux/stat.h>. */
struct statx;
/* Not declared by strict C99 and C11 without a POSIX feature macro. */
struct flock;
struct timespec;

/* Names and structures */

/** One mounted filesystem. Made by fuse_new(). */
struct fuse;

/** What a readdir may be asked for. */
enum fuse_readdir_flags {
	/** Names suffice. */
	FUSE_READDIR_DEFAULTS = 0,

	/** Full attributes are wanted, if they are cheap to get: pass them to
	 * the filler with FUSE_FILL_DIR_PLUS. */
	FUSE_READDIR_PLUS = (1 << 0)
};

/** What an entry carries. */
enum fuse_fill_dir_flags {
	/** Of the attributes only st_ino and the type bits of st_mode hold. */
	FUSE_FILL_DIR_DEFAULTS = 0,

	/** All attributes hold: the kernel may cache them as after a getattr.
	 * Ignored for "." and "..". */
	FUSE_FILL_DIR_PLUS = (1 << 1)
};

/**
 * Takes one entry of a directory, in readdir.
 *
 * @buf    the one given to readdir
 * @name   one path component; copied
 * @stbuf  attributes, see flags; may be NULL: number and type not known
 * @off    position of the next entry, to go on from later; 0: positions are
 *         not used, and readdir lists the whole directory in one go
 * @flags  FUSE_FILL_DIR_*
 * @return 0; 1: full (or out of memory), stop listing and return 0
 *
 * Thread: the one in readdir.
 */
typedef int (*fuse_fill_dir_t)(void *buf, const char *name,
			       const struct stat *stbuf, off_t off,
			       enum fuse_fill_dir_flags flags);

/**
 * How the library behaves for one filesystem. Filled from the command line
 * before init, which may change what is marked [rw].
 */
struct fuse_config {
	/** [rw] Non-zero: st_gid is gid, whatever getattr says. -o gid= */
	int32_t set_gid;
	uint32_t gid;

	/** [rw] Non-zero: st_uid is uid, whatever getattr says. -o uid= */
	int32_t set_uid;
	uint32_t uid;

	/** [rw] Non-zero: the permission bits of umask are cleared in st_mode
	 * and all others are set. -o umask= */
	int32_t set_mode;
	uint32_t umask;

	/** [rw] Seconds a name may be cached. Default 1. */
	double entry_timeout;

	/** [rw] Seconds it may be cached that a name does not exist. Default
	 * 0: not at all. */
	double negative_timeout;

	/** [rw] Seconds attributes may be cached. Default 1. */
	double attr_timeout;

	/** [rw] Non-zero: intr_signal is sent to the thread whose request the
	 * caller gave up, until it answers. */
	int32_t intr;

	/** [rw] Signal for intr. Default SIGUSR1. The library installs a
	 * handler that does nothing. */
	int32_t intr_signal;

	/** [rw] Seconds a node is remembered after the kernel forgot it, so
	 * that its number stays the same. 0: not at all; below 0: for ever.
	 * -o remember=, noforget */
	int32_t remember;

	/** [rw] Non-zero: unlink and rename remove open files at once, and
	 * operations on them get no path. Otherwise these are renamed to
	 * .fuse_hidden* until they are closed. */
	int32_t hard_remove;

	/** [rw] Non-zero: st_ino is what getattr says. Otherwise the library
	 * makes it up. */
	int32_t use_ino;

	/** [rw] Non-zero: without use_ino, readdir shows the numbers of nodes
	 * that are known already. */
	int32_t readdir_ino;

	/** [rw] Non-zero: every file is opened with direct_io. */
	int32_t direct_io;

	/** [rw] Non-zero: what the page cache holds of a file stays valid when
	 * it is opened. Only for contents nobody else changes. */
	int32_t kernel_cache;

	/** [rw] Non-zero: it stays valid if size and modification time are
	 * those seen last. */
	int32_t auto_cache;

	/** [rw] Non-zero: ac_attr_timeout holds; otherwise attr_timeout is
	 * used in its place. */
	int32_t ac_attr_timeout_set;

	/** [rw] Seconds the attributes are good for the test of auto_cache. */
	double ac_attr_timeout;

	/** [rw] Non-zero: operations on open files work without a path, and
	 * get NULL. These are read, write, flush, release, fsync, readdir,
	 * releasedir, fsyncdir, ioctl, poll, lock, flock, fallocate, lseek,
	 * copy_file_range, and getattr, chmod, chown, truncate, utimens, statx
	 * with fi. */
	int32_t nullpath_ok;

	/** For the library. */
	int32_t show_help;

	/** For the library: -o modules=. */
	char *modules;

	/** For the library: -d. */
	int32_t debug;

	/** [rw] With set_mode: umask for what is no directory; 0: umask. */
	uint32_t fmask;

	/** [rw] With set_mode: umask for directories; 0: umask. */
	uint32_t dmask;

	/** [rw] Non-zero: closing a file that was opened for reading sends no
	 * flush. */
	int32_t no_rofd_flush;

	/** [rw] Non-zero: writes to one file opened with direct_io may run at
	 * the same time. */
	int32_t parallel_direct_writes;

	/** 0 */
	uint32_t flags;
	uint64_t reserved[48];
};

/**
 * What a filesystem does. An operation returns 0, or a count where it says so,
 * for success, and -errno otherwise. All may be NULL; "NULL:" says what that
 * means, and where nothing is said the caller gets ENOSYS.
 *
 * Paths begin with "/", the root of the mount, and stay valid while the
 * operation runs: nobody renames or removes a component in the meantime. With
 * nullpath_ok or hard_remove operations on open files may get NULL. fi is the
 * open file the caller used, or NULL if there was none; all arguments are
 * borrowed until return.
 *
 * With fuse_loop_mt() operations run at the same time on several threads; with
 * fuse_loop() one after the other on the calling thread.
 */
struct fuse_operations {
	/** Attributes. st_dev and st_blksize are ignored, st_ino unless
	 * use_ino is set. */
	int (*getattr)(const char *path, struct stat *stbuf,
		       struct fuse_file_info *fi);

	/** Target of a symbolic link, NUL-terminated, cut off at size bytes
	 * with the NUL. Returns 0, not the length. */
	int (*readlink)(const char *path, char *buf, size_t size);

	/** Create a file that is no directory and no link. mode has the type.
	 * Also called, with open after it, for open(O_CREAT) if there is no
	 * create. */
	int (*mknod)(const char *path, mode_t mode, dev_t rdev);

	/** Create a directory. mode may lack the type bits. */
	int (*mkdir)(const char *path, mode_t mode);

	/** Remove a name that is no directory. */
	int (*unlink)(const char *path);

	/** Remove an empty directory. */
	int (*rmdir)(const char *path);

	/** Create the symbolic link `path` with the text `target`. */
	int (*symlink)(const char *target, const char *path);

	/** Move a name, replacing the target. flags: those of renameat2(2);
	 * return -EINVAL for the ones not done. */
	int (*rename)(const char *oldpath, const char *newpath,
		      unsigned int flags);

	/** Give a file another name. */
	int (*link)(const char *oldpath, const char *newpath);

	/** Change the permission bits. */
	int (*chmod)(const char *path, mode_t mode, struct fuse_file_info *fi);

	/** Change owner and group; -1: leave it. With FUSE_CAP_HANDLE_KILLPRIV
	 * it also clears the set-id bits. */
	int (*chown)(const char *path, uid_t uid, gid_t gid,
		     struct fuse_file_info *fi);

	/** Change the size. Clears the set-id bits as chown does. */
	int (*truncate)(const char *path, off_t size,
			struct fuse_file_info *fi);

	/** Open a file. fi->flags has no O_CREAT, O_EXCL, O_NOCTTY, and O_TRUNC
	 * only with FUSE_CAP_ATOMIC_O_TRUNC; with FUSE_CAP_WRITEBACK_CACHE a
	 * file opened for writing only may be read, and O_APPEND is the
	 * kernel's business. May set fh, direct_io, keep_cache, nonseekable,
	 * noflush, parallel_direct_writes.
	 * NULL: success, fh 0. */
	int (*open)(const char *path, struct fuse_file_info *fi);

	/** Read up to size bytes at off and return how many. Fewer mean end of
	 * file (the rest reads as zeros), unless the file is direct_io. */
	int (*read)(const char *path, char *buf, size_t size, off_t off,
		    struct fuse_file_info *fi);

	/** Write size bytes at off and return how many. Fewer are allowed only
	 * with direct_io. Clears the set-id bits as chown does. */
	int (*write)(const char *path, const char *buf, size_t size, off_t off,
		     struct fuse_file_info *fi);

	/** Size and use of the filesystem. f_favail, f_fsid and f_flag are
	 * ignored.
	 * NULL: zeros, name length 255, block size 512. */
	int (*statfs)(const char *path, struct statvfs *stbuf);

	/** A descriptor of the open file was closed; may come more than once,
	 * and not for every open. Last chance to report a write error to
	 * close(2), so write back what is held. */
	int (*flush)(const char *path, struct fuse_file_info *fi);

	/** The open file is gone: once for each open. The result reaches
	 * nobody.
	 * NULL: success. */
	int (*release)(const char *path, struct fuse_file_info *fi);

	/** Put data (and, unless datasync, attributes) on stable storage. */
	int (*fsync)(const char *path, int datasync, struct fuse_file_info *fi);

	/** Set an extended attribute. flags: XATTR_CREATE, XATTR_REPLACE. */
	int (*setxattr)(const char *path, const char *name, const char *value,
			size_t size, int flags);

	/** Value of an extended attribute; returns its length. size 0: only
	 * the length. -ERANGE if size is too small; -ENODATA if there is
	 * none. */
	int (*getxattr)(const char *path, const char *name, char *value,
			size_t size);

	/** Names of all extended attributes, each with its NUL; returns the
	 * length. size as in getxattr. */
	int (*listxattr)(const char *path, char *list, size_t size);

	/** Remove an extended attribute. */
	int (*removexattr)(const char *path, const char *name);

	/** Open a directory; check here whether it may be read. May set fh,
	 * cache_readdir, keep_cache.
	 * NULL: success, fh 0. */
	int (*opendir)(const char *path, struct fuse_file_info *fi);

	/** List a directory by calling filler for each entry. Two ways:
	 * - ignore off, pass 0 to the filler: the whole directory at once;
	 * - begin at off (0, or one given to the filler before), pass the next
	 *   position each time, stop when the filler returns 1.
	 * flags: FUSE_READDIR_*. */
	int (*readdir)(const char *path, void *buf, fuse_fill_dir_t filler,
		       off_t off, struct fuse_file_info *fi,
		       enum fuse_readdir_flags flags);

	/** The open directory is gone: once for each opendir. path is NULL if
	 * it was removed since.
	 * NULL: success. */
	int (*releasedir)(const char *path, struct fuse_file_info *fi);

	/** fsync for a directory. path is NULL if it was removed since. */
	int (*fsyncdir)(const char *path, int datasync,
			struct fuse_file_info *fi);

	/** First of all, before any request. May change the [rw] fields of both
	 * structures, which are valid only until return. What it returns is
	 * private_data of fuse_context from here on, and goes to destroy.
	 * NULL: private_data stays the one given to fuse_main(). */
	void *(*init)(struct fuse_conn_info *conn, struct fuse_config *cfg);

	/** Last of all; only if init was called. */
	void (*destroy)(void *private_data);

	/** May the caller do mask (R_OK, ...)? For access(2) and chdir(2) only,
	 * and not with -o default_permissions.
	 * NULL: everything may be done. */
	int (*access)(const char *path, int mask);

	/** Create a regular file and open it; may set what open may.
	 * NULL: mknod and open are called. */
	int (*create)(const char *path, mode_t mode, struct fuse_file_info *fi);

	/** POSIX lock. cmd: F_GETLK, F_SETLK (never wait), F_SETLKW. l_whence
	 * is SEEK_SET; the owner is fi->lock_owner, and l_pid is only for
	 * F_GETLK to report. F_GETLK comes only if no lock taken through this
	 * mount is in the way: the library knows those.
	 * NULL: the kernel keeps the locks, for this machine only. */
	int (*lock)(const char *path, struct fuse_file_info *fi, int cmd,
		    struct flock *lock);

	/** Change access (tv[0]) and modification time (tv[1]), with UTIME_NOW
	 * and UTIME_OMIT of utimensat(2) in tv_nsec. */
	int (*utimens)(const char *path, const struct timespec *tv,
		       struct fuse_file_info *fi);

	/** Device block for block *idx of a file, in units of blocksize bytes.
	 * Only for filesystems on a device, -o blkdev. */
	int (*bmap)(const char *path, size_t blocksize, uint64_t *idx);

	/** ioctl(2) with a fixed size: data holds the bytes coming in, and takes
	 * those going out, as the bits of cmd say. flags: FUSE_IOCTL_COMPAT,
	 * FUSE_IOCTL_DIR (fi is then of a directory).
	 * NULL: ENOTTY. */
#if FUSE_USE_VERSION < 35
	int (*ioctl)(const char *path, int cmd, void *arg,
		     struct fuse_file_info *fi, unsigned int flags, void *data);
#else
	int (*ioctl)(const char *path, unsigned int cmd, void *arg,
		     struct fuse_file_info *fi, unsigned int flags, void *data);
#endif

	/** What can be done without waiting: put POLLIN etc. into *reventsp. If
	 * ph is not NULL somebody waits: keep it, call fuse_notify_poll() once
	 * the state changes, then fuse_pollhandle_destroy(). */
	int (*poll)(const char *path, struct fuse_file_info *fi,
		    struct fuse_pollhandle *ph, unsigned *reventsp);

	/** As write, but the data may be in a descriptor: move it with
	 * fuse_buf_copy(). Called instead of write. */
	int (*write_buf)(const char *path, struct fuse_bufvec *buf, off_t off,
			 struct fuse_file_info *fi);

	/** As read, but instead of copying the data say where it is: *bufp is to
	 * be a malloc'd list, whose memory pieces are malloc'd too; the library
	 * frees them. Returns 0. Called instead of read. */
	int (*read_buf)(const char *path, struct fuse_bufvec **bufp,
			size_t size, off_t off, struct fuse_file_info *fi);

	/** flock(2) lock. op: LOCK_SH, LOCK_EX, LOCK_UN, with LOCK_NB if it must
	 * not wait. The owner is fi->lock_owner.
	 * NULL: the kernel keeps the locks, for this machine only. */
	int (*flock)(const char *path, struct fuse_file_info *fi, int op);

	/** fallocate(2). mode: FALLOC_FL_*; -EOPNOTSUPP for the ones not
	 * done. */
	int (*fallocate)(const char *path, int mode, off_t off, off_t length,
			 struct fuse_file_info *fi);

	/** copy_file_range(2): returns how many bytes were copied.
	 * NULL: the kernel copies with read and write. */
	ssize_t (*copy_file_range)(const char *path_in,
				   struct fuse_file_info *fi_in, off_t off_in,
				   const char *path_out,
				   struct fuse_file_info *fi_out,
				   off_t off_out, size_t size, int flags);

	/** Next data or hole from off on: returns its position. whence:
	 * SEEK_DATA or SEEK_HOLE. */
	off_t (*lseek)(const char *path, off_t off, int whence,
		       struct fuse_file_info *fi);

	/** Attributes with those of statx(2). mask: STATX_* wanted; stx_mask
	 * says which fields hold.
	 * NULL: getattr is asked. */
	int (*statx)(const char *path, int flags, int mask,
		     struct statx *stxbuf, struct fuse_file_info *fi);

	/** syncfs(2): put everything on stable storage. */
	int (*syncfs)(const char *path);
};

/**
 * Who asks. All zero but fuse, private_data in requests the kernel makes by
 * itself, as in late writes.
 */
struct fuse_context {
	/** The filesystem the operation belongs to. */
	struct fuse *fuse;

	/** File-system user id of the caller. */
	uid_t uid;

	/** File-system group id of the caller. */
	gid_t gid;

	/** Thread id in our pid namespace; 0: from outside of it. */
	pid_t pid;

	/** What init returned. */
	void *private_data;

	/** umask of the caller, in operations that create. */
	mode_t umask;
};

/* A whole filesystem in one call */

/**
 * What fuse_main() calls.
 *
 * @argc       see fuse_main()
 * @argv       see fuse_main()
 * @op         see fuse_main()
 * @op_size    bytes of *op that the caller knows
 * @version    headers of the caller; borrowed until return
 * @user_data  see fuse_main()
 * @return see fuse_main()
 *
 * Thread: the only one of the process.  Since: FUSE_3.17
 */
int fuse_main_real_versioned(int argc, char *argv[],
			     const struct fuse_operations *op, size_t op_size,
			     struct libfuse_version *version, void *user_data);

/**
 * As fuse_main(), with the size of the table. Programs should call fuse_main().
 *
 * @argc       see fuse_main()
 * @argv       see fuse_main()
 * @op         see fuse_main()
 * @op_size    bytes of *op that the caller knows
 * @user_data  see fuse_main()
 * @return see fuse_main()
 *
 * Thread: the only one of the process.  Since: FUSE_3.0
 */
#ifdef RINGFUSE_BUILDING_LIBRARY
int fuse_main_real(int argc, char *argv[], const struct fuse_operations *op,
		   size_t op_size, void *user_data);
#else
static inline int fuse_main_real(int argc, char *argv[],
				 const struct fuse_operations *op,
				 size_t op_size, void *user_data)
{
	struct libfuse_version version = {
		FUSE_MAJOR_VERSION, FUSE_MINOR_VERSION, FUSE_HOTFIX_VERSION, 0
	};

	return fuse_main_real_versioned(argc, argv, op, op_size, &version,
					user_data);
}
#endif

/**
 * Run a filesystem: read the command line, mount, go into the background unless
 * -f or -d is given, serve until it is unmounted or a signal comes, unmount.
 *
 * @argc       arguments of main()
 * @argv       arguments of main()
 * @op         operations; copied
 * @user_data  private_data of fuse_context until init returns another
 * @return 0 done, also for --help and --version; 1 wrong arguments; 2 no
 *         mountpoint; 3 fuse_new() failed; 4 mounting failed; 5 no way into the
 *         background; 6 signal handlers; 7 out of memory for the loop; 8 the
 *         loop ended with an error or by a signal
 *
 * Thread: the only one of the process.  Since: FUSE_3.0
 */
#ifndef RINGFUSE_BUILDING_LIBRARY
static inline int fuse_main_fn(int argc, char *argv[],
			       const struct fuse_operations *op,
			       void *user_data)
{
	struct libfuse_version version = {
		FUSE_MAJOR_VERSION, FUSE_MINOR_VERSION, FUSE_HOTFIX_VERSION, 0
	};

	return fuse_main_real_versioned(argc, argv, op, sizeof(*op), &version,
					user_data);
}
#define fuse_main(argc, argv, op, user_data) \
	fuse_main_fn(argc, argv, op, user_data)
#endif

/* Step by step */

/**
 * Print the options that fuse_new() understands, those of the modules and of
 * the low-level library included, on standard output.
 *
 * @args  options of the program: modules named there are asked for their help
 *        too; recognised options are removed. May be NULL
 *
 * Thread: any.  Since: FUSE_3.1
 */
void fuse_lib_help(struct fuse_args *args);

/**
 * What fuse_new() calls below FUSE_USE_VERSION 31: prints the help itself, and
 * returns NULL, if the options ask for it.
 *
 * @args       see fuse_new()
 * @op         see fuse_new()
 * @op_size    see fuse_new()
 * @version    headers of the caller; borrowed until return
 * @user_data  see fuse_new()
 * @return see fuse_new()
 *
 * Thread: any.  Since: FUSE_3.17
 */
struct fuse *_fuse_new_30(struct fuse_args *args,
			  const struct fuse_operations *op, size_t op_size,
			  struct libfuse_version *version, void *user_data);

/**
 * What fuse_new() calls from FUSE_USE_VERSION 31 on.
 *
 * @args       see fuse_new()
 * @op         see fuse_new()
 * @op_size    see fuse_new()
 * @version    headers of the caller; borrowed until return
 * @user_data  see fuse_new()
 * @return see fuse_new()
 *
 * Thread: any.  Since: FUSE_3.17
 */
struct fuse *_fuse_new_31(struct fuse_args *args,
			  const struct fuse_operations *op, size_t op_size,
			  struct libfuse_version *version, void *user_data);

/**
 * Make a filesystem. Nothing is mounted yet.
 *
 * @args       options; known ones are taken out. Anything left but argv[0] is
 *             an error. Stays the caller's
 * @op         operations; copied
 * @op_size    sizeof(struct fuse_operations) as the caller knows it: shorter
 *             tables end in NULL, the rest of longer ones is ignored with a
 *             message
 * @user_data  private_data of fuse_context until init returns another
 * @return for fuse_destroy(); NULL after a message
 *
 * Thread: any.  Since: FUSE_3.0
 */
#ifdef RINGFUSE_BUILDING_LIBRARY
struct fuse *fuse_new_30(struct fuse_args *args,
			 const struct fuse_operations *op, size_t op_size,
			 void *user_data);
struct fuse *fuse_new_31(struct fuse_args *args,
			 const struct fuse_operations *op, size_t op_size,
			 void *user_data);
#else
static inline struct fuse *fuse_new_fn(struct fuse_args *args,
				       const struct fuse_operations *op,
				       size_t op_size, void *user_data)
{
	struct libfuse_version version = {
		FUSE_MAJOR_VERSION, FUSE_MINOR_VERSION, FUSE_HOTFIX_VERSION, 0
	};

#if FUSE_USE_VERSION < 31
	return _fuse_new_30(args, op, op_size, &version, user_data);
#else
	return _fuse_new_31(args, op, op_size, &version, user_data);
#endif
}
#define fuse_new(args, op, op_size, user_data) \
	fuse_new_fn(args, op, op_size, user_data)
#endif

/**
 * Mount. The kernel's first request waits until a loop runs.
 *
 * @f           filesystem that is not mounted
 * @mountpoint  path, or "/dev/fd/N" for a descriptor that is mounted already;
 *              copied
 * @return 0, or -1 after a message
 *
 * Thread: one, before the loop.  Since: FUSE_3.0
 */
int fuse_mount(struct fuse *f, const char *mountpoint);

/**
 * Unmount, lazily if it is in use. Harmless if it is not mounted.
 *
 * @f  filesystem without a loop
 *
 * Thread: one.  Since: FUSE_3.0
 */
void fuse_unmount(struct fuse *f);

/**
 * Free a filesystem; destroy is called if init was. Unmount first.
 *
 * @f  consumed; may be NULL
 *
 * Thread: one.  Since: FUSE_3.0
 */
void fuse_destroy(struct fuse *f);

/**
 * Serve requests on this thread only, one after the other, until the mount ends
 * or somebody ends the loop.
 *
 * @f  mounted filesystem
 * @return 0: unmounted, or fuse_exit(); above 0: number of the signal that
 *         ended it; negative: -errno
 *
 * Thread: one.  Since: FUSE_3.0
 */
int fuse_loop(struct fuse *f);

/**
 * Ask the loop to end. Requests in progress are finished first.
 *
 * @f  filesystem
 *
 * Thread: any, also a signal handler.  Since: FUSE_3.0
 */
void fuse_exit(struct fuse *f);

/**
 * Serve requests on several threads. All of them are gone on return.
 *
 * @f         mounted filesystem
 * @clone_fd  (FUSE_USE_VERSION below 32) non-zero: one /dev/fuse descriptor per
 *            thread
 * @config    (32 and later) borrowed until return. NULL: the defaults (312 and
 *            later)
 * @return see fuse_loop()
 *
 * Thread: one.  Since: FUSE_3.2, in the form of 312 FUSE_3.12
 */
#ifdef RINGFUSE_BUILDING_LIBRARY
int fuse_loop_mt_31(struct fuse *f, int clone_fd);
int fuse_loop_mt_32(struct fuse *f, struct fuse_loop_config_v1 *config);
int fuse_loop_mt_312(struct fuse *f, struct fuse_loop_config *config);
#elif FUSE_USE_VERSION < 32
int fuse_loop_mt_31(struct fuse *f, int clone_fd);
#define fuse_loop_mt(f, clone_fd) fuse_loop_mt_31(f, clone_fd)
#elif FUSE_USE_VERSION < FUSE_MAKE_VERSION(3, 12)
int fuse_loop_mt_32(struct fuse *f, struct fuse_loop_config *config);
#define fuse_loop_mt(f, config) fuse_loop_mt_32(f, config)
#else
int fuse_loop_mt(struct fuse *f, struct fuse_loop_config *config);
#endif

/**
 * Session below a filesystem, for the low-level functions.
 *
 * @f  filesystem
 * @return lives as long as f
 *
 * Thread: any.  Since: FUSE_3.0
 */
struct fuse_session *fuse_get_session(struct fuse *f);

/**
 * Mount with options of one's own, without a session.
 *
 * @mountpoint  path
 * @options     mount options, comma-separated; may be NULL
 * @return descriptor of the mount, to be closed by the caller; -1 after a
 *         message
 *
 * Thread: any.  Since: FUSE_3.3
 */
int fuse_open_channel(const char *mountpoint, const char *options);

/* Inside operations */

/**
 * Who asks. The structure belongs to the thread and changes with its next
 * request.
 *
 * @return NULL outside of operations, if this thread never ran one
 *
 * Thread: the one in an operation.  Since: FUSE_3.0
 */
struct fuse_context *fuse_get_context(void);

/**
 * Supplementary groups of the caller, as in getgroups(2).
 *
 * @size  entries in list
 * @list  filled
 * @return how many groups there are, which may be more than size; -errno:
 *         -ENOSYS if this system does not tell
 *
 * Thread: the one in an operation.  Since: FUSE_3.0
 */
int fuse_getgroups(int size, gid_t list[]);

/**
 * Did the caller give up the request the thread works on?
 *
 * @return 1 if so, else 0
 *
 * Thread: the one in an operation.  Since: FUSE_3.0
 */
int fuse_interrupted(void);

/**
 * Tell the kernel to drop what it has cached of a file: name, attributes, data.
 * Must not be called from an operation on the same file or its directory.
 *
 * @f     mounted filesystem
 * @path  as given to operations
 * @return 0; -ENOENT: the kernel knows no such file, nothing to do; another
 *         -errno
 *
 * Thread: any.  Wire: FUSE_NOTIFY_INVAL_INODE.  Since: FUSE_3.1 (header 3.2)
 */
int fuse_invalidate_path(struct fuse *f, const char *path);

/**
 * Wake those who wait in poll(2) for the file the handle came with.
 *
 * @ph  from poll; stays the caller's
 * @return 0, or -errno
 *
 * Thread: any.  Wire: FUSE_NOTIFY_POLL.  Since: FUSE_3.0
 */
int fuse_notify_poll(struct fuse_pollhandle *ph);

/* Remembered nodes */

/**
 * Start the thread that drops remembered nodes when their time is over.
 * fuse_loop_mt() does this itself.
 *
 * @fuse  filesystem; without remember (above 0) nothing happens
 * @return 0; -1 after a message
 *
 * Thread: one.  Since: FUSE_3.0
 */
int fuse_start_cleanup_thread(struct fuse *fuse);

/**
 * End that thread.
 *
 * @fuse  filesystem
 *
 * Thread: one.  Since: FUSE_3.0
 */
void fuse_stop_cleanup_thread(struct fuse *fuse);

/**
 * Drop remembered nodes whose time is over. For loops of one's own.
 *
 * @fuse  filesystem
 * @return seconds until it is worth calling again
 *
 * Thread: any.  Since: FUSE_3.0
 */
int fuse_clean_cache(struct fuse *fuse);

/*
 * Stacking: a filesystem as an object that another one calls. Each function
 * does what the operation of the same name does; fuse_context.private_data is
 * the called filesystem's while it runs. -ENOSYS if it has no such operation,
 * except: open, release, opendir, releasedir succeed; statfs gives a name
 * length of 255 and a block size of 512; ioctl is -ENOTTY; read and read_buf,
 * and write and write_buf, stand in for each other.
 */
struct fuse_fs;

/** getattr.  Thread: any, in an operation.  Since: FUSE_3.0 */
int fuse_fs_getattr(struct fuse_fs *fs, const char *path, struct stat *buf,
		    struct fuse_file_info *fi);
/** rename.  Since: FUSE_3.0 */
int fuse_fs_rename(struct fuse_fs *fs, const char *oldpath,
		   const char *newpath, unsigned int flags);
/** unlink.  Since: FUSE_3.0 */
int fuse_fs_unlink(struct fuse_fs *fs, const char *path);
/** rmdir.  Since: FUSE_3.0 */
int fuse_fs_rmdir(struct fuse_fs *fs, const char *path);
/** symlink: `linkname` is the target, `path` the new link.  Since: FUSE_3.0 */
int fuse_fs_symlink(struct fuse_fs *fs, const char *linkname,
		    const char *path);
/** link.  Since: FUSE_3.0 */
int fuse_fs_link(struct fuse_fs *fs, const char *oldpath, const char *newpath);
/** release.  Since: FUSE_3.0 */
int fuse_fs_release(struct fuse_fs *fs, const char *path,
		    struct fuse_file_info *fi);
/** open.  Since: FUSE_3.0 */
int fuse_fs_open(struct fuse_fs *fs, const char *path,
		 struct fuse_file_info *fi);
/** read, through read_buf if there is one.  Since: FUSE_3.0 */
int fuse_fs_read(struct fuse_fs *fs, const char *path, char *buf, size_t size,
		 off_t off, struct fuse_file_info *fi);
/** read_buf, or read into malloc'd memory. The caller frees the list and its
 * memory pieces.  Since: FUSE_3.0 */
int fuse_fs_read_buf(struct fuse_fs *fs, const char *path,
		     struct fuse_bufvec **bufp, size_t size, off_t off,
		     struct fuse_file_info *fi);
/** write, through write_buf if there is one.  Since: FUSE_3.0 */
int fuse_fs_write(struct fuse_fs *fs, const char *path, const char *buf,
		  size_t size, off_t off, struct fuse_file_info *fi);
/** write_buf, or write from memory.  Since: FUSE_3.0 */
int fuse_fs_write_buf(struct fuse_fs *fs, const char *path,
		      struct fuse_bufvec *buf, off_t off,
		      struct fuse_file_info *fi);
/** fsync.  Since: FUSE_3.0 */
int fuse_fs_fsync(struct fuse_fs *fs, const char *path, int datasync,
		  struct fuse_file_info *fi);
/** flush.  Since: FUSE_3.0 */
int fuse_fs_flush(struct fuse_fs *fs, const char *path,
		  struct fuse_file_info *fi);
/** statfs.  Since: FUSE_3.0 */
int fuse_fs_statfs(struct fuse_fs *fs, const char *path, struct statvfs *buf);
/** opendir.  Since: FUSE_3.0 */
int fuse_fs_opendir(struct fuse_fs *fs, const char *path,
		    struct fuse_file_info *fi);
/** readdir.  Since: FUSE_3.0 */
int fuse_fs_readdir(struct fuse_fs *fs, const char *path, void *buf,
		    fuse_fill_dir_t filler, off_t off,
		    struct fuse_file_info *fi, enum fuse_readdir_flags flags);
/** fsyncdir.  Since: FUSE_3.0 */
int fuse_fs_fsyncdir(struct fuse_fs *fs, const char *path, int datasync,
		     struct fuse_file_info *fi);
/** releasedir.  Since: FUSE_3.0 */
int fuse_fs_releasedir(struct fuse_fs *fs, const char *path,
		       struct fuse_file_info *fi);
/** create.  Since: FUSE_3.0 */
int fuse_fs_create(struct fuse_fs *fs, const char *path, mode_t mode,
		   struct fuse_file_info *fi);
/** lock.  Since: FUSE_3.0 */
int fuse_fs_lock(struct fuse_fs *fs, const char *path,
		 struct fuse_file_info *fi, int cmd, struct flock *lock);
/** flock.  Since: FUSE_3.0 */
int fuse_fs_flock(struct fuse_fs *fs, const char *path,
		  struct fuse_file_info *fi, int op);
/** chmod.  Since: FUSE_3.0 */
int fuse_fs_chmod(struct fuse_fs *fs, const char *path, mode_t mode,
		  struct fuse_file_info *fi);
/** chown.  Since: FUSE_3.0 */
int fuse_fs_chown(struct fuse_fs *fs, const char *path, uid_t uid, gid_t gid,
		  struct fuse_file_info *fi);
/** truncate.  Since: FUSE_3.0 */
int fuse_fs_truncate(struct fuse_fs *fs, const char *path, off_t size,
		     struct fuse_file_info *fi);
/** utimens.  Since: FUSE_3.0 */
int fuse_fs_utimens(struct fuse_fs *fs, const char *path,
		    const struct timespec *tv, struct fuse_file_info *fi);
/** access.  Since: FUSE_3.0 */
int fuse_fs_access(struct fuse_fs *fs, const char *path, int mask);
/** readlink.  Since: FUSE_3.0 */
int fuse_fs_readlink(struct fuse_fs *fs, const char *path, char *buf,
		     size_t len);
/** mknod.  Since: FUSE_3.0 */
int fuse_fs_mknod(struct fuse_fs *fs, const char *path, mode_t mode,
		  dev_t rdev);
/** mkdir.  Since: FUSE_3.0 */
int fuse_fs_mkdir(struct fuse_fs *fs, const char *path, mode_t mode);
/** setxattr.  Since: FUSE_3.0 */
int fuse_fs_setxattr(struct fuse_fs *fs, const char *path, const char *name,
		     const char *value, size_t size, int flags);
/** getxattr.  Since: FUSE_3.0 */
int fuse_fs_getxattr(struct fuse_fs *fs, const char *path, const char *name,
		     char *value, size_t size);
/** listxattr.  Since: FUSE_3.0 */
int fuse_fs_listxattr(struct fuse_fs *fs, const char *path, char *list,
		      size_t size);
/** removexattr.  Since: FUSE_3.0 */
int fuse_fs_removexattr(struct fuse_fs *fs, const char *path,
			const char *name);
/** bmap.  Since: FUSE_3.0 */
int fuse_fs_bmap(struct fuse_fs *fs, const char *path, size_t blocksize,
		 uint64_t *idx);
/** ioctl.  Since: FUSE_3.0 */
#if FUSE_USE_VERSION < 35
int fuse_fs_ioctl(struct fuse_fs *fs, const char *path, int cmd, void *arg,
		  struct fuse_file_info *fi, unsigned int flags, void *data);
#else
int fuse_fs_ioctl(struct fuse_fs *fs, const char *path, unsigned int cmd,
		  void *arg, struct fuse_file_info *fi, unsigned int flags,
		  void *data);
#endif
/** poll.  Since: FUSE_3.0 */
int fuse_fs_poll(struct fuse_fs *fs, const char *path,
		 struct fuse_file_info *fi, struct fuse_pollhandle *ph,
		 unsigned *reventsp);
/** fallocate.  Since: FUSE_3.0 */
int fuse_fs_fallocate(struct fuse_fs *fs, const char *path, int mode,
		      off_t offset, off_t length, struct fuse_file_info *fi);
/** copy_file_range.  Since: FUSE_3.4 */
ssize_t fuse_fs_copy_file_range(struct fuse_fs *fs, const char *path_in,
				struct fuse_file_info *fi_in, off_t off_in,
				const char *path_out,
				struct fuse_file_info *fi_out, off_t off_out,
				size_t len, int flags);
/** lseek.  Since: FUSE_3.0 (header 3.8) */
off_t fuse_fs_lseek(struct fuse_fs *fs, const char *path, off_t off, int whence,
		    struct fuse_file_info *fi);
/** statx.  Since: FUSE_3.18 */
int fuse_fs_statx(struct fuse_fs *fs, const char *path, int flags, int mask,
		  struct statx *stxbuf, struct fuse_file_info *fi);

/**
 * Start a filesystem: turns down what its operations cannot serve, and calls
 * init. To be called from the init of the one on top.
 *
 * @fs    filesystem
 * @conn  the one given to init
 * @cfg   the one given to init
 *
 * Thread: the one in init.  Since: FUSE_3.0
 */
void fuse_fs_init(struct fuse_fs *fs, struct fuse_conn_info *conn,
		  struct fuse_config *cfg);

/**
 * End a filesystem: calls destroy, and frees it. To be called from the destroy
 * of the one on top.
 *
 * @fs  consumed
 *
 * Thread: one.  Since: FUSE_3.0
 */
void fuse_fs_destroy(struct fuse_fs *fs);

/**
 * Make a filesystem object.
 *
 * @op         operations; copied
 * @op_size    as in fuse_new()
 * @user_data  private_data of fuse_context until init returns another
 * @return for fuse_fs_destroy(); NULL after a message
 *
 * Thread: any.  Since: FUSE_3.0
 */
struct fuse_fs *fuse_fs_new(const struct fuse_operations *op, size_t op_size,
			    void *user_data);

/**
 * Makes one filesystem of a module, to lie on top of another.
 *
 * @args  options; the module takes out its own
 * @fs    the one below, then NULL. With -h or --help in the options: may be
 *        NULL, only the help is printed
 * @return from fuse_fs_new(), owns *fs from here on; NULL after a message or
 *         the help
 *
 * Thread: any, one at a time.
 */
typedef struct fuse_fs *(*fuse_module_factory_t)(struct fuse_args *args,
						 struct fuse_fs *fs[]);

/**
 * Name the factory of a module, in the one source of a shared library
 * libfusemod_NAME.so; -o modules=NAME loads it.
 *
 * @name_     name, without quotes
 * @factory_  a fuse_module_factory_t
 */
#define FUSE_REGISTER_MODULE(name_, factory_) \
	fuse_module_factory_t fuse_module_##name_##_factory = factory_

/* Binary interface */

RINGFUSE_ASSERT_SIZE(fuse_config, 520);
RINGFUSE_ASSERT_SIZE(fuse_operations, 352);
RINGFUSE_ASSERT_SIZE(fuse_context, 40);

#ifdef __cplusplus
}
#endif

#endif /* FUSE_H_ */
