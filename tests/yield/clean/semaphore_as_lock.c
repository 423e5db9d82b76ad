/* SPDX-License-Identifier: MIT
 *
 * A semaphore of one is a lock. */
#include "../corpus.h"

static bine_sem lock = BINE_SEM_INIT(1);
static int value;

static void *increment(void *arg)
{
    for (int i = 0; i < 3; i++) {
        bine_sem_wait(&lock);
        int was = value;
        bine_sleep(BINE_MS);
        value = was + 1;
        bine_sem_post(&lock);
    }
    return arg;
}

static void *program(void *arg)
{
    both(increment, NULL, increment, NULL);
    EXPECT(value == 6);
    return arg;
}
PROGRAM(program)
