/* SPDX-License-Identifier: MIT
 *
 * A semaphore lets two in; what they do inside needs one.
 * KIND: LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

#ifdef FIXED
static bine_sem admitted = BINE_SEM_INIT(1);
#else
static bine_sem admitted = BINE_SEM_INIT(2);
#endif
static long total;

static void *worker(void *arg)
{
    long amount = *(long *)arg;
    bine_sem_wait(&admitted);
    long now = total;       /* SITE looked */
    bine_yield();           /* SITE gave-up */
    total = now + amount;   /* SITE wrote acted */
    bine_sem_post(&admitted);
    return NULL;
}

static void *program(void *arg)
{
    static long amount[2] = {1, 2};
    both(worker, &amount[0], worker, &amount[1]);
    EXPECT(total == 3);
    return arg;
}
PROGRAM(program)
