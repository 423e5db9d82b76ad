/* SPDX-License-Identifier: MIT
 *
 * Predictions: who keeps a pointer across a switch to what another may free meanwhile.
 *
 * Of each task the last HOLDINGS pointers are kept that it has read, or things that it has used without having
 * read where they are; to have read one again after the switch is to have looked again.  One that was read before a
 * switch and is used behind it, in the same turn, is a stretch, found by the thing when that is freed.
 *
 * Who frees it later could have done so sooner, if it found it where it was all along: in a place that was written
 * before the stretch began; or if it is the one that has made it; or a callback that was asked for before the stretch
 * began, with its timer started.  What was put there only afterwards, or was handed
 * over in a way that is not seen, is freed in its turn.  A count of users that both have lowered, or a flag that is
 * asked, is a guard (race_guards.c).
 *
 * Bounds: USES stretches, the last one for each pointer and act, in a table that is written over where two meet;
 * FREED deaths in a slice that wait for its end. */
#include <stdlib.h>
#include <string.h>

#include "check/race_stretch.h"

enum { HOLDINGS = 12, USES = 1 << 12, WAYS = 4, REACH = 256, MOST = 4096 };

struct holding {
    uintptr_t thing;
    uintptr_t from; /* where it was read; 0: it was not */
    uint32_t slice, pc, context;
    uint64_t time;
    uint32_t use_slice, use_pc, use_context; /* 0: not used since */
    uint64_t use_time;
};

struct bine__holdings {
    struct holding at[HOLDINGS];
    unsigned next;
};

static struct use { /* by the granule of the thing */
    uintptr_t thing;
    struct bine__stretch stretch;
} *uses;

static struct use *uses_of(uintptr_t thing)
{
    return &uses[((thing >> 3) * 2654435761U >> 8 & (USES / WAYS - 1)) * WAYS];
}

/* ---- Pointers --------------------------------------------------------------------------------------- */

static bool on_stack(const struct bine__strand *self, uint64_t value)
{
    return value - self->stack < self->stack_end - self->stack;
}

static struct holding *fresh(struct bine__strand *self, uintptr_t thing)
{
    if (!self->holdings && !(self->holdings = calloc(1, sizeof *self->holdings)))
        return NULL;
    struct bine__holdings *all = self->holdings;
    for (unsigned i = 0; i < HOLDINGS; i++)
        if (all->at[i].thing == thing)
            return &all->at[i];
    return &all->at[all->next++ % HOLDINGS];
}

void bine__predict_pointer(struct bine__strand *self, uintptr_t from, uint64_t value, uint32_t pc,
                           uint32_t context)
{
    struct holding *one = bine__race_is_pointer(value) && !on_stack(self, value) ? fresh(self, value) : NULL;
    if (!one)
        return;
    if (one->thing == value && (one->slice == bine__race_slice || on_stack(self, from)))
        return; /* of a variable of its own: what it has kept there */
    *one = (struct holding){.thing = value,
                            .from = from,
                            .slice = bine__race_slice,
                            .pc = pc,
                            .context = context,
                            .time = bine__race_now};
}

/* ---- Uses ------------------------------------------------------------------------------------------- */

static void keep(const struct holding *one, struct bine__stretch *stretch)
{
    if (!uses && !(uses = calloc(USES, sizeof *uses)))
        return;
    struct use *place = uses_of(one->thing), *oldest = place;
    for (unsigned i = 0; i < WAYS; i++, place++) {
        if (place->thing == one->thing && place->stretch.strand == stretch->strand &&
            place->stretch.act_pc == stretch->act_pc) {
            oldest = place;
            break;
        }
        if (place->stretch.to < oldest->stretch.to)
            oldest = place;
    }
    *oldest = (struct use){one->thing, *stretch};
}

/* The nearest thing below; or NULL.  A part of an array, say, that no place but its own variables points to is found
 * anew along with the whole. */
static struct holding *thing_at(const struct bine__strand *self, uintptr_t at)
{
    struct holding *best = NULL, *anew = NULL;
    for (unsigned i = 0; self->holdings && i < HOLDINGS; i++) {
        struct holding *one = &self->holdings->at[i];
        if (at - one->thing >= REACH)
            continue;
        if (!best || best->thing < one->thing)
            best = one;
        if (one->slice == bine__race_slice && one->from && !on_stack(self, one->from))
            anew = one;
    }
    bool part = best && (!best->from || on_stack(self, best->from));
    return part && anew && bine__rule(BINE__RULE_REACHED) ? anew : best;
}

