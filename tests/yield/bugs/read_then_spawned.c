/* SPDX-License-Identifier: MIT
 *
 * A child writes while its parent, which had looked before it was spawned, waits for something else.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

static int level;

static void *child(void *arg)
{
    bine_sleep(BINE_MS);
    level = 3; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
#ifndef FIXED
    int before = level; /* SITE looked */
#endif
    bine_task *task = bine_spawn(child, NULL);
    bine_sleep(5 * BINE_MS); /* SITE gave-up */
#ifdef FIXED
    int before = level;
#endif
    level = before + 1; /* SITE acted */
    bine_join(task, NULL);
    EXPECT(level == 4 || level == 3);
    return arg;
}
PROGRAM(program)
