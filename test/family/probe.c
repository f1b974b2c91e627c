/*
 * One probe filesystem per binary layout, served by the libraries that stand in for libfuse3, on the real
 * kernel: every member of the structures that differ is checked in both directions, by what the kernel does
 * with it.
 *
 * usage: probe_X fuse_uring|dev|own_loop [LAYOUT]    exit 0: all right; 1: not; 77: needs root and /dev/fuse
 *
 * LAYOUT: A to D, given to the library as RINGFUSE_ABI. A wrong one has to make the probe fail. Built with
 * REFERENCE, the probe runs on the distribution's library, as proof that what it asks for is what libfuse3
 * does.
 */
#include "probe.h"
#include "abi.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 60
#define RING_SWITCH "/sys/module/fuse/parameters/enable_uring"

struct shared* shared;
static char mountpoint[] = "/tmp/ringfuse-family-XXXXXX";

#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);                                           \
            printf(__VA_ARGS__);                                                                             \
            printf("\n");                                                                                    \
            failures++;                                                                                      \
        }                                                                                                    \
    } while (0)
static int failures;

/* Short where a failure is what is wanted. */
static int patience_seconds = PATIENCE_SECONDS;

static int count(atomic_int* counter)
{
    return atomic_load(counter);
}

/* True as soon as the counter has the value; releases arrive after close() returns. */
static int becomes(atomic_int* counter, int value)
{
    const struct timespec moment = {0, 2000000};

    for (int i = 0; i < patience_seconds * 500; i++) {
        if (atomic_load(counter) == value)
            return 1;
        nanosleep(&moment, NULL);
    }
    return 0;
}

static const char* path_of(enum file file)
{
    static char path[300];

    snprintf(path, sizeof(path), "%s/%s", mountpoint, file_names[file]);
    return path;
}

static int open_file(enum file file, int flags)
{
    const int fd = open(path_of(file), flags | O_CLOEXEC, 0644);

    if (fd < 0) {
        printf("open %s: %s\n", path_of(file), strerror(errno));
        failures++;
    }
    return fd;
}

static int read_is_right(int fd, size_t bytes, off_t off)
{
    char buffer[4096];
    const ssize_t n = pread(fd, buffer, bytes, off);

    if (n != (ssize_t)bytes)
        return 0;
    for (size_t i = 0; i < bytes; i++) {
        if (buffer[i] != (char)((i + off) * 7 + (i + off) / 256))
            return 0;
    }
    return 1;
}

static void check_plain(void)
{
    struct seen* seen = &shared->file[PLAIN];
    int fd = open_file(PLAIN, O_RDWR | O_APPEND);
    struct pollfd poller = {fd, POLLIN, 0};

    CHECK((count(&seen->open_flags) & (O_ACCMODE | O_APPEND)) == (O_RDWR | O_APPEND), "%#x",
          seen->open_flags);
    CHECK(read_is_right(fd, 1000, 500), "data of a reply in three pieces");
    CHECK(atomic_load(&seen->read_fh) == handle_of(PLAIN), "fh of a read");
    CHECK(lseek(fd, 10, SEEK_SET) == 10, "%s", strerror(errno));
    CHECK(poll(&poller, 1, 0) == 1 && poller.revents == POLLIN, "%#x", poller.revents);
    CHECK((atomic_load(&seen->poll_events) & POLLIN) != 0, "%#x", atomic_load(&seen->poll_events));
    close(fd);
    CHECK(count(&seen->flushes) == 1 && count(&seen->flush_bit) == 1, "%d %d", seen->flushes,
          seen->flush_bit);
    CHECK(becomes(&seen->releases, 1) && count(&seen->release_flock_bit) == 0, "%d", seen->release_flock_bit);
    const int reads = count(&seen->reads);
    fd = open_file(PLAIN, O_RDONLY);
    CHECK(read_is_right(fd, 1000, 500) && count(&seen->reads) > reads,
          "nothing said that the cache is to be kept");
    close(fd);
    CHECK(becomes(&seen->releases, 2), "%d releases", seen->releases);
}

static void check_locks(void)
{
    struct seen* seen = &shared->file[PLAIN];
    struct flock lock = {.l_type = F_WRLCK};
    int fd = open_file(PLAIN, O_RDWR);

    CHECK(fcntl(fd, F_SETLK, &lock) == 0, "%s", strerror(errno));
    close(fd);
    CHECK(atomic_load(&seen->lock_owner) != 0 &&
              atomic_load(&seen->flush_owner) == atomic_load(&seen->lock_owner),
          "the owner of a lock and that of the flush");
    CHECK(becomes(&seen->releases, 3), "%d releases", seen->releases);
    fd = open_file(PLAIN, O_RDWR);
    CHECK(flock(fd, LOCK_EX) == 0, "%s", strerror(errno));
    close(fd);
    CHECK(becomes(&seen->releases, 4) && count(&seen->release_flock_bit) == 1, "%d", seen->release_flock_bit);
}

