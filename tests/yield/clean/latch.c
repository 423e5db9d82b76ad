/* SPDX-License-Identifier: MIT
 *
 * The parent waits until all parts are done, and reads what they made. */
#include "../corpus.h"

static bine_latch left = BINE_LATCH_INIT(2);
static int part[2];

static void *worker(void *arg)
{
    int *mine = arg;
    *mine = 1;
    bine_sleep(BINE_MS);
    *mine += 1;
    bine_latch_done(&left);
    bine_sleep(BINE_MS);
    return NULL;
}

static void *waiter(void *arg)
{
    bine_latch_wait(&left);
    EXPECT(part[0] + part[1] == 4);
    return arg;
}

static void *program(void *arg)
{
    bine_task *w = bine_spawn(waiter, NULL);
    both(worker, &part[0], worker, &part[1]);
    bine_join(w, NULL);
    return arg;
}
PROGRAM(program)
