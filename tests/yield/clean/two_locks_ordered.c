/* SPDX-License-Identifier: MIT
 *
 * Transfers in both directions, the locks taken in one order. */
#include "../corpus.h"

static struct account {
    bine_mutex lock;
    int balance;
} account[2] = {{BINE_MUTEX_INIT, 100}, {BINE_MUTEX_INIT, 100}};

static void *transfer(void *arg)
{
    int from = *(int *)arg, to = !from;
    bine_mutex_lock(&account[0].lock);
    bine_mutex_lock(&account[1].lock);
    int left = account[from].balance, there = account[to].balance;
    bine_sleep(BINE_MS);
    account[from].balance = left - 30;
    account[to].balance = there + 30;
    bine_mutex_unlock(&account[1].lock);
    bine_mutex_unlock(&account[0].lock);
    return NULL;
}

static void *program(void *arg)
{
    static int from[2] = {0, 1};
    both(transfer, &from[0], transfer, &from[1]);
    EXPECT(account[0].balance == 100 && account[1].balance == 100);
    return arg;
}
PROGRAM(program)
