/* SPDX-License-Identifier: MIT
 *
 * Whether a loop looks into its box for a moment before it goes to sleep: the decision, which knows no clock
 * and no loop, and so can be tested with any times.  spin.c says what for. */
#ifndef BINE_RUNTIME_SPIN_H
#define BINE_RUNTIME_SPIN_H

#include <stdbool.h>
#include <stdint.h>

#include <bine/base.h>

/* What a sleep and a wake-up cost both sides together was measured as 8 to 16 us (tests/bench, work cross).
 * To have waited for less than that has paid; a first try must also outlast the other side's last sleep. */
#define BINE__SPIN_WORTH (10 * BINE_US)
#define BINE__SPIN_LEAST (4 * BINE_US)
#define BINE__SPIN_FIRST (50 * BINE_US)
#define BINE__SPIN_SELDOM (200 * BINE_US) /* from one wait to the next: then it could not save a tenth */

enum { BINE__SPIN_PATIENCE = 4, BINE__SPIN_REST = 1023 };

struct bine__spin { /* of a loop; all zero at first */
    bool heard;          /* something came from another thread since the last wait */
    uint8_t late;        /* tries that took too long to pay, up to BINE__SPIN_PATIENCE */
    uint16_t misses;     /* grows with tries in vain, falls with those that paid */
    uint16_t rest;       /* waits before the next try */
    unsigned processors; /* that the loop may use; 0: not asked yet */
    bine_ns limit;       /* of the next try; 0: the longest */
    bine_ns since;       /* when it last was about to wait for another thread */
    uint64_t tried, paid;
};

/* It is about to wait, and was last woken by another thread: how long to look first; 0: not at all. */
static inline bine_ns bine__spin_due(struct bine__spin *spin, bine_ns now)
{
    const bine_ns period = now - spin->since;

    spin->since = now;
    if (period > BINE__SPIN_SELDOM)
        return 0;
    if (spin->rest) {
        spin->rest--;
        return 0;
    }
    spin->tried++;
    return spin->limit ? spin->limit : BINE__SPIN_FIRST;
}

/* What became of it.  Tries in vain make it rest for twice as many waits each time; one that took too long to
 * pay does so only when several have: the other side may just have been asleep itself. */
static inline void bine__spin_learn(struct bine__spin *spin, bine_ns took, bool came)
{
    if (came && took <= BINE__SPIN_WORTH) {
        bine_ns limit = spin->limit / 2 > 4 * took ? spin->limit / 2 : 4 * took;
        spin->limit = limit < BINE__SPIN_LEAST ? BINE__SPIN_LEAST : limit;
        spin->misses /= 2;
        spin->late = 0;
        spin->paid++;
        return;
    }
    spin->limit = 0;
    if (came && spin->late < BINE__SPIN_PATIENCE) {
        spin->late++;
        return;
    }
    spin->misses = spin->misses < BINE__SPIN_REST / 2 ? (uint16_t)(2 * spin->misses + 1) : BINE__SPIN_REST;
    spin->rest = spin->misses;
}

#endif
