/* SPDX-License-Identifier: MIT
 *
 * The timing wheel: arms and cancels in constant time, fires in order of deadline.
 *
 * A timer is the caller's storage.  It knows nothing of tasks: when it is due its function runs on the
 * loop's own stack, with the timer already unlinked, so the function may free or start it again. */
#ifndef BINE_RUNTIME_TIMER_H
#define BINE_RUNTIME_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bine/base.h>

struct bine__timer;
typedef void bine__timer_fn(struct bine__timer *);

struct bine__timer {
    bine_ns deadline;
    uint64_t order;            /* of two with one deadline the one armed first fires first */
    struct bine__timer *next;  /* in its slot */
    struct bine__timer **link; /* what points to it; NULL while not armed */
    bine__timer_fn *fire;
#ifdef BINE_CHECKED
    uint64_t owner; /* id of the task that armed it; 0: none */
#endif
};

/* A slot covers 64^level ns; a timer lies at the level of the highest 6-bit digit in which its deadline
 * differs from the wheel's time.  11 levels of 6 bits cover all 63 bits of a bine_ns. */
enum { BINE__WHEEL_BITS = 6, BINE__WHEEL_SLOTS = 1 << BINE__WHEEL_BITS, BINE__WHEEL_LEVELS = 11 };

/* A slot is several lists, dealt out in turn: what has lain long is cold, and the memory that walking one
 * list waits for at each step is asked for of all of them at once (100,000 sleepers: tests/bench).  A
 * cache line. */
enum { BINE__WHEEL_LANES = 8 };
struct bine__slot {
    struct bine__timer *lane[BINE__WHEEL_LANES];
} __attribute__((aligned(64)));

struct bine__wheel {
    bine_ns now;    /* every armed deadline is later than this, or its timer is on the due list */
    uint64_t order; /* of the next timer to be armed */
    uint64_t armed; /* how many are */
    uint64_t occupied[BINE__WHEEL_LEVELS]; /* a bit per slot; may be set for a slot that has emptied */
    struct bine__slot slot[BINE__WHEEL_LEVELS][BINE__WHEEL_SLOTS];
    struct bine__timer *due;   /* armed at or before now */
    struct bine__timer *unset; /* armed with a duration: their deadlines are not worked out yet */
};

void bine__wheel_init(struct bine__wheel *, bine_ns now);
void bine__timer_arm(struct bine__wheel *, struct bine__timer *, bine_ns deadline);
/* Works out the deadlines of those that bine__timer_arm_later() left unset. */
void bine__wheel_set(struct bine__wheel *, bine_ns now);

/* No timer is due before the time returned (none may be unset); BINE_FOREVER if none is armed.  Exact
 * unless very many timers are due close together, then early. */
bine_ns bine__wheel_next(struct bine__wheel *);

/* Fires what is due at or before now, in order. */
void bine__wheel_advance(struct bine__wheel *, bine_ns now);

/* Disarms all. */
void bine__wheel_clear(struct bine__wheel *);

#ifdef BINE_CHECKED
void bine__timer_note_owner(struct bine__timer *); /* wait.c */
#else
#define bine__timer_note_owner(timer) ((void)(timer))
#endif

static inline void bine__timer_push(struct bine__timer **head, struct bine__timer *timer)
{
    timer->next = *head;
    if (timer->next)
        timer->next->link = &timer->next;
    timer->link = head;
    *head = timer;
}

/* Counts from the next reading of the clock, which the caller sees to: bine__wheel_set() tells it. */
static inline void bine__timer_arm_later(struct bine__wheel *wheel, struct bine__timer *timer, bine_ns duration)
{
    timer->deadline = duration;
    timer->order = wheel->order++;
    bine__timer_note_owner(timer);
    wheel->armed++;
    bine__timer_push(&wheel->unset, timer);
}

/* False: it was not armed. */
static inline bool bine__timer_disarm(struct bine__wheel *wheel, struct bine__timer *timer)
{
    if (!timer->link)
        return false;
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    timer->link = NULL;
    wheel->armed--;
    return true;
}

static inline bool bine__timer_armed(const struct bine__timer *timer)
{
    return timer->link != NULL;
}

#endif
