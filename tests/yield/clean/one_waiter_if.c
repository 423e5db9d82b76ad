/* SPDX-License-Identifier: MIT
 *
 * A single consumer that the producer wakes directly needs no second look. */
#include "../corpus.h"

static bine_event filled = BINE_EVENT_INIT;
static int jobs;

static void *consumer(void *arg)
{
    if (jobs == 0)
        bine_event_wait(&filled);
    jobs--;
    return arg;
}

static void *producer(void *arg)
{
    bine_sleep(BINE_MS);
    jobs++;
    bine_event_set(&filled);
    return arg;
}

static void *program(void *arg)
{
    both(consumer, NULL, producer, NULL);
    EXPECT(jobs == 0);
    return arg;
}
PROGRAM(program)
