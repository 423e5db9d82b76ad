/* SPDX-License-Identifier: MIT
 *
 * Invariants: what holds whenever a task gives up the loop.
 *
 * They belong to a thread, not to a run, so that they can be stated before it.  One that is broken is told at
 * the switch that found it so, with the task that left it so, and again only after it has held. */
#include <stdlib.h>

#include "runtime/section.h"

struct invariant {
    struct invariant *next;
    const char *name;
    bool (*fn)(void *);
    void *arg;
    bool broken;
};

static _Thread_local struct invariant *invariants;
BINE__CARRIED(invariants);

bool bine__invariants_any(void)
{
    return invariants != NULL;
}

int bine_invariant(const char *name, bool (*fn)(void *), void *arg)
{
    if (!name || !fn)
        return bine__error(EINVAL);
    struct invariant *one = malloc(sizeof *one);
    if (!one)
        return -1;
    struct invariant **last = &invariants;
    while (*last)
        last = &(*last)->next;
    *one = (struct invariant){NULL, name, fn, arg, false};
    *last = one;
    if (bine__loop)
        bine__loop->watched |= BINE__WATCH_INVARIANTS;
    return 0;
}

int bine_invariant_drop(bool (*fn)(void *), void *arg)
{
    for (struct invariant **link = &invariants, *one; (one = *link) != NULL; link = &one->next) {
        if (one->fn != fn || one->arg != arg)
            continue;
        *link = one->next;
        free(one);
        if (!invariants && bine__loop)
            bine__loop->watched &= ~(uint32_t)BINE__WATCH_INVARIANTS;
        return 0;
    }
    return bine__error(ENOENT);
}

void bine__invariants_look(struct bine_task *self)
{
    struct bine_loop *loop = self->loop;
    if (self == &loop->root)
        return; /* what a callback breaks, the next task's switch finds */
    int error = errno;
    loop->current = &loop->root; /* a call that yields fails in there */
    struct invariant *one = invariants, *next;
    for (; one; one = next) {
        bool holds = one->fn(one->arg);
        next = one->next;
        if (!holds && !one->broken) {
            char call[256];
            bine__say_call(call, sizeof call, NULL);
            bine__check_failed(BINE_REPORT_INVARIANT, self, "'%s' does not hold at the switch in %s",
                               one->name, call);
        }
        one->broken = !holds;
    }
    loop->current = self;
    errno = error;
}
