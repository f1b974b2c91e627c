/* path_client: does one thing on a mount of null_hl over and over, and prints how often per second.
 *
 *   path_client WORK SECONDS CLIENTS DIR
 *
 * WORK: stat-N     stat of a path of N components (with -o entry_timeout=0: N lookups)
 *       fstat-N    fstat of an open file that many components deep
 *       churn      create and unlink        rename     a file to another name and back
 *       list       names of "dbig"          fill-N     stat of N names, once; SECONDS does not count
 * One client is pinned to a CPU, several are not. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct work {
    const char* name;
    unsigned number; /* the N of the name */
    const char* dir;
    int client;
    char path[512];
    int fd;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int is(const struct work* w, const char* prefix)
{
    return strncmp(w->name, prefix, strlen(prefix)) == 0;
}

static int prepare(struct work* w)
{
    const char* dash = strchr(w->name, '-');
    w->number = dash ? (unsigned)strtoul(dash + 1, NULL, 10) : 0;
    int used = snprintf(w->path, sizeof(w->path), "%s", w->dir);
    if (is(w, "stat") || is(w, "fstat")) {
        for (unsigned i = 1; i < w->number; i++)
            used += snprintf(w->path + used, sizeof(w->path) - (size_t)used, "/d%d", w->client);
        snprintf(w->path + used, sizeof(w->path) - (size_t)used, "/f%d", w->client);
    }
    w->fd = is(w, "fstat") ? open(w->path, O_RDONLY) : 0;
    return w->fd < 0 ? -1 : 0;
}

static long list(const struct work* w)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/dbig", w->dir);
    DIR* dir = opendir(path);
    long nr = 0;
    if (!dir)
        return -1;
    while (readdir(dir))
        nr++;
    closedir(dir);
    return nr;
}

static long churn(const struct work* w, uint64_t round)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/c%d-%llu", w->dir, w->client, (unsigned long long)round);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
    if (fd < 0)
        return -1;
    close(fd);
    return unlink(path) == 0 ? 1 : -1;
}

static long move(const struct work* w, uint64_t round)
{
    char paths[2][512];
    for (int i = 0; i < 2; i++)
        snprintf(paths[i], sizeof(paths[i]), "%s/f%d-%d", w->dir, w->client, i);
    return rename(paths[round % 2], paths[1 - round % 2]) == 0 ? 1 : -1;
}

static long fill(const struct work* w)
{
    struct stat st;
    char path[512];
    for (unsigned i = 0; i < w->number; i++) {
        snprintf(path, sizeof(path), "%s/f-%07u", w->dir, i);
        if (stat(path, &st) != 0)
            return -1;
    }
    return w->number;
}

/* How much was done, or -1 and errno. */
static long once(const struct work* w, uint64_t round)
{
    struct stat st;
    if (is(w, "stat"))
        return stat(w->path, &st) == 0 ? 1 : -1;
    if (is(w, "fstat"))
        return fstat(w->fd, &st) == 0 ? 1 : -1;
    if (is(w, "churn"))
        return churn(w, round);
    if (is(w, "rename"))
        return move(w, round);
    if (is(w, "list"))
        return list(w);
    if (is(w, "fill"))
        return fill(w);
    errno = EINVAL;
    return -1;
}

/* Writes how much was done per second to `*ret_speed`. */
static int run(struct work* w, double seconds, int pin, double* ret_speed)
{
    if (pin) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(0, &set);
        (void)sched_setaffinity(0, sizeof(set), &set);
    }
    if (prepare(w) < 0 || (!is(w, "fill") && once(w, 0) < 0)) {
        fprintf(stderr, "path_client: %s in %s (%s)\n", w->name, w->dir, strerror(errno));
        return 1;
    }
    double begin = now();
    double end = begin;
    long done = 0;
    for (uint64_t round = 1; end - begin < seconds || round == 1; round++) {
        long part = once(w, round);
        if (part < 0) {
            fprintf(stderr, "path_client: %s round=%llu (%s)\n", w->name, (unsigned long long)round,
                    strerror(errno));
            return 1;
        }
        done += part;
        end = now();
        if (is(w, "fill"))
            break;
    }
    *ret_speed = (double)done / (end - begin);
    return 0;
}

int main(int argc, char* argv[])
{
    if (argc != 5) {
        fprintf(stderr, "usage: path_client WORK SECONDS CLIENTS DIR\n");
        return 2;
    }
    int clients = atoi(argv[3]);
    double* speeds = mmap(NULL, sizeof(double) * (size_t)clients, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (clients < 1 || speeds == MAP_FAILED)
        return 2;
    for (int i = 0; i < clients; i++) {
        if (fork() == 0) {
            struct work w = {.name = argv[1], .dir = argv[4], .client = i};
            _exit(run(&w, atof(argv[2]), clients == 1, &speeds[i]));
        }
    }
    int bad = 0;
    int status;
    while (wait(&status) > 0)
        bad |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    double sum = 0;
    for (int i = 0; i < clients; i++)
        sum += speeds[i];
    printf("%.0f\n", sum);
    return bad;
}
