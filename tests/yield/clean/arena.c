/* SPDX-License-Identifier: MIT
 *
 * Each request has a part of one arena, cut off in one step, and the arena is taken back when nobody is left. */
#include "../corpus.h"

static char arena[256];
static size_t used;
static int users;

static char *cut(size_t n)
{
    char *p = arena + used;
    used += n;
    return p;
}

static void *request(void *arg)
{
    int me = *(int *)arg;
    for (int i = 0; i < 5; i++) {
        users++;
        char *p = cut(16);
        memset(p, me, 16);
        bine_sleep(me * BINE_MS);
        for (int k = 0; k < 16; k++)
            EXPECT(p[k] == me);
        if (--users == 0)
            used = 0;
        bine_sleep(BINE_MS);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int id[2] = {1, 2};
    both(request, &id[0], request, &id[1]);
    return arg;
}
PROGRAM(program)
