/* SPDX-License-Identifier: MIT
 *
 * The stacks of tasks that have ended.
 *
 * What stood there is gone, as a block is that was freed: who has kept a pointer to a variable of such a task, and
 * uses it, is told.  So the upper part of its stack is marked as freed until it is given to another task or a
 * generator: of most the granules that the task is known to have touched, and all at the top, since compilers do
 * not announce what a task writes to a variable before it gives its address away.  Of the last stacks only, and
 * until the run is over. */
#include "check/race.h"

enum { STACKS = 64, UPPER = 16 << 10, WHOLE = 4 << 10 };

static struct gone {
    uintptr_t from, to;
    uint32_t record; /* 0: none */
} stacks[STACKS];
static unsigned stacks_next;

static void forget(struct gone *one)
{
    if (!one->record)
        return;
    bine__race_clear(one->from, one->to - one->from);
    bine__record_free(one->record);
    one->record = 0;
}

/* The task has ended: its function has returned, or called what ends it. */
void bine__race_stack_gone(struct bine__strand *self)
{
    uintptr_t to = self->stack_end, from = to - self->stack > UPPER ? to - UPPER : self->stack;
    bool together = from >> BINE__WINDOW_BITS == (to - 1) >> BINE__WINDOW_BITS; /* so are their cells */
    uint32_t *first = bine__cell(from), number = first && together ? bine__record_new() : 0;
    if (!number)
        return;
    for (uintptr_t at = from; at < to; at += 8) {
        uint32_t *cell = first + (at - from) / 8;
        if (*cell)
            bine__race_clear(at, 8);
        else if (to - at > WHOLE)
            continue;
        bine__cell_fill(cell, at, number);
    }
    *bine__record(number) = (struct bine__record){.kind = BINE__FREED,
                                                  .val = from,
                                                  .w_old = to - from,
                                                  .strand = self->number,
                                                  .w_slice = bine__race_slice,
                                                  .w_pc = self->depth > 1 ? bine__race_short(self->called)
                                                                          : self->returned_from,
                                                  .w_context = bine__race_here(self),
                                                  .place = BINE__OF_STACK};
    struct gone *one = &stacks[stacks_next++ % STACKS];
    forget(one);
    *one = (struct gone){from, to, number};
}

void bine__check_stack(const void *stack, size_t size)
{
    uintptr_t base = (uintptr_t)stack;
    if (!stacks_next || !bine__race_is_owner())
        return;
    for (unsigned i = 0; i < STACKS; i++)
        if (stacks[i].from - base < size)
            forget(&stacks[i]);
}

/* They are unmapped. */
void bine__race_stacks_unmapped(void)
{
    for (unsigned i = 0; i < STACKS; i++)
        forget(&stacks[i]);
}
