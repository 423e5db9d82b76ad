/* SPDX-License-Identifier: MIT
 *
 * A pointer into an array that grows: the array moves while the task that holds the pointer waits.
 * KIND: USE-AFTER-FREE-ACROSS-YIELD */
#include "../corpus.h"

struct item {
    int price, sold;
};
static struct item *items;
static size_t count;

static void add(int price)
{
    struct item *grown = malloc((count + 1) * sizeof *grown);
    for (size_t i = 0; i < count; i++)
        grown[i] = items[i];
    grown[count++] = (struct item){price, 0};
    free(items); /* SITE wrote */
    items = grown;
}

static void *sell(void *arg)
{
    struct item *item = &items[0];
    bine_sleep(2 * BINE_MS); /* SITE gave-up: the payment */
#ifdef FIXED
    item = &items[0];
#endif
    item->sold++; /* SITE acted */
    return arg;
}

static void *restock(void *arg)
{
    bine_sleep(BINE_MS);
    add(7);
    return arg;
}

static void *program(void *arg)
{
    add(5);
    both(sell, NULL, restock, NULL);
    EXPECT(items[0].sold == 1);
    free(items);
    return arg;
}
PROGRAM(program)
