/* SPDX-License-Identifier: MIT
 *
 * Looked at under the lock, taken under the lock, given back in between; there is enough for both.
 * KIND: STALE-CHECK */
#include "../corpus.h"

static bine_mutex lock = BINE_MUTEX_INIT;
static int stock = 5;

static void *buy(void *arg)
{
    bine_sleep(*(bine_ns *)arg);
    bine_mutex_lock(&lock);
    bool there = stock > 0; /* SITE looked */
#ifndef FIXED
    bine_mutex_unlock(&lock);
    bine_sleep(BINE_MS);    /* SITE gave-up */
    bine_mutex_lock(&lock); /* SITE gave-up */
#endif
    if (there)
        stock--; /* SITE wrote acted */
    bine_mutex_unlock(&lock);
    return NULL;
}

static void *program(void *arg)
{
    static bine_ns start[2] = {0, 50 * BINE_MS};
    both(buy, &start[0], buy, &start[1]);
    EXPECT(stock == 3);
    return arg;
}
PROGRAM(program)
