/* SPDX-License-Identifier: MIT
 *
 * Two tasks join each other.
 * KIND: DEADLOCK STUCK */
#include "../corpus.h"

static bine_task *one, *two;

static void *first(void *arg)
{
    bine_yield();
    bine_join(two, NULL); /* SITE wrote */
    return arg;
}

static void *second(void *arg)
{
    bine_yield();
#ifndef FIXED
    bine_join(one, NULL); /* SITE acted */
#endif
    return arg;
}

static void *program(void *arg)
{
    one = bine_spawn(first, NULL);
    two = bine_spawn(second, NULL);
#ifdef FIXED
    bine_join(one, NULL);
#else
    bine_park();
#endif
    return arg;
}
PROGRAM(program)
