/*
 * What this library offers beyond the FUSE API: which transport carries a
 * session's requests, an end that loses nothing, a mount that outlives its
 * process, and counters. Needs no other header and no FUSE_USE_VERSION.
 *
 * Every function returns 0 or more on success and a negative errno value
 * otherwise, except where it says something else; errno itself means nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RINGFUSE_H_
#define RINGFUSE_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fuse_session;

/** Counters of one session. May grow at the end. */
struct ringfuse_stats {
	/** Requests that came over io_uring. */
	uint64_t ring_requests;

	/** Requests read from /dev/fuse; includes forgets and interrupts. */
	uint64_t device_requests;

	/** Ring queues in use; 0: the ring does not run. */
	uint32_t nr_queues;

	/** Threads that serve requests now. */
	uint32_t nr_workers;

	/** Inodes forgotten, each entry of a batch counted. */
	uint64_t forgets;

	/** Interrupts received. */
	uint64_t interrupts;

	/* From here on since RINGFUSE_0.2. Those down to in_flight are 0 with
	   RINGFUSE_STATISTICS=0 in the environment. */

	/** Requests taken from the kernel, over either transport. */
	uint64_t requests;

	/** Requests answered with an errno. */
	uint64_t errors;

	/** Bytes of requests, headers and data. */
	uint64_t bytes_in;

	/** Bytes of answers, without their headers. */
	uint64_t bytes_out;

	/** Requests taken and not answered yet; at most 16384 are seen. */
	uint64_t in_flight;

	/** Bytes mapped for the payloads of ring entries; touched or not. */
	uint64_t payload_bytes;

	/** The bound of payload_bytes; 0: none. */
	uint64_t payload_limit;
};

/**
 * Name of the library's own release; fuse_version() tells the API's.
 *
 * @return constant string, "major.minor.patch"
 *
 * Thread: any.  Since: RINGFUSE_0.1
 */
const char *ringfuse_version(void);

/**
 * Which transport carries the session's requests.
 *
 * @se  session
 * @return constant string: "fuse_uring", "dev", "dev_uring", "custom_io", or
 *         "none" before the kernel's first request was answered
 *
 * Thread: any.  Since: RINGFUSE_0.1
 */
const char *ringfuse_transport_name(struct fuse_session *se);

/**
 * Why that transport carries the requests, and what would have to change for
 * the ring if the ring does not: the words of the banner and of
 * `ringfuse status`.
 *
 * @se     session
 * @buf    the text, cut to fit, ends in NUL; empty before the kernel's first
 *         request was answered. May be NULL if bytes is 0
 * @bytes  size of buf, 0 or more
 * @return length of the whole text in bytes without its NUL, which may be
 *         more than fitted; -EINVAL: a pointer is NULL
 *
 * Thread: any.  Since: RINGFUSE_0.2
 */
int ringfuse_transport_reason(struct fuse_session *se, char *buf, size_t bytes);

/**
 * Choose the transport, as -o transport= does. The environment
 * (RINGFUSE_TRANSPORT, RINGFUSE_DISABLE) has the last word.
 *
 * @se    session, before its loop
 * @name  "auto": the ring if it can be had; "fuse_uring": the ring or nothing,
 *        mounting fails where it cannot run; "dev": /dev/fuse; "dev_uring":
 *        /dev/fuse through io_uring
 * @return 0: chosen; 1: the environment says something, and that stays;
 *         -EINVAL: a pointer is NULL or the name is unknown; -EBUSY: the
 *         kernel's first request was answered, or the session was adopted:
 *         too late
 *
 * Thread: the one that sets the session up.  Since: RINGFUSE_0.2
 */
int ringfuse_session_set_transport(struct fuse_session *se, const char *name);

/**
 * Bound the memory that the ring maps for payloads, as -o payload_memory=
 * does; RINGFUSE_PAYLOAD_MEMORY in the environment has the last word. Below
 * two requests of the largest size for each CPU (one with a single-threaded
 * loop) the ring cannot run, and /dev/fuse serves.
 *
 * @se     session, before its loop
 * @bytes  most bytes in all; 0: no bound
 * @return 0: set; 1: the environment says something, and that stays;
 *         -EINVAL: se is NULL, or bytes is more than the address space;
 *         -EBUSY: as above
 *
 * Thread: the one that sets the session up.  Since: RINGFUSE_0.2
 */
int ringfuse_session_set_payload_memory(struct fuse_session *se,
					uint64_t bytes);

