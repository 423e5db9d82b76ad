/* SPDX-License-Identifier: MIT
 *
 * The check is made under the lock, the update too, but the lock is given back in between.
 * KIND: STALE-CHECK */
#include "../corpus.h"

static bine_mutex lock = BINE_MUTEX_INIT;
static int stock = 1;

static void *buy(void *arg)
{
    bine_mutex_lock(&lock);
    bool available = stock > 0; /* SITE looked */
#ifndef FIXED
    bine_mutex_unlock(&lock);
    bine_sleep(BINE_MS);    /* SITE gave-up */
    bine_mutex_lock(&lock); /* SITE gave-up */
#endif
    if (available)
        stock--; /* SITE wrote acted */
    bine_mutex_unlock(&lock);
    return arg;
}

static void *program(void *arg)
{
    both(buy, NULL, buy, NULL);
    EXPECT(stock == 0);
    return arg;
}
PROGRAM(program)
