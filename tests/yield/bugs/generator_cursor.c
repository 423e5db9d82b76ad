/* SPDX-License-Identifier: MIT
 *
 * Two pages are read through generators that share a cursor; fetching a page yields.
 * KIND: LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

static int cursor;

static void *rows(bine_gen *g, void *arg)
{
    static int row[16];
    for (int i = 0; i < 2; i++) {
#ifdef FIXED
        int at = cursor++;
        bine_sleep(BINE_MS);
#else
        int at = cursor;     /* SITE looked */
        bine_sleep(BINE_MS); /* SITE gave-up: fetches the row */
        cursor = at + 1;     /* SITE wrote acted */
#endif
        row[at] = at;
        if (bine_gen_yield(g, &row[at], NULL) < 0)
            break;
    }
    return arg;
}

static void *reader(void *arg)
{
    bine_gen *g = bine_gen_new(rows, NULL);
    BINE_FOR_EACH(row, g)
    {
        *(int *)arg += *(int *)row;
    }
    bine_gen_free(g);
    return NULL;
}

static void *program(void *arg)
{
    static int sum[2];
    both(reader, &sum[0], reader, &sum[1]);
    EXPECT(cursor == 4 && sum[0] + sum[1] == 6);
    return arg;
}
PROGRAM(program)
