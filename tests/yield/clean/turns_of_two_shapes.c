/* SPDX-License-Identifier: MIT
 *
 * Every other turn of a loop does a little more before it waits: what it books after that is of its own turn,
 * and no rest of what the turn before has booked. */
#include "../corpus.h"

enum { TURNS = 4, WORKERS = 3 };

static struct {
    long total, entries;
} book;
static long started, odd;

static void enter(long amount)
{
    BINE_ATOMIC {
        book.total += amount;
        book.entries++;
    }
}

static void *worker(void *arg)
{
    for (int turn = 0; turn < TURNS; turn++) {
        started++;
        if (turn % 2)
            odd++;
        bine_sleep(BINE_MS);
        enter(turn);
    }
    return arg;
}

static void *program(void *arg)
{
    bine_together("book", &book, sizeof book);
    BINE_GROUP(workers, BINE_GROUP_ALL) {
        for (int i = 0; i < WORKERS; i++)
            bine_group_spawn(&workers, worker, NULL);
    }
    EXPECT(book.entries == WORKERS * TURNS && started == WORKERS * TURNS && odd == started / 2);
    return arg;
}
PROGRAM(program)
