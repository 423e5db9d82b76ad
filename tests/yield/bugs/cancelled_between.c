/* SPDX-License-Identifier: MIT
 *
 * A transfer is cancelled between the debit and the credit.
 * KIND: INVARIANT */
#include "../corpus.h"

#include <bine/check.h>

static int payer = 100, payee;

static bool conserved(void *arg)
{
    (void)arg;
    return payer + payee == 100;
}

static void *transfer(void *arg)
{
    payer -= 70;
#ifdef FIXED
    payee += 70;
    bine_sleep(BINE_SECOND);
#else
    if (bine_sleep(BINE_SECOND) < 0) /* SITE gave-up */
        return arg;
    payee += 70;
#endif
    return arg;
}

static void *program(void *arg)
{
    bine_invariant("money is conserved", conserved, NULL);
    bine_task *task = bine_spawn(transfer, NULL);
    bine_sleep(BINE_MS);
    bine_stop(task, NULL);
    EXPECT(conserved(NULL));
    bine_invariant_drop(conserved, NULL);
    return arg;
}
PROGRAM(program)
