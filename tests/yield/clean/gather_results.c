/* SPDX-License-Identifier: MIT
 *
 * Each child has a place of its own for what it found; the parent adds up when all have ended. */
#include "../corpus.h"

static void *square(void *arg)
{
    int *n = arg;
    int was = *n;
    bine_sleep(was * BINE_MS);
    *n = was * was;
    return arg;
}

static void *program(void *arg)
{
    int n[3] = {3, 1, 2}, sum = 0;
    void *args[3] = {&n[0], &n[1], &n[2]};
    bine_result out[3];
    bine_map(3, square, args, 2, out);
    for (int i = 0; i < 3; i++)
        sum += *(int *)out[i].value;
    EXPECT(sum == 14);
    return arg;
}
PROGRAM(program)
