/* SPDX-License-Identifier: MIT
 *
 * Inside an atomic block a generator is asked, whose body fetches.
 * KIND: YIELD-IN-ATOMIC */
#include "../corpus.h"

#include <bine/check.h>

static int total;

static void *numbers(bine_gen *g, void *arg)
{
    static int one = 1;
#ifndef FIXED
    bine_sleep(BINE_MS); /* SITE gave-up */
#endif
    bine_gen_yield(g, &one, NULL);
    return arg;
}

static int next(bine_gen *g)
{
    void *n = NULL;
#ifdef FIXED
    static int one = 1;
    n = &one;
    (void)g;
#else
    bine_gen_next(g, &n); /* SITE gave-up */
#endif
    return *(int *)n;
}

static void *add(void *arg)
{
    BINE_ATOMIC
    {
        total += next(arg);
    }
    return arg;
}

static void *program(void *arg)
{
    bine_gen *g = bine_gen_new(numbers, NULL);
    bine_join(bine_spawn(add, g), NULL);
    bine_gen_free(g);
    EXPECT(total == 1);
    return arg;
}
PROGRAM(program)
