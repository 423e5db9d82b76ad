/* SPDX-License-Identifier: MIT
 *
 * Buffers are taken from and given back to a free list; its links are the buffers' own memory. */
#include "../corpus.h"

union buffer {
    union buffer *next;
    int owner;
};
static union buffer pool[3], *free_list;

static union buffer *take(void)
{
    union buffer *b = free_list;
    if (b)
        free_list = b->next;
    return b;
}

static void give(union buffer *b)
{
    b->next = free_list;
    free_list = b;
}

static void *user(void *arg)
{
    for (int i = 0; i < 8; i++) {
        union buffer *b = take();
        b->owner = *(int *)arg;
        bine_sleep(BINE_MS);
        EXPECT(b->owner == *(int *)arg);
        give(b);
        bine_yield();
    }
    return NULL;
}

static void *program(void *arg)
{
    static int id[2] = {1, 2};
    for (int i = 0; i < 3; i++)
        give(&pool[i]);
    both(user, &id[0], user, &id[1]);
    return arg;
}
PROGRAM(program)
