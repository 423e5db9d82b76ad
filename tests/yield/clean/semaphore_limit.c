/* SPDX-License-Identifier: MIT
 *
 * At most two at once, counted in a variable of the program's. */
#include "../corpus.h"

static bine_sem slots = BINE_SEM_INIT(2);
static int inside, most;

static void *job(void *arg)
{
    bine_sem_wait(&slots);
    inside++;
    if (inside > most)
        most = inside;
    bine_sleep(BINE_MS);
    inside--;
    bine_sem_post(&slots);
    return arg;
}

static void *program(void *arg)
{
    bine_task *more[2] = {bine_spawn(job, NULL), bine_spawn(job, NULL)};
    both(job, NULL, job, NULL);
    bine_join(more[0], NULL), bine_join(more[1], NULL);
    EXPECT(inside == 0 && most <= 2);
    return arg;
}
PROGRAM(program)
