/* SPDX-License-Identifier: MIT
 *
 * A ring: full if head + 1 == tail (modulo); the message is encoded in between.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

enum { N = 4 };
static struct ring {
    unsigned head, tail;
    int msg[N];
} r;

static int encode(int x)
{
    bine_sleep(BINE_MS); /* SITE gave-up */
    return x * 3;
}

static bool push(struct ring *q, int x)
{
#ifdef FIXED
    x = encode(x);
#endif
    if ((q->head + 1) % N == q->tail % N) /* SITE looked */
        return false;
#ifndef FIXED
    x = encode(x);
#endif
    q->msg[q->head % N] = x;
    q->head = (q->head + 1) % N; /* SITE wrote acted */
    return true;
}

static void *producer(void *arg)
{
    push(&r, *(int *)arg);
    return NULL;
}

static void *program(void *arg)
{
    static int a = 1, b = 2;
    r.head = 2;
    both(producer, &a, producer, &b);
    EXPECT(r.head != r.tail);
    return arg;
}
PROGRAM(program)
