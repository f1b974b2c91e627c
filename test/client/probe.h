/* errno_probe: a fixed list of system calls in a directory, one printed line each, for comparing two
 * filesystems byte for byte. Nothing printed depends on time, inode numbers, descriptors or the place of the
 * directory. errno_probe  the program, printing      probe_names  open, mknod, symlink, link probe_dirs
 * directories, rename        probe_io     read, write, holes, mmap probe_attrs  mode, owner, times, xattr
 * probe_locks  POSIX locks, flock probe_user   without privileges */
#ifndef RF_TEST_PROBE_H
#define RF_TEST_PROBE_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Prints the call as written and its result: a number, or the name of the errno. */
#define RUN(call) (errno = 0, probe_report(#call, (long long)(call)))
/* The same for a call that returns a descriptor, which is printed as "fd" and kept in `var`. */
#define RUN_FD(var, call) (errno = 0, (var) = (call), probe_report_fd(#var " = " #call, (var)))

void probe_section(const char* name);
long long probe_report(const char* call, long long result);
void probe_report_fd(const char* call, int fd);
/* Prints "label -> text". */
void probe_text(const char* label, const char* text);
/* Type, mode, link count, owner and, where all filesystems agree on it, size. */
void probe_stat(const char* path);
/* The sorted names of a directory. */
void probe_list(const char* path);
/* The text of a file, at most 64 bytes, with bytes that cannot be printed as dots. */
void probe_show(const char* path);
/* Makes or replaces a file; a failure ends the program. */
void probe_make(const char* path, const char* text);
/* A name of `len` bytes, in a static buffer. */
const char* probe_long_name(int len);

void probe_names(void);
void probe_directories(void);
void probe_renames(void);
void probe_io(void);
void probe_space(void);
void probe_attrs(void);
void probe_xattrs(void);
void probe_locks(void);
void probe_user(void);

#endif