/**
 * End the loop without losing a request. From here on no handler is started;
 * those in progress go on to their end, however long that takes. Requests
 * whose handler returned without an answer are waited for, timeout_ms at
 * most: other threads go on answering them. Then the loop returns 0, or
 * -ETIMEDOUT if some of them are still unanswered.
 *
 * The mount stays, and what is not taken waits: on /dev/fuse in the kernel,
 * for the next loop of this session or for whoever else reads the device (see
 * ringfuse_session_adopt()); on the ring for the next loop of this session
 * only, since nobody else can be given a ring. Without another loop these
 * requests wait until the mount ends. So on the ring the threads of a
 * multi-threaded loop outlive it: they run no handler, and end with the mount
 * or the session (fuse_session_unmount(), fuse_session_destroy()) if no other
 * loop comes. So a process that fork()s between two loops must go on with the
 * session in the parent: the child has none of these threads. After every other
 * end of a loop none of its threads is left.
 *
 * fuse_session_exit(), one of the session's signals, or the end of the mount
 * cuts the waiting short; the loop then returns 0. Without effect if the loop
 * is being ended by one of those already. Without a loop the next one ends at
 * once.
 *
 * @se          session
 * @timeout_ms  milliseconds to wait for unanswered requests; 0: do not wait;
 *              below 0: without a bound
 * @return 0; -EINVAL: se is NULL
 *
 * Thread: any, any handler, any signal handler; does not wait itself.
 * Since: RINGFUSE_0.2
 */
int ringfuse_session_shutdown(struct fuse_session *se, int timeout_ms);

/** More bytes than any ringfuse_session_export() of this version writes. */
#define RINGFUSE_STATE_BYTES 8192

/**
 * Write down what this session and the kernel agreed on, so that another
 * process, or another session of this one, can serve the same mount with
 * ringfuse_session_adopt(). Needs /dev/fuse: the kernel hands a ring to nobody
 * else, and requests in the entries of a process that goes would be lost.
 *
 * The bytes hold no secret and no pointer. They are for the same machine and
 * mount namespace, and can be read by versions of this library that know the
 * format; they are of use with the session's descriptor only
 * (fuse_session_fd(), passed on by fork or SCM_RIGHTS).
 *
 * Once this has succeeded the descriptor stays non-blocking, and the mount is
 * the successor's: neither fuse_session_unmount() nor fuse_session_destroy()
 * of this session unmounts it. Close nothing before the successor has the
 * descriptor, or the mount ends.
 *
 * @se     session whose loop has answered the kernel's first request; its loop
 *         may run
 * @state  filled
 * @bytes  size of state; RINGFUSE_STATE_BYTES are enough
 * @return bytes written; -EINVAL: a pointer is NULL; -EAGAIN: the kernel's
 *         first request is not answered yet; -ENOBUFS: too small;
 *         -EOPNOTSUPP, with a message that says why: the ring is in use, the
 *         application moves the messages itself, or auto_unmount would end
 *         the mount with this process
 *
 * Thread: any, not while the session is mounted or unmounted.
 * Since: RINGFUSE_0.2
 */
int ringfuse_session_export(struct fuse_session *se, void *state, size_t bytes);

/**
 * Serve a mount whose kernel part was set up by another session, instead of
 * fuse_session_mount(). The filesystem's init() is not called, there is
 * nothing left to agree on; destroy() is called at the end as ever. Run a loop
 * next.
 *
 * The operations must be those that the exporting filesystem had, as far as
 * the kernel can tell: the same capabilities were wanted. What the kernel
 * knows goes on to be used: inode numbers with their lookup counts, and file
 * handles. Their meaning is the application's to pass on.
 *
 * Several sessions may serve one mount at the same time. Each request goes to
 * one of them; so do forgets and interrupts, and the latter may reach one that
 * does not have the request they are for.
 *
 * @se     session, neither mounted nor with a descriptor
 * @fd     the descriptor that was exported; the session's from here on, and
 *         untouched after an error
 * @state  what ringfuse_session_export() wrote
 * @bytes  what it returned
 * @return 0; or with a message that says what is wrong: -EINVAL: a pointer is
 *         NULL, or these are not the bytes of an export; -EPROTO: they are
 *         of a version this one does not know; -EBADF: fd is no FUSE device
 *         that is in use; -EXDEV: fd belongs to another mount than state;
 *         -EBUSY: the session has a descriptor; -EOPNOTSUPP: the ring was
 *         demanded for the session
 *
 * Thread: the one that sets the session up.  Since: RINGFUSE_0.2
 */
int ringfuse_session_adopt(struct fuse_session *se, int fd, const void *state,
			   size_t bytes);

/**
 * Read the counters. They are summed up while requests go on, so two of them
 * need not be of the same instant; none ever goes back during one loop.
 *
 * @se         session
 * @out        filled; bytes that the library does not know are set to 0
 * @out_bytes  sizeof(struct ringfuse_stats) as the caller knows it
 * @return 0, or -errno: -EINVAL: a pointer is NULL or out_bytes is 0
 *
 * Thread: any.  Since: RINGFUSE_0.1
 */
int ringfuse_session_stats(const struct fuse_session *se,
			   struct ringfuse_stats *out, size_t out_bytes);

#ifdef __cplusplus
}
#endif

#endif /* RINGFUSE_H_ */
