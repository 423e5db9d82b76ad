/* SPDX-License-Identifier: MIT
 *
 * A task counts itself in, looks at the count that it has made, and counts itself out again later. */
#include "../corpus.h"

static int inside, crowds;

static __attribute__((__noinline__)) bool crowded(void)
{
    return inside > 1;
}

static void *visitor(void *arg)
{
    inside++;
    if (crowded())
        crowds++;
    bine_sleep(BINE_MS);
    inside--;
    return arg;
}

static void *program(void *arg)
{
    both(visitor, NULL, visitor, NULL);
    EXPECT(inside == 0 && crowds <= 1);
    return arg;
}
PROGRAM(program)
