/* SPDX-License-Identifier: MIT
 *
 * Between look and act a computation goes to a thread; the task waits for it.
 * KIND: LOST-UPDATE */
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
    int *n = arg;
    bine_result result;
#ifdef FIXED
    bine_offload(square, n, &result);
    int before = total;
#else
    int before = total;               /* SITE looked */
    bine_offload(square, n, &result); /* SITE gave-up */
#endif
    total = before + *n; /* SITE wrote acted */
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
