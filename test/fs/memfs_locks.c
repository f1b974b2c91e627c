/* Tables of file locks. Invariant: the locks of one owner in one list are disjoint, and two of the same type
 * do not touch. flock uses the same table with one range that covers everything. */
#include "memfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct mem_lock* mem_lock_conflict(struct mem_lock* list, const struct mem_lock* want)
{
    for (struct mem_lock* lock = list; lock; lock = lock->next) {
        if (lock->owner == want->owner || lock->end < want->start || lock->start > want->end)
            continue;
        if (lock->type == F_WRLCK || want->type == F_WRLCK)
            return lock;
    }
    return NULL;
}

static int touches(const struct mem_lock* a, const struct mem_lock* b)
{
    if (a->end < b->start)
        return b->start - a->end == 1;
    if (b->end < a->start)
        return a->start - b->end == 1;
    return 1;
}

static int overlaps(const struct mem_lock* a, const struct mem_lock* b)
{
    return a->end >= b->start && b->end >= a->start;
}

/* Cuts the range of `cut` out of `lock`. Returns 1 if nothing is left. A lock cut in the middle goes on in
 * `*rest`, which is then taken (set to NULL). */
static int cut_out(struct mem_lock* lock, const struct mem_lock* cut, struct mem_lock** rest)
{
    int before = lock->start < cut->start;
    int after = lock->end > cut->end;
    if (before && after) {
        struct mem_lock* tail = *rest;
        *rest = NULL;
        *tail = *lock;
        tail->start = cut->end + 1;
        tail->next = lock->next;
        lock->next = tail;
        lock->end = cut->start - 1;
    } else if (before) {
        lock->end = cut->start - 1;
    } else if (after) {
        lock->start = cut->end + 1;
    } else {
        return 1;
    }
    return 0;
}

int mem_lock_set(struct mem_lock** list, const struct mem_lock* want)
{
    /* At most one lock is split and one is added: with both at hand nothing below can fail. */
    struct mem_lock* fresh = malloc(sizeof(*fresh));
    struct mem_lock* rest = malloc(sizeof(*rest));
    if (!fresh || !rest) {
        free(fresh);
        free(rest);
        return ENOLCK;
    }
    *fresh = *want;
    for (struct mem_lock** link = list; *link;) {
        struct mem_lock* lock = *link;
        int gone = 0;
        if (lock->owner == want->owner && lock->type == want->type && touches(lock, fresh)) {
            fresh->start = lock->start < fresh->start ? lock->start : fresh->start;
            fresh->end = lock->end > fresh->end ? lock->end : fresh->end;
            gone = 1;
        } else if (lock->owner == want->owner && lock->type != want->type && overlaps(lock, want)) {
            gone = cut_out(lock, want, &rest);
        }
        if (gone) {
            *link = lock->next;
            free(lock);
        } else {
            link = &lock->next;
        }
    }
    free(rest);
    if (want->type == F_UNLCK) {
        free(fresh);
    } else {
        fresh->next = *list;
        *list = fresh;
    }
    return 0;
}

void mem_lock_free_all(struct mem_lock** list)
{
    while (*list) {
        struct mem_lock* doomed = *list;
        *list = doomed->next;
        free(doomed);
    }
}
