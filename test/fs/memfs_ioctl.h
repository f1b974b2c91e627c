/* The private ioctls of memfs, for tests: one per direction of data. */
#ifndef RF_TEST_MEMFS_IOCTL_H
#define RF_TEST_MEMFS_IOCTL_H

#include <stdint.h>
#include <sys/ioctl.h>

struct memfs_usage {
    uint64_t file_pages; /* 4 KiB pages this file holds */
    uint64_t nr_nodes;   /* inodes in memory: falls when forgets arrive */
};

struct memfs_sum {
    uint64_t first;
    uint64_t second;
    uint64_t sum;
};

#define MEMFS_IOC_USAGE _IOR('m', 1, struct memfs_usage)
#define MEMFS_IOC_CHECK _IOW('m', 2, struct memfs_sum) /* EBADMSG unless sum == first + second */
#define MEMFS_IOC_SUM _IOWR('m', 3, struct memfs_sum)  /* fills in sum; the result is 7 */
#define MEMFS_IOC_NOTHING _IO('m', 4)

#endif
