/* SPDX-License-Identifier: MIT
 *
 * What a mutex is made of: for its own file, for the condition, which gives one up and gets it back, and for
 * the diagnostics, which name its holder.
 *
 * Invariant: nobody holds it only if nobody waits for it. */
#ifndef BINE_SYNC_MUTEX_H
#define BINE_SYNC_MUTEX_H

#include <bine/sync.h>

#include "sync/line.h"

struct bine__mutex { /* what a public bine_mutex holds */
    struct bine_task *owner;
    struct bine__line line;
} __attribute__((may_alias));

_Static_assert(sizeof(struct bine__mutex) <= sizeof(bine_mutex), "bine_mutex has room");

/* A task counts the locks that it holds in 16 bits. */
static inline bool bine__holds_too_many(const struct bine_task *task)
{
    return bine__unlikely(task->held == UINT16_MAX);
}

/* The task has got a lock, of whatever kind. */
static inline int bine__holds(struct bine_task *task, const void *lock, enum bine__lock_kind how)
{
    task->held++;
    bine__check_locked(lock, how);
    return 0;
}

/* From its holder, who does not hold it any more, to the first that waits; or it is free. */
static inline void bine__mutex_pass(struct bine__mutex *mutex)
{
    struct bine__turn *turn = bine__line_take(&mutex->line);
    mutex->owner->held--;
    mutex->owner = turn ? turn->task : NULL;
    if (turn)
        bine__line_wake(turn);
}

#endif
