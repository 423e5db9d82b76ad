/* SPDX-License-Identifier: MIT
 *
 * Two may enter; on a quiet day only one is inside.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

#ifdef FIXED
static bine_sem door = BINE_SEM_INIT(1);
#else
static bine_sem door = BINE_SEM_INIT(2);
#endif
static int coins;

static void *visitor(void *arg)
{
    bine_sleep(*(bine_ns *)arg);
    bine_sem_wait(&door);
    int n = coins;       /* SITE looked */
    bine_sleep(BINE_MS); /* SITE gave-up */
    coins = n + 1;       /* SITE wrote acted */
    bine_sem_post(&door);
    return NULL;
}

static void *program(void *arg)
{
    static bine_ns start[2] = {0, BINE_SECOND};
    both(visitor, &start[0], visitor, &start[1]);
    EXPECT(coins == 2);
    return arg;
}
PROGRAM(program)
