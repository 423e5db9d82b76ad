/* SPDX-License-Identifier: MIT
 *
 * Read, wait, write, all under one lock. */
#include "../corpus.h"

static bine_mutex lock = BINE_MUTEX_INIT;
static int balance = 100;

static void *withdraw(void *arg)
{
    int amount = *(int *)arg;
    bine_mutex_lock(&lock);
    int now = balance;
    if (now >= amount) {
        bine_sleep(BINE_MS);
        balance = now - amount;
    }
    bine_mutex_unlock(&lock);
    return NULL;
}

static void *program(void *arg)
{
    static int amount = 70;
    both(withdraw, &amount, withdraw, &amount);
    EXPECT(balance == 30);
    return arg;
}
PROGRAM(program)
