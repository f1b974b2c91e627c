/* same_ops: random calls, the same on a reference filesystem (tmpfs, say) and on the one to be checked.
 * Results, errnos, bytes and attributes must be equal after each call; now and then, and at the end,
 * everything is compared.
 *
 *   same_ops [-S seed] [-n calls] [-p processes] [-c] REFERENCE CHECKED
 *
 * -c: no file stays open when its name goes (for -o hard_remove, where it would be found by nobody). Each
 * process works in a directory of its own below both. Exit 0: all equal; 1: not, with the last calls printed.
 *
 * What the two may differ in is avoided: a library that keeps an open file under another name while somebody
 * has it open (.fuse_hidden…) shows one link too many and cannot remove its directory. So an open file is
 * closed before its name goes, but in the top directory, where it stays open and its link count is not
 * compared any more. */
#include "same_ops.h"

#include "rand.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { kHistory = 24, kTreesEvery = 1000 };

struct run {
    struct side sides[2]; /* reference, checked */
    uint64_t rng;
    int close_first;      /* -c */
    int unlinked[kSlots]; /* the link count of this slot is not compared */
    struct same_call call;
    struct same_result results[2];
    char history[kHistory][240];
    unsigned long step;
};

static uint64_t below(struct run* r, uint64_t limit)
{
    return rand_below(&r->rng, limit);
}

static void choose_path(struct run* r, char path[kPathBytes])
{
    static const char* const kNames[] = {"a", "b", "c", "d", "e", "a-name-that-is-somewhat-longer"};
    int depth = (int)below(r, 3);
    path[0] = '\0';
    for (int i = 0; i <= depth; i++) {
        /* The long name only at the end, so that every path fits. */
        const char* name = kNames[below(r, i == depth ? 6 : 3)];
        strcat(path, i ? "/" : "");
        strcat(path, name);
    }
}

static int choose_slot(struct run* r, int open)
{
    int slot = (int)below(r, kSlots);
    for (int i = 0; i < kSlots; i++, slot = (slot + 1) % kSlots)
        if ((r->sides[0].fds[slot] >= 0) == open)
            return slot;
    return -1;
}

