/* SPDX-License-Identifier: MIT
 *
 * Scopes: deadlines, cancellation, shields.
 *
 * A task's scopes form a chain from the innermost outwards; beyond the last lies what bine_cancel()
 * cancels, a flag of the task's.  What the chain says is kept ready in the task: `failing`, what yielding
 * calls fail with, and `cause`, the scope that it comes from. It is worked out anew only when a scope
 * fires, or when a shield or a fired scope is opened or left; so the door and bine__begin() look at one
 * byte, and a deadline is armed once per scope, not per call.
 *
 * A deadline's timer wakes a task that is parked.  A task that computes past its deadline has not given
 * the loop a chance to look: inside a deadline each yielding call therefore reads the clock itself
 * (bine__scope_look()).
 *
 * Of several that have fired, cancellation wins over deadlines, then the outermost wins: inner code must
 * not take for its own a failure that the outer scope would go on to inflict.  A shield ends the walk.
 *
 * A scope lies in its task's storage and is read only while it is open, but for `hit`.  One that a
 * generator opened has no task while that is suspended (gen.c). */
#include <string.h>

#include "runtime/runtime.h"

enum {
    IGNORED_TOO_OFTEN = 1000, /* calls made in a fired scope before BINE_DEBUG names the task */
    LOOKED_AT = 64            /* scopes, the innermost: opening must not take longer the deeper scopes nest */
};

_Static_assert(sizeof(struct bine__scope) <= sizeof(bine_scope), "bine_scope has room");

static struct bine__scope *inside(bine_scope *scope)
{
    return (struct bine__scope *)scope;
}

void bine__scope_update(struct bine_task *task)
{
    if (!task)
        return; /* of a generator that is suspended */
    struct bine__scope *cause = NULL, *scope;
    int error = 0;
    for (scope = task->scope; scope; scope = scope->outer) {
        if (scope->cancelled) {
            cause = scope;
            error = ECANCELED;
        } else if (scope->expired && error != ECANCELED) {
            cause = scope;
            error = ETIMEDOUT;
        }
        if (scope->shield)
            break;
    }
    if (!scope && (task->flags & BINE__TASK_CANCELLED)) {
        cause = NULL;
        error = ECANCELED;
    }
    task->cause = cause;
    task->failing = (int16_t)error;
    task->alert = (uint8_t)((error ? BINE__ALERT_FIRED : 0) | (task->alert & BINE__ALERT_DEADLINE));
    if (!error) {
        task->flags &= (uint16_t)~BINE__TASK_IGNORING;
    } else if (task->state == BINE__PARKED && !(task->flags & BINE__TASK_DEAF)) {
        bine__explore_interrupt(task);
        task->interrupted = true;
        bine__make_runnable(task->loop, task);
    }
}

int bine__scope_fail(struct bine_task *self)
{
    if (!self->failing)
        return 0;
    if (self->cause)
        self->cause->hit = true;
    if (!(self->flags & BINE__TASK_IGNORING))
        self->ignored = 0;
    self->flags |= BINE__TASK_IGNORING;
    if (++self->ignored == IGNORED_TOO_OFTEN && self->loop->debug)
        bine__report(BINE_REPORT_IGNORED, self, self->failing,
                     "goes on calling in a scope that has fired: %d calls have failed", IGNORED_TOO_OFTEN);
    return self->failing;
}

static void keep_deadline(struct bine_task *task, bine_ns deadline)
{
    task->deadline = deadline;
    task->alert = (uint8_t)((task->alert & BINE__ALERT_FIRED) | (deadline != BINE_FOREVER ? BINE__ALERT_DEADLINE : 0));
}

static bine_ns nearest(const struct bine_task *task)
{
    bine_ns deadline = BINE_FOREVER;
    for (const struct bine__scope *scope = task->scope; scope; scope = scope->outer) {
        if (scope->timer.deadline < deadline)
            deadline = scope->timer.deadline;
        if (scope->shield)
            break;
    }
    return deadline;
}

