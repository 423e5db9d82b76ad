/* SPDX-License-Identifier: MIT
 *
 * An update through a pointer that was handed down: the callee reads, asks, and writes.
 * KIND: LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

static struct wallet {
    long coins[3];
} wallet;

static long rate(void)
{
    bine_yield(); /* SITE gave-up */
    return 4;
}

static void credit(long *coins, long n)
{
#ifdef FIXED
    long r = rate();
    *coins += n * r;
#else
    long now = *coins;       /* SITE looked */
    *coins = now + n         /* SITE wrote acted */
                   * rate(); /* SITE wrote acted */
#endif
}

static void *task(void *arg)
{
    struct wallet *w = arg;
    credit(&w->coins[1], 2);
    return NULL;
}

static void *program(void *arg)
{
    both(task, &wallet, task, &wallet);
    EXPECT(wallet.coins[1] == 16);
    return arg;
}
PROGRAM(program)
