/* SPDX-License-Identifier: MIT
 *
 * A worker looks at a flag in each turn; another sets it. */
#include "../corpus.h"

static bool stop;
static int turns;

static void *worker(void *arg)
{
    while (!stop) {
        turns++;
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *stopper(void *arg)
{
    bine_sleep(10 * BINE_MS);
    stop = true;
    return arg;
}

static void *program(void *arg)
{
    both(worker, NULL, stopper, NULL);
    EXPECT(stop && turns >= 0);
    return arg;
}
PROGRAM(program)
