/* SPDX-License-Identifier: MIT
 *
 * An event that is cleared by the one who takes the work; the work is looked for each time. */
#include "../corpus.h"

static bine_event work = BINE_EVENT_INIT;
static int queued, done;
static bool closing;

static void *worker(void *arg)
{
    for (;;) {
        while (queued > 0) {
            queued--;
            done++;
            bine_sleep(BINE_MS);
        }
        if (closing)
            return arg;
        bine_event_wait(&work);
        bine_event_clear(&work);
    }
}

static void *client(void *arg)
{
    for (int i = 0; i < 5; i++) {
        queued++;
        bine_event_set(&work);
        bine_sleep(2 * BINE_MS);
    }
    closing = true;
    bine_event_set(&work);
    return arg;
}

static void *program(void *arg)
{
    both(worker, NULL, client, NULL);
    EXPECT(done == 5);
    return arg;
}
PROGRAM(program)
