/* SPDX-License-Identifier: MIT
 *
 * Between the files that predict.
 *
 * A stretch is what a task does across a switch that must not be disturbed: from a look to an act, from a write
 * of its own to a read of it, from one part of a group to another, from one use of a thing to the next.  A guest
 * is another task's access that would disturb it.  Neither points into the records: these change. */
#ifndef BINE_CHECK_RACE_STRETCH_H
#define BINE_CHECK_RACE_STRETCH_H

#include "check/race.h"

#pragma GCC visibility push(hidden)

enum { BINE__HOLDS = 4, BINE__ASKS = 4 };

enum bine__prediction {
    BINE__PREDICTED_CHECK, /* it checked, or read, and writes */
    BINE__PREDICTED_OWN,   /* it wrote, and reads that */
    BINE__PREDICTED_GROUP, /* it wrote a part of a group, and writes another */
    BINE__PREDICTED_VIEW,  /* it read a part of a group, and reads another */
    BINE__PREDICTED_USE    /* it used a thing, and uses it again */
};

struct bine__stretch {
    enum bine__prediction what;
    uint32_t strand, from, to; /* slices */
    uintptr_t at;              /* of a group: its cell */
    uintptr_t shown;
    uint64_t value;            /* that stands there all along */
    uint8_t size, mask;
    bool checked, update;
    bool field; /* what it writes is put together: other bits are another's */
    uint64_t changed; /* then: which it changes; known when its slice is over */
    bool claimed; /* it has asked for something and set it, before the switch: others would be sent away */
    uint32_t look_pc, look_context, act_pc, act_context;
    struct bine__left left;
    struct { /* locks, from the look to the act */
        const void *lock;
        bool shared; /* others may read meanwhile */
    } held[BINE__HOLDS];
    unsigned holds;
    struct { /* what it looked at between the switch and the act */
        uintptr_t at;
        uint8_t mask;
    } asks[BINE__ASKS];
    unsigned asked;
};

struct bine__guest {
    uint32_t strand, slice, pc, context;
    uint16_t locks;
    bool looks; /* it does not do it in this run, but has looked at the place that it would do it to */
};

/* race_guards.c */
bool bine__predict_ordered(const struct bine__strand *, uint32_t strand, uint32_t slice);
bool bine__stretch_begin(struct bine__stretch *, struct bine__strand *self, uint32_t from, uint64_t since);
bool bine__stretch_apart(const struct bine__stretch *, const struct bine__guest *);
bool bine__stretch_notices(const struct bine__stretch *, const struct bine__guest *);
bool bine__asked_otherwise(uint64_t value); /* what was asked last may be answered otherwise */

/* race_uses.c */
bool bine__predict_owned(const struct bine__strand *, uintptr_t at);

/* race_predict.c: those that are kept; of one place, and of others with the same hash */
struct bine__kept {
    struct bine__kept *next;
    struct bine__stretch stretch;
};
const struct bine__kept *bine__stretches(uintptr_t at);
bool bine__stretch_keep(const struct bine__stretch *);
const char *bine__stretch_kind(const struct bine__stretch *); /* of the finding */
void bine__predict_tell(const struct bine__stretch *, const struct bine__guest *, const char *kind,
                        const char *theirs);
/* Told at the end of the slice, unless the guest has written what the stretch asks after, or writes what stands
 * there. */
void bine__predict_pend(const struct bine__stretch *, const struct bine__guest *, const char *kind,
                        const char *theirs, bool writes);

#pragma GCC visibility pop

#endif
