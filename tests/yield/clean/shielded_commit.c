/* SPDX-License-Identifier: MIT
 *
 * A cancelled task still commits what it has begun. */
#include "../corpus.h"

static int debit, credit;

static void *transfer(void *arg)
{
    BINE_SHIELD
    {
        debit += 5;
        bine_sleep(5 * BINE_MS);
        credit += 5;
    }
    return arg;
}

static void *program(void *arg)
{
    bine_task *t = bine_spawn(transfer, NULL);
    bine_sleep(BINE_MS);
    bine_stop(t, NULL);
    EXPECT(debit == 5 && credit == 5);
    return arg;
}
PROGRAM(program)
