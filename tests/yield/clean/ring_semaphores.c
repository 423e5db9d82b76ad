/* SPDX-License-Identifier: MIT
 *
 * A ring of one producer and one consumer, with a semaphore for each direction. */
#include "../corpus.h"

enum { N = 3 };
static int ring[N];
static unsigned head, tail;
static bine_sem room = BINE_SEM_INIT(N), items = BINE_SEM_INIT(0);
static int sum;

static void *producer(void *arg)
{
    for (int i = 1; i <= 10; i++) {
        bine_sem_wait(&room);
        ring[tail % N] = i;
        bine_yield();
        tail++;
        bine_sem_post(&items);
    }
    return arg;
}

static void *consumer(void *arg)
{
    for (int i = 1; i <= 10; i++) {
        bine_sem_wait(&items);
        sum += ring[head % N];
        bine_yield();
        head++;
        bine_sem_post(&room);
    }
    return arg;
}

static void *program(void *arg)
{
    both(producer, NULL, consumer, NULL);
    EXPECT(sum == 55 && head == 10 && tail == 10);
    return arg;
}
PROGRAM(program)
