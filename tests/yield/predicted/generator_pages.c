/* SPDX-License-Identifier: MIT
 *
 * Pages are numbered by a generator that fetches between look and update; its two users follow one another.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static int page;

static void *pages(bine_gen *g, void *arg)
{
#ifdef FIXED
    bine_sleep(BINE_MS);
    int n = page;
#else
    int n = page;        /* SITE looked */
    bine_sleep(BINE_MS); /* SITE gave-up */
#endif
    page = n + 1; /* SITE wrote acted */
    bine_gen_yield(g, &page, NULL);
    return arg;
}

static void *user(void *arg)
{
    void *got;
    bine_sleep(*(bine_ns *)arg);
    bine_gen *g = bine_gen_new(pages, NULL);
    bine_gen_next(g, &got);
    bine_gen_free(g);
    return NULL;
}

static void *program(void *arg)
{
    static bine_ns start[2] = {0, BINE_SECOND};
    both(user, &start[0], user, &start[1]);
    EXPECT(page == 2);
    return arg;
}
PROGRAM(program)
