/* The bytes of one file: a sparse radix table of zero-filled pages. Knows nothing of FUSE and takes no locks.
 */
#ifndef RF_TEST_MEMFS_PAGES_H
#define RF_TEST_MEMFS_PAGES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    kPageShift = 12,
    kPageBytes = 1 << kPageShift,
    kFanoutShift = 9,
    kFanout = 1 << kFanoutShift,
    kLevels = 4,
};

/* One byte more than the largest file: kLevels of kFanoutShift bits each index whole pages. */
#define MEM_MAX_BYTES ((off_t)1 << (kPageShift + kFanoutShift * kLevels))

struct page_table {
    void* root;        /* NULL, or a level of kFanout pointers */
    uint64_t nr_pages; /* present pages */
};

/* The page `index`, or NULL if it is a hole. */
char* pages_find(const struct page_table* table, uint64_t index);

/* The page `index`, made and zeroed if it was a hole; NULL without memory. */
char* pages_make(struct page_table* table, uint64_t index);

/* Turns [first, end) into a hole and returns the number of pages freed. */
uint64_t pages_drop(struct page_table* table, uint64_t first, uint64_t end);

/* The first index in [from, limit) that is present (`present` = 1) or a hole (0); `limit` if there is none.
 */
uint64_t pages_next(const struct page_table* table, uint64_t from, uint64_t limit, int present);

#endif
