/* SPDX-License-Identifier: MIT
 *
 * The talk's transfer twice, with money for both, one long after the other.
 * KIND: STALE-CHECK */
#include "../corpus.h"

static int balance = 200;

static void *transfer(void *arg)
{
#ifdef FIXED
    bine_sleep(BINE_MS);
    if (balance < 70)
        return arg;
    balance -= 70;
#else
    if (balance < 70) /* SITE looked */
        return arg;
    bine_sleep(BINE_MS); /* SITE gave-up */
    balance -= 70;       /* SITE wrote acted */
#endif
    return arg;
}

static void *later(void *arg)
{
    bine_sleep(BINE_SECOND);
    return transfer(arg);
}

static void *program(void *arg)
{
    both(transfer, NULL, later, NULL);
    EXPECT(balance == 60);
    return arg;
}
PROGRAM(program)
