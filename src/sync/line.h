/* SPDX-License-Identifier: MIT
 *
 * Standing in line: what every lock, queue and channel is made of.
 *
 * A line is the first of a ring of nodes, or NULL: so all its bits are zero while nobody stands in it, which
 * is what the static initialisers promise, and an object at rest points nowhere, least of all to itself.
 *
 * A turn is a task's place in a line and lies on the stack of that task, which is parked.  Whoever serves it
 * takes it out, hands over what there is, calls bine__wake() and touches it no more.  If bine__park() returns
 * an error nobody has, and the task takes itself out.  A turn that stands in a line can therefore be served,
 * always: also when a scope has fired and its task is about to leave, for then the hand-over wins.
 *
 * An object belongs to one loop by the tasks that wait for it: none of another loop's may be woken. */
#ifndef BINE_SYNC_LINE_H
#define BINE_SYNC_LINE_H

#include "runtime/runtime.h"

struct bine__turn {
    struct bine__list node;
    struct bine_task *task;
    int error; /* what whoever served it has to say: 0, or EPIPE */
};

struct bine__line {
    struct bine__list *first;
} __attribute__((may_alias)); /* it lies in the public structs' bine__private */

static inline bool bine__line_empty(const struct bine__line *line)
{
    return !line->first;
}

/* NULL: nobody stands there. */
static inline struct bine__turn *bine__line_first(const struct bine__line *line)
{
    return line->first ? bine__list_entry(line->first, struct bine__turn, node) : NULL;
}

/* Nobody waits here, or tasks of the loop that runs: their turns may be served, and others may join them. */
static inline bool bine__line_ours(const struct bine__line *line)
{
    return bine__likely(!line->first || bine__line_first(line)->task->loop == bine__loop);
}

static inline void bine__line_append(struct bine__line *line, struct bine__turn *turn)
{
    if (line->first) {
        bine__list_append(line->first, &turn->node); /* in a ring the last is before the first */
    } else {
        bine__list_init(&turn->node);
        line->first = &turn->node;
    }
}

static inline void bine__line_remove(struct bine__line *line, struct bine__turn *turn)
{
    struct bine__list *next = turn->node.next;
    if (next == &turn->node) {
        line->first = NULL;
    } else {
        next->previous = turn->node.previous;
        next->previous->next = next;
        if (line->first == &turn->node)
            line->first = next;
    }
    if (BINE__CHECKED) /* a word that is left on a stack would tell equal states apart: explore_state.c */
        turn->node = (struct bine__list){NULL, NULL};
}

/* Out of the line, whose first it is; not woken. */
static inline struct bine__turn *bine__line_take(struct bine__line *line)
{
    struct bine__turn *turn = bine__line_first(line);
    if (turn)
        bine__line_remove(line, turn);
    return turn;
}

/* What a turn waited for is there, and it is out of its line: bine__wake(), for who most often waits.  The
 * turn is not to be touched again. */
static inline void bine__line_wake(struct bine__turn *turn)
{
    struct bine_task *task = turn->task;
    bine__check_wake(task);
    if (bine__likely(task->state == BINE__PARKED))
        bine__make_runnable(task->loop, task);
    else
        bine__wake(task);
}

/* The first, if there is one, has what it waits for. */
static inline bool bine__line_serve(struct bine__line *line)
{
    struct bine__turn *turn = bine__line_take(line);
    if (!turn)
        return false;
    bine__line_wake(turn);
    return true;
}

/* All that stand there now have, in order. */
static inline void bine__line_serve_all(struct bine__line *line)
{
    while (bine__line_serve(line))
        ;
}

/* All of them are told an error, in order. */
static inline void bine__line_dismiss(struct bine__line *line, int error)
{
    for (struct bine__turn *turn; (turn = bine__line_take(line));) {
        turn->error = error;
        bine__line_wake(turn);
    }
}

/* Stands in line with a turn of the caller's until it is served.  0, or what the wait failed with: EPERM for
 * another loop's object, ECANCELED, ETIMEDOUT; then the turn is out of the line and whoever stands behind is
 * the caller's affair. */
static inline int bine__line_wait(struct bine__line *line, struct bine__turn *turn, struct bine_task *self,
                                  enum bine__wait wait, const void *object)
{
    if (bine__unlikely(!bine__line_ours(line)))
        return EPERM;
    turn->task = self;
    turn->error = 0;
    bine__line_append(line, turn);
    int error = bine__park(self->loop, self, wait, (intptr_t)object);
    if (bine__unlikely(error))
        bine__line_remove(line, turn);
    if (BINE__CHECKED)
        turn->task = NULL; /* as above */
    return error;
}

/* The result of a call: 0, or -1 with errno. */
static inline int bine__outcome(int error)
{
    return bine__likely(!error) ? 0 : bine__error(error);
}

#endif
