/* SPDX-License-Identifier: MIT
 *
 * Once: one task calls a function, the others wait until it has returned. */
#include <bine/sync.h>

#include <string.h>

#include "runtime/debug.h"
#include "sync/line.h"

struct bine__once { /* what a public bine_once_flag holds */
    uint64_t done;
    struct bine_task *runner; /* who is in the function */
    struct bine__line line;
} __attribute__((may_alias));

_Static_assert(sizeof(struct bine__once) <= sizeof(bine_once_flag), "bine_once_flag has room");

static struct bine__once *inside(bine_once_flag *public)
{
    return (struct bine__once *)public;
}

int bine_once_init(bine_once_flag *public)
{
    if (!public)
        return bine__error(EINVAL);
    memset(public, 0, sizeof *public);
    return 0;
}

int bine_once_destroy(bine_once_flag *public)
{
    if (!public)
        return bine__error(EINVAL);
    if (inside(public)->runner)
        return bine__error(EBUSY);
    return 0;
}

int bine_once(bine_once_flag *public, void (*fn)(void *), void *arg)
{
    struct bine__once *once = inside(public);
    if (!once || !fn)
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if (once->done)
        return 0;
    if (once->runner == self)
        return bine__error(EDEADLK);
    if (once->runner) {
        struct bine__turn turn;
        if (once->runner->loop != self->loop)
            return bine__error(EPERM);
        return bine__outcome(bine__line_wait(&once->line, &turn, self, BINE__WAIT_ONCE, once));
    }
    once->runner = self;
    fn(arg);
    once->runner = NULL;
    once->done = true;
    bine__line_serve_all(&once->line);
    return 0;
}

struct bine_task *bine__once_runner(intptr_t object)
{
    return ((const struct bine__once *)object)->runner;
}