static void expire(struct bine__timer *timer)
{
    struct bine__scope *scope = bine__list_entry(timer, struct bine__scope, timer);
    scope->expired = true;
    bine__scope_update(scope->task);
}

#ifdef BINE_CHECKED
bool bine__explore_is_deadline(const struct bine__timer *timer)
{
    return timer->fire == expire;
}
#endif

void bine__scope_look(struct bine_task *self)
{
    if (self->deadline == BINE_FOREVER || bine__far_off(self->loop, self->deadline))
        return;
    bine_ns now = bine__clock(self->loop);
    if (self->deadline > now)
        return;
    for (struct bine__scope *scope = self->scope; scope; scope = scope->outer) {
        if (scope->timer.deadline <= now)
            scope->expired = true;
        if (scope->shield)
            break;
    }
    bine__scope_update(self);
}

/* A deadline that has passed already needs no timer. */
static void set_deadline(struct bine__scope *scope, bine_ns deadline, bool passed)
{
    struct bine__wheel *wheel = &bine__loop->wheel;
    bine__timer_disarm(wheel, &scope->timer);
    scope->timer.deadline = deadline;
    if (passed)
        scope->expired = true;
    else if (deadline != BINE_FOREVER)
        bine__timer_arm(wheel, &scope->timer, deadline);
    if (scope->task)
        keep_deadline(scope->task, nearest(scope->task));
}

void bine__scope_attach(struct bine_task *task, struct bine__scope *innermost)
{
    task->scope = innermost;
    keep_deadline(task, nearest(task));
    bine__scope_update(task);
}

struct bine__scope **bine__scope_place(struct bine_task *task, const struct bine__scope *scope)
{
    struct bine__scope **at = &task->scope;
    for (int i = 0; i < LOOKED_AT && *at; i++, at = &(*at)->outer)
        if (*at == scope)
            return at;
    return NULL;
}

/* The new innermost scope of the running task; NULL, and a scope that is shut, where there is none. */
static struct bine__scope *begin(bine_scope *public)
{
    if (!public) {
        errno = EINVAL;
        return NULL;
    }
    struct bine__scope *scope = inside(public);
    struct bine_task *task = bine__current();
    if (!task) {
        memset(scope, 0, sizeof *scope);
        return NULL;
    }
    /* Its magic says nothing: a scope need not be initialised. */
    if (bine__unlikely(task->scope && bine__scope_place(task, scope))) {
        errno = EINVAL;
        return NULL;
    }
    scope->timer.deadline = BINE_FOREVER;
    scope->timer.link = NULL;
    scope->timer.fire = expire;
    scope->outer = task->scope;
    scope->task = task;
    scope->magic = BINE__SCOPE_MAGIC;
    scope->shield = scope->cancelled = scope->expired = scope->hit = false;
    task->scope = scope;
    return scope;
}

void bine_scope_open(bine_scope *public, bine_ns timeout)
{
    struct bine__scope *scope = begin(public);
    if (!scope)
        return;
    if (timeout != BINE_FOREVER)
        set_deadline(scope, bine__deadline_in(timeout), timeout <= 0);
    if (bine__unlikely(scope->expired))
        bine__scope_update(scope->task);
}

void bine_scope_open_at(bine_scope *public, bine_ns deadline)
{
    struct bine__scope *scope = begin(public);
    if (!scope)
        return;
    if (bine__explored(scope->task->loop))
        bine__explore_now(scope->task->loop);
    if (deadline != BINE_FOREVER)
        set_deadline(scope, deadline, deadline <= bine__clock(bine__loop));
    if (bine__unlikely(scope->expired))
        bine__scope_update(scope->task);
}

void bine_scope_open_shield(bine_scope *public)
{
    struct bine__scope *scope = begin(public);
    if (!scope)
        return;
    scope->shield = true;
    keep_deadline(scope->task, BINE_FOREVER);
    if (scope->task->failing)
        bine__scope_update(scope->task);
}

