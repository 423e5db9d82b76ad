/* SPDX-License-Identifier: MIT
 *
 * A position is read in two steps with a wait between; this time nobody moves it until later.
 * KIND: TORN-GROUP */
#include "../corpus.h"

static struct {
    int north, east;
} place = {1, 1};
static int north, east;

static void *show(void *arg)
{
#ifdef FIXED
    bine_sleep(BINE_MS);
    north = place.north;
#else
    north = place.north; /* SITE looked */
    bine_sleep(BINE_MS); /* SITE gave-up */
#endif
    east = place.east; /* SITE acted */
    return arg;
}

static void *move(void *arg)
{
    bine_sleep(BINE_SECOND);
    place.north = 2; /* SITE wrote */
    place.east = 2;  /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    bine_together("place", &place.north, sizeof place.north);
    bine_together("place", &place.east, sizeof place.east);
    both(show, NULL, move, NULL);
    EXPECT(north == east);
    return arg;
}
PROGRAM(program)
