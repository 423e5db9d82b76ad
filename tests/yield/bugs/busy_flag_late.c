/* SPDX-License-Identifier: MIT
 *
 * A flag says that the printer is in use, but it is set only after the paper was ordered.
 * KIND: STALE-CHECK LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

static struct {
    bool busy;
    int pages, at_once;
} printer;

static void *print(void *arg)
{
#ifdef FIXED
    while (printer.busy)
        bine_sleep(BINE_MS);
#else
    while (printer.busy) /* SITE looked */
        bine_sleep(BINE_MS);
    bine_sleep(BINE_MS); /* SITE gave-up: orders paper */
#endif
    printer.busy = true; /* SITE wrote acted */
    EXPECT(++printer.at_once == 1);
    bine_sleep(5 * BINE_MS);
    printer.at_once--;
    printer.busy = false;
    return arg;
}

static void *program(void *arg)
{
    both(print, NULL, print, NULL);
    return arg;
}
PROGRAM(program)
