/* SPDX-License-Identifier: MIT
 *
 * How a call begins where it cannot just go on; sleep, park by hand; and the clock. */
#define _GNU_SOURCE
#include <time.h>

#include "runtime/runtime.h"

/* In a scope that has fired, or with the budget spent.  A call that fails is charged too, and so yields now and
 * then: a loop that ignores its errors cannot stop the others. */
struct bine_task *bine__begin_slowly(struct bine_loop *loop, struct bine_task *self, const void *from)
{
    if (bine__unlikely(bine__in_section(loop)))
        bine__section_begin(loop, self, from);
    else if (loop->budget <= 0)
        bine__give_way(loop, self);
    bine__scope_look(self);
    loop->budget--;
    int error = bine__scope_fail(self);
    if (!error)
        return self;
    errno = error;
    return NULL;
}

void bine__charge_call(struct bine_loop *loop, struct bine_task *self)
{
    if (bine__in_section(loop))
        return;
    if (loop->budget <= 0)
        bine__give_way(loop, self);
    loop->budget--;
}

int bine__refuse(int error)
{
    struct bine_loop *loop = bine__loop;
    if (loop && loop->current != &loop->root)
        bine__charge_call(loop, loop->current);
    return bine__error(error);
}

/* ---- Time --------------------------------------------------------------------------------------- */

bine_ns bine__clock(struct bine_loop *loop)
{
    bine_ns now;
    if (loop && loop->virtual_clock) {
        now = loop->now;
    } else {
        struct timespec time;
        clock_gettime(CLOCK_MONOTONIC, &time);
        now = time.tv_sec * BINE_SECOND + time.tv_nsec;
    }
    if (loop && bine__unlikely(loop->watched & BINE__WATCH_TIMERS)) {
        loop->watched &= ~(uint32_t)BINE__WATCH_TIMERS;
        bine__wheel_set(&loop->wheel, now);
    }
    return now;
}

/* The kernel's coarse clock costs a quarter of the exact one.  It lags by a tick, 10 ms at the most; and by more where
 * a hypervisor keeps the processor waiting that counts the ticks (seen: over 11 ms). */
bool bine__far_off(const struct bine_loop *loop, bine_ns deadline)
{
#ifdef CLOCK_MONOTONIC_COARSE
    const bine_ns lag = 100 * BINE_MS;
    struct timespec time;
    if (!loop->virtual_clock && clock_gettime(CLOCK_MONOTONIC_COARSE, &time) == 0)
        return deadline > time.tv_sec * BINE_SECOND + time.tv_nsec + lag;
#else
    (void)loop, (void)deadline;
#endif
    return false;
}

bine_ns bine_now(void)
{
    if (bine__loop && bine__explored(bine__loop))
        bine__explore_now(bine__loop);
    return bine__clock(bine__loop);
}

bine_ns bine__deadline_in(bine_ns timeout)
{
    bine_ns deadline;
    return __builtin_add_overflow(bine__clock(bine__loop), timeout, &deadline) ? BINE_FOREVER : deadline;
}

struct sleeper { /* on the stack of the task that sleeps; unlinked when it fires, or by the task */
    struct bine__timer timer;
    struct bine_task *task;
};

static void awaken(struct bine__timer *timer)
{
    bine__wake(bine__list_entry(timer, struct sleeper, timer)->task);
}

#ifdef BINE_CHECKED
void bine__timer_note_owner(struct bine__timer *timer)
{
    timer->owner = bine__loop ? bine__loop->current->id : 0;
}

bool bine__explore_is_sleep(const struct bine__timer *timer)
{
    return timer->fire == awaken;
}

struct bine_task *bine__explore_sleeper(const struct bine__timer *timer)
{
    return bine__list_entry(timer, const struct sleeper, timer)->task;
}
#endif

static int sleep_until(struct bine_task *self, bine_ns deadline)
{
    struct bine_loop *loop = self->loop;
    struct sleeper sleeper = {.timer.fire = awaken, .task = self};
    if (deadline != BINE_FOREVER)
        bine__timer_arm(&loop->wheel, &sleeper.timer, deadline);
    int error = bine__park(loop, self, BINE__WAIT_SLEEP, 0);
    bine__timer_disarm(&loop->wheel, &sleeper.timer);
    return error ? bine__error(error) : 0;
}

int bine_sleep(bine_ns duration)
{
    struct bine_task *self = bine__current();
    if (!self)
        return -1;
    bine__say_may_yield(self);
    bine__scope_look(self);
    if (duration <= 0 || self->failing) /* a call that fails must still let the others run */
        return bine_yield();
    return sleep_until(self, bine__deadline_in(duration));
}

int bine_sleep_until(bine_ns deadline)
{
    struct bine_task *self = bine__current();
    if (!self)
        return -1;
    bine__say_may_yield(self);
    bine__scope_look(self);
    if (bine__explored(self->loop))
        bine__explore_now(self->loop);
    if (self->failing || deadline <= bine__clock(self->loop))
        return bine_yield();
    return sleep_until(self, deadline);
}

/* ---- By hand ------------------------------------------------------------------------------------ */

int bine_park(void)
{
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if (self->flags & BINE__TASK_PERMIT) {
        self->flags &= (uint16_t)~BINE__TASK_PERMIT;
        return 0;
    }
    int error = bine__park(self->loop, self, BINE__WAIT_PARK, 0);
    return error ? bine__error(error) : 0;
}

int bine_wake(bine_task *task)
{
    if (!bine__task_valid(task))
        return -1;
    if (task->wait == BINE__WAIT_PARK)
        bine__wake(task); /* also one that was just woken: the second wake-up joins the first */
    else
        task->flags |= BINE__TASK_PERMIT;
    return 0;
}
