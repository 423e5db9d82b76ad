/* SPDX-License-Identifier: MIT
 *
 * Fewer jobs are pending than may be, so one is put, which waits while the queue is full, and then counted.
 * KIND: STALE-CHECK */
#include "../corpus.h"

enum { MOST = 2 };
static bine_queue *queue;
static int pending, rejected;

static void *submit(void *arg)
{
    if (pending >= MOST) { /* SITE looked */
        puts("too many");
        rejected++;
        return NULL;
    }
#ifdef FIXED
    pending++;
#endif
    bine_queue_put(queue, arg); /* SITE gave-up */
#ifndef FIXED
    pending++; /* SITE wrote acted */
#endif
    return NULL;
}

static void *worker(void *arg)
{
    void *job;
    bine_sleep(BINE_MS);
    while (bine_queue_get(queue, &job) == 0)
        bine_sleep(BINE_MS);
    return arg;
}

static void *program(void *arg)
{
    static char job[4];
    queue = bine_queue_new(BINE_QUEUE_FIFO, 1, NULL);
    bine_task *w = bine_spawn(worker, NULL);
    BINE_GROUP(clients, BINE_GROUP_ALL)
    {
        for (int i = 0; i < 4; i++)
            bine_group_spawn(&clients, submit, &job[i]);
    }
    bine_queue_shutdown(queue, false);
    bine_join(w, NULL);
    bine_queue_free(queue);
    EXPECT(rejected == 2);
    return arg;
}
PROGRAM(program)
