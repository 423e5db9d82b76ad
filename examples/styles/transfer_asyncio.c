/* SPDX-License-Identifier: MIT
 *
 * transfer() as one writes it with asyncio: a task may switch only where bine_await() stands, so what is
 * between two of these is atomic, and no lock is needed.
 *
 * BINE_ATOMIC says that the two updates belong together, to readers and to the checkers.  INNOCENT puts a
 * currency rate there, as somebody did. */
#include <bine.h>
#include <bine/check.h>

#include <errno.h>

#include "../lib/style.h"

struct account {
    long balance;
};

static struct {
    struct account account[3];
} bank = {{{100}, {0}, {0}}};

#ifdef INNOCENT
static long currency_rate(void)
{
    bine_await(style_log("asks for the rate"));
    return 1;
}
#endif

static int transfer(struct account *payer, struct account *payee, long amount)
{
    int how = -1;
    BINE_ATOMIC {
        if (payer->balance >= amount) {
            payer->balance -= amount;
#ifdef INNOCENT
            amount *= currency_rate();
#endif
            payee->balance += amount;
            how = 0;
        }
    }
    bine_await(style_log(how < 0 ? "insufficient funds" : "transferred"));
    errno = EDQUOT;
    return how;
}

static long audit(void)
{
    return bank.account[0].balance + bank.account[1].balance + bank.account[2].balance;
}

/* ---- Two transfers of 70 out of 100, and an audit ------------------------------------------------------ */

static void *pay(void *payee)
{
    bine_await(transfer(&bank.account[0], payee, 70));
    return NULL;
}

static void *look(void *wrong)
{
    *(long *)wrong += audit() != 100;
    bine_await(style_log("audited"));
    *(long *)wrong += audit() != 100;
    return NULL;
}

static void *scenario(void *arg)
{
    long wrong = 0;
    bine_task *tasks[] = {style_spawn(BINE_EXPLICIT, pay, &bank.account[1]),
                          style_spawn(BINE_EXPLICIT, pay, &bank.account[2]),
                          style_spawn(BINE_EXPLICIT, look, &wrong)};
    for (int i = 0; i < 3; i++)
        bine_await(bine_join(tasks[i], NULL));
    return wrong || audit() != 100 || bank.account[0].balance != 30 ? bine_fail(EPROTO) : arg;
}

/* ---- The load: round and round ------------------------------------------------------------------------- */

static int open_bank(void)
{
    for (int i = 0; i < 3; i++)
        bank.account[i].balance = 1000000000;
    return 0;
}

static int operation(unsigned client)
{
    return bine_await(transfer(&bank.account[client % 3], &bank.account[(client + 1) % 3], 1));
}

static void close_bank(void)
{
}

int main(int argc, char **argv)
{
    static const struct style style = {"transfer, asyncio", BINE_EXPLICIT, scenario,
                                       open_bank,           operation,     close_bank};
    return style_main(argc, argv, &style);
}
