/* SPDX-License-Identifier: MIT
 *
 * A bid on a lot is checked with the bank, and entered in the lot's row, where another lot stands by then: the table
 * was sorted.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

struct lot {
    unsigned number, offered;
};
static struct lot lots[3] = {{70, 10}, {50, 20}, {60, 30}};

static struct lot *lot(unsigned number)
{
    for (int i = 0; i < 3; i++)
        if (lots[i].number == number)
            return &lots[i];
    return NULL;
}

static void *bid(void *arg)
{
    struct lot *on = lot(70);
    if (on->offered >= 100) /* SITE looked */
        return arg;
    bine_sleep(4 * BINE_MS); /* SITE gave-up */
#ifdef FIXED
    on = lot(70);
    if (on->offered >= 100)
        return arg;
#endif
    on->offered += 100; /* SITE acted */
    return arg;
}

static int by_number(const void *a, const void *b)
{
    const struct lot *one = a, *other = b;
    return one->number < other->number ? -1 : one->number > other->number;
}

static void *print_catalogue(void *arg)
{
    bine_sleep(BINE_MS);
    qsort(lots, 3, sizeof *lots, by_number); /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    both(bid, NULL, print_catalogue, NULL);
    EXPECT(lot(70)->offered == 110);
    return arg;
}
PROGRAM(program)
