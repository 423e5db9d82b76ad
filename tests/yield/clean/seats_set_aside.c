/* SPDX-License-Identifier: MIT
 *
 * Seats that are left are those that are free and not set aside.  One is set aside at once, and sold or given back
 * when it was paid for or not. */
#include "../corpus.h"

static struct flight {
    int unsold, aside, sold;
} flight = {3, 0, 0};
static int refused;

static bool pay(int passenger)
{
    bine_sleep((passenger % 3 + 1) * BINE_MS);
    return passenger != 2;
}

static void book(struct flight *to, int passenger)
{
    if (to->unsold - to->aside <= 0) {
        refused++;
        return;
    }
    to->aside++;
    bool paid = pay(passenger);
    to->aside--;
    if (!paid)
        return;
    to->unsold--;
    to->sold++;
}

static void *passenger(void *arg)
{
    book(&flight, (int)(intptr_t)arg);
    return NULL;
}

static void *program(void *arg)
{
    BINE_GROUP(group, BINE_GROUP_ALL)
        for (intptr_t i = 1; i < 6; i++)
            bine_group_spawn(&group, passenger, (void *)i);
    EXPECT(flight.aside == 0 && flight.unsold >= 0 && flight.sold + flight.unsold == 3 && refused <= 2);
    return arg;
}
PROGRAM(program)
