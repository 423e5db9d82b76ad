/* SPDX-License-Identifier: MIT
 *
 * An actor: all that it has is its own, and everything comes through channels. */
#include "../corpus.h"

static bine_chan *deposits, *withdrawals, *quit;
static int balance, refused;

static void *account(void *arg)
{
    int amount, ignored;
    for (;;) {
        bine_case cases[] = {bine_case_recv(deposits, &amount), bine_case_recv(withdrawals, &amount),
                             bine_case_recv(quit, &ignored)};
        switch (bine_chan_select(cases, 3)) {
        case 0:
            balance += amount;
            break;
        case 1:
            if (balance < amount)
                refused++;
            else
                balance -= amount;
            break;
        default:
            return arg;
        }
    }
}

static void *user(void *arg)
{
    int amount = *(int *)arg;
    for (int i = 0; i < 3; i++) {
        bine_chan_send(deposits, &amount);
        bine_sleep(BINE_MS);
        bine_chan_send(withdrawals, &amount);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int amount[2] = {10, 25};
    deposits = bine_chan_new(sizeof(int), 0, NULL);
    withdrawals = bine_chan_new(sizeof(int), 0, NULL);
    quit = bine_chan_new(sizeof(int), 0, NULL);
    bine_task *actor = bine_spawn(account, NULL);
    both(user, &amount[0], user, &amount[1]);
    bine_chan_send(quit, &(int){0});
    bine_join(actor, NULL);
    EXPECT(balance >= 0);
    bine_chan_free(deposits), bine_chan_free(withdrawals), bine_chan_free(quit);
    return arg;
}
PROGRAM(program)
