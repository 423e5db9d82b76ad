/* SPDX-License-Identifier: MIT
 *
 * Buffers from a pool: one is taken, used, given back, and taken again by the same straight piece of code; others
 * had it meanwhile, which is what a pool is for. */
#include "../corpus.h"

struct buffer {
    struct buffer *next;
    int user, used;
};
static struct buffer buffers[2], *unused;
static bine_sem available = BINE_SEM_INIT(0);

static struct buffer *take(void)
{
    bine_sem_wait(&available);
    struct buffer *buffer = unused;
    unused = buffer->next;
    return buffer;
}

static void give_back(struct buffer *buffer)
{
    buffer->next = unused;
    unused = buffer;
    bine_sem_post(&available);
}

static void *user(void *arg)
{
    int me = *(int *)arg;
    struct buffer *buffer = take();
    buffer->user = me;
    bine_sleep(me * BINE_MS);
    EXPECT(buffer->user == me);
    give_back(buffer);
    bine_sleep(BINE_MS);
    buffer = take();
    buffer->user = -me;
    bine_sleep(BINE_MS);
    EXPECT(buffer->user == -me);
    give_back(buffer);
    return NULL;
}

static void *program(void *arg)
{
    static int number[4] = {1, 2, 3, 4};
    give_back(&buffers[0]);
    give_back(&buffers[1]);
    BINE_GROUP(group, BINE_GROUP_ALL)
        for (int i = 0; i < 4; i++)
            bine_group_spawn(&group, user, &number[i]);
    return arg;
}
PROGRAM(program)
