/* SPDX-License-Identifier: MIT
 *
 * The place in the ring is taken, the disk is told, the place is counted: two producers use the same place.
 * KIND: LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

enum { N = 8 };
static int ring[N];
static unsigned tail;

static void *produce(void *arg)
{
#ifdef FIXED
    unsigned at = tail++;
    ring[at % N] = *(int *)arg;
    bine_sleep(BINE_MS);
#else
    unsigned at = tail; /* SITE looked */
    ring[at % N] = *(int *)arg;
    bine_sleep(BINE_MS); /* SITE gave-up */
    tail = at + 1;       /* SITE wrote acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    static int value[2] = {1, 2};
    both(produce, &value[0], produce, &value[1]);
    EXPECT(tail == 2 && ring[0] + ring[1] == 3);
    return arg;
}
PROGRAM(program)