/* It has found the thing in a place that it has written in the same slice: taken out. */
bool bine__predict_owned(const struct bine__strand *self, uintptr_t at)
{
    const struct holding *one = thing_at(self, at);
    const uint32_t *cell = one && one->from ? bine__cell(one->from) : NULL;
    for (uint32_t i = cell && bine__rule(BINE__RULE_REACHED) ? *cell : 0; i; i = bine__record(i)->next)
        if (bine__record(i)->strand == self->number && bine__record(i)->kind <= BINE__UPDATE &&
            bine__record(i)->w_slice == one->slice && bine__value_at(one->from, 8) != one->thing &&
            (bine__record(i)->mask & bine__mask(one->from, 8)))
            return true;
    return false;
}

void bine__predict_use(struct bine__strand *self, uintptr_t at, uint32_t pc, uint32_t context)
{
    struct holding *one = thing_at(self, at);
    if (on_stack(self, at))
        return;
    if (!one) {
        bine__predict_pointer(self, 0, at, pc, context);
        return;
    }
    uint32_t slice = one->use_slice ? one->use_slice : one->slice;
    uint64_t time = one->use_slice ? one->use_time : one->time;
    if (slice != bine__race_slice && bine__race_same_turn(self, time, slice)) {
        struct bine__stretch stretch = {.what = BINE__PREDICTED_USE,
                                        .at = at,
                                        .shown = at,
                                        .look_pc = one->use_slice ? one->use_pc : one->pc,
                                        .look_context = one->use_slice ? one->use_context : one->context,
                                        .act_pc = pc,
                                        .act_context = context};
        if (bine__stretch_begin(&stretch, self, slice, time))
            keep(one, &stretch);
    }
    one->use_slice = bine__race_slice;
    one->use_time = bine__race_now;
    one->use_pc = pc;
    one->use_context = context;
}

/* ---- Deaths ----------------------------------------------------------------------------------------- */

/* Where the one who frees it has found it, it was before the stretch began. */
static bool reached(const struct bine__strand *self, const struct bine__stretch *stretch, uintptr_t block,
                    size_t size)
{
    if (!bine__rule(BINE__RULE_REACHED))
        return true;
    const struct holding *source = NULL;
    for (unsigned i = 0; self->holdings && i < HOLDINGS; i++) {
        const struct holding *one = &self->holdings->at[i];
        if (one->thing - block < size && one->from && !on_stack(self, one->from) &&
            (!source || one->time > source->time))
            source = one;
    }
    if (!source && !self->stack && self->asked_for) /* a callback: it was given it */
        return self->asked_for <= stretch->from;
    if (!source)
        return bine__heap_made(block, self->number);
    const uint32_t *cell = bine__cell(source->from);
    for (uint32_t i = cell ? *cell : 0; i; i = bine__record(i)->next)
        if (bine__record(i)->kind <= BINE__UPDATE && bine__record(i)->w_slice > stretch->from &&
            bine__record(i)->w_slice <= source->slice &&
            !(bine__record(i)->strand == self->number && bine__record(i)->w_slice == source->slice))
            return false;
    return true;
}

void bine__predict_free(struct bine__strand *self, uintptr_t block, size_t size, uintptr_t pc)
{
    const struct bine__guest guest = {self->number, bine__race_slice, bine__race_short(pc),
                                      bine__race_here(self), self->locks, false};
    uintptr_t end = block + (size < MOST ? size : MOST);
    for (uintptr_t thing = block; uses && thing < end; thing += 8)
        for (unsigned i = 0; i < WAYS; i++) {
            struct use *one = &uses_of(thing)[i];
            const struct bine__stretch *stretch = &one->stretch;
            if (one->thing - thing >= 8 || !one->thing)
                continue;
            if (stretch->at - block < size && stretch->strand != self->number &&
                !bine__predict_ordered(self, stretch->strand, stretch->to) &&
                reached(self, stretch, block, size) && !bine__stretch_apart(stretch, &guest))
                bine__predict_pend(stretch, &guest, "PREDICTED-USE-AFTER-FREE",
                                   "frees it, and could meanwhile", false);
            one->thing = 0; /* the next one there is another */
        }
}
