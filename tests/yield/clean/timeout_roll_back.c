/* SPDX-License-Identifier: MIT
 *
 * What was reserved is given back where the deadline passed. */
#include "../corpus.h"

#include <bine/check.h>

static int stock = 5, reserved, sold;

static bool counted(void *arg)
{
    (void)arg;
    return stock + reserved + sold == 5;
}

static void *buy(void *arg)
{
    bool paid = false;
    stock--;
    reserved++;
    BINE_TIMEOUT(10 * BINE_MS)
    {
        paid = bine_sleep(*(bine_ns *)arg) == 0;
    }
    reserved--;
    if (paid)
        sold++;
    else
        stock++;
    return NULL;
}

static void *program(void *arg)
{
    static bine_ns time[2] = {BINE_MS, BINE_SECOND};
    bine_invariant("stock", counted, NULL);
    both(buy, &time[0], buy, &time[1]);
    EXPECT(sold + stock == 5);
    bine_invariant_drop(counted, NULL);
    return arg;
}
PROGRAM(program)
