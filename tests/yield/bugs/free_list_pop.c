/* SPDX-License-Identifier: MIT
 *
 * A buffer is taken from the free list, prepared, and only then unlinked: two tasks get the same one.
 * KIND: LOST-UPDATE STALE-CHECK
 * STAGGERED: yes */
#include "../corpus.h"

struct buffer {
    struct buffer *next;
    int owner;
};
static struct buffer pool[4], *free_list;

static struct buffer *take(int owner)
{
    struct buffer *b = free_list; /* SITE looked */
    struct buffer *rest = b->next;
#ifdef FIXED
    free_list = rest;
    bine_sleep(BINE_MS);
    b->owner = owner;
#else
    b->owner = owner;
    bine_sleep(BINE_MS); /* SITE gave-up: clears it */
    free_list = rest;    /* SITE wrote acted */
#endif
    return b;
}

static void *user(void *arg)
{
    int me = *(int *)arg;
    struct buffer *b = take(me);
    EXPECT(b->owner == me);
    return NULL;
}

static void *program(void *arg)
{
    static int id[2] = {1, 2};
    for (int i = 3; i >= 0; i--)
        pool[i].next = free_list, free_list = &pool[i];
    both(user, &id[0], user, &id[1]);
    return arg;
}
PROGRAM(program)
