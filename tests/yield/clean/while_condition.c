/* SPDX-License-Identifier: MIT
 *
 * Consumers wait in a loop for what a producer puts under a lock. */
#include "../corpus.h"

static bine_mutex lock = BINE_MUTEX_INIT;
static bine_cond filled = BINE_COND_INIT;
static int jobs, taken;

static void *consumer(void *arg)
{
    bine_mutex_lock(&lock);
    while (jobs == 0)
        bine_cond_wait(&filled, &lock);
    jobs--;
    taken++;
    bine_mutex_unlock(&lock);
    return arg;
}

static void *producer(void *arg)
{
    for (int i = 0; i < 2; i++) {
        bine_sleep(BINE_MS);
        bine_mutex_lock(&lock);
        jobs++;
        bine_cond_broadcast(&filled);
        bine_mutex_unlock(&lock);
    }
    return arg;
}

static void *program(void *arg)
{
    bine_task *first = bine_spawn(consumer, NULL);
    both(consumer, NULL, producer, NULL);
    bine_join(first, NULL);
    EXPECT(jobs == 0 && taken == 2);
    return arg;
}
PROGRAM(program)
