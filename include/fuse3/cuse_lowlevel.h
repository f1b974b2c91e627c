/*
 * Character devices in user space: a session that makes one device node
 * instead of a mount. Requests come without inode, the answers are those of
 * fuse_lowlevel.h: fuse_reply_open(), _buf(), _write(), _ioctl(), _poll(),
 * _err(). Needs the kernel's CUSE (module cuse) and the right to open
 * /dev/cuse.
 *
 * Below FUSE_USE_VERSION 319 cmd of ioctl is an int.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CUSE_LOWLEVEL_H_
#define CUSE_LOWLEVEL_H_

#include "fuse_lowlevel.h"

#ifdef __cplusplus
extern "C" {
#endif

/** cuse_info.flags: ioctl may ask for any memory of the caller by
 * fuse_reply_ioctl_retry(). Without it only what the command's number says is
 * copied. */
#define CUSE_UNRESTRICTED_IOCTL (1 << 0)

/** The device to make. */
struct cuse_info {
	/** Major number; 0 lets the kernel choose one (then the minor as well). */
	unsigned dev_major;

	/** Minor number. */
	unsigned dev_minor;

	/** Number of dev_info_argv. */
	unsigned dev_info_argc;

	/** Properties of the device, each "KEY=VALUE". DEVNAME is needed: the
	 * name of the node below /dev. All of them together, with a NUL for
	 * each, have room in 4096 bytes. */
	const char **dev_info_argv;

	/** CUSE_UNRESTRICTED_IOCTL or 0. */
	unsigned flags;
};

/**
 * What a device does. A member that is NULL fails with ENOSYS, but: open and
 * release succeed, and a device without poll is always ready. Any of them may
 * run on any thread of the loop, several at a time.
 */
struct cuse_lowlevel_ops {
	/** Before the device exists. conn->max_read and max_write may be
	 * lowered. userdata: as given at the start. */
	void (*init)(void *userdata, struct fuse_conn_info *conn);

	/** The kernel was told of the device. Its node may come a moment
	 * later. */
	void (*init_done)(void *userdata);

	/** The end of the session; nothing else runs. */
	void (*destroy)(void *userdata);

	/** Reply: fuse_reply_open() or _err(). fi->flags: those of open(2);
	 * fi->fh comes back with everything on this file. */
	void (*open)(fuse_req_t req, struct fuse_file_info *fi);

	/** Up to size bytes; off is the file's position. Reply:
	 * fuse_reply_buf(), _iov(), _data() or _err(). Never cached. */
	void (*read)(fuse_req_t req, size_t size, off_t off,
		     struct fuse_file_info *fi);

	/** Reply: fuse_reply_write() or _err(). buf: valid until return. */
	void (*write)(fuse_req_t req, const char *buf, size_t size, off_t off,
		      struct fuse_file_info *fi);

	/** One descriptor was closed. Reply: fuse_reply_err(). */
	void (*flush)(fuse_req_t req, struct fuse_file_info *fi);

	/** The last one was. Reply: fuse_reply_err(), which nobody sees. */
	void (*release)(fuse_req_t req, struct fuse_file_info *fi);

	/** Reply: fuse_reply_err(). */
	void (*fsync)(fuse_req_t req, int datasync, struct fuse_file_info *fi);

	/** flags: FUSE_IOCTL_*. in_buf: valid until return. Reply:
	 * fuse_reply_ioctl(), _iov(), _retry() or _err(). */
#if FUSE_USE_VERSION < FUSE_MAKE_VERSION(3, 19)
	void (*ioctl)(fuse_req_t req, int cmd, void *arg,
		      struct fuse_file_info *fi, unsigned int flags,
		      const void *in_buf, size_t in_bufsz, size_t out_bufsz);
#else
	void (*ioctl)(fuse_req_t req, unsigned int cmd, void *arg,
		      struct fuse_file_info *fi, unsigned int flags,
		      const void *in_buf, size_t in_bufsz, size_t out_bufsz);
#endif

	/** Reply: fuse_reply_poll() or _err(). ph, if not NULL, is the
	 * operation's own: fuse_lowlevel_notify_poll() when something becomes
	 * ready, fuse_pollhandle_destroy() when done with it. */
	void (*poll)(fuse_req_t req, struct fuse_file_info *fi,
		     struct fuse_pollhandle *ph);
};

/**
 * What cuse_lowlevel_new() calls.
 *
 * @args       see cuse_lowlevel_new()
 * @ci         see cuse_lowlevel_new()
 * @clop       see cuse_lowlevel_new()
 * @clop_size  bytes of *clop that the caller knows
 * @version    headers of the caller; borrowed until return
 * @userdata   see cuse_lowlevel_new()
 * @return see cuse_lowlevel_new()
 *
 * Thread: any.  Since: FUSE_3.19
 */
struct fuse_session *
cuse_lowlevel_new_319(struct fuse_args *args, const struct cuse_info *ci,
		      const struct cuse_lowlevel_ops *clop, size_t clop_size,
		      struct libfuse_version *version, void *userdata);

/**
 * What cuse_lowlevel_setup() calls.
 *
 * @argc           see cuse_lowlevel_setup()
 * @argv           see cuse_lowlevel_setup()
 * @ci             see cuse_lowlevel_new()
 * @clop           see cuse_lowlevel_new()
 * @clop_size      bytes of *clop that the caller knows
 * @version        headers of the caller; borrowed until return
 * @multithreaded  see cuse_lowlevel_setup()
 * @userdata       see cuse_lowlevel_new()
 * @return see cuse_lowlevel_setup()
 *
 * Thread: main.  Since: FUSE_3.19
 */
