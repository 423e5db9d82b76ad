/* SPDX-License-Identifier: MIT
 *
 * The timing wheel.
 *
 * A timer lies at the level of the highest 6-bit digit in which its deadline differs from the wheel's
 * time, in the slot of that digit.  So all timers of a level are due before all of the next one, and the
 * slots of a level in their order; a timer moves down a level only when the wheel's time enters its slot.
 * Arming is a count of leading zeros and a push; disarming is an unlink.  Neither depends on how many are
 * armed.
 *
 * The wheel counts single nanoseconds and never rounds: advancing collects all that is due, sorts it by
 * deadline and order of arming, and fires it in that order.  Rejected: a heap (a million pending timers
 * make each disarm a walk through cold memory) and a coarse tick (two sleeps a microsecond apart would
 * wake in either order, and a virtual clock would not be exact).
 *
 * A bit in `occupied` may outlive the last timer of its slot; whoever finds the slot empty clears it. */
#include "runtime/timer.h"

#include <stddef.h>
#include <string.h>

enum { SCAN_LIMIT = 32 }; /* timers looked at for an exact next deadline before a slot's start will do */

void bine__wheel_init(struct bine__wheel *wheel, bine_ns now)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->now = now;
}

static void place(struct bine__wheel *wheel, struct bine__timer *timer)
{
    if (timer->deadline <= wheel->now) {
        bine__timer_push(&wheel->due, timer);
        return;
    }
    uint64_t differs = (uint64_t)timer->deadline ^ (uint64_t)wheel->now;
    unsigned level = (63u - (unsigned)__builtin_clzll(differs)) / BINE__WHEEL_BITS;
    unsigned slot = (unsigned)((uint64_t)timer->deadline >> (level * BINE__WHEEL_BITS)) % BINE__WHEEL_SLOTS;
    wheel->occupied[level] |= UINT64_C(1) << slot;
    bine__timer_push(&wheel->slot[level][slot].lane[timer->order % BINE__WHEEL_LANES], timer);
}

void bine__timer_arm(struct bine__wheel *wheel, struct bine__timer *timer, bine_ns deadline)
{
    timer->deadline = deadline;
    timer->order = wheel->order++;
    bine__timer_note_owner(timer);
    wheel->armed++;
    place(wheel, timer);
}

void bine__wheel_set(struct bine__wheel *wheel, bine_ns now)
{
    struct bine__timer *list = wheel->unset;
    wheel->unset = NULL;
    while (list) {
        struct bine__timer *timer = list;
        list = list->next;
        if (__builtin_add_overflow(now, timer->deadline, &timer->deadline))
            timer->deadline = BINE_FOREVER;
        place(wheel, timer);
    }
}

static bool empty(const struct bine__slot *slot)
{
    for (unsigned i = 0; i < BINE__WHEEL_LANES; i++)
        if (slot->lane[i])
            return false;
    return true;
}

/* When the slot begins that holds the timers due first; the slot in *first.  BINE_FOREVER: none is armed. */
static bine_ns first_slot(struct bine__wheel *wheel, struct bine__slot **first)
{
    for (unsigned level = 0; level < BINE__WHEEL_LEVELS; level++) {
        while (wheel->occupied[level]) {
            unsigned slot = (unsigned)__builtin_ctzll(wheel->occupied[level]);
            if (!empty(&wheel->slot[level][slot])) {
                unsigned shift = level * BINE__WHEEL_BITS;
                uint64_t above = shift + BINE__WHEEL_BITS < 64 ? ~UINT64_C(0) << (shift + BINE__WHEEL_BITS) : 0;
                *first = &wheel->slot[level][slot];
                return (bine_ns)(((uint64_t)wheel->now & above) | (uint64_t)slot << shift);
            }
            wheel->occupied[level] &= ~(UINT64_C(1) << slot);
        }
    }
    return BINE_FOREVER;
}

