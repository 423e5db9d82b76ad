/* SPDX-License-Identifier: MIT
 *
 * Jobs by priority, from one task to another. */
#include "../corpus.h"

static bine_queue *queue;
static int order[3], n;

static void *worker(void *arg)
{
    void *item;
    while (bine_queue_get(queue, &item) == 0) {
        order[n++] = *(int *)item;
        bine_yield();
    }
    return arg;
}

static void *program(void *arg)
{
    static int job[3] = {3, 1, 2};
    queue = bine_queue_new(BINE_QUEUE_PRIORITY, 0, NULL);
    for (int i = 0; i < 3; i++)
        bine_queue_put_priority(queue, &job[i], job[i]);
    bine_queue_shutdown(queue, false);
    bine_join(bine_spawn(worker, NULL), NULL);
    bine_queue_free(queue);
    EXPECT(order[0] == 1 && order[1] == 2 && order[2] == 3);
    return arg;
}
PROGRAM(program)
