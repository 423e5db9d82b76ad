/* SPDX-License-Identifier: MIT
 *
 * Lines are gathered in a batch.  Who finds no room copies the batch out, empties it, and sends the copy; others have
 * filled it again by then, and perhaps it goes to the same bytes that it has copied out: with a line that it had
 * made before. */
#include "../corpus.h"

enum { ROOM = 16 };
static struct {
    unsigned used, lines;
    char bytes[ROOM];
} batch;
static unsigned shipped;

static void ship(void)
{
    char out[ROOM];
    unsigned used = batch.used, lines = batch.lines;
    memcpy(out, batch.bytes, used);
    batch.used = batch.lines = 0;
    bine_sleep(2 * BINE_MS);
    EXPECT(memchr(out, '\n', used) != NULL);
    shipped += lines;
}

static void add(const char *line, unsigned size)
{
    while (batch.used + size > ROOM)
        ship();
    memcpy(batch.bytes + batch.used, line, size);
    batch.used += size;
    batch.lines++;
}

static void *reporter(void *arg)
{
    for (int i = 0; i < 5; i++) {
        char line[16];
        int size = snprintf(line, sizeof line, "%s %d\n", (const char *)arg, i);
        add(line, (unsigned)size);
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *program(void *arg)
{
    static char disk[] = "disk", memory[] = "memory";
    both(reporter, disk, reporter, memory);
    ship();
    EXPECT(shipped == 10 && batch.used == 0);
    return arg;
}
PROGRAM(program)
