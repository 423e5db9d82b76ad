/* SPDX-License-Identifier: MIT
 *
 * A hash table's count and its place on the heap change in one step, unless the allocation is announced in between.
 * KIND: TORN-GROUP */
#include "../corpus.h"

#include <bine/check.h>

static struct table {
    int *cell;
    size_t cells;
} *table;

static void *grow(void *arg)
{
    struct table *t = table;
    int *bigger = calloc(8, sizeof *bigger), *old = t->cell;
    bigger[0] = 1;
#ifdef FIXED
    bine_sleep(2 * BINE_MS);
    t->cell = bigger;
    t->cells = 8;
#else
    t->cell = bigger;        /* SITE looked */
    bine_sleep(2 * BINE_MS); /* SITE gave-up */
    t->cells = 8;            /* SITE acted */
#endif
    free(old);
    return arg;
}

static void *look(void *arg)
{
    bine_sleep(BINE_MS);
    size_t cells = table->cells; /* SITE wrote */
    int *cell = table->cell;     /* SITE wrote */
    EXPECT((cell[0] == 1) == (cells == 8));
    return arg;
}

static void *program(void *arg)
{
    table = malloc(sizeof *table);
    table->cell = calloc(4, sizeof *table->cell);
    table->cells = 4;
    bine_together("table", &table->cell, sizeof table->cell);
    bine_together("table", &table->cells, sizeof table->cells);
    both(grow, NULL, look, NULL);
    free(table->cell);
    free(table);
    return arg;
}
PROGRAM(program)
