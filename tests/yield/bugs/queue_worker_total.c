/* SPDX-License-Identifier: MIT
 *
 * Workers take from one queue and add what they made of it to a total that they had read before.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static bine_queue *jobs;
static long total;

static long compute(long n)
{
    bine_sleep(BINE_MS); /* SITE gave-up */
    return n * n;
}

static void *worker(void *arg)
{
    void *item;
    while (bine_queue_get_try(jobs, &item) == 0) {
#ifdef FIXED
        long made = compute((long)(intptr_t)item);
        total = total + made;
#else
        long before = total; /* SITE looked */
        long made = compute((long)(intptr_t)item);
        total = before + made; /* SITE wrote acted */
#endif
    }
    return arg;
}

static void *program(void *arg)
{
    jobs = bine_queue_new(BINE_QUEUE_FIFO, 0, NULL);
    for (intptr_t i = 1; i <= 4; i++)
        bine_queue_put(jobs, (void *)i);
    both(worker, NULL, worker, NULL);
    bine_queue_free(jobs);
    EXPECT(total == 30);
    return arg;
}
PROGRAM(program)
