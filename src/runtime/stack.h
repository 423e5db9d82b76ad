/* SPDX-License-Identifier: MIT
 *
 * Stacks: carved from slabs, guarded, reused, given back.  See stack.c.  Knows no task. */
#ifndef BINE_RUNTIME_STACK_H
#define BINE_RUNTIME_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bine/base.h>

/* Classes are powers of two: 16 KiB, 32 KiB ... 8 MiB, the guard page and the control block included. */
enum { BINE__STACK_MIN_SHIFT = 14, BINE__STACK_MAX_SHIFT = 23, BINE__STACK_CLASSES = 10 };

struct bine__slab;

struct bine__stack {
    char *base;              /* lowest address: the guard page */
    struct bine__slab *slab; /* it was carved from */
};

struct bine__stack_class {
    struct bine__stack *free; /* array: the last is the warmest; [0, clean) have no memory behind them */
    uint32_t count, clean;
    uint32_t low;             /* least count since the last decay: so many were not needed */
    uint32_t room;            /* of the array: never less than the stacks there are */
    struct bine__slab *slabs; /* newest first; stacks are carved from the first */
};

struct bine__stacks {
    struct bine__stack_class classes[BINE__STACK_CLASSES];
    bine_ns decayed; /* when the last decay was */
    bool decaying;   /* there was something left to give back */
    uint64_t carved, kept;
};

/* The class for a stack of that many bytes (guard and control block included); -1: more than 8 MiB. */
int bine__stack_class_of(size_t bytes);

/* -1 with ENOMEM (of memory, or of mappings). */
int bine__stack_take(struct bine__stacks *, int class, struct bine__stack *);
/* May be called from the very stack, if it is left before anything else happens to *stacks. */
void bine__stack_release(struct bine__stacks *, struct bine__stack);
/* Unmaps everything. */
void bine__stacks_free(struct bine__stacks *);

/* Gives memory back that a past burst touched: each call half of what was not needed since the last.
 * False: there is nothing left to give back. */
bool bine__stacks_decay(struct bine__stacks *);
/* Gives the memory of one released stack back at once, so that what is touched next can be measured. */
void bine__stack_clean(struct bine__stack);

size_t bine__stack_size(struct bine__stack);  /* all of it */
size_t bine__stack_used(struct bine__stack);  /* bytes touched, from the top down, in whole pages */
size_t bine__stack_guard(void);               /* bytes at its base that cannot be touched */
char *bine__stack_top(struct bine__stack);    /* end, less a stagger that spreads the tops over cache sets */

/* Calls visit() for every stack that is taken. */
void bine__stacks_each(struct bine__stacks *, void (*visit)(struct bine__stack, void *), void *arg);

#endif
