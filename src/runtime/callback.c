/* SPDX-License-Identifier: MIT
 *
 * Callbacks on the loop's own stack: bine_call_soon() and bine_timer. */
#include <stdlib.h>
#include <string.h>

#include "runtime/runtime.h"

void bine__callbacks_append(struct bine_loop *loop, struct bine__callback *first, struct bine__callback **last)
{
    *loop->soon_last = first;
    loop->soon_last = last;
    bine__turn_soon(loop);
}

int bine_call_soon(void (*fn)(void *), void *arg)
{
    struct bine_loop *loop = bine__loop;
    if (!loop)
        return bine__error(EPERM);
    if (!fn)
        return bine__error(EINVAL);
    struct bine__callback *callback = malloc(sizeof *callback);
    if (!callback)
        return -1;
    *callback = (struct bine__callback){NULL, fn, arg};
    bine__check_put(callback);
    bine__callbacks_append(loop, callback, &callback->next);
    return 0;
}

/* Those that are there now: one that asks for itself again runs in the next turn. */
void bine__callbacks_run(struct bine_loop *loop)
{
    struct bine__callback *callback = loop->soon;
    loop->soon = NULL;
    loop->soon_last = &loop->soon;
    while (callback) {
        struct bine__callback *done = callback;
        bine__check_found(callback, false);
        callback->fn(callback->arg);
        callback = callback->next;
        free(done);
    }
}

void bine__callbacks_free(struct bine_loop *loop)
{
    while (loop->soon) {
        struct bine__callback *callback = loop->soon;
        loop->soon = callback->next;
        free(callback);
    }
}

/* ---- Timers ------------------------------------------------------------------------------------- */

enum { TIMER_MAGIC = 0x74696d65 };

struct timer { /* what a public bine_timer holds */
    struct bine__timer timer;
    void (*fn)(void *);
    void *arg;
    struct bine_loop *loop; /* it was last started in */
    uint32_t magic;
} __attribute__((may_alias));
_Static_assert(sizeof(struct timer) <= sizeof(bine_timer), "bine_timer has room");

static void fire(struct bine__timer *node)
{
    struct timer *timer = bine__list_entry(node, struct timer, timer);
    bine__check_found(timer, false);
    timer->fn(timer->arg); /* may free the timer: not touched again */
}

#ifdef BINE_CHECKED
bool bine__explore_is_callback(const struct bine__timer *timer)
{
    return timer->fire == fire;
}
#endif

void bine_timer_init(bine_timer *public, void (*fn)(void *), void *arg)
{
    struct timer *timer = (struct timer *)public;
    if (!timer || !fn) {
        errno = EINVAL;
        if (timer)
            memset(timer, 0, sizeof *timer);
        return;
    }
    *timer = (struct timer){.timer.fire = fire, .fn = fn, .arg = arg, .magic = TIMER_MAGIC};
}

static struct timer *valid(bine_timer *public)
{
    struct timer *timer = (struct timer *)public;
    if (!bine__loop)
        errno = EPERM;
    else if (!timer || timer->magic != TIMER_MAGIC)
        errno = EINVAL;
    else if (bine__timer_armed(&timer->timer) && timer->loop != bine__loop)
        errno = EPERM;
    else
        return timer;
    return NULL;
}

void bine_timer_start(bine_timer *public, bine_ns duration)
{
    struct timer *timer = valid(public);
    if (!timer)
        return;
    timer->loop = bine__loop;
    bine__timer_disarm(&timer->loop->wheel, &timer->timer);
    if (duration == BINE_FOREVER)
        return;
    /* Reading the clock would be most of the cost.  Nothing can fire before the running task gives up the
     * loop: that is soon enough to read it, and makes a timer late by the rest of the task's turn, never
     * early. */
    bine__timer_arm_later(&timer->loop->wheel, &timer->timer, duration);
    bine__check_put(timer);
    timer->loop->watched |= BINE__WATCH_TIMERS;
}

int bine_timer_cancel(bine_timer *public)
{
    struct timer *timer = valid(public);
    return timer ? bine__timer_disarm(&bine__loop->wheel, &timer->timer) : -1;
}
