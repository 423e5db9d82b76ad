/* SPDX-License-Identifier: MIT
 *
 * The cache answers without yielding, but says that it might.
 * KIND: YIELD-IN-ATOMIC */
#include "../corpus.h"

#include <bine/check.h>

static int cached = 3, doubled;

static int rate(void)
{
#ifndef FIXED
    bine_might_yield(); /* SITE gave-up */
    if (!cached)
        bine_sleep(BINE_MS);
#endif
    return cached;
}

static void *twice(void *arg)
{
    BINE_ATOMIC
    {
        doubled = rate();
        doubled += rate();
    }
    return arg;
}

static void *program(void *arg)
{
    bine_join(bine_spawn(twice, NULL), NULL);
    EXPECT(doubled == 6);
    return arg;
}
PROGRAM(program)