struct fuse_session *
cuse_lowlevel_setup_319(int argc, char *argv[], const struct cuse_info *ci,
			const struct cuse_lowlevel_ops *clop, size_t clop_size,
			struct libfuse_version *version, int *multithreaded,
			void *userdata);

/**
 * What cuse_lowlevel_main() calls.
 *
 * @argc       see cuse_lowlevel_setup()
 * @argv       see cuse_lowlevel_setup()
 * @ci         see cuse_lowlevel_new()
 * @clop       see cuse_lowlevel_new()
 * @clop_size  bytes of *clop that the caller knows
 * @version    headers of the caller; borrowed until return
 * @userdata   see cuse_lowlevel_new()
 * @return see cuse_lowlevel_main()
 *
 * Thread: main.  Since: FUSE_3.19
 */
int cuse_lowlevel_main_319(int argc, char *argv[], const struct cuse_info *ci,
			   const struct cuse_lowlevel_ops *clop,
			   size_t clop_size, struct libfuse_version *version,
			   void *userdata);

/**
 * End what cuse_lowlevel_setup() began: signal handlers and session are gone,
 * the device with them.
 *
 * @se  NULL does nothing
 *
 * Thread: main, no loop running.  Since: FUSE_3.0
 */
void cuse_lowlevel_teardown(struct fuse_session *se);

#ifdef RINGFUSE_BUILDING_LIBRARY
/* What programs built with headers before 3.19 import. */
struct fuse_session *cuse_lowlevel_new(struct fuse_args *args,
				       const struct cuse_info *ci,
				       const struct cuse_lowlevel_ops *clop,
				       void *userdata);
struct fuse_session *cuse_lowlevel_setup(int argc, char *argv[],
					 const struct cuse_info *ci,
					 const struct cuse_lowlevel_ops *clop,
					 int *multithreaded, void *userdata);
int cuse_lowlevel_main(int argc, char *argv[], const struct cuse_info *ci,
		       const struct cuse_lowlevel_ops *clop, void *userdata);
#else

/**
 * Make a session for a device. It has no descriptor yet: one of /dev/cuse
 * comes from fuse_session_custom_io(), or use cuse_lowlevel_setup().
 *
 * @args      options, as for fuse_session_new(); those of mounts are accepted
 *            and mean nothing. Anything left but argv[0] is an error
 * @ci        the device; copied
 * @clop      operations; copied
 * @userdata  for fuse_req_userdata(), init, init_done and destroy
 * @return for fuse_session_destroy(); NULL after a message
 *
 * Thread: any.  Since: FUSE_3.0
 */
static inline struct fuse_session *
cuse_lowlevel_new_fn(struct fuse_args *args, const struct cuse_info *ci,
		     const struct cuse_lowlevel_ops *clop, void *userdata)
{
	struct libfuse_version version = {
		FUSE_MAJOR_VERSION, FUSE_MINOR_VERSION, FUSE_HOTFIX_VERSION, 0
	};

	return cuse_lowlevel_new_319(args, ci, clop, sizeof(*clop), &version,
				     userdata);
}
#define cuse_lowlevel_new(args, ci, clop, userdata) \
	cuse_lowlevel_new_fn(args, ci, clop, userdata)

/**
 * Command line, session, /dev/cuse, signal handlers, background: all that
 * comes before the loop. The device appears when the loop has begun.
 *
 * @argc           as main() got it
 * @argv           as main() got it; -f, -s, -d and -o as for a filesystem.
 *                 Stays the caller's
 * @ci             the device; copied
 * @clop           operations; copied
 * @multithreaded  set to 0 for -s, else to 1: which loop is asked for
 * @userdata       see cuse_lowlevel_new()
 * @return for a loop and cuse_lowlevel_teardown(); NULL after a message
 *
 * Thread: main.  Since: FUSE_3.0
 */
static inline struct fuse_session *
cuse_lowlevel_setup_fn(int argc, char *argv[], const struct cuse_info *ci,
		       const struct cuse_lowlevel_ops *clop,
		       int *multithreaded, void *userdata)
{
	struct libfuse_version version = {
		FUSE_MAJOR_VERSION, FUSE_MINOR_VERSION, FUSE_HOTFIX_VERSION, 0
	};

	return cuse_lowlevel_setup_319(argc, argv, ci, clop, sizeof(*clop),
				       &version, multithreaded, userdata);
}
#define cuse_lowlevel_setup(argc, argv, ci, clop, multithreaded, userdata) \
	cuse_lowlevel_setup_fn(argc, argv, ci, clop, multithreaded, userdata)

/**
 * A device program's whole life: cuse_lowlevel_setup(), a loop until a signal
 * ends it, cuse_lowlevel_teardown().
 *
 * @argc      see cuse_lowlevel_setup()
 * @argv      see cuse_lowlevel_setup()
 * @ci        the device; copied
 * @clop      operations; copied
 * @userdata  see cuse_lowlevel_new()
 * @return the exit status: 0, or 1 if it could not begin or failed. It also
 *         failed if the kernel gave the device up, which it does at once when
 *         it does not like the device (its name or number is taken)
 *
 * Thread: main.  Since: FUSE_3.0
 */
static inline int
cuse_lowlevel_main_fn(int argc, char *argv[], const struct cuse_info *ci,
		      const struct cuse_lowlevel_ops *clop, void *userdata)
{
	struct libfuse_version version = {
		FUSE_MAJOR_VERSION, FUSE_MINOR_VERSION, FUSE_HOTFIX_VERSION, 0
	};

	return cuse_lowlevel_main_319(argc, argv, ci, clop, sizeof(*clop),
				      &version, userdata);
}
#define cuse_lowlevel_main(argc, argv, ci, clop, userdata) \
	cuse_lowlevel_main_fn(argc, argv, ci, clop, userdata)
#endif

#ifdef __cplusplus
}
#endif

#endif
