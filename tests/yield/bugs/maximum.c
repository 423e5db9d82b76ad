/* SPDX-License-Identifier: MIT
 *
 * A new record is announced before it is noted; the older, lower one then wins.
 * KIND: STALE-CHECK LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

static int record;

static void announce(int n)
{
    bine_sleep((20 - n) * BINE_MS); /* SITE gave-up */
}

static void *score(void *arg)
{
    int n = *(int *)arg;
#ifdef FIXED
    if (n > record) {
        record = n;
        announce(n);
    }
#else
    if (n > record) { /* SITE looked */
        announce(n);
        record = n; /* SITE wrote acted */
    }
#endif
    return NULL;
}

static void *program(void *arg)
{
    static int n[2] = {10, 15};
    both(score, &n[0], score, &n[1]);
    EXPECT(record == 15);
    return arg;
}
PROGRAM(program)
