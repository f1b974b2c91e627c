/* POSIX locks, open-file-description locks and flock. A second process holds locks; the two talk through
 * pipes, so the order of calls is fixed. */
#include "probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

/* close(2) does not wait until a filesystem in user space has heard of it: 10 s for that. */
static int flock_once_free(int fd)
{
    const struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};
    int rc = flock(fd, LOCK_EX | LOCK_NB);
    for (int i = 0; i < 1000 && rc != 0 && errno == EAGAIN; i++) {
        nanosleep(&moment, NULL);
        rc = flock(fd, LOCK_EX | LOCK_NB);
    }
    return rc;
}

static int lock(int fd, int cmd, int type, off_t start, off_t len)
{
    struct flock fl = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, cmd, &fl);
}

/* Prints who would be in the way of a write lock on the range. */
static void print_blocker(int fd, off_t start, off_t len)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    if (fcntl(fd, F_GETLK, &fl) != 0)
        printf("blocker of %lld+%lld -> %s\n", (long long)start, (long long)len, strerrorname_np(errno));
    else if (fl.l_type == F_UNLCK)
        printf("blocker of %lld+%lld -> none\n", (long long)start, (long long)len);
    else
        printf("blocker of %lld+%lld -> type=%s start=%lld len=%lld pid=%s\n", (long long)start,
               (long long)len, fl.l_type == F_WRLCK ? "write" : "read", (long long)fl.l_start,
               (long long)fl.l_len, fl.l_pid == getppid() ? "parent" : "other");
}

static void on_alarm(int sig)
{
    (void)sig;
}

/* Waits for a lock that does not come, until a timer interrupts it. The timer repeats: one signal might come
 * too early, before the call sleeps. */
static int wait_in_vain(int fd, int use_flock)
{
    struct sigaction act = {.sa_handler = on_alarm};
    const struct itimerspec soon = {{0, 100000000}, {0, 100000000}};
    const struct itimerspec never = {{0, 0}, {0, 0}};
    timer_t timer;
    sigaction(SIGALRM, &act, NULL);
    timer_create(CLOCK_MONOTONIC, NULL, &timer);
    timer_settime(timer, 0, &soon, NULL);
    int rc = use_flock ? flock(fd, LOCK_EX) : lock(fd, F_SETLKW, F_WRLCK, 0, 0);
    int err = errno;
    timer_settime(timer, 0, &never, NULL);
    timer_delete(timer);
    errno = err;
    return rc;
}

static void child_part(void)
{
    int fd;
    RUN_FD(fd, open("lk", O_RDWR));
    print_blocker(fd, 0, 10);
    print_blocker(fd, 10, 10);
    print_blocker(fd, 30, 0);
    print_blocker(fd, 60, 5);
    RUN(lock(fd, F_SETLK, F_WRLCK, 0, 10));
    RUN(lock(fd, F_SETLK, F_RDLCK, 50, 10));
    RUN(lock(fd, F_SETLK, F_WRLCK, 50, 10));
    RUN(lock(fd, F_SETLK, F_WRLCK, 20, 10));
    RUN(lock(fd, F_SETLK, F_UNLCK, 0, 0));
    RUN(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 10));
    RUN(wait_in_vain(fd, 0));
    RUN(flock(fd, LOCK_EX | LOCK_NB));
    RUN(flock(fd, LOCK_SH | LOCK_NB));
    RUN(wait_in_vain(fd, 1));
    RUN(close(fd));
    fflush(stdout);
}

/* The child waits for the lock; the parent gives it up after a while. */
static void probe_waiting(int fd)
{
    probe_section("a lock that is waited for");
    RUN(lock(fd, F_SETLK, F_WRLCK, 0, 0));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int mine = open("lk", O_RDWR);
        RUN(lock(mine, F_SETLKW, F_WRLCK, 5, 5));
        RUN(flock(mine, LOCK_EX));
        fflush(stdout);
        _exit(0);
    }
    const struct timespec a_while = {0, 200000000};
    nanosleep(&a_while, NULL);
    (void)lock(fd, F_SETLK, F_UNLCK, 0, 0);
    nanosleep(&a_while, NULL);
    (void)flock(fd, LOCK_UN);
    int status = -1;
    waitpid(pid, &status, 0);
    RUN(status);
}

void probe_locks(void)
{
    int fd;
    int other;
    probe_section("locks");
    probe_make("lk", "0123456789");
    RUN_FD(fd, open("lk", O_RDWR));
    RUN(lock(fd, F_SETLK, F_WRLCK, 0, 20));
    RUN(lock(fd, F_SETLK, F_UNLCK, 5, 5));
    RUN(lock(fd, F_SETLK, F_UNLCK, 12, 2));
    RUN(lock(fd, F_SETLK, F_RDLCK, 40, 0));
    RUN(lock(fd, F_SETLK, F_WRLCK, -1, 5));
    RUN(lock(fd, F_SETLK, F_WRLCK, 0, 0x7fffffffffffffff));
    RUN(lock(fd, F_SETLK, F_UNLCK, 0, 0));
    RUN(lock(fd, F_SETLK, F_WRLCK, 0, 5));
    RUN(lock(fd, F_SETLK, F_WRLCK, 5, 5));
    RUN(lock(fd, F_SETLK, F_RDLCK, 40, 0));
    RUN(flock(fd, LOCK_SH));
    RUN(flock(fd, LOCK_EX));
    RUN(flock(fd, 0));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        child_part();
        _exit(0);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    RUN(status);
    probe_waiting(fd);
    probe_section("locks end with close");
    RUN(lock(fd, F_SETLK, F_WRLCK, 0, 0));
    RUN_FD(other, open("lk", O_RDONLY));
    RUN(lock(other, F_SETLK, F_WRLCK, 0, 0));
    RUN(close(other)); /* ends all POSIX locks of this process on the file */
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        int mine = open("lk", O_RDWR);
        print_blocker(mine, 0, 0);
        RUN(flock_once_free(mine));
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    RUN(close(fd));
    RUN_FD(fd, open("lk", O_RDWR));
    RUN(flock_once_free(fd));
    RUN(close(fd));
    RUN(unlink("lk"));
}
