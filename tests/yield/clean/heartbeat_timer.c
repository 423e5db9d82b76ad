/* SPDX-License-Identifier: MIT
 *
 * A timer counts and starts itself again; a task reads the count now and then. */
#include "../corpus.h"

static bine_timer timer;
static int beats;

static void beat(void *arg)
{
    if (++beats < 5)
        bine_timer_start(arg, 10 * BINE_MS);
}

static void *watcher(void *arg)
{
    int last = 0;
    while (beats < 5) {
        EXPECT(beats >= last);
        last = beats;
        bine_sleep(7 * BINE_MS);
    }
    return arg;
}

static void *program(void *arg)
{
    bine_timer_init(&timer, beat, &timer);
    bine_timer_start(&timer, 10 * BINE_MS);
    bine_join(bine_spawn(watcher, NULL), NULL);
    return arg;
}
PROGRAM(program)
