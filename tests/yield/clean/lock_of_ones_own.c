/* SPDX-License-Identifier: MIT
 *
 * A lock made of a flag and an event; who waited looks again. */
#include "../corpus.h"

static struct {
    bool held;
    bine_event free;
} lock = {false, BINE_EVENT_INIT};
static int value;

static void acquire(void)
{
    while (lock.held) {
        bine_event_clear(&lock.free);
        bine_event_wait(&lock.free);
    }
    lock.held = true;
}

static void release(void)
{
    lock.held = false;
    bine_event_set(&lock.free);
}

static void *task(void *arg)
{
    for (int i = 0; i < 3; i++) {
        acquire();
        value++;
        bine_sleep(BINE_MS);
        value++;
        release();
        bine_yield();
    }
    return arg;
}

static void *program(void *arg)
{
    both(task, NULL, task, NULL);
    EXPECT(value == 12 && !lock.held);
    return arg;
}
PROGRAM(program)
