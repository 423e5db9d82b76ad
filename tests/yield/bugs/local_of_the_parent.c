/* SPDX-License-Identifier: MIT
 *
 * What two children of a group share may be a local variable of their parent.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static void *count(void *arg)
{
    int *n = arg;
#ifdef FIXED
    bine_sleep(BINE_MS);
    int before = *n;
#else
    int before = *n;     /* SITE looked */
    bine_sleep(BINE_MS); /* SITE gave-up */
#endif
    *n = before + 1; /* SITE wrote acted */
    return NULL;
}

static void *program(void *arg)
{
    int n = 0;
    BINE_GROUP(children, BINE_GROUP_ALL)
    {
        bine_group_spawn(&children, count, &n);
        bine_group_spawn(&children, count, &n);
        bine_group_spawn(&children, count, &n);
    }
    EXPECT(n == 3);
    return arg;
}
PROGRAM(program)