static int choose_open_flags(struct run* r)
{
    static const int kAccess[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
    /* Not O_APPEND: the kernel knows the size of each name of a file only from what went through that name.
     */
    static const int kExtra[] = {
        0,          0,          O_CREAT, O_CREAT, O_CREAT, O_CREAT | O_EXCL, O_TRUNC, O_CREAT | O_TRUNC,
        O_NOFOLLOW, O_DIRECTORY};
    return kAccess[below(r, 4)] | kExtra[below(r, sizeof(kExtra) / sizeof(kExtra[0]))];
}

static int choose_flags(struct run* r, enum same_op op)
{
    static const int kSpace[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0};
    static const int kLocks[] = {LOCK_SH, LOCK_EX, LOCK_UN};
    switch (op) {
    case kOpen:
        return choose_open_flags(r);
    case kFallocate:
        return kSpace[below(r, 4)];
    case kFlock:
        return kLocks[below(r, 3)];
    case kRename:
        return below(r, 4) ? 0 : 1 + (int)below(r, 2); /* RENAME_NOREPLACE, RENAME_EXCHANGE */
    case kSetxattr:
        return (int)below(r, 3); /* XATTR_CREATE, XATTR_REPLACE */
    default:
        return (int)below(r, 8);
    }
}

static int needs_slot(enum same_op op)
{
    switch (op) {
    case kClose:
    case kRead:
    case kWrite:
    case kAppend:
    case kFtruncate:
    case kFstat:
    case kFchmod:
    case kFutimens:
    case kFallocate:
    case kCopy:
    case kFlock:
    case kFsync:
        return 1;
    default:
        return 0;
    }
}

static enum same_op choose_op(struct run* r)
{
    /* Data calls more often than the others. */
    static const enum same_op kOften[] = {kOpen, kOpen, kRead, kWrite, kWrite, kLstat};
    uint64_t n = below(r, kNrOps + 12);
    return n < kNrOps ? (enum same_op)n : kOften[n % 6];
}

/* Fills in r->call. Returns 0 if the call cannot be made now. */
static int choose_call(struct run* r)
{
    static const char* const kXattrs[] = {"user.a", "user.b", "user.c"};
    struct same_call* c = &r->call;
    c->op = choose_op(r);
    choose_path(r, c->path);
    choose_path(r, c->other);
    if (c->op >= kSetxattr && c->op <= kRemovexattr)
        strcpy(c->other, kXattrs[below(r, 3)]);
    c->slot = choose_slot(r, needs_slot(c->op));
    c->slot2 = choose_slot(r, 1);
    c->flags = choose_flags(r, c->op);
    c->mode = (mode_t)below(r, 512) | 0600;
    c->off = (off_t)below(r, kMaxFileBytes - kDataBytes);
    c->off2 = (off_t)below(r, kMaxFileBytes - kDataBytes);
    c->size = below(r, 4) ? below(r, 5000) : below(r, kDataBytes);
    c->seconds[0] = (long)below(r, kSetTimesEnd);
    c->seconds[1] = (long)below(r, kSetTimesEnd);
    if (c->op == kSetxattr)
        c->size %= 3000; /* tmpfs keeps little more */
    if (c->op == kChown)
        c->slot2 = (int)below(r, 3);
    uint64_t seed = below(r, UINT64_MAX);
    for (size_t i = 0; i < c->size; i++)
        c->data[i] = (char)(seed + i * 31 + (i >> 8));
    if (c->op == kFstat)
        c->flags = c->slot >= 0 && !r->unlinked[c->slot];
    return (c->slot >= 0 || (!needs_slot(c->op) && c->op != kOpen)) && (c->op != kCopy || c->slot2 >= 0);
}

static void note(struct run* r)
{
    const struct same_call* c = &r->call;
    snprintf(r->history[r->step % kHistory], sizeof(r->history[0]),
             "%lu %s path=%s other=%s slot=%d,%d flags=0x%x mode=%o off=%lld,%lld size=%zu", r->step,
             kSameOpNames[c->op], c->path, c->other, c->slot, c->slot2, (unsigned)c->flags, (unsigned)c->mode,
             (long long)c->off, (long long)c->off2, c->size);
}

static int run_both(struct run* r)
{
    note(r);
    for (int i = 0; i < 2; i++)
        same_run(&r->sides[i], &r->call, &r->results[i]);
    const struct same_result* a = &r->results[0];
    const struct same_result* b = &r->results[1];
    if (a->rc == b->rc && a->len == b->len && memcmp(a->text, b->text, a->len) == 0)
        return 0;
    printf("DIFFERENT step=%lu %s\n", r->step, kSameOpNames[r->call.op]);
    for (int i = 0; i < 2; i++)
        printf("  %-9s rc=%ld (%s) len=%zu %.*s\n", r->sides[i].name, r->results[i].rc,
               r->results[i].rc < 0 ? strerror((int)-r->results[i].rc) : "", r->results[i].len,
               r->call.op == kRead ? 0 : (int)r->results[i].len, r->results[i].text);
    return -1;
}

/* Deals with open files whose name `path` is about to go. */
static int part_from_open_files(struct run* r, const char* path)
{
    struct stat doomed;
    if (fstatat(r->sides[0].root, path, &doomed, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    for (int slot = 0; slot < kSlots; slot++) {
        struct stat st;
        if (r->sides[0].fds[slot] < 0 || fstat(r->sides[0].fds[slot], &st) != 0 || st.st_ino != doomed.st_ino)
            continue;
        if (!r->close_first && S_ISREG(st.st_mode) && st.st_nlink == 1 && !strchr(path, '/')) {
            r->unlinked[slot] = 1;
            continue;
        }
        struct same_call saved = r->call;
        r->call.op = kClose;
        r->call.slot = slot;
        int rc = run_both(r);
        r->call = saved;
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Two names of one pipe are two pipes to the kernel where each name is a file of its own. */
static int links_a_pipe(const struct run* r)
{
    struct stat st;
    return r->call.op == kLink && fstatat(r->sides[0].root, r->call.path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISFIFO(st.st_mode);
}

static int step(struct run* r)
{
    if (!choose_call(r) || links_a_pipe(r))
        return 0;
    r->step++;
    int rc = 0;
    if (r->call.op == kUnlink || r->call.op == kRmdir)
        rc = part_from_open_files(r, r->call.path);
    if (r->call.op == kRename && r->call.flags != 2)
        rc = part_from_open_files(r, r->call.other);
    if (r->call.op == kOpen)
        r->unlinked[r->call.slot] = 0;

    return rc < 0 ? rc : run_both(r);
}

static int run(struct run* r, unsigned long calls)
{
    int bad = 0;
    for (unsigned long i = 0; i < calls && !bad; i++) {
        bad = step(r) < 0;
        if (!bad && i % kTreesEvery == kTreesEvery - 1)
            bad = same_trees(r->sides);
    }
    if (!bad)
        bad = same_trees(r->sides);
    for (unsigned long i = r->step > kHistory ? r->step - kHistory + 1 : 1; bad && i <= r->step; i++)
        printf("    %s\n", r->history[i % kHistory]);
    for (int i = 0; i < 2 * kSlots; i++)
        if (r->sides[i / kSlots].fds[i % kSlots] >= 0)
            close(r->sides[i / kSlots].fds[i % kSlots]);
    return bad ? 1 : 0;
}

static int work(char* dirs[2], uint64_t seed, unsigned long calls, int close_first, int process)
{
    struct run* r = calloc(1, sizeof(*r));
    if (!r)
        return 1;
    r->rng = seed + (uint64_t)process;
    r->close_first = close_first;
    for (int i = 0; i < 2; i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/p%d", dirs[i], process);
        r->sides[i].name = i ? "checked" : "reference";
        if (mkdir(path, 0755) != 0 || (r->sides[i].root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) {
            printf("cannot work in %s (%s)\n", path, strerror(errno));
            return 1;
        }
        memset(r->sides[i].fds, -1, sizeof(r->sides[i].fds));
    }
    int bad = run(r, calls);
    printf("same_ops: seed=%llu process=%d calls=%lu %s\n", (unsigned long long)seed, process, r->step,
           bad ? "DIFFERENT" : "equal");
    fflush(stdout);
    free(r);
    return bad;
}

int main(int argc, char* argv[])
{
    uint64_t seed = 1;
    unsigned long calls = 5000;
    int processes = 1;
    int close_first = 0;
    for (int opt; (opt = getopt(argc, argv, "S:n:p:c")) != -1;) {
        if (opt == 'S')
            seed = strtoull(optarg, NULL, 0);
        else if (opt == 'n')
            calls = strtoul(optarg, NULL, 0);
        else if (opt == 'p')
            processes = atoi(optarg);
        else if (opt == 'c')
            close_first = 1;
        else
            return 2;
    }
    if (optind + 2 != argc) {
        fprintf(stderr, "usage: same_ops [-S seed] [-n calls] [-p processes] [-c] REFERENCE CHECKED\n");
        return 2;
    }
    umask(0);
    for (int i = 0; i < processes; i++)
        if (fork() == 0)
            _exit(work(argv + optind, seed, calls, close_first, i));
    int bad = 0;
    int status;
    while (wait(&status) > 0)
        bad |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    return bad;
}
