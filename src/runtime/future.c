/* SPDX-License-Identifier: MIT
 *
 * Futures: set once, then read.
 *
 * Completion unlinks every waiter, wakes those whose wait it satisfies, and hands the callbacks, which
 * were allocated when they were asked for, to the loop: it cannot fail and never switches.  A pending
 * task's future is held by the task; a callback holds a reference until it has run. */
#include "runtime/future.h"

#include <stdlib.h>

struct future_callback {
    struct bine__callback callback; /* first: the loop frees it by this address */
    bine_future *future;
    void (*fn)(bine_future *, void *);
    void *arg;
};

bool bine__future_valid(const bine_future *future)
{
    if (!future || future->magic != BINE__FUTURE_MAGIC)
        errno = EINVAL;
    else if (!bine__loop || (!future->done && future->loop != bine__loop))
        errno = EPERM;
    else
        return true;
    return false;
}

bine_future *bine_future_new(bine_drop_fn *drop)
{
    struct bine_loop *loop = bine__loop;
    if (!loop) {
        errno = EPERM;
        return NULL;
    }
    bine_future *future = calloc(1, sizeof *future);
    if (!future)
        return NULL;
    future->magic = BINE__FUTURE_MAGIC;
    future->references = 1;
    future->loop = loop;
    future->drop = drop;
    bine__list_init(&future->waiters);
    future->callbacks_last = &future->callbacks;
    return future;
}

bine_future *bine_future_ref(bine_future *future)
{
    if (future)
        future->references++;
    return future;
}

void bine_future_unref(bine_future *future)
{
    if (!future || --future->references > 0)
        return;
    if (!future->done && future->loop == bine__loop && future->loop->debug)
        bine__report(BINE_REPORT_LOST_ERROR, bine_self(), 0, "gave up a future that is still pending");
    if (future->done && !future->claimed) {
        if (future->result.error && !future->cancelled)
            bine__report(BINE_REPORT_LOST_ERROR, bine_self(), future->result.error,
                         "a future failed and nobody looked");
        if (future->result.value && future->drop)
            future->drop(future->result.value);
    }
    future->magic = 0;
    free(future);
}

/* ---- Completion --------------------------------------------------------------------------------- */

static void wake_waiters(bine_future *future)
{
    while (!bine__list_empty(&future->waiters)) {
        struct bine__future_waiter *waiter =
            bine__list_entry(future->waiters.next, struct bine__future_waiter, node);
        struct bine__future_wait *wait = waiter->wait;
        bine__list_remove(&waiter->node);
        if (wait->needed > 0)
            wait->needed--;
        if (!wait->woken && (wait->needed == 0 || (wait->on_failure && future->result.error))) {
            wait->woken = true;
            bine__wake(wait->task);
        }
    }
}

static _Thread_local uint64_t completed; /* a future's loop is its thread's */
BINE__CARRIED(completed);

static void complete(bine_future *future, bine_result result, bool cancelled)
{
    future->done = true;
    future->cancelled = cancelled;
    future->result = result;
    future->order = ++completed;
    bine__check_put(future);
    wake_waiters(future);
    if (future->callbacks) {
        bine__callbacks_append(future->loop, future->callbacks, future->callbacks_last);
        future->callbacks = NULL;
        future->callbacks_last = &future->callbacks;
    }
}

static int set(bine_future *future, bine_result result, bool cancelled)
{
    if (!bine__future_valid(future))
        return -1;
    if (future->done)
        return bine__error(EALREADY);
    if (future->task)
        return bine__error(EBUSY); /* the task will say */
    complete(future, result, cancelled);
    return 0;
}

int bine_future_set(bine_future *future, void *value)
{
    return set(future, (bine_result){value, 0}, false);
}

int bine_future_fail(bine_future *future, int error)
{
    if (error <= 0)
        return bine__error(EINVAL);
    return set(future, (bine_result){NULL, error}, false);
}

int bine_future_cancel(bine_future *future)
{
    if (bine__future_valid(future) && !future->done && future->task)
        return bine_cancel(future->task);
    return set(future, (bine_result){NULL, ECANCELED}, true);
}

/* ---- Asking ------------------------------------------------------------------------------------- */

bool bine_future_done(const bine_future *future)
{
    return future && future->done;
}

bool bine_future_cancelled(const bine_future *future)
{
    return future && future->cancelled;
}

int bine_future_result(bine_future *future, bine_result *result)
{
    if (!future || !result || future->magic != BINE__FUTURE_MAGIC)
        return bine__error(EINVAL);
    if (!future->done)
        return bine__error(EAGAIN);
    future->claimed = true;
    bine__check_found(future, false);
    *result = future->result;
    return 0;
}

static void call(void *arg)
{
    struct future_callback *callback = arg;
    callback->fn(callback->future, callback->arg);
    bine_future_unref(callback->future);
}

int bine_future_on_done(bine_future *future, void (*fn)(bine_future *, void *), void *arg)
{
    if (!bine__future_valid(future))
        return -1;
    if (!fn)
        return bine__error(EINVAL);
    struct future_callback *callback = malloc(sizeof *callback);
    if (!callback)
        return -1;
    *callback = (struct future_callback){{NULL, call, callback}, future, fn, arg};
    bine_future_ref(future);
    if (future->done) {
        bine__callbacks_append(bine__loop, &callback->callback, &callback->callback.next);
    } else {
        *future->callbacks_last = &callback->callback;
        future->callbacks_last = &callback->callback.next;
    }
    return 0;
}

/* ---- A task is a future -------------------------------------------------------------------------- */

static void task_ended(struct bine__owner *owner, struct bine_task *task)
{
    bine_future *future = bine__list_entry(owner, bine_future, owner);
    future->task = NULL;
    future->drop = task->drop;
    complete(future, task->result, task->result.error == ECANCELED && (task->flags & BINE__TASK_CANCELLED));
    bine_future_unref(future);
}

void bine__future_bind(bine_future *future, struct bine_task *task)
{
    future->owner.ended = task_ended;
    future->task = task;
    task->owner = &future->owner;
    bine__list_init(&task->siblings);
    task->flags |= BINE__TASK_OWNED;
    bine_future_ref(future); /* the task's reference */
}

bine_future *bine_task_future(bine_task *task)
{
    if (!bine__task_valid(task))
        return NULL;
    if (task->joiner || (task->flags & BINE__TASK_TAKEN)) {
        errno = EINVAL;
        return NULL;
    }
    bine_future *future = bine_future_new(task->drop);
    if (!future)
        return NULL;
    if (task->state == BINE__ENDED) {
        complete(future, task->result, task->result.error == ECANCELED && (task->flags & BINE__TASK_CANCELLED));
        bine__task_release(task);
        return future;
    }
    bine__future_bind(future, task);
    return future;
}
