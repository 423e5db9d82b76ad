/* SPDX-License-Identifier: MIT
 *
 * A histogram of times with a constant relative error: see demo.h.
 *
 * Times below 32 have a bin each.  Above, each power of two is cut into 32 bins: the bin's number is made of
 * the position of the highest bit and the five bits after it. */
#include "demo.h"

enum { STEP_BITS = 5, STEPS = 1 << STEP_BITS };

static unsigned bin_of(bine_ns time)
{
    uint64_t t = time > 0 ? (uint64_t)time : 0;
    if (t < STEPS)
        return (unsigned)t;
    unsigned shift = 63U - (unsigned)__builtin_clzll(t) - STEP_BITS;
    return (shift + 1) * STEPS + (unsigned)((t >> shift) & (STEPS - 1));
}

/* The largest time that falls into a bin. */
static bine_ns end_of(unsigned bin)
{
    if (bin < STEPS)
        return bin;
    unsigned shift = bin / STEPS - 1;
    return (bine_ns)(((uint64_t)(STEPS + bin % STEPS + 1) << shift) - 1);
}

void histogram_add(struct histogram *h, bine_ns time)
{
    h->count[bin_of(time)]++;
    h->total++;
    if (time > h->longest)
        h->longest = time;
}

bine_ns histogram_at(const struct histogram *h, double share)
{
    double wanted = share * (double)h->total;
    uint64_t seen = 0;
    for (unsigned bin = 0; bin < sizeof h->count / sizeof *h->count; bin++) {
        seen += h->count[bin];
        if (seen > 0 && (double)seen >= wanted)
            return end_of(bin) < h->longest ? end_of(bin) : h->longest;
    }
    return h->longest;
}
