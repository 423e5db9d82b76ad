/* SPDX-License-Identifier: MIT
 *
 * The talk's currency rate: asked for between the deposit and the withdrawal, while an auditor adds the two up.
 * KIND: TORN-GROUP */
#include "../corpus.h"

#include <bine/check.h>

static struct {
    int payer, payee;
} money = {100, 0};
static int seen;

static int currency_rate(void)
{
    bine_sleep(2 * BINE_MS); /* SITE gave-up */
    return 1;
}

static void *transfer(void *arg)
{
#ifdef FIXED
    int rate = currency_rate();
    money.payee += 70 * rate;
    money.payer -= 70;
#else
    money.payee += 70;                   /* SITE looked */
    money.payer -= 70 / currency_rate(); /* SITE acted */
#endif
    return arg;
}

static void *auditor(void *arg)
{
    bine_sleep(BINE_MS);
    seen = money.payee + /* SITE wrote */
           money.payer;  /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    bine_together("money", &money.payer, sizeof money.payer);
    bine_together("money", &money.payee, sizeof money.payee);
    both(transfer, NULL, auditor, NULL);
    EXPECT(seen == 100);
    return arg;
}
PROGRAM(program)
