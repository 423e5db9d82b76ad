/* SPDX-License-Identifier: MIT
 *
 * Whoever comes first brings it up; a flag that is never but 0 or 1, of which clang makes a single bit.  The second one
 * finds it up.
 * KIND: STALE-CHECK */
#include "../corpus.h"

static int up, begun;

static void bring_up(void)
{
    bine_sleep(BINE_SECOND); /* SITE gave-up */
    begun++;
}

static void ensure_up(void)
{
#ifdef FIXED
    static bine_mutex mutex = BINE_MUTEX_INIT;
    bine_mutex_lock(&mutex);
    if (!up) {
        bring_up();
        up = 1;
    }
    bine_mutex_unlock(&mutex);
#else
    if (!up) { /* SITE looked */
        bring_up();
        up = 1; /* SITE wrote acted */
    }
#endif
}

static void *caller(void *arg)
{
    bine_sleep(*(bine_ns *)arg);
    ensure_up();
    return NULL;
}

static void *program(void *arg)
{
    static bine_ns at[2] = {0, BINE_MINUTE};
    both(caller, &at[0], caller, &at[1]);
    EXPECT(begun == 1);
    return arg;
}
PROGRAM(program)
