/* SPDX-License-Identifier: MIT
 *
 * Two mirrors are asked, the first answer is taken, and the other one's task still writes to what was read before.
 * KIND: LOST-UPDATE STALE-CHECK */
#include "../corpus.h"

static struct {
    int mirror, bytes;
} fetched;

static void *mirror(void *arg)
{
    int id = *(int *)arg;
    bine_sleep(id * BINE_MS);
    fetched.mirror = id; /* SITE wrote */
    return NULL;
}

static void *program(void *arg)
{
    static int id[2] = {1, 3};
    bine_future *f[2] = {bine_task_future(bine_spawn(mirror, &id[0])), bine_task_future(bine_spawn(mirror, &id[1]))};
    bine_wait(f, 2, BINE_FIRST_COMPLETED);
    int from = fetched.mirror; /* SITE looked */
#ifdef FIXED
    bine_wait(f, 2, BINE_ALL_COMPLETED);
    from = fetched.mirror;
#else
    bine_sleep(5 * BINE_MS); /* SITE gave-up */
#endif
    fetched.mirror = from * 100; /* SITE acted */
    EXPECT(fetched.mirror % 100 == 0);
    bine_future_unref(f[0]), bine_future_unref(f[1]);
    return arg;
}
PROGRAM(program)
