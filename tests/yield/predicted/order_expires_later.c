/* SPDX-License-Identifier: MIT
 *
 * The order is paid in time; the timer that would expire it comes afterwards.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

enum { OPEN, EXPIRED, PAID };
static int order = OPEN, expired;

static void *expire(void *arg)
{
    bine_sleep(BINE_MINUTE);
    order = EXPIRED; /* SITE wrote */
    expired++;
    return arg;
}

static void *pay(void *arg)
{
    if (order != OPEN) /* SITE looked */
        return arg;
    bine_sleep(BINE_MS); /* SITE gave-up */
#ifdef FIXED
    if (order != OPEN)
        return arg;
#endif
    order = PAID; /* SITE acted */
    return arg;
}

static void *program(void *arg)
{
    both(pay, NULL, expire, NULL);
    EXPECT(expired == 1);
    return arg;
}
PROGRAM(program)
