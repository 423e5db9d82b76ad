/* SPDX-License-Identifier: MIT
 *
 * Who puts a row into a table asks for room itself, and tells: what its caller saw before it waited was a hint. */
#include "../corpus.h"

enum { ROOM = 4 };
static struct {
    int row[ROOM];
    int used;
} table = {.used = ROOM - 1};

static int place(int used, int number)
{
    if (used == ROOM)
        return -1;
    table.row[used] = number;
    return used;
}

static void *guest(void *arg)
{
    if (table.used >= ROOM)
        return NULL;
    bine_sleep(BINE_MS);
    int at = place(table.used, *(int *)arg);
    if (at >= 0)
        table.used++;
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