static void check_writes(void)
{
    struct seen* seen = &shared->file[PLAIN];
    const int fd = open_file(PLAIN, O_RDWR);

    CHECK(pwrite(fd, "abc", 3, 0) == 3 && count(&seen->writepage_bit) == 0, "writepage in a plain write");
    char* memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 8192);
    CHECK(memory != MAP_FAILED, "%s", strerror(errno));
    if (memory != MAP_FAILED) {
        memory[0] = 'x';
        CHECK(msync(memory, 4096, MS_SYNC) == 0 && count(&seen->writepage_bit) == 1,
              "no writepage after mmap");
        munmap(memory, 4096);
    }
    close(fd);
}

static void check_caching(void)
{
    struct seen *keep = &shared->file[KEEP], *direct = &shared->file[DIRECT];
    int fd = open_file(KEEP, O_RDONLY);

    CHECK(read_is_right(fd, 4096, 0), "data");
    close(fd);
    const int reads = count(&keep->reads);
    fd = open_file(KEEP, O_RDONLY);
    CHECK(read_is_right(fd, 4096, 0) && count(&keep->reads) == reads, "keep_cache");
    close(fd);

    fd = open_file(DIRECT, O_RDONLY);
    CHECK(read_is_right(fd, 100, 0) && count(&direct->last_read_bytes) == 100, "%d", direct->last_read_bytes);
    CHECK(read_is_right(fd, 100, 0) && count(&direct->reads) == 2, "direct_io: %d reads", direct->reads);
    close(fd);

    fd = open_file(FRESH, O_CREAT | O_RDWR);
    CHECK(read_is_right(fd, 100, 3) && count(&shared->file[FRESH].last_read_bytes) == 100,
          "direct_io after create");
    CHECK((count(&shared->file[FRESH].open_flags) & O_ACCMODE) == O_RDWR, "flags of create");
    close(fd);
}

static void check_stream_and_flush(void)
{
    const int has_noflush = !FAMILY_A;
    int fd = open_file(STREAM, O_RDONLY);

    CHECK(lseek(fd, 0, SEEK_SET) < 0 && errno == ESPIPE, "nonseekable");
    close(fd);
    fd = open_file(QUIET, O_RDONLY);
    CHECK(lseek(fd, 0, SEEK_SET) == 0, "not nonseekable");
    close(fd);
    CHECK(count(&shared->file[QUIET].flushes) == !has_noflush, "noflush: %d flushes",
          shared->file[QUIET].flushes);
}

static int entries_in(DIR* dir)
{
    int entries = 0;

    while (readdir(dir))
        entries++;
    return entries;
}

static void check_directory_cache(void)
{
    struct seen* seen = &shared->file[FOLDER];
    DIR* dir = opendir(path_of(FOLDER));

    CHECK(dir != NULL, "%s", strerror(errno));
    if (!dir)
        return;
    CHECK(entries_in(dir) == 1, "entries");
    const int readdirs = count(&seen->readdirs);
    rewinddir(dir);
    CHECK(entries_in(dir) == 1 && readdirs > 0, "entries the second time");
    CHECK(count(&seen->readdirs) == readdirs, "cache_readdir: %d, then %d", readdirs, seen->readdirs);
    closedir(dir);
}

static void* write_once(void* fd)
{
    CHECK(pwrite(*(int*)fd, "0123", 4, 4096) == 4, "%s", strerror(errno));
    return NULL;
}

static void check_parallel_writes(void)
{
    const int wanted = FAMILY_C || FAMILY_D;
    pthread_t other;
    int fd = open_file(WIDE, O_RDWR);

    /* Without the bit the first one waits in vain. */
    atomic_store(&shared->write_wait_ms, wanted ? patience_seconds * 1000 : 300);
    if (pthread_create(&other, NULL, write_once, &fd) != 0)
        abort();
    write_once(&fd);
    pthread_join(other, NULL);
    CHECK(count(&shared->file[WIDE].most_writers) == (wanted ? 2 : 1), "parallel_direct_writes: %d at once",
          shared->file[WIDE].most_writers);
    close(fd);
}

