/* SPDX-License-Identifier: MIT
 *
 * Memory that was freed comes back to another task: an old look at the address means nothing. */
#include "../corpus.h"

struct job {
    int state, result;
};

static void *worker(void *arg)
{
    for (int i = 0; i < 10; i++) {
        struct job *job = malloc(sizeof *job);
        job->state = i;
        job->result = 0;
        if (i & 1)
            bine_sleep(BINE_MS);
        job->result = job->state * 2;
        EXPECT(job->result == 2 * i);
        free(job);
        bine_yield();
    }
    return arg;
}

static void *program(void *arg)
{
    both(worker, NULL, worker, NULL);
    return arg;
}
PROGRAM(program)
