/* SPDX-License-Identifier: MIT
 *
 * Condition: gives a mutex up, waits, and has it again.
 *
 * A signal does not wake a task that would only find the mutex held: it moves its turn from the condition's
 * line to the mutex's, where it waits on, deaf from now on.  So a broadcast to a thousand wakes one, and each
 * of the others once, when the mutex is its own.  A task whose wait a scope has ended, but that has not run
 * yet, can be signalled like any other: its turn moves all the same, so that the order is kept, and the wait
 * has succeeded. */
#include <bine/sync.h>

#include <string.h>

#include "sync/mutex.h"

struct bine__cond { /* what a public bine_cond holds */
    struct bine__line line;
} __attribute__((may_alias));

_Static_assert(sizeof(struct bine__cond) <= sizeof(bine_cond), "bine_cond has room");

struct turn { /* in the condition's line, then in the mutex's */
    struct bine__turn turn;
    struct bine__mutex *mutex;
};

static struct bine__cond *inside(bine_cond *public)
{
    return (struct bine__cond *)public;
}

int bine_cond_init(bine_cond *public)
{
    if (!public)
        return bine__error(EINVAL);
    memset(public, 0, sizeof *public);
    return 0;
}

int bine_cond_destroy(bine_cond *public)
{
    if (!public)
        return bine__error(EINVAL);
    if (!bine__line_empty(&inside(public)->line))
        return bine__error(EBUSY);
    return 0;
}

/* Gives the mutex to the turn's task, or a place in its line. */
static void claim(struct bine__mutex *mutex, struct bine__turn *turn)
{
    if (mutex->owner)
        bine__line_append(&mutex->line, turn);
    else
        mutex->owner = turn->task;
}

int bine_cond_wait(bine_cond *public, bine_mutex *public_mutex)
{
    struct bine__cond *cond = inside(public);
    struct bine__mutex *mutex = (struct bine__mutex *)public_mutex;
    if (!cond || !mutex)
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if (mutex->owner != self || !bine__line_ours(&cond->line))
        return bine__error(EPERM);

    struct turn turn = {.turn.task = self, .mutex = mutex};
    bine__line_append(&cond->line, &turn.turn);
    bine__mutex_pass(mutex);
    bine__check_unlocked(mutex, BINE__LOCK_EXCLUSIVE);
    int error = bine__park(self->loop, self, BINE__WAIT_COND, (intptr_t)cond);
    if (error) { /* not signalled */
        bine__line_remove(&cond->line, &turn.turn);
        claim(mutex, &turn.turn);
    }
    while (mutex->owner != self)
        bine__park(self->loop, self, BINE__WAIT_MUTEX | BINE__PARK_DEAF, (intptr_t)mutex);
    bine__holds(self, mutex, BINE__LOCK_EXCLUSIVE);
    return bine__outcome(error);
}

/* False: nobody waits. */
static bool signal_first(struct bine__cond *cond)
{
    struct bine__turn *turn = bine__line_take(&cond->line);
    if (!turn)
        return false;
    struct bine__mutex *mutex = bine__list_entry(turn, struct turn, turn)->mutex;
    bine__check_wake(turn->task); /* it has its signal, though it may still wait for the mutex */
    claim(mutex, turn);
    if (mutex->owner == turn->task || !bine__park_on(turn->task, BINE__WAIT_MUTEX, (intptr_t)mutex))
        bine__wake(turn->task);
    return true;
}

int bine_cond_signal(bine_cond *public)
{
    struct bine__cond *cond = inside(public);
    if (!cond)
        return bine__error(EINVAL);
    if (!bine__line_ours(&cond->line))
        return bine__error(EPERM);
    signal_first(cond);
    return 0;
}

int bine_cond_broadcast(bine_cond *public)
{
    struct bine__cond *cond = inside(public);
    if (!cond)
        return bine__error(EINVAL);
    if (!bine__line_ours(&cond->line))
        return bine__error(EPERM);
    while (signal_first(cond))
        ;
    return 0;
}
