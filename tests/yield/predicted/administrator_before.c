/* SPDX-License-Identifier: MIT
 *
 * The other write comes before the look, by chance of timing.
 * KIND: LOST-UPDATE STALE-CHECK */
#include "../corpus.h"

static int price = 10;

static void *raise_it(void *arg)
{
    bine_sleep(20 * BINE_MS);
#ifdef FIXED
    bine_sleep(5 * BINE_MS);
    int was = price;
#else
    int was = price;         /* SITE looked */
    bine_sleep(5 * BINE_MS); /* SITE gave-up */
#endif
    price = was + 1; /* SITE acted */
    return arg;
}

static void *administrator(void *arg)
{
    bine_sleep(BINE_MS);
    price = 20; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    both(raise_it, NULL, administrator, NULL);
    EXPECT(price == 21 || price == 20);
    return arg;
}
PROGRAM(program)
