/* SPDX-License-Identifier: MIT
 *
 * An identifier is taken, the row is inserted, and only then the next identifier is noted.
 * KIND: LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

static struct {
    long next_id;
    long row[4];
    int rows;
} table = {1, {0}, 0};

static void insert(long id)
{
    bine_sleep(BINE_MS); /* SITE gave-up */
    table.row[table.rows++] = id;
}

static void *create(void *arg)
{
#ifdef FIXED
    insert(table.next_id++);
#else
    long id = table.next_id; /* SITE looked */
    insert(id);
    table.next_id = id + 1; /* SITE wrote acted */
#endif
    return arg;
}

static void *program(void *arg)
{
    both(create, NULL, create, NULL);
    EXPECT(table.row[0] != table.row[1]);
    return arg;
}
PROGRAM(program)
