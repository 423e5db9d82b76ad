/* SPDX-License-Identifier: MIT
 *
 * Who finds no printer free stands in a ring and parks; who is done hands its own to the next in the ring, or
 * counts it as free if nobody stands there. */
#include "../corpus.h"

enum { PRINTERS = 2, PLACES = 4 };
struct ticket {
    bine_task *who;
    bool called;
};
static struct {
    int idle;
    struct ticket *ring[PLACES];
    unsigned in, out;
} office = {PRINTERS, {NULL}, 0, 0};
static int printing, most, pages;

static void claim(void)
{
    if (office.idle > 0) {
        office.idle--;
        return;
    }
    struct ticket mine = {bine_self(), false};
    office.ring[office.in++ % PLACES] = &mine;
    while (!mine.called)
        bine_park();
}

static void leave(void)
{
    if (office.out == office.in) {
        office.idle++;
        return;
    }
    struct ticket *next = office.ring[office.out++ % PLACES];
    next->called = true;
    bine_wake(next->who);
}

static void *print(void *arg)
{
    const int *slow = arg;
    for (int i = 0; i < 3; i++) {
        claim();
        printing++;
        most = printing > most ? printing : most;
        bine_sleep(*slow * BINE_MS);
        pages++;
        printing--;
        leave();
    }
    return NULL;
}

static void *program(void *arg)
{
    static int slow[] = {1, 2, 3, 1, 2};
    BINE_GROUP(group, BINE_GROUP_ALL)
        for (int i = 0; i < 5; i++)
            bine_group_spawn(&group, print, &slow[i]);
    EXPECT(most == PRINTERS && pages == 15 && office.idle == PRINTERS);
    return arg;
}
PROGRAM(program)
