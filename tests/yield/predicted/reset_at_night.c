/* SPDX-License-Identifier: MIT
 *
 * A cache is filled by one task, and emptied by another, hours later.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

static int cached;

static void *fill(void *arg)
{
#ifdef FIXED
    bine_sleep(BINE_MS);
#endif
    if (cached == 0) { /* SITE looked */
#ifndef FIXED
        bine_sleep(BINE_MS); /* SITE gave-up */
#endif
        cached = 42; /* SITE acted */
    }
    return arg;
}

static void *reset(void *arg)
{
    bine_sleep(100 * BINE_MINUTE);
    cached = 0; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    both(fill, NULL, reset, NULL);
    EXPECT(cached == 0 || cached == 42);
    return arg;
}
PROGRAM(program)
