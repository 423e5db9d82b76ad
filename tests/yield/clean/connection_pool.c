/* SPDX-License-Identifier: MIT
 *
 * A pool of connections under a semaphore; each is one task's while it has it. */
#include "../corpus.h"

enum { SIZE = 2 };
static struct connection {
    int used_by, queries;
} pool[SIZE];
static bine_sem idle = BINE_SEM_INIT(SIZE);

static struct connection *acquire(int who)
{
    bine_sem_wait(&idle);
    for (int i = 0; i < SIZE; i++)
        if (!pool[i].used_by) {
            pool[i].used_by = who;
            return &pool[i];
        }
    return NULL;
}

static void release(struct connection *c)
{
    c->used_by = 0;
    bine_sem_post(&idle);
}

static void *user(void *arg)
{
    int me = *(int *)arg;
    for (int i = 0; i < 4; i++) {
        struct connection *c = acquire(me);
        EXPECT(c != NULL);
        bine_sleep(me * BINE_MS);
        c->queries++;
        EXPECT(c->used_by == me);
        release(c);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int id[3] = {1, 2, 3};
    bine_task *third = bine_spawn(user, &id[2]);
    both(user, &id[0], user, &id[1]);
    bine_join(third, NULL);
    EXPECT(pool[0].queries + pool[1].queries == 12);
    return arg;
}
PROGRAM(program)
