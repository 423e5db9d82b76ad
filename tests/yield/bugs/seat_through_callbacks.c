/* SPDX-License-Identifier: MIT
 *
 * Looking and acting are steps of a table of functions that a driver calls; the step between them waits.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

struct booking {
    int seat;
    bool good;
};
static int taken[4];
static int sold;

typedef void step(struct booking *);
static void look(struct booking *b) { b->good = taken[b->seat] == 0; /* SITE looked */ }
static void pay(struct booking *b)
{
    (void)b;
    bine_sleep(BINE_MS); /* SITE gave-up */
}
static void take(struct booking *b)
{
    if (b->good)
        taken[b->seat] = 1, sold++; /* SITE wrote acted */
}

static void *book(void *arg)
{
#ifdef FIXED
    step *steps[] = {pay, look, take};
#else
    step *steps[] = {look, pay, take};
#endif
    struct booking b = {*(int *)arg, false};
    steps[0](&b);
    steps[1](&b);
    steps[2](&b);
    return NULL;
}

static void *program(void *arg)
{
    static int seat = 2;
    both(book, &seat, book, &seat);
    EXPECT(sold == 1);
    return arg;
}
PROGRAM(program)
