/* SPDX-License-Identifier: MIT
 *
 * Each task's computation works on the task's own argument in a thread; the total is added to afterwards. */
#include "../corpus.h"

#include <bine/offload.h>

static int total;

static void *square(void *arg)
{
    int *n = arg;
    *n *= *n;
    return NULL;
}

static void *task(void *arg)
{
    int n = *(int *)arg;
    bine_result result;
    bine_offload(square, &n, &result);
    total += n;
    return NULL;
}

static void *program(void *arg)
{
    static int n[2] = {2, 3};
    both(task, &n[0], task, &n[1]);
    EXPECT(total == 13);
    return arg;
}
PROGRAM(program)
