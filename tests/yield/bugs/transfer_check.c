/* SPDX-License-Identifier: MIT
 *
 * The talk's transfer: the balance is sufficient, the log is written (which yields), the money is withdrawn.
 * KIND: STALE-CHECK */
#include "../corpus.h"

struct account {
    int balance;
} payer = {100};

static void log_line(const char *what)
{
    printf("%s\n", what);
    bine_yield(); /* SITE gave-up */
}

static void *transfer(void *arg)
{
    int amount = *(int *)arg;
#ifdef FIXED
    log_line("transfer");
#endif
    if (payer.balance < amount) /* SITE looked */
        return NULL;
#ifndef FIXED
    log_line("has sufficient funds"); /* SITE gave-up */
#endif
    payer.balance -= amount; /* SITE wrote acted */
    return NULL;
}

static void *program(void *arg)
{
    static int amount = 70;
    both(transfer, &amount, transfer, &amount);
    EXPECT(payer.balance >= 0);
    return arg;
}
PROGRAM(program)