bine_ns bine__wheel_next(struct bine__wheel *wheel)
{
    if (wheel->due)
        return wheel->now;
    struct bine__slot *first;
    bine_ns start = first_slot(wheel, &first);
    if (start == BINE_FOREVER)
        return start;
    bine_ns least = BINE_FOREVER;
    unsigned scanned = 0;
    for (unsigned i = 0; i < BINE__WHEEL_LANES; i++)
        for (struct bine__timer *timer = first->lane[i]; timer; timer = timer->next) {
            if (++scanned > SCAN_LIMIT)
                return start;
            if (timer->deadline < least)
                least = timer->deadline;
        }
    return least;
}

static bool earlier(const struct bine__timer *a, const struct bine__timer *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->order < b->order;
}

/* Merges two lists linked by `next` alone. */
static struct bine__timer *merge(struct bine__timer *a, struct bine__timer *b)
{
    struct bine__timer *merged = NULL, **end = &merged;
    while (a && b) {
        struct bine__timer **first = earlier(a, b) ? &a : &b;
        *end = *first;
        end = &(*first)->next;
        *first = (*first)->next;
    }
    *end = a ? a : b;
    return merged;
}

/* Bottom-up merge sort: run[i] is a sorted list of 2^i timers. */
static struct bine__timer *sort(struct bine__timer *list)
{
    struct bine__timer *run[64] = {NULL}, *sorted = NULL;
    unsigned used = 0;
    while (list) {
        struct bine__timer *carry = list;
        list = list->next;
        carry->next = NULL;
        unsigned i = 0;
        for (; run[i]; i++) {
            carry = merge(run[i], carry);
            run[i] = NULL;
        }
        run[i] = carry;
        if (i >= used)
            used = i + 1;
    }
    for (unsigned i = 0; i < used; i++)
        sorted = merge(run[i], sorted);
    return sorted;
}

/* Moves all that is due at `now` to the due list and the wheel's time to `now`. */
static void collect(struct bine__wheel *wheel, bine_ns now)
{
    for (;;) {
        struct bine__slot *first;
        bine_ns start = first_slot(wheel, &first);
        if (start > now || start == BINE_FOREVER)
            break;
        struct bine__slot slot = *first;
        *first = (struct bine__slot){{NULL}};
        wheel->now = start; /* and no further: other occupied slots are placed relative to it */
        bool more = true;
        while (more) {
            more = false;
            for (unsigned i = 0; i < BINE__WHEEL_LANES; i++) {
                struct bine__timer *timer = slot.lane[i];
                if (!timer)
                    continue;
                more = true;
                slot.lane[i] = timer->next;
                __builtin_prefetch(timer->next);
                if (timer->deadline <= now)
                    bine__timer_push(&wheel->due, timer);
                else
                    place(wheel, timer); /* moves down: it shares one more digit with the wheel's time */
            }
        }
    }
    if (wheel->now < now)
        wheel->now = now;
}

void bine__wheel_advance(struct bine__wheel *wheel, bine_ns now)
{
    collect(wheel, now);
    if (!wheel->due)
        return;
    struct bine__timer *due = sort(wheel->due), **link = &due;
    for (struct bine__timer *timer = due; timer; timer = timer->next) {
        timer->link = link;
        link = &timer->next;
    }
    wheel->due = NULL;
    /* What is armed meanwhile, even for the past, waits for the next advance: a timer that starts itself
     * again for now must not keep the loop here.  A timer may disarm another that stands in this list. */
    while (due) {
        struct bine__timer *timer = due;
        bine__timer_disarm(wheel, timer);
        timer->fire(timer);
    }
}

static void drop_all(struct bine__timer *timer)
{
    for (; timer; timer = timer->next)
        timer->link = NULL;
}

void bine__wheel_clear(struct bine__wheel *wheel)
{
    drop_all(wheel->due);
    drop_all(wheel->unset);
    for (unsigned level = 0; level < BINE__WHEEL_LEVELS; level++)
        for (unsigned slot = 0; slot < BINE__WHEEL_SLOTS; slot++)
            for (unsigned lane = 0; lane < BINE__WHEEL_LANES; lane++)
                drop_all(wheel->slot[level][slot].lane[lane]);
    bine__wheel_init(wheel, wheel->now);
}
