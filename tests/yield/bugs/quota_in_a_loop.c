/* SPDX-License-Identifier: MIT
 *
 * In each turn something is left, so a request is served and counted down.  The next turn asks the same again, which
 * comes too late for this one.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

static int left = 3;
static unsigned served;

static int serve(void) { return bine_sleep(BINE_MS); /* SITE gave-up */ }

static void *worker(void *arg)
{
    while (left > 0) { /* SITE looked */
#ifdef FIXED
        left--;
        serve();
#else
        serve();
        left--; /* SITE wrote acted */
#endif
        served++;
    }
    return arg;
}

static void *program(void *arg)
{
    both(worker, NULL, worker, NULL);
    EXPECT(served == 3);
    return arg;
}
PROGRAM(program)
