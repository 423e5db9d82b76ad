/* SPDX-License-Identifier: MIT
 *
 * As many as there are, at most what was asked for: taken after the store was asked.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
static struct {
    int stock, delivered;
} shelf = {10, 0};

static void pick(int n)
{
    (void)n;
    bine_sleep(BINE_MS); /* SITE gave-up */
}

static void *order(void *arg)
{
    int n = MIN(shelf.stock, *(int *)arg); /* SITE looked */
#ifdef FIXED
    shelf.stock -= n;
    pick(n);
#else
    pick(n);
    shelf.stock -= n; /* SITE wrote acted */
#endif
    shelf.delivered += n;
    return NULL;
}

static void *program(void *arg)
{
    static int seven = 7, eight = 8;
    both(order, &seven, order, &eight);
    EXPECT(shelf.stock >= 0);
    return arg;
}
PROGRAM(program)
