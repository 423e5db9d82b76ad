/* SPDX-License-Identifier: MIT
 *
 * The consumer of an asynchronous generator keeps what it read from before one value to after the next.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static int best = 100;

static void *offers(bine_gen *g, void *arg)
{
    for (int i = 0; i < 2; i++) {
        bine_sleep(BINE_MS); /* SITE gave-up */
        if (bine_gen_yield(g, arg, NULL) < 0)
            break;
    }
    return NULL;
}

static void *buyer(void *arg)
{
    void *offer;
    bine_gen *g = bine_gen_new(offers, arg);
#ifdef FIXED
    bine_gen_next(g, &offer);
    int was = best;
#else
    int was = best;           /* SITE looked */
    bine_gen_next(g, &offer); /* SITE gave-up */
#endif
    best = was - *(int *)offer; /* SITE wrote acted */
    bine_gen_free(g);
    return NULL;
}

static void *program(void *arg)
{
    static int discount[2] = {5, 7};
    both(buyer, &discount[0], buyer, &discount[1]);
    EXPECT(best == 88);
    return arg;
}
PROGRAM(program)
