/* SPDX-License-Identifier: MIT
 *
 * A second task's handle replaces the first one's before that was joined.
 * KIND: TASK-LEFT-BEHIND */
#include "../corpus.h"

static int done;
static struct {
    bine_task *worker;
} pool;

static void *work(void *arg)
{
    bine_sleep(*(bine_ns *)arg);
    if (!bine_cancelled())
        done++;
    return NULL;
}

static void start(bine_ns *time)
{
#ifdef FIXED
    if (pool.worker)
        bine_join(pool.worker, NULL);
#endif
    pool.worker = bine_spawn(work, time); /* SITE looked */
}

static void *program(void *arg)
{
    static bine_ns time[2] = {BINE_SECOND, BINE_MS};
    start(&time[0]);
    start(&time[1]);
    bine_join(pool.worker, NULL);
    EXPECT(done == 2);
    return arg;
}
PROGRAM(program)
