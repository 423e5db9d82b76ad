/* SPDX-License-Identifier: MIT
 *
 * A gate that lets one through: others write themselves down on a board that is used in turn, park, and look
 * again.  What one has written there was read by the one who woke it. */
#include "../corpus.h"

enum { LINES = 3 };
static bine_task *board[LINES];
static unsigned written, called;
static int inside, passed;

static void enter(void)
{
    while (inside > 0) {
        board[written++ % LINES] = bine_self();
        bine_park();
    }
    inside++;
}

static void leave(void)
{
    inside--;
    if (called != written)
        bine_wake(board[called++ % LINES]);
}

static void *passenger(void *arg)
{
    const int *slow = arg;
    for (int i = 0; i < 3; i++) {
        enter();
        bine_sleep(*slow * BINE_MS);
        passed++;
        leave();
    }
    return NULL;
}

static void *program(void *arg)
{
    static int slow[] = {1, 2, 3, 1, 2};
    BINE_GROUP(group, BINE_GROUP_ALL)
        for (int i = 0; i < 4; i++)
            bine_group_spawn(&group, passenger, &slow[i]);
    EXPECT(passed == 12 && inside == 0);
    return arg;
}
PROGRAM(program)
