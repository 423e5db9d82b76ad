/* SPDX-License-Identifier: MIT
 *
 * The other write comes after the update.
 * KIND: LOST-UPDATE STALE-CHECK */
#include "../corpus.h"

static struct {
    int limit, burst;
} settings = {10, 2};

static void *tune(void *arg)
{
#ifdef FIXED
    bine_sleep(5 * BINE_MS);
    int was = settings.limit;
#else
    int was = settings.limit; /* SITE looked */
    bine_sleep(5 * BINE_MS);  /* SITE gave-up */
#endif
    settings.limit = was * 2; /* SITE acted */
    return arg;
}

static void *administrator(void *arg)
{
    bine_sleep(BINE_SECOND);
    settings.limit = 5; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    both(tune, NULL, administrator, NULL);
    EXPECT(settings.limit == 5 || settings.limit == 10);
    return arg;
}
PROGRAM(program)
