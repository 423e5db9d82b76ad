/* SPDX-License-Identifier: MIT
 *
 * Stacks: carved from slabs, guarded, reused, given back.  See stack.c.  Knows no task. */
#ifndef BINE_RUNTIME_STACK_H
#define BINE_RUNTIME_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bine/base.h>

#include "arch/context.h"

/* Classes are powers of two: 16 KiB, 32 KiB ... 8 MiB, the guard page and the control block included. */
enum { BINE__STACK_MIN_SHIFT = 14, BINE__STACK_MAX_SHIFT = 23, BINE__STACK_CLASSES = 10 };

struct bine__slab;

struct bine__stack {
    char *base; /* lowest address: the guard page */
    int class;
};

struct bine__stack_class {
    struct bine__stack *free; /* array: the last is the warmest; [0, clean) had no memory at the last decay */
    uint32_t count, clean;
    uint32_t low;             /* least count since the last decay: so many were not needed, the others are not clean */
    uint32_t room;            /* of the array: never less than the stacks there are */
    struct bine__slab *slabs; /* newest first; stacks are carved from the first */
    uint32_t carved;          /* stacks, taken or free */
};

struct bine__stacks {
    struct bine__stack_class classes[BINE__STACK_CLASSES];
    bine_ns decayed; /* when the last decay was */
    bool decaying;   /* there was something left to give back */
};

/* The class for a stack of that many bytes (guard and control block included); -1: more than 8 MiB. */
int bine__stack_class_of(size_t bytes);

/* Unmaps everything. */
void bine__stacks_free(struct bine__stacks *);

/* Gives memory back that a past burst touched: each call half of what was not needed since the last.
 * False: there is nothing left to give back. */
bool bine__stacks_decay(struct bine__stacks *);
/* Gives the memory of one stack that nobody uses back at once, so that what is touched next can be
 * measured. */
void bine__stack_clean(struct bine__stack);

size_t bine__stack_used(struct bine__stack); /* bytes touched, from the top down, in whole pages */
size_t bine__stack_guard(void);              /* bytes at its base that cannot be touched */

/* Calls visit() for every stack that was ever carved; who wants only those in use looks at what lies in
 * them.  One that was never used, or was given back, reads as zeros. */
void bine__stacks_each(struct bine__stacks *, void (*visit)(struct bine__stack, void *), void *arg);

/* Bytes mapped for stacks, used or not; whether this one is not. */
size_t bine__stacks_mapped(const struct bine__stacks *);
bool bine__stack_is_free(const struct bine__stacks *, struct bine__stack);

/* Does the address lie in a guard page, and of which stack.  Async-signal-safe. */
bool bine__stacks_guard_at(const struct bine__stacks *, const char *address, struct bine__stack *);

/* Makes at least one more stack of the class free: -1 with ENOMEM (of memory, or of mappings). */
int bine__stacks_carve(struct bine__stacks *, int class);

/* ---- The fast paths, inlined into spawn and join ------------------------------------------------ */

static inline size_t bine__stack_size(struct bine__stack stack)
{
    return (size_t)1 << (BINE__STACK_MIN_SHIFT + stack.class);
}

/* ... and from its base to its end: a context may take some room for itself. */
static inline size_t bine__stack_span(struct bine__stack stack)
{
    return bine__stack_size(stack) + bine__context_room();
}

enum { BINE__STAGGER_STEP = 64, BINE__STAGGER_STEPS = 16 }; /* a cache line; steps within a page */

/* Its end, less a stagger that spreads the tops of all stacks over the cache's sets. */
static inline char *bine__stack_top(struct bine__stack stack)
{
    uintptr_t place = (uintptr_t)stack.base >> BINE__STACK_MIN_SHIFT;
    return stack.base + bine__stack_span(stack) - (place ^ place >> 4) % BINE__STAGGER_STEPS * BINE__STAGGER_STEP;
}

/* -1 with ENOMEM. */
static inline int bine__stack_take(struct bine__stacks *stacks, int class, struct bine__stack *stack)
{
    struct bine__stack_class *c = &stacks->classes[class];
    if (__builtin_expect(c->count == 0, 0) && bine__stacks_carve(stacks, class) != 0)
        return -1;
    *stack = c->free[--c->count];
    if (c->count < c->low)
        c->low = c->count;
    return 0;
}

/* Its memory may still be read until the next is taken. */
static inline void bine__stack_release(struct bine__stacks *stacks, struct bine__stack stack)
{
    struct bine__stack_class *c = &stacks->classes[stack.class];
    c->free[c->count++] = stack; /* there is room for every stack that was carved */
}

#endif
