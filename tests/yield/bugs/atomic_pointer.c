/* SPDX-License-Identifier: MIT
 *
 * Inside an atomic block, a call through a pointer to a function that yields.
 * KIND: YIELD-IN-ATOMIC */
#include "../corpus.h"

#include <bine/check.h>

typedef int (*codec)(int);
static int plain(int n) { return n; }
#ifndef FIXED
static int remote(int n)
{
    bine_sleep(BINE_MS); /* SITE gave-up */
    return n;
}
#endif
static codec codecs[2] = {
    plain,
#ifdef FIXED
    plain
#else
    remote
#endif
};

static int first, second;

static void *set(void *arg)
{
    codec code = codecs[*(int *)arg];
    BINE_ATOMIC
    {
        first = code(1);
        second = code(2);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int which = 1;
    bine_join(bine_spawn(set, &which), NULL);
    EXPECT(first + second == 3);
    return arg;
}
PROGRAM(program)
