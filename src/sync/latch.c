/* SPDX-License-Identifier: MIT
 *
 * Latch: a count that is waited for until it is zero.
 *
 * Who waited when it became zero has been served, though it be raised again before he runs. */
#include <bine/sync.h>

#include <limits.h>
#include <string.h>

#include "sync/line.h"

struct bine__latch { /* what a public bine_latch holds */
    uint64_t count;  /* first: BINE_LATCH_INIT() sets it; at most UINT_MAX */
    struct bine__line line; /* empty while the count is zero */
} __attribute__((may_alias));

_Static_assert(sizeof(struct bine__latch) <= sizeof(bine_latch), "bine_latch has room");

static struct bine__latch *inside(bine_latch *public)
{
    return (struct bine__latch *)public;
}

int bine_latch_init(bine_latch *public, unsigned n)
{
    if (!public)
        return bine__error(EINVAL);
    memset(public, 0, sizeof *public);
    inside(public)->count = n;
    return 0;
}

int bine_latch_destroy(bine_latch *public)
{
    if (!public)
        return bine__error(EINVAL);
    if (!bine__line_empty(&inside(public)->line))
        return bine__error(EBUSY);
    return 0;
}

int bine_latch_add(bine_latch *public, unsigned n)
{
    struct bine__latch *latch = inside(public);
    if (!latch)
        return bine__error(EINVAL);
    if (latch->count + n > UINT_MAX)
        return bine__error(EOVERFLOW);
    latch->count += n;
    return 0;
}

int bine_latch_done(bine_latch *public)
{
    struct bine__latch *latch = inside(public);
    if (!latch || !latch->count)
        return bine__error(EINVAL);
    if (!bine__line_ours(&latch->line))
        return bine__error(EPERM);
    bine__check_put(latch);
    if (--latch->count == 0)
        bine__line_serve_all(&latch->line);
    return 0;
}

int bine_latch_wait(bine_latch *public)
{
    struct bine__latch *latch = inside(public);
    if (!latch)
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    int error = 0;
    if (latch->count) {
        struct bine__turn turn;
        error = bine__line_wait(&latch->line, &turn, self, BINE__WAIT_LATCH, latch);
    }
    bine__check_found(latch, false);
    return bine__outcome(error);
}
