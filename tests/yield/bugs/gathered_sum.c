/* SPDX-License-Identifier: MIT
 *
 * Children of a gather add what they fetched to a common sum that they had read before.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static int sum;

static int fetch(int n)
{
    bine_sleep(n * BINE_MS); /* SITE gave-up */
    return n;
}

static void *child(void *arg)
{
    int n = *(int *)arg;
#ifdef FIXED
    int got = fetch(n);
    sum = sum + got;
#else
    int so_far = sum;        /* SITE looked */
    int got = fetch(n);      /* SITE gave-up */
    sum = so_far + got;      /* SITE wrote acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    static int n[3] = {3, 1, 2};
    bine_fn *fn[3] = {child, child, child};
    void *args[3] = {&n[0], &n[1], &n[2]};
    bine_result out[3];
    bine_gather(3, fn, args, out);
    EXPECT(sum == 6);
    return arg;
}
PROGRAM(program)