static void check_notifications(void)
{
    char text[sizeof(STORED_TEXT)] = "";
    struct stat st;
    char path[300];
    const int fd = open_file(KEEP, O_RDONLY);

    snprintf(path, sizeof(path), "%s/store-now", mountpoint);
    CHECK(stat(path, &st) < 0 && errno == ENOENT, "%s", strerror(errno));
    const int reads = count(&shared->file[KEEP].reads);
    CHECK(pread(fd, text, strlen(STORED_TEXT), 0) > 0 && strcmp(text, STORED_TEXT) == 0, "\"%s\"", text);
    CHECK(count(&shared->file[KEEP].reads) == reads, "read again after notify_store");
    snprintf(path, sizeof(path), "%s/retrieve-now", mountpoint);
    CHECK(stat(path, &st) < 0 && errno == ENOENT, "%s", strerror(errno));
    CHECK(becomes(&shared->retrieved_is_right, 1), "the answer to notify_retrieve");
    close(fd);
}

static int is_mounted(void)
{
    struct stat here, above;
    char path[300];

    snprintf(path, sizeof(path), "%s/..", mountpoint);
    return stat(path, &above) == 0 && lstat(mountpoint, &here) == 0 && here.st_dev != above.st_dev;
}

static int wait_for_mount(pid_t server)
{
    const struct timespec moment = {0, 5000000};
    int status;

    for (int i = 0; i < PATIENCE_SECONDS * 200; i++) {
        if (is_mounted())
            return 1;
        if (waitpid(server, &status, WNOHANG) != 0)
            return 0;
        nanosleep(&moment, NULL);
    }
    return 0;
}

static void skip(const char* why)
{
    printf("skipped: %s\n", why);
    exit(77);
}

/* A mount table of our own, so that nothing is left behind whatever happens. */
static void prepare(const char* mode, const char* layout)
{
    if (getuid() != 0 || access("/dev/fuse", R_OK | W_OK) != 0)
        skip("needs root and /dev/fuse");
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        skip("no mount namespace of our own");
    if (strcmp(mode, "fuse_uring") == 0) {
        const int fd = open(RING_SWITCH, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, "1", 1) != 1)
            skip("this kernel has no " RING_SWITCH);
        close(fd);
    }
    setenv("RINGFUSE_TRANSPORT", strcmp(mode, "own_loop") == 0 ? "auto" : mode, 1);
    /* What tells A is the size of the operations, what tells D is the entry point; C has no sign, and B none
     * that is the same on every machine. */
    if (!layout && (FAMILY_B || FAMILY_C))
        layout = FAMILY_B ? "B" : "C";
    if (layout)
        setenv("RINGFUSE_ABI", layout, 1);
    else
        unsetenv("RINGFUSE_ABI");
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || !mkdtemp(mountpoint))
        abort();
}

static void finish(pid_t server, const char* mode)
{
    int status = 0;

    if (umount(mountpoint) != 0) {
        CHECK(0, "umount: %s", strerror(errno));
        umount2(mountpoint, MNT_DETACH);
    }
    waitpid(server, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "server ended with %#x", status);
    CHECK(count(&shared->loop_result) == 0 && count(&shared->destroys) == 1, "loop %d, %d times destroy",
          shared->loop_result, shared->destroys);
    const char* carrier = strcmp(mode, "own_loop") == 0 ? "dev" : mode;
    CHECK(strcmp(shared->transport, carrier) == 0, "carried by %s", shared->transport);
}

int main(int argc, char* argv[])
{
    if (argc != 2 && argc != 3)
        return 2;
    const int own_loop = strcmp(argv[1], "own_loop") == 0;
    if (argc == 3)
        patience_seconds = 1;
    prepare(argv[1], argc == 3 ? argv[2] : NULL);
    const pid_t server = fork();
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(mountpoint, own_loop);
    }
    /* If the filesystem does not answer, this ends us, that ends the filesystem, and nothing is left. */
    alarm(2 * PATIENCE_SECONDS);
    if (!wait_for_mount(server)) {
        printf("not mounted: %s\n", shared->first_failure);
        kill(server, SIGKILL);
        rmdir(mountpoint);
        return 1;
    }
    check_plain();
    check_locks();
    check_writes();
    check_caching();
    check_stream_and_flush();
    check_directory_cache();
    if (!own_loop)
        check_parallel_writes();
    check_notifications();
    CHECK(count(&shared->init_is_right) == 1, "what init was given");
    finish(server, argv[1]);
    rmdir(mountpoint);
    CHECK(!shared->first_failure[0], "%s", shared->first_failure);
    return failures ? 1 : 0;
}
