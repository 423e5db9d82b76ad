/* SPDX-License-Identifier: MIT
 *
 * Callbacks of timers add to counts that a task reads and empties in one step. */
#include "../corpus.h"

static int ticks, seen;
static bine_timer timer[3];

static void tick(void *arg)
{
    (void)arg;
    ticks++;
}

static void *reader(void *arg)
{
    for (int i = 0; i < 5; i++) {
        bine_sleep(2 * BINE_MS);
        if (ticks > 0) {
            seen += ticks;
            ticks = 0;
        }
    }
    return arg;
}

static void *program(void *arg)
{
    for (int i = 0; i < 3; i++) {
        bine_timer_init(&timer[i], tick, NULL);
        bine_timer_start(&timer[i], (i + 1) * 2 * BINE_MS);
    }
    bine_join(bine_spawn(reader, NULL), NULL);
    EXPECT(seen + ticks <= 3);
    return arg;
}
PROGRAM(program)
