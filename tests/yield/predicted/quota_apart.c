/* SPDX-License-Identifier: MIT
 *
 * A client's connections are checked, opened, and counted; today the second comes late.
 * KIND: STALE-CHECK */
#include "../corpus.h"

static int connections;

static void *connection(void *arg)
{
    bine_sleep(*(bine_ns *)arg);
    if (connections >= 3) /* SITE looked */
        return NULL;
#ifdef FIXED
    connections++;
    bine_sleep(BINE_MS);
#else
    bine_sleep(BINE_MS); /* SITE gave-up */
    connections++;       /* SITE wrote acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    static bine_ns start[2] = {BINE_MS, 50 * BINE_MS};
    both(connection, &start[0], connection, &start[1]);
    EXPECT(connections == 2);
    return arg;
}
PROGRAM(program)
