/* SPDX-License-Identifier: MIT
 *
 * One buffer is filled while the other is drained; they change places at a meeting. */
#include "../corpus.h"

static int buffer[2][4], filled;
static bine_barrier meeting;
static int sum;

static void *filler(void *arg)
{
    for (int round = 0; round < 3; round++) {
        int *to = buffer[round & 1];
        for (int i = 0; i < 4; i++) {
            to[i] = round + 1;
            bine_yield();
        }
        bine_barrier_wait(&meeting);
        filled = round & 1;
        bine_barrier_wait(&meeting);
    }
    return arg;
}

static void *drainer(void *arg)
{
    for (int round = 0; round < 3; round++) {
        bine_barrier_wait(&meeting);
        bine_barrier_wait(&meeting);
        int *from = buffer[filled];
        for (int i = 0; i < 4; i++) {
            sum += from[i];
            if (round < 2)
                bine_yield();
        }
    }
    return arg;
}

static void *program(void *arg)
{
    bine_barrier_init(&meeting, 2);
    both(filler, NULL, drainer, NULL);
    EXPECT(sum == 24);
    return arg;
}
PROGRAM(program)
