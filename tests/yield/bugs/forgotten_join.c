/* SPDX-License-Identifier: MIT
 *
 * A task is started and nobody ever waits for it; it fails.
 * KIND: TASK-LEFT-BEHIND LOST-ERROR */
#include "../corpus.h"

static int saved;

static void *save(void *arg)
{
    if (bine_sleep(5 * BINE_MS) < 0)
        return bine_fail(errno);
    saved = 1;
    return arg;
}

static void *program(void *arg)
{
    bine_task *saver = bine_spawn(save, NULL); /* SITE looked */
#ifdef FIXED
    bine_join(saver, NULL);
    EXPECT(saved);
#else
    (void)saver;
    bine_sleep(BINE_MS);
    EXPECT(saved);
#endif
    return arg;
}
PROGRAM(program)
