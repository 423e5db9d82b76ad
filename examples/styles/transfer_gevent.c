/* SPDX-License-Identifier: MIT
 *
 * transfer() as one writes it with gevent: any call may switch, so a lock holds off the others.
 *
 * The audit only reads, and whoever wrote it did without the lock.  That is right as long as nothing between
 * the two updates switches; nothing here says so.  INNOCENT puts a currency rate there, as somebody did. */
#include <bine.h>

#include <errno.h>

#include "../lib/style.h"

struct account {
    long balance;
};

static struct {
    bine_mutex lock;
    struct account account[3];
} bank = {BINE_MUTEX_INIT, {{100}, {0}, {0}}};

#ifdef INNOCENT
static long currency_rate(void)
{
    style_log("asks for the rate");
    return 1;
}
#endif

static int transfer(struct account *payer, struct account *payee, long amount)
{
    if (bine_mutex_lock(&bank.lock) < 0)
        return -1;
    int how = payer->balance < amount ? -1 : 0;
    if (how == 0) {
        payer->balance -= amount;
#ifdef INNOCENT
        amount *= currency_rate();
#endif
        payee->balance += amount;
    }
    bine_mutex_unlock(&bank.lock);
    style_log(how < 0 ? "insufficient funds" : "transferred");
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
    transfer(&bank.account[0], payee, 70);
    return NULL;
}

static void *look(void *wrong)
{
    *(long *)wrong += audit() != 100;
    style_log("audited");
    *(long *)wrong += audit() != 100;
    return NULL;
}

static void *scenario(void *arg)
{
    long wrong = 0;
    bine_task *tasks[] = {style_spawn(BINE_IMPLICIT, pay, &bank.account[1]),
                          style_spawn(BINE_IMPLICIT, pay, &bank.account[2]),
                          style_spawn(BINE_IMPLICIT, look, &wrong)};
    for (int i = 0; i < 3; i++)
        bine_join(tasks[i], NULL);
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
    return transfer(&bank.account[client % 3], &bank.account[(client + 1) % 3], 1);
}

static void close_bank(void)
{
}

int main(int argc, char **argv)
{
    static const struct style style = {"transfer, gevent", BINE_IMPLICIT, scenario,
                                       open_bank,          operation,     close_bank};
    return style_main(argc, argv, &style);
}
