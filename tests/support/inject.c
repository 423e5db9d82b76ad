/* SPDX-License-Identifier: MIT
 *
 * See inject.h.  One loop at a time, on one thread. */
#include "support/inject.h"

#include "runtime/runtime.h"

int __real_bine__park(struct bine_loop *, struct bine_task *, unsigned, intptr_t);
int __wrap_bine__park(struct bine_loop *, struct bine_task *, unsigned, intptr_t);
int __real_bine__yield(struct bine_loop *, struct bine_task *);
int __wrap_bine__yield(struct bine_loop *, struct bine_task *);
int __real_bine_yield(void);
int __wrap_bine_yield(void);

static struct {
    long left, counted;
    enum inject_when when;
    uint64_t exempt;
} armed;

void inject_arm(long nth, enum inject_when when)
{
    armed.left = nth;
    armed.when = when;
    armed.counted = 0;
    armed.exempt = 0;
}

void inject_disarm(void)
{
    armed.left = 0;
}

long inject_waits(void)
{
    return armed.counted;
}

void inject_exempt(void)
{
    armed.exempt = bine_self()->id;
}

static void cancel(void *task)
{
    bine_cancel(task); /* of the run's own first task: refused, which is right */
}

/* Does it strike here? */
static bool struck(struct bine_task *self)
{
    if (armed.left <= 0 || !self || self->id == armed.exempt)
        return false;
    armed.counted++;
    if (armed.counted != armed.left)
        return false;
    if (armed.when == INJECT_BEFORE)
        cancel(self);
    else if (armed.when == INJECT_DURING)
        bine_call_soon(cancel, self);
    return true;
}

static void strike_late(struct bine_task *self)
{
    if (armed.when == INJECT_AFTER)
        cancel(self);
}

int __wrap_bine__park(struct bine_loop *loop, struct bine_task *self, unsigned wait, intptr_t object)
{
    bool hit = struck(self);
    int error = __real_bine__park(loop, self, wait, object);
    if (hit)
        strike_late(self);
    return error;
}

int __wrap_bine__yield(struct bine_loop *loop, struct bine_task *self)
{
    bool hit = struck(self);
    int error = __real_bine__yield(loop, self);
    if (hit)
        strike_late(self);
    return error;
}

int __wrap_bine_yield(void)
{
    struct bine_task *self = bine_self();
    bool hit = struck(self);
    int error = __real_bine_yield();
    if (hit)
        strike_late(self);
    return error;
}
