/* SPDX-License-Identifier: MIT
 *
 * There is room for one more row; the name is asked for; a function fills the row, and only then it is counted.
 * KIND: STALE-CHECK LOST-UPDATE
 * STAGGERED: no */
#include "../corpus.h"

enum { ROOM = 4 };
struct row {
    int number;
    char name[12];
};
static struct {
    struct row row[2 * ROOM];
    int used;
} table = {.used = ROOM - 1};

static void fill(struct row *row, int number)
{
    if (number < 0)
        number = 0;
    row->number = number;
    for (unsigned i = 0; i < sizeof row->name; i++)
        row->name[i] = (char)('a' + number);
}

static void *guest(void *arg)
{
    int number = *(int *)arg;
#ifdef FIXED
    bine_sleep(BINE_MS);
#endif
    if (table.used >= ROOM) /* SITE looked */
        return NULL;
#ifndef FIXED
    bine_sleep(BINE_MS); /* SITE gave-up */
#endif
    fill(&table.row[table.used], number);
    table.used++; /* SITE wrote acted */
    return NULL;
}

static void *program(void *arg)
{
    static int one = 1, two = 2;
    both(guest, &one, guest, &two);
    EXPECT(table.used == ROOM);
    return arg;
}
PROGRAM(program)
