/* SPDX-License-Identifier: MIT
 *
 * Work queue with a condition, three workers, poison pills by a flag; jobs are heap nodes. */
#include "../corpus.h"

struct job {
    int n;
    struct job *next;
};

static struct {
    bine_mutex m;
    bine_cond c;
    struct job *head, **tail;
    bool closed;
    int done, queued;
} q = {.m = BINE_MUTEX_INIT, .c = BINE_COND_INIT};

static void put(int n)
{
    struct job *j = malloc(sizeof *j);
    j->n = n;
    j->next = NULL;
    bine_mutex_lock(&q.m);
    *q.tail = j;
    q.tail = &j->next;
    q.queued++;
    bine_cond_signal(&q.c);
    bine_mutex_unlock(&q.m);
}

static struct job *get(void)
{
    struct job *j;
    bine_mutex_lock(&q.m);
    while (!q.head && !q.closed)
        bine_cond_wait(&q.c, &q.m);
    if ((j = q.head) != NULL) {
        q.head = j->next;
        if (!q.head)
            q.tail = &q.head;
        q.queued--;
    }
    bine_mutex_unlock(&q.m);
    return j;
}

static void *worker(void *arg)
{
    struct job *j;
    while ((j = get()) != NULL) {
        bine_sleep(j->n * BINE_MS);
        free(j);
        q.done++;
    }
    return arg;
}

static void *program(void *arg)
{
    q.tail = &q.head;
    BINE_GROUP(g, BINE_GROUP_ALL)
    {
        for (int i = 0; i < 3; i++)
            bine_group_spawn(&g, worker, NULL);
        for (int i = 0; i < 9; i++) {
            put(i % 3 + 1);
            if (i % 4 == 0)
                bine_yield();
        }
        bine_mutex_lock(&q.m);
        q.closed = true;
        bine_cond_broadcast(&q.c);
        bine_mutex_unlock(&q.m);
    }
    EXPECT(q.done == 9 && q.queued == 0);
    return arg;
}
PROGRAM(program)
