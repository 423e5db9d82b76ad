/* SPDX-License-Identifier: MIT
 *
 * A counter is read, something yields, the counter is written.
 * KIND: LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

static int visits;

static void *visit(void *arg)
{
#ifdef FIXED
    bine_sleep(BINE_MS);
    int before = visits;
    visits = before + 1;
#else
    int before = visits; /* SITE looked */
    bine_sleep(BINE_MS); /* SITE gave-up */
    visits = before + 1; /* SITE wrote acted */
#endif
    return arg;
}

static void *program(void *arg)
{
    both(visit, NULL, visit, NULL);
    EXPECT(visits == 2);
    return arg;
}
PROGRAM(program)
