/* SPDX-License-Identifier: MIT
 *
 * The event is cleared by the one who is about to wait for it, after it was set.
 * KIND: STUCK */
#include "../corpus.h"

static bine_event ready = BINE_EVENT_INIT;

static void *waiter(void *arg)
{
#ifndef FIXED
    bine_event_clear(&ready);
#endif
    bine_event_wait(&ready); /* SITE acted */
    return arg;
}

static void *setter(void *arg)
{
    bine_event_set(&ready);
    return arg;
}

static void *program(void *arg)
{
    both(setter, NULL, waiter, NULL);
    return arg;
}
PROGRAM(program)
