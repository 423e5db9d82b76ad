/* SPDX-License-Identifier: MIT
 *
 * It is not started, so the lock is taken, and it is started: by both, the lock being of no help.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

static bine_mutex starting = BINE_MUTEX_INIT;
static bool started;
static int starts;

static void *ensure_started(void *arg)
{
    if (started) /* SITE looked */
        return arg;
    bine_mutex_lock(&starting); /* SITE gave-up */
#ifdef FIXED
    if (started) {
        bine_mutex_unlock(&starting);
        return arg;
    }
#endif
    bine_sleep(BINE_MS); /* SITE gave-up */
    starts++;
    started = true; /* SITE wrote acted */
    bine_mutex_unlock(&starting);
    return arg;
}

static void *program(void *arg)
{
    both(ensure_started, NULL, ensure_started, NULL);
    EXPECT(starts == 1);
    return arg;
}
PROGRAM(program)
