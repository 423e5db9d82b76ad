/* SPDX-License-Identifier: MIT
 *
 * The caller of a shielded call is cancelled and resets the mode; the work goes on, and writes what it had read.
 * KIND: LOST-UPDATE STALE-CHECK */
#include "../corpus.h"

static int generation = 1;

static void *renew(void *arg)
{
#ifdef FIXED
    bine_sleep(5 * BINE_MS);
    generation++;
#else
    int was = generation;    /* SITE looked */
    bine_sleep(5 * BINE_MS); /* SITE gave-up */
    generation = was + 1;    /* SITE acted */
#endif
    return arg;
}

static void *caller(void *arg)
{
    bine_result result;
    if (bine_shield(renew, NULL, NULL, &result) < 0)
        generation += 10; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    bine_task *t = bine_spawn(caller, NULL);
    bine_sleep(BINE_MS);
    bine_stop(t, NULL);
    bine_sleep(10 * BINE_MS);
    EXPECT(generation == 12 || generation == 11 || generation == 2);
    return arg;
}
PROGRAM(program)
