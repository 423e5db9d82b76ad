/* SPDX-License-Identifier: MIT
 *
 * Workers share a queue of jobs and fill in the job that they have. */
#include "../corpus.h"

struct job {
    int input, output;
};
static bine_queue *queue;

static void *worker(void *arg)
{
    void *item;
    while (bine_queue_get(queue, &item) == 0) {
        struct job *job = item;
        int input = job->input;
        bine_sleep(input * BINE_MS);
        job->output = input * input;
        bine_queue_task_done(queue);
    }
    return arg;
}

static void *program(void *arg)
{
    struct job jobs[6];
    queue = bine_queue_new(BINE_QUEUE_FIFO, 2, NULL);
    bine_task *one = bine_spawn(worker, NULL), *two = bine_spawn(worker, NULL);
    for (int i = 0; i < 6; i++) {
        jobs[i] = (struct job){i, -1};
        bine_queue_put(queue, &jobs[i]);
    }
    bine_queue_join(queue);
    bine_queue_shutdown(queue, false);
    bine_join(one, NULL), bine_join(two, NULL);
    for (int i = 0; i < 6; i++)
        EXPECT(jobs[i].output == i * i);
    bine_queue_free(queue);
    return arg;
}
PROGRAM(program)
