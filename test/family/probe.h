/* What the probe's filesystem (probe_fs.c, a child process) tells its client (probe.c), in memory both see.
 */
#ifndef FAMILY_PROBE_H
#define FAMILY_PROBE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define FILE_BYTES 65536
#define STORED_TEXT "stored by the filesystem"

/* The files, by inode number, and what open() answers for them. */
enum file {
    ROOT = 1,
    PLAIN,  /* nothing */
    KEEP,   /* keep_cache */
    DIRECT, /* direct_io */
    STREAM, /* nonseekable */
    QUIET,  /* noflush */
    WIDE,   /* direct_io, parallel_direct_writes */
    FOLDER, /* cache_readdir, keep_cache */
    FRESH,  /* made by create, which answers direct_io */
    NR_FILES
};
extern const char* const file_names[NR_FILES];

struct seen {
    atomic_int opens, reads, writes, flushes, releases, readdirs;
    atomic_int open_flags;
    atomic_int last_read_bytes;
    atomic_uint_fast64_t read_fh;
    atomic_uint_fast64_t flush_owner, lock_owner;
    atomic_int flush_bit, release_flock_bit, writepage_bit;
    atomic_uint poll_events;
    atomic_int writers, most_writers;
};

struct shared {
    struct seen file[NR_FILES];
    atomic_int init_is_right, destroys, retrieved_is_right, loop_result;
    atomic_int write_wait_ms;
    char transport[32];
    char first_failure[200];
};
extern struct shared* shared;

/* Notes the first thing that is wrong; the client prints it. */
void wrong(const char* format, ...) __attribute__((format(printf, 1, 2)));

/* Handle that open() gives for an inode. */
static inline uint64_t handle_of(uint64_t ino)
{
    return 0xabcd00000000 + ino;
}

/* Runs the filesystem until it is unmounted. own_loop: with fuse_session_receive_buf(). */
void serve(const char* mountpoint, int own_loop);

/* Memory for an object after which there is nothing: reading on is a crash. */
void* at_the_end_of_memory(size_t bytes);

#endif