/* Where there can be none errno says why, and not that it is not open. */
void bine__scope_open_shield(bine_scope *public, bine_ns timeout)
{
    bine_scope_open_shield(public);
    if (timeout != BINE_FOREVER && inside(public)->magic == BINE__SCOPE_MAGIC)
        bine_scope_extend(public, timeout);
}

static void take_out(struct bine_task *task, struct bine__scope **at)
{
    struct bine__scope *scope = *at;
    bine__timer_disarm(&task->loop->wheel, &scope->timer);
    scope->magic = 0;
    *at = scope->outer;
    if (scope->shield || scope->timer.deadline != BINE_FOREVER)
        keep_deadline(task, nearest(task));
    if (bine__unlikely(task->failing || scope->shield))
        bine__scope_update(task);
}

/* Who may have scopes open: the running task; and a callback, if it resumes a generator that has. */
static struct bine_task *holder(void)
{
    struct bine_loop *loop = bine__loop;
    return loop && (loop->current != &loop->root || loop->root.scope) ? loop->current : NULL;
}

int bine_scope_close(bine_scope *public)
{
    struct bine__scope *scope = inside(public);
    struct bine_task *task = holder();
    if (!task)
        return bine__error(EPERM);
    if (!scope || scope->magic != BINE__SCOPE_MAGIC)
        return bine__error(EINVAL);
    if (scope->task != task)
        return bine__error(EPERM);
    if (task->scope != scope)
        return bine__error(EINVAL);
    take_out(task, &task->scope);
    return scope->hit;
}

/* The block's storage is about to be gone: wherever its scope stands, nothing may lead to it any more.  Those that
 * were left open inside stay so, to be closed, or to be told when the task ends. */
void bine__scope_end(bine_scope *public)
{
    int error = errno;
    if (bine_scope_close(public) < 0 && bine__loop) {
        struct bine_task *task = holder();
        struct bine__scope **at = task ? bine__scope_place(task, inside(public)) : NULL;
        bine__report(BINE_REPORT_MISUSE, bine_self(), errno, "a scope was left that was not the innermost one");
        if (at)
            take_out(task, at);
    }
    errno = error;
}

bool bine_scope_fired(const bine_scope *public)
{
    return public && ((const struct bine__scope *)public)->hit;
}

/* An open scope of this loop's. */
static struct bine__scope *open_one(bine_scope *public)
{
    struct bine__scope *scope = inside(public);
    if (!scope || scope->magic != BINE__SCOPE_MAGIC)
        errno = EINVAL;
    else if (!bine__loop || (scope->task && scope->task->loop != bine__loop))
        errno = EPERM;
    else
        return scope;
    return NULL;
}

void bine_scope_cancel(bine_scope *public)
{
    struct bine__scope *scope = open_one(public);
    if (!scope)
        return;
    scope->cancelled = true;
    bine__scope_update(scope->task);
}

void bine_scope_extend(bine_scope *public, bine_ns timeout)
{
    struct bine__scope *scope = open_one(public);
    if (!scope)
        return;
    if (scope->timer.deadline != BINE_FOREVER && scope->timer.deadline <= bine__clock(bine__loop))
        scope->expired = true; /* it has passed, though the loop has not looked yet */
    if (scope->expired) {
        bine__scope_update(scope->task);
        return;
    }
    set_deadline(scope, bine__deadline_in(timeout), timeout <= 0);
    if (scope->expired)
        bine__scope_update(scope->task);
}

bine_ns bine_deadline(void)
{
    struct bine_task *task = bine_self();
    if (task && bine__explored(task->loop))
        bine__explore_now(task->loop);
    return task ? task->deadline : BINE_FOREVER;
}

int bine_cancelled(void)
{
    struct bine_task *task = bine_self();
    if (task)
        bine__scope_look(task);
    return task ? task->failing : 0;
}

int bine_cancel(bine_task *task)
{
    if (!bine__task_valid(task))
        return -1;
    if (task->state == BINE__ENDED)
        return 0; /* how it ended stands, and what that means */
    task->flags |= BINE__TASK_CANCELLED;
    bine__scope_update(task);
    return 0;
}
