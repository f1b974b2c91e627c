/* fsx_check: the program. Starts one process per file; each draws random steps until the number of steps or
 * the time is used up. Exit 0: all held; 1: a difference or a failed call; 2: bad usage. */
#include "fsx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rand.h"

enum { kMaxOps = 32, kGraceSeconds = 120 };

struct settings {
    const char* dir;
    uint64_t steps;   /* per process; 0 = no limit */
    unsigned seconds; /* 0 = no limit */
    uint64_t seed;
    int procs;
    off_t max;
    int want_all;          /* a step the filesystem does not offer is a failure */
    int sync_first;        /* see fsx.h */
    const char* leave_out; /* names of steps, with commas */
};

struct table {
    const struct fsx_op* op[kMaxOps];
    size_t nr;
    unsigned total_weight;
};

static int is_listed(const char* list, const char* name)
{
    size_t len = strlen(name);
    for (const char* at = list; at && (at = strstr(at, name)); at += len)
        if ((at == list || at[-1] == ',') && (at[len] == '\0' || at[len] == ','))
            return 1;
    return 0;
}

/* Adds the steps this filesystem offers and says which it does not. Returns -1 if one is missing that must be
 * there. */
static int add_ops(struct table* table, struct fsx* f, const struct settings* s, const struct fsx_op* ops,
                   size_t nr)
{
    for (size_t i = 0; i < nr; i++) {
        if (is_listed(s->leave_out, ops[i].name))
            continue;
        int err = ops[i].probe ? ops[i].probe(f) : 0;
        if (err) {
            fprintf(stderr, "step not offered here: %s (%s)%s\n", ops[i].name, strerror(err),
                    s->want_all ? "" : ", going on without it");
            if (s->want_all)
                return -1;
            continue;
        }
        table->op[table->nr++] = &ops[i];
        table->total_weight += ops[i].weight;
    }
    return 0;
}

static const struct fsx_op* draw(const struct table* table, struct fsx* f)
{
    uint64_t at = rand_below(&f->rng, table->total_weight);
    size_t i = 0;
    while (at >= table->op[i]->weight)
        at -= table->op[i++]->weight;
    return table->op[i];
}

static int run_steps(struct fsx* f, const struct settings* s)
{
    struct table table = {.nr = 0};
    if (add_ops(&table, f, s, kFsxDataOps, kNrFsxDataOps) != 0 ||
        add_ops(&table, f, s, kFsxSpaceOps, kNrFsxSpaceOps) != 0)
        return -1;
    if (table.nr == 0)
        return -1;
    time_t end = time(NULL) + (time_t)s->seconds;
    for (uint64_t i = 0; s->steps == 0 || i < s->steps; i++) {
        if (s->seconds && i % 16 == 0 && time(NULL) >= end)
            break;
        if (draw(&table, f)->run(f) != 0)
            return -1;
    }
    fsx_note(f, "last_verify", 0, f->size, 0);
    return fsx_verify(f);
}

static int run_process(const struct settings* s, int proc)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/fsx.%d", s->dir, proc);
    struct fsx* f = calloc(1, sizeof(*f));
    if (!f)
        return 1;
    f->path = path;
    f->proc = proc;
    f->max = s->max;
    f->sync_first = s->sync_first;
    f->rng = s->seed + (uint64_t)proc;
    f->model = calloc(1, (size_t)s->max);
    f->buf = malloc((size_t)s->max);
    /* A call that hangs must not hang the test. */
    if (s->seconds)
        alarm(s->seconds + kGraceSeconds);
    int rc = -1;
    if (f->model && f->buf && fsx_open(f, O_CREAT | O_TRUNC) == 0) {
        rc = run_steps(f, s);
        close(f->fd);
        if (rc == 0 && unlink(path) != 0)
            rc = fsx_fail_call(f, "unlink", errno);
    }
    printf("proc=%d steps=%llu %s\n", proc, (unsigned long long)f->step, rc == 0 ? "ok" : "FAILED");
    fflush(stdout);
    free(f->model);
    free(f->buf);
    free(f);
    return rc == 0 ? 0 : 1;
}

static int run_all(const struct settings* s)
{
    int failed = 0;
    int started = 0;
    for (int i = 0; i < s->procs; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(run_process(s, i));
        if (pid < 0) {
            fprintf(stderr, "fork failed: proc=%d (%s)\n", i, strerror(errno));
            failed = 1;
            break;
        }
        started++;
    }
    while (started-- > 0) {
        int status = 0;
        if (wait(&status) < 0 || status != 0) {
            failed = 1;
            if (WIFSIGNALED(status))
                fprintf(stderr, "process ended by signal %d (14 = it hung)\n", WTERMSIG(status));
        }
    }
    return failed;
}

static int usage(void)
{
    fprintf(stderr, "usage: fsx_check [-n steps] [-t seconds] [-S seed] [-p processes] [-l max_file_bytes]\n"
                    "                 [-x step,step…] [-A] [-w] <directory>\n"
                    "  -x  leave these kinds of steps out      -A  every kind of step must be offered\n"
                    "  -w  fsync before looking for holes (needed over FUSE's write-back cache)\n");
    return 2;
}

int main(int argc, char* argv[])
{
    struct settings s = {
        .seed = (uint64_t)time(NULL) ^ ((uint64_t)getpid() << 32), .procs = 1, .max = 256 * 1024};
    int opt;
    while ((opt = getopt(argc, argv, "n:t:S:p:l:x:Aw")) != -1) {
        switch (opt) {
        case 'n':
            s.steps = strtoull(optarg, NULL, 0);
            break;
        case 't':
            s.seconds = (unsigned)strtoul(optarg, NULL, 0);
            break;
        case 'S':
            s.seed = strtoull(optarg, NULL, 0);
            break;
        case 'p':
            s.procs = atoi(optarg);
            break;
        case 'l':
            s.max = strtoll(optarg, NULL, 0);
            break;
        case 'x':
            s.leave_out = optarg;
            break;
        case 'A':
            s.want_all = 1;
            break;
        case 'w':
            s.sync_first = 1;
            break;
        default:
            return usage();
        }
    }
    if (optind + 1 != argc || s.procs < 1 || s.max < 4096)
        return usage();
    if (s.steps == 0 && s.seconds == 0)
        s.steps = 10000;
    s.dir = argv[optind];
    printf("fsx_check: dir=%s seed=%llu processes=%d max=%lld\n", s.dir, (unsigned long long)s.seed, s.procs,
           (long long)s.max);
    fflush(stdout);
    return run_all(&s);
}
