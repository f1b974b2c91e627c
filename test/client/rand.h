/* A small random generator whose numbers depend on the seed alone, so that any run can be repeated anywhere.
 */
#ifndef RF_TEST_RAND_H
#define RF_TEST_RAND_H

#include <stdint.h>

static inline uint64_t rand_next(uint64_t* state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number in [0, limit); 0 if limit is 0. */
static inline uint64_t rand_below(uint64_t* state, uint64_t limit)
{
    return limit ? rand_next(state) % limit : 0;
}

#endif
