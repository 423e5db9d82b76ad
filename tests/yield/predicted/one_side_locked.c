/* SPDX-License-Identifier: MIT
 *
 * One task locks, the other does not; in this run they do not meet.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static bine_mutex lock = BINE_MUTEX_INIT;
static long total;

static void *locked(void *arg)
{
    bine_mutex_lock(&lock);
    long was = total;    /* SITE looked */
    bine_sleep(BINE_MS); /* SITE gave-up */
    total = was + 1;     /* SITE acted wrote */
    bine_mutex_unlock(&lock);
    return arg;
}

static void *careless(void *arg)
{
    bine_sleep(100 * BINE_MS);
#ifdef FIXED
    bine_mutex_lock(&lock);
#endif
    total += 10; /* SITE wrote */
#ifdef FIXED
    bine_mutex_unlock(&lock);
#endif
    return arg;
}

static void *program(void *arg)
{
    both(locked, NULL, careless, NULL);
    EXPECT(total == 11);
    return arg;
}
PROGRAM(program)
