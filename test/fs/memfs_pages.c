/* A fixed-height radix tree. Level kLevels - 1 is the root; the slots of level 0 are the pages themselves.
 * Invariant: a level that exists holds at least one page below it, so pages_drop frees levels on its way
 * back. */
#include "memfs_pages.h"

#include <stdlib.h>

struct level {
    void* slot[kFanout];
    unsigned used; /* slots that are not NULL */
};

static unsigned slot_of(uint64_t index, unsigned depth)
{
    return (unsigned)(index >> (depth * kFanoutShift)) & (kFanout - 1);
}

char* pages_find(const struct page_table* table, uint64_t index)
{
    void* node = table->root;
    for (unsigned depth = kLevels; node && depth-- > 0;)
        node = ((struct level*)node)->slot[slot_of(index, depth)];
    return node;
}

/* Frees the levels on the way to `index` that are empty after pages_make ran out of memory half-way. */
static void prune(struct page_table* table, uint64_t index)
{
    void** path[kLevels];
    void** link = &table->root;
    unsigned nr = 0;
    for (unsigned depth = kLevels; *link && depth-- > 0;) {
        path[nr++] = link;
        link = &((struct level*)*link)->slot[slot_of(index, depth)];
    }
    while (nr-- > 0) {
        struct level* level = *path[nr];
        if (level->used > 0)
            return;
        free(level);
        *path[nr] = NULL;
        if (nr > 0)
            ((struct level*)*path[nr - 1])->used--;
    }
}

char* pages_make(struct page_table* table, uint64_t index)
{
    struct level* parent = NULL;
    void** link = &table->root;
    for (unsigned depth = kLevels;; depth--) {
        if (!*link) {
            *link = calloc(1, depth > 0 ? sizeof(struct level) : kPageBytes);
            if (!*link) {
                prune(table, index);
                return NULL;
            }
            if (parent)
                parent->used++;
            if (depth == 0)
                table->nr_pages++;
        }
        if (depth == 0)
            return *link;
        parent = *link;
        link = &parent->slot[slot_of(index, depth - 1)];
    }
}

/* Drops [first, end) below *link, which stands at `depth` and covers indices from `base`. Returns 1 if *link
 * is NULL afterwards. */
static int drop_below(struct page_table* table, void** link, unsigned depth, uint64_t base, uint64_t first,
                      uint64_t end)
{
    if (depth == 0) {
        free(*link);
        *link = NULL;
        table->nr_pages--;
        return 1;
    }
    struct level* level = *link;
    uint64_t span = (uint64_t)1 << ((depth - 1) * kFanoutShift);
    for (unsigned i = first > base ? (unsigned)((first - base) / span) : 0; i < kFanout; i++) {
        uint64_t child = base + i * span;
        if (child >= end)
            break;
        if (level->slot[i] && drop_below(table, &level->slot[i], depth - 1, child, first, end))
            level->used--;
    }
    if (level->used > 0)
        return 0;
    free(level);
    *link = NULL;
    return 1;
}

uint64_t pages_drop(struct page_table* table, uint64_t first, uint64_t end)
{
    uint64_t before = table->nr_pages;
    if (table->root && first < end)
        drop_below(table, &table->root, kLevels, 0, first, end);
    return before - table->nr_pages;
}

static uint64_t next_present(void* node, unsigned depth, uint64_t base, uint64_t from, uint64_t limit)
{
    if (depth == 0)
        return base;
    struct level* level = node;
    uint64_t span = (uint64_t)1 << ((depth - 1) * kFanoutShift);
    for (unsigned i = from > base ? (unsigned)((from - base) / span) : 0; i < kFanout; i++) {
        uint64_t child = base + i * span;
        if (child >= limit)
            break;
        if (!level->slot[i])
            continue;
        uint64_t found = next_present(level->slot[i], depth - 1, child, from, limit);
        if (found < limit)
            return found;
    }
    return limit;
}

uint64_t pages_next(const struct page_table* table, uint64_t from, uint64_t limit, int present)
{
    if (from >= limit)
        return limit;
    if (!present) {
        while (from < limit && pages_find(table, from))
            from++;
        return from;
    }
    return table->root ? next_present(table->root, kLevels, 0, from, limit) : limit;
}
