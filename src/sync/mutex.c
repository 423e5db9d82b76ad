/* SPDX-License-Identifier: MIT
 *
 * Mutex: held by a task, handed from its holder to the one that has waited longest.
 *
 * The hand-over makes the new holder before it runs, so nobody who comes in between can take it; a holder is
 * what .owner says, also while it is only about to run.  The task itself counts what it holds, when it
 * runs. */
#include "sync/mutex.h"

#include <string.h>

static struct bine__mutex *inside(bine_mutex *public)
{
    return (struct bine__mutex *)public;
}

int bine_mutex_init(bine_mutex *public)
{
    if (!public)
        return bine__error(EINVAL);
    memset(public, 0, sizeof *public);
    return 0;
}

int bine_mutex_destroy(bine_mutex *public)
{
    if (!public)
        return bine__error(EINVAL);
    if (inside(public)->owner)
        return bine__error(EBUSY);
    return 0;
}

static __attribute__((noinline)) int lock_held(struct bine__mutex *mutex, struct bine_task *self)
{
    struct bine__turn turn;
    if (mutex->owner == self)
        return bine__error(EDEADLK);
    if (mutex->owner->loop != self->loop)
        return bine__error(EPERM);
    bine__check_lock_wait(mutex, mutex->owner);
    int error = bine__line_wait(&mutex->line, &turn, self, BINE__WAIT_MUTEX, mutex);
    if (error)
        return bine__error(error);
    return bine__holds(self, mutex, BINE__LOCK_EXCLUSIVE);
}

int bine_mutex_lock(bine_mutex *public)
{
    struct bine__mutex *mutex = inside(public);
    if (bine__unlikely(!mutex))
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (bine__unlikely(!self))
        return -1;
    if (bine__holds_too_many(self))
        return bine__error(EAGAIN);
    if (mutex->owner)
        return lock_held(mutex, self);
    mutex->owner = self;
    return bine__holds(self, mutex, BINE__LOCK_EXCLUSIVE);
}

int bine_mutex_lock_try(bine_mutex *public)
{
    struct bine__mutex *mutex = inside(public);
    if (!mutex)
        return bine__error(EINVAL);
    struct bine_task *self = bine__current();
    if (!self)
        return -1;
    if (mutex->owner)
        return bine__error(EBUSY);
    if (bine__holds_too_many(self))
        return bine__error(EAGAIN);
    mutex->owner = self;
    return bine__holds(self, mutex, BINE__LOCK_EXCLUSIVE);
}

int bine_mutex_unlock(bine_mutex *public)
{
    struct bine__mutex *mutex = inside(public);
    if (bine__unlikely(!mutex))
        return bine__error(EINVAL);
    struct bine_task *self = bine__current();
    if (bine__unlikely(!self))
        return -1;
    if (bine__unlikely(mutex->owner != self))
        return bine__error(EPERM);
    bine__mutex_pass(mutex);
    bine__check_unlocked(mutex, BINE__LOCK_EXCLUSIVE);
    return 0;
}
