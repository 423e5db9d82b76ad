/* SPDX-License-Identifier: MIT
 *
 * Inside an atomic block, a call that yields three calls deep.
 * KIND: YIELD-IN-ATOMIC */
#include "../corpus.h"

#include <bine/check.h>

static int a = 10, b;

static void send_line(const char *line)
{
    puts(line);
#ifndef FIXED
    bine_yield(); /* SITE gave-up */
#endif
}
static void log_line(const char *line) { send_line(line); }
static void note(int n)
{
    if (n > 3)
        log_line("a large one");
}

static void *move(void *arg)
{
    BINE_ATOMIC
    {
        a -= 4;
        note(4);
        b += 4;
    }
    return arg;
}

static void *program(void *arg)
{
    bine_join(bine_spawn(move, NULL), NULL);
    EXPECT(a + b == 10);
    return arg;
}
PROGRAM(program)
