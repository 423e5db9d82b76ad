/* SPDX-License-Identifier: MIT
 *
 * A channel with one place is a lock: who has put its token in may go on. */
#include "../corpus.h"

static bine_chan *lock;
static int value;

static void *increment(void *arg)
{
    char token = 1;
    for (int i = 0; i < 3; i++) {
        bine_chan_send(lock, &token);
        int was = value;
        bine_sleep(BINE_MS);
        value = was + 1;
        bine_chan_recv(lock, &token);
    }
    return arg;
}

static void *program(void *arg)
{
    lock = bine_chan_new(1, 1, NULL);
    both(increment, NULL, increment, NULL);
    bine_chan_free(lock);
    EXPECT(value == 6);
    return arg;
}
PROGRAM(program)
