/* lock_storm: several processes fight for one lock while timers interrupt their waiting. Checks that the lock
 * excludes (a counter in shared memory), that nobody starves, and that waiting can be interrupted. Exit 0:
 * held; 1: broken; 2: bad usage. A hang ends by SIGALRM. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rand.h"

enum { kMaxProcs = 64, kGraceSeconds = 30 };

/* In memory shared by all processes. */
struct shared {
    atomic_int inside; /* holders of the lock: never more than one */
    atomic_int broken;
    atomic_ulong taken[kMaxProcs];
    atomic_ulong interrupted[kMaxProcs];
};

static void on_timer(int sig)
{
    (void)sig;
}

static int change(int fd, int use_flock, int take)
{
    if (use_flock)
        return flock(fd, take ? LOCK_EX : LOCK_UN);
    struct flock fl = {.l_type = take ? F_WRLCK : F_UNLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10};
    return fcntl(fd, take ? F_SETLKW : F_SETLK, &fl);
}

static void fail(struct shared* s, const char* what, int err)
{
    fprintf(stderr, "%s (%s)\n", what, err ? strerror(err) : "lock does not exclude");
    atomic_store(&s->broken, 1);
}

static void hold_a_moment(struct shared* s, uint64_t* rng)
{
    if (atomic_fetch_add(&s->inside, 1) != 0)
        fail(s, "two holders at once", 0);
    const struct timespec moment = {0, (long)rand_below(rng, 2000000)};
    nanosleep(&moment, NULL);
    atomic_fetch_sub(&s->inside, 1);
}

static void fight(struct shared* s, const char* path, int use_flock, int proc, unsigned seconds)
{
    const struct sigaction act = {.sa_handler = on_timer}; /* no SA_RESTART: waiting must end with EINTR */
    const struct itimerval often = {{0, 3000}, {0, 3000}};
    uint64_t rng = (uint64_t)proc;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail(s, "open failed", errno);
        return;
    }
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    time_t end = time(NULL) + (time_t)seconds;
    while (time(NULL) < end && !atomic_load(&s->broken)) {
        if (change(fd, use_flock, 1) == 0) {
            atomic_fetch_add(&s->taken[proc], 1);
            hold_a_moment(s, &rng);
            while (change(fd, use_flock, 0) != 0) {
                if (errno != EINTR) {
                    fail(s, "unlock failed", errno);
                    break;
                }
            }
        } else if (errno == EINTR) {
            atomic_fetch_add(&s->interrupted[proc], 1);
        } else {
            fail(s, "lock failed", errno);
        }
    }
    close(fd);
}

static int report(const struct shared* s, int procs)
{
    int code = atomic_load(&s->broken) ? 1 : 0;
    unsigned long interrupted = 0;
    for (int i = 0; i < procs; i++) {
        unsigned long taken = atomic_load(&s->taken[i]);
        interrupted += atomic_load(&s->interrupted[i]);
        printf("proc=%d taken=%lu interrupted=%lu\n", i, taken, atomic_load(&s->interrupted[i]));
        if (taken == 0) {
            fprintf(stderr, "never got the lock: proc=%d\n", i);
            code = 1;
        }
    }
    if (interrupted == 0 && procs > 1) {
        fprintf(stderr, "no waiting was ever interrupted\n");
        code = 1;
    }
    return code;
}

int main(int argc, char* argv[])
{
    int procs = 4;
    unsigned seconds = 3;
    int use_flock = 0;
    int opt;
    while ((opt = getopt(argc, argv, "p:t:f")) != -1) {
        if (opt == 'p')
            procs = atoi(optarg);
        else if (opt == 't')
            seconds = (unsigned)strtoul(optarg, NULL, 0);
        else if (opt == 'f')
            use_flock = 1;
        else
            optind = argc + 1;
    }
    if (optind + 1 != argc || procs < 1 || procs > kMaxProcs) {
        fprintf(stderr,
                "usage: lock_storm [-p processes] [-t seconds] [-f] <file>\n  -f  flock, not fcntl\n");
        return 2;
    }
    struct shared* s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return 1;
    for (int i = 0; i < procs; i++) {
        if (fork() == 0) {
            fight(s, argv[optind], use_flock, i, seconds);
            _exit(0);
        }
    }
    alarm(seconds + kGraceSeconds);
    while (wait(NULL) > 0) {
    }
    return report(s, procs);
}
