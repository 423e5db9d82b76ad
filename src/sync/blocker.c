/* SPDX-License-Identifier: MIT
 *
 * Whose doing a parked task waits for, as far as can be told: the edges of the wait-for graph.  An event, a
 * condition, a queue or a channel may be served by anybody; readers of a lock are not listed.
 *
 * Diagnostics alone ask this, from src/runtime: it is all that the runtime wants to know of locks. */
#include "runtime/debug.h"
#include "runtime/future.h"
#include "sync/mutex.h"

static struct bine_task *one(const struct bine_task *task)
{
    switch ((enum bine__wait)task->wait) {
    case BINE__WAIT_JOIN:
        return (struct bine_task *)task->object;
    case BINE__WAIT_MUTEX:
        return ((const struct bine__mutex *)task->object)->owner;
    case BINE__WAIT_RWLOCK:
        return bine__rwlock_writer(task->object);
    case BINE__WAIT_ONCE:
        return bine__once_runner(task->object);
    case BINE__WAIT_FUTURE:
        return task->object ? ((const struct bine_future *)task->object)->task : NULL;
    default:
        return NULL;
    }
}

struct bine_task *bine__blocker(const struct bine_task *task, const struct bine_task *after)
{
    if (task->state != BINE__PARKED)
        return NULL;
    if (task->wait == BINE__WAIT_GROUP)
        return bine__group_child(task->object, after);
    return after ? NULL : one(task);
}
