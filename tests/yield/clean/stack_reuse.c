/* SPDX-License-Identifier: MIT
 *
 * The same for places on stacks, of callees and of tasks that have ended. */
#include "../corpus.h"

static void fill(int *to, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = i;
}

static int step(int n)
{
    int local[16];
    fill(local, 16);
    bine_sleep(BINE_MS);
    return local[n];
}

static void *brief(void *arg)
{
    int sum = 0;
    for (int i = 0; i < 3; i++)
        sum += step(i);
    EXPECT(sum == 3);
    return arg;
}

static void *program(void *arg)
{
    for (int i = 0; i < 4; i++)
        both(brief, NULL, brief, NULL);
    return arg;
}
PROGRAM(program)
