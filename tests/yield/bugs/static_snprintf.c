/* SPDX-License-Identifier: MIT
 *
 * The same with the C library's own formatter, which is not instrumented.
 * KIND: CLOBBERED */
#include "../corpus.h"

static const char *label(char *to, size_t size, int n)
{
#ifndef FIXED
    static char shared[32];
    to = shared;
    size = sizeof shared;
#endif
    snprintf(to, size, "client %d", n); /* SITE looked wrote */
    return to;
}

static void *serve(void *arg)
{
    int n = *(int *)arg;
    char own[32], want[32];
    snprintf(want, sizeof want, "client %d", n);
    const char *name = label(own, sizeof own, n);
    bine_sleep(BINE_MS);               /* SITE gave-up */
    EXPECT(strcmp(name, want) == 0); /* SITE acted */
    return NULL;
}

static void *program(void *arg)
{
    static int n[2] = {1, 2};
    both(serve, &n[0], serve, &n[1]);
    return arg;
}
PROGRAM(program)
