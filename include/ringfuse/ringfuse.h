/*
 * What this library offers beyond the FUSE API: which transport carries a
 * session's requests, and counters. Needs no other header and no
 * FUSE_USE_VERSION.
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
