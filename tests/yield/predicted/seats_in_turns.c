/* SPDX-License-Identifier: MIT
 *
 * Children of a group that happen to start one after the other.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static int seats = 9;

static void *child(void *arg)
{
    bine_sleep(*(bine_ns *)arg);
#ifdef FIXED
    bine_sleep(BINE_MS);
    int left = seats;
#else
    int left = seats;    /* SITE looked */
    bine_sleep(BINE_MS); /* SITE gave-up */
#endif
    seats = left - 1; /* SITE wrote acted */
    return NULL;
}

static void *program(void *arg)
{
    static bine_ns start[3] = {0, 10 * BINE_MS, 20 * BINE_MS};
    BINE_GROUP(g, BINE_GROUP_ALL)
    {
        for (int i = 0; i < 3; i++)
            bine_group_spawn(&g, child, &start[i]);
    }
    EXPECT(seats == 6);
    return arg;
}
PROGRAM(program)
