/* SPDX-License-Identifier: MIT
 *
 * transfer(): where others may run between the check and the update, money is made out of nothing.
 *
 * careless() logs as it goes, and the log yields: two transfers both find the balance sufficient.
 * locked() holds the payer's lock meanwhile, as one would with gevent.  unswitched() lets nothing that
 * yields stand between the check and the update, as one would with asyncio; a failure before the update
 * leaves all as it was, and the currency rate is asked for beforehand, not half-way through, where its
 * failure would lose money (half_way()). */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lib/trace.h"

struct account {
    const char *name;
    int balance;
    bine_mutex lock;
};

struct transfer {
    struct account *payer, *payee;
    int amount;
    int rate; /* of the currency; 0: the office does not answer */
};

static void log_line(const char *name, const char *what)
{
    printf("  %s %s\n", name, what);
    bine_yield(); /* to the log server */
}

static int currency_rate(const struct transfer *t, int *rate)
{
    *rate = t->rate;
    errno = EHOSTUNREACH;
    return bine_yield() < 0 || t->rate == 0 ? -1 : 0;
}

static void *careless(void *arg)
{
    struct transfer *t = arg;
    if (t->payer->balance < t->amount)
        return bine_fail(EDQUOT);
    log_line(t->payer->name, "has sufficient funds");
    t->payee->balance += t->amount;
    log_line(t->payee->name, "received payment");
    t->payer->balance -= t->amount;
    log_line(t->payer->name, "made payment");
    return NULL;
}

static void *locked(void *arg)
{
    struct transfer *t = arg;
    if (bine_mutex_lock(&t->payer->lock) < 0)
        return bine_fail(errno);
    void *result = careless(arg); /* may yield as it likes */
    bine_mutex_unlock(&t->payer->lock);
    return result;
}

static void *half_way(void *arg)
{
    struct transfer *t = arg;
    int rate;
    if (t->payer->balance < t->amount)
        return bine_fail(EDQUOT);
    t->payee->balance += t->amount;
    if (currency_rate(t, &rate) < 0)
        return bine_fail(errno); /* the payee keeps the money, the payer too */
    t->payer->balance -= t->amount / rate;
    return NULL;
}

static void *unswitched(void *arg)
{
    struct transfer *t = arg;
    int rate;
    if (currency_rate(t, &rate) < 0)
        return bine_fail(errno);
    if (t->payer->balance < t->amount / rate) /* from here: nothing that yields */
        return bine_fail(EDQUOT);
    t->payee->balance += t->amount;
    t->payer->balance -= t->amount / rate; /* up to here */
    log_line(t->payer->name, "has sufficient funds");
    log_line(t->payee->name, "received payment");
    log_line(t->payer->name, "made payment");
    return NULL;
}

/* Two transfers of 70 at once, out of 100. */
static void show(const char *title, bine_fn *transfer, int rate)
{
    struct account ann = {"ann", 100, BINE_MUTEX_INIT};
    struct account bob = {"bob", 0, BINE_MUTEX_INIT};
    struct account cy = {"cy", 0, BINE_MUTEX_INIT};
    struct transfer transfers[] = {{&ann, &bob, 70, rate}, {&ann, &cy, 70, rate}};
    bine_task *tasks[2];
    printf("%s\n", title);
    for (int i = 0; i < 2; i++)
        tasks[i] = bine_spawn(transfer, &transfers[i]);
    for (int i = 0; i < 2; i++) {
        bine_result result = {NULL, 0};
        if (tasks[i] && bine_join(tasks[i], &result) == 0 && result.error)
            printf("  refused: %s\n", result.error == EDQUOT ? "insufficient funds" : strerror(result.error));
    }
    int sum = ann.balance + bob.balance + cy.balance;
    printf("ann %d, bob %d, cy %d: %s\n", ann.balance, bob.balance, cy.balance,
           ann.balance < 0 ? "WRONG, overdrawn" : sum != 100 ? "WRONG, out of nothing" : "right");
}

static void *run(void *arg)
{
    show("careless", careless, 1);
    show("locked", locked, 1);
    show("fails half-way", half_way, 0);
    show("unswitched", unswitched, 1);
    show("unswitched, no rate", unswitched, 0);
    return arg;
}

int main(int argc, char **argv)
{
    return trace_main(argc, argv, run);
}
