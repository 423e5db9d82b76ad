/* SPDX-License-Identifier: MIT
 *
 * The same check in floating point.
 * KIND: STALE-CHECK */
#include "../corpus.h"

static double balance = 100;

static void *withdraw(void *arg)
{
    double amount = *(double *)arg;
#ifdef FIXED
    bine_sleep(BINE_MS);
    if (balance < amount)
        return NULL;
    balance -= amount;
#else
    if (balance < amount) /* SITE looked */
        return NULL;
    bine_sleep(BINE_MS); /* SITE gave-up */
    balance -= amount;   /* SITE wrote acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    static double amount = 70;
    both(withdraw, &amount, withdraw, &amount);
    EXPECT(balance >= 0);
    return arg;
}
PROGRAM(program)
