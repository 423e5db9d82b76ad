/* SPDX-License-Identifier: MIT
 *
 * Both totals of an account are declared to change together, and a receipt is sent between; who adds them up comes
 * later today.
 * KIND: TORN-GROUP */
#include "../corpus.h"

static struct {
    long paid, items;
} totals = {40, 4};
static long average;

static void *sale(void *arg)
{
    totals.paid += 10; /* SITE looked */
#ifdef FIXED
    totals.items++;
    bine_sleep(BINE_MS);
#else
    bine_sleep(BINE_MS); /* SITE gave-up */
    totals.items++;      /* SITE acted */
#endif
    return arg;
}

static void *report(void *arg)
{
    bine_sleep(BINE_MINUTE);
    long paid = totals.paid;       /* SITE wrote */
    average = paid / totals.items; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    bine_together("totals", &totals.paid, sizeof totals.paid);
    bine_together("totals", &totals.items, sizeof totals.items);
    both(sale, NULL, report, NULL);
    EXPECT(average == 10);
    return arg;
}
PROGRAM(program)
