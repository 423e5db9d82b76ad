/* SPDX-License-Identifier: MIT
 *
 * A task that was cancelled puts back what it had read, over what another has written since.
 * KIND: LOST-UPDATE CLOBBERED */
#include "../corpus.h"

static int mode = 1;

static void *with_mode_two(void *arg)
{
    int old = mode; /* SITE looked */
    mode = 2;       /* SITE looked */
    bine_sleep(BINE_SECOND); /* SITE gave-up: and is cancelled here */
#ifdef FIXED
    if (mode == 2)
#endif
        mode = old; /* SITE acted */
    return arg;
}

static void *administrator(void *arg)
{
    bine_sleep(BINE_MS);
    mode = 5; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    bine_task *task = bine_spawn(with_mode_two, NULL);
    bine_task *admin = bine_spawn(administrator, NULL);
    bine_sleep(10 * BINE_MS);
    bine_stop(task, NULL);
    bine_join(admin, NULL);
    EXPECT(mode == 5);
    return arg;
}
PROGRAM(program)
