/* SPDX-License-Identifier: MIT
 *
 * A voucher is checked, the till is asked, and it is spent; the second customer finds nothing left, today.
 * KIND: STALE-CHECK */
#include "../corpus.h"

static int left_over = 30, goods;

static void *buy(void *arg)
{
    bine_sleep(*(bine_ns *)arg);
#ifdef FIXED
    bine_sleep(BINE_MS);
    if (left_over < 25)
        return NULL;
#else
    if (left_over < 25) /* SITE looked */
        return NULL;
    bine_sleep(BINE_MS); /* SITE gave-up */
#endif
    left_over -= 25; /* SITE wrote acted */
    goods++;
    return NULL;
}

static void *program(void *arg)
{
    static bine_ns start[2] = {BINE_MS, 60 * BINE_MINUTE};
    both(buy, &start[0], buy, &start[1]);
    EXPECT(goods == 1 && left_over == 5);
    return arg;
}
PROGRAM(program)
