/* The ioctls of the device that cuse_queue makes; also for its clients. */
#ifndef RF_TEST_CUSE_QUEUE_H
#define RF_TEST_CUSE_QUEUE_H

#include <stdint.h>
#include <sys/ioctl.h>

/* Room for bytes at first. */
enum { kQueueBytes = 4096 };

struct queue_peek {
    uint64_t to; /* address of the caller's buffer */
    uint64_t bytes;
};

#define QUEUE_GET_BYTES _IOR('Q', 1, int32_t)
/* At most kQueueBytes; what is in the queue stays. */
#define QUEUE_SET_ROOM _IOW('Q', 2, int32_t)
#define QUEUE_CLEAR _IO('Q', 3)
/* Copies the front of the queue to `to`, takes nothing, returns the number of bytes. The command's number
 * says nothing of that memory: only an unrestricted device can do it. */
#define QUEUE_PEEK _IOWR('Q', 4, struct queue_peek)

#endif
