/* SPDX-License-Identifier: MIT
 *
 * The task is joined, but nobody asks how it ended.
 * KIND: LOST-ERROR */
#include "../corpus.h"

static void *save(void *arg)
{
    (void)arg;
    bine_sleep(BINE_MS);
    return bine_fail(ENOSPC);
}

static void *program(void *arg)
{
    bine_task *saver = bine_spawn(save, NULL); /* SITE looked */
#ifdef FIXED
    bine_result result;
    bine_join(saver, &result);
    EXPECT(result.error == ENOSPC);
#else
    bine_join(saver, NULL);
#endif
    return arg;
}
PROGRAM(program)
