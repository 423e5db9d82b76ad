/* SPDX-License-Identifier: MIT
 *
 * A loop whose turns are so few, and so well known, that a compiler could do without the loop: what one turn shows,
 * and the next one looks at, may be another's by then.
 * OPT: -O2 */
#include "../corpus.h"

enum { TURNS = 4 };
static int shown, seen;

static void *show(void *arg)
{
    int number = *(int *)arg;
    for (int i = 0; i < TURNS; i++) {
        bine_yield();
        if (i % 2 == 0)
            shown = number + i;
        else
            seen += shown > 0;
        bine_sleep(BINE_MS);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int a = 10, b = 20;
    both(show, &a, show, &b);
    EXPECT(seen == TURNS);
    return arg;
}
PROGRAM(program)
