/* SPDX-License-Identifier: MIT
 *
 * An order goes through stages, functions in a table: one looks whether it is paid, one waits, one ships.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

enum state { PAID = 1, SHIPPED };
struct order {
    enum state state;
    int parcels;
};
struct stage {
    const char *name;
    int (*run)(struct order *);
};

static int is_paid(struct order *order) { return order->state == PAID ? 0 : -1; } /* SITE looked */

static int find_van(struct order *order)
{
    (void)order;
    return bine_sleep(BINE_MS); /* SITE gave-up */
}

static int ship(struct order *order)
{
    order->state = SHIPPED; /* SITE wrote acted */
    order->parcels++;
    return 0;
}

#ifdef FIXED
static struct stage stages[] = {{"van", find_van}, {"paid", is_paid}, {"ship", ship}};
#else
static struct stage stages[] = {{"paid", is_paid}, {"van", find_van}, {"ship", ship}};
#endif

static void *clerk(void *arg)
{
    for (struct stage *stage = stages; stage < stages + sizeof stages / sizeof *stages; stage++)
        if (stage->run(arg) != 0)
            break;
    return NULL;
}

static void *program(void *arg)
{
    static struct order order = {PAID, 0};
    both(clerk, &order, clerk, &order);
    EXPECT(order.parcels == 1);
    return arg;
}
PROGRAM(program)
