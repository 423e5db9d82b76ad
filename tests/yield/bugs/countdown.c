/* SPDX-License-Identifier: MIT
 *
 * The one who brings the count to zero cleans up, but decides on what the count was before it wrote a line.
 * KIND: LOST-UPDATE STALE-CHECK */
#include "../corpus.h"

static int active = 2, cleanups;

static void *worker(void *arg)
{
    bine_sleep(BINE_MS);
#ifdef FIXED
    int left = --active;
    bine_sleep(BINE_MS);
#else
    int left = active - 1; /* SITE looked */
    bine_sleep(BINE_MS);   /* SITE gave-up */
    active = left;         /* SITE wrote acted */
#endif
    if (left == 0)
        cleanups++;
    return arg;
}

static void *program(void *arg)
{
    both(worker, NULL, worker, NULL);
    EXPECT(cleanups == 1);
    return arg;
}
PROGRAM(program)
