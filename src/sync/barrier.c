/* SPDX-License-Identifier: MIT
 *
 * Barrier: nobody goes on before n have come; then it begins anew.
 *
 * The one that comes last takes all the others out of the line, so those of the next round never mix with
 * those of this one, even before they have run.  One that gives up was only one less. */
#include <bine/sync.h>

#include <string.h>

#include "sync/line.h"

struct bine__barrier { /* what a public bine_barrier holds */
    unsigned parties;
    unsigned waiting; /* how many stand in the line */
    struct bine__line line;
} __attribute__((may_alias));

_Static_assert(sizeof(struct bine__barrier) <= sizeof(bine_barrier), "bine_barrier has room");

static struct bine__barrier *inside(bine_barrier *public)
{
    return (struct bine__barrier *)public;
}

int bine_barrier_init(bine_barrier *public, unsigned n)
{
    if (!public || n == 0)
        return bine__error(EINVAL);
    memset(public, 0, sizeof *public);
    inside(public)->parties = n;
    return 0;
}

int bine_barrier_destroy(bine_barrier *public)
{
    if (!public)
        return bine__error(EINVAL);
    if (inside(public)->waiting)
        return bine__error(EBUSY);
    return 0;
}

int bine_barrier_wait(bine_barrier *public)
{
    struct bine__barrier *barrier = inside(public);
    if (!barrier)
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if (!bine__line_ours(&barrier->line))
        return bine__error(EPERM);
    bine__check_put(barrier);
    if (barrier->waiting + 1 >= barrier->parties) {
        barrier->waiting = 0;
        bine__check_found(barrier, false);
        bine__line_serve_all(&barrier->line);
        return 1;
    }
    struct bine__turn turn;
    barrier->waiting++;
    int error = bine__line_wait(&barrier->line, &turn, self, BINE__WAIT_BARRIER, barrier);
    if (error)
        barrier->waiting--;
    bine__check_found(barrier, false);
    return bine__outcome(error);
}
