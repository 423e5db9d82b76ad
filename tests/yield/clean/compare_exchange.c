/* SPDX-License-Identifier: MIT
 *
 * The same by a compare-and-exchange. */
#include "../corpus.h"

static int total;

static void *add(void *arg)
{
    int amount = *(int *)arg, was = __atomic_load_n(&total, __ATOMIC_RELAXED);
    do
        bine_sleep(amount * BINE_MS);
    while (!__atomic_compare_exchange_n(&total, &was, was + amount, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return NULL;
}

static void *program(void *arg)
{
    static int amount[2] = {2, 3};
    both(add, &amount[0], add, &amount[1]);
    EXPECT(total == 5);
    return arg;
}
PROGRAM(program)
