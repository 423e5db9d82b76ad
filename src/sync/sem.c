/* SPDX-License-Identifier: MIT
 *
 * Semaphore: a unit that is posted goes to the one that has waited longest, or is counted.
 *
 * Invariant: the count is zero while somebody waits. */
#include <bine/sync.h>

#include <limits.h>
#include <string.h>

#include "sync/line.h"

struct bine__sem {  /* what a public bine_sem holds */
    uint64_t count; /* first: BINE_SEM_INIT() sets it; at most UINT_MAX */
    struct bine__line line;
} __attribute__((may_alias));

_Static_assert(sizeof(struct bine__sem) <= sizeof(bine_sem), "bine_sem has room");

static struct bine__sem *inside(bine_sem *public)
{
    return (struct bine__sem *)public;
}

int bine_sem_init(bine_sem *public, unsigned n)
{
    if (!public)
        return bine__error(EINVAL);
    memset(public, 0, sizeof *public);
    inside(public)->count = n;
    return 0;
}

int bine_sem_destroy(bine_sem *public)
{
    if (!public)
        return bine__error(EINVAL);
    if (!bine__line_empty(&inside(public)->line))
        return bine__error(EBUSY);
    return 0;
}

int bine_sem_wait(bine_sem *public)
{
    struct bine__sem *sem = inside(public);
    if (!sem)
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if (sem->count) {
        sem->count--;
        bine__check_sem_taken(sem, !sem->count);
        return 0;
    }
    struct bine__turn turn;
    int error = bine__line_wait(&sem->line, &turn, self, BINE__WAIT_SEM, sem);
    if (!error)
        bine__check_sem_taken(sem, !sem->count);
    return bine__outcome(error);
}

int bine_sem_wait_try(bine_sem *public)
{
    struct bine__sem *sem = inside(public);
    if (!sem)
        return bine__error(EINVAL);
    if (!sem->count)
        return bine__error(EAGAIN);
    sem->count--;
    bine__check_sem_taken(sem, !sem->count);
    return 0;
}

int bine_sem_post(bine_sem *public)
{
    struct bine__sem *sem = inside(public);
    if (!sem)
        return bine__error(EINVAL);
    if (!bine__line_ours(&sem->line))
        return bine__error(EPERM);
    bool served = bine__line_serve(&sem->line);
    bine__check_sem_given(sem);
    if (served)
        return 0;
    if (sem->count >= UINT_MAX)
        return bine__error(EOVERFLOW);
    sem->count++;
    return 0;
}
