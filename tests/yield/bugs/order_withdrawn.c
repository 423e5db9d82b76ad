/* SPDX-License-Identifier: MIT
 *
 * A customer's order stands on the customer's stack, and stays on the kitchen's board when the customer has waited
 * long enough and gone.
 * KIND: USE-AFTER-FREE-ACROSS-YIELD */
#include "../corpus.h"

enum { PLACES = 4 };
struct order {
    int dish;
    bool cooked;
};
static struct order *board[PLACES];
static int customers, cooked_for_nobody;

static void wait_for(struct order *order)
{
    for (int i = 0; i < 3 && !order->cooked; i++)
        bine_sleep(2 * BINE_MS);
}

static void *customer(void *arg)
{
    struct order order = {7, false};
    customers++;
    board[1] = &order;
    wait_for(&order);
#ifdef FIXED
    board[1] = NULL;
#endif
    customers--;
    return arg; /* SITE wrote */
} /* SITE wrote */

static void *cook(void *arg)
{
    bine_sleep(20 * BINE_MS); /* SITE gave-up */
    for (int i = 0; i < PLACES; i++)
        if (board[i]) {
            board[i]->cooked = true; /* SITE acted */
            cooked_for_nobody += customers == 0;
        }
    return arg;
}

static void *program(void *arg)
{
    both(customer, NULL, cook, NULL);
    EXPECT(cooked_for_nobody == 0);
    return arg;
}
PROGRAM(program)
