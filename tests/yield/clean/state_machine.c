/* SPDX-License-Identifier: MIT
 *
 * A task goes through its states; a monitor looks at them, and may ask it to stop. */
#include "../corpus.h"

static enum { IDLE, CONNECTING, READY, STOPPING, STOPPED } state = IDLE;
static int looks;

static void *machine(void *arg)
{
    while (state != STOPPED) {
        switch (state) {
        case IDLE:
            state = CONNECTING;
            break;
        case CONNECTING:
            bine_sleep(2 * BINE_MS);
            if (state == CONNECTING)
                state = READY;
            break;
        case READY:
            bine_sleep(BINE_MS);
            break;
        case STOPPING:
            state = STOPPED;
            break;
        default:
            break;
        }
    }
    return arg;
}

static void *monitor(void *arg)
{
    while (state != READY) {
        looks++;
        bine_sleep(BINE_MS);
    }
    bine_sleep(5 * BINE_MS);
    state = STOPPING;
    return arg;
}

static void *program(void *arg)
{
    both(machine, NULL, monitor, NULL);
    EXPECT(state == STOPPED && looks >= 0);
    return arg;
}
PROGRAM(program)
