/* SPDX-License-Identifier: MIT
 *
 * Between look and update a value is sent on a channel that has room today, so that nothing switches there.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static bine_chan *events;
static int serial;

static void *emit(void *arg)
{
#ifdef FIXED
    int n = serial;
    serial = n + 1;
    bine_chan_send(events, &n);
#else
    int n = serial;             /* SITE looked */
    bine_chan_send(events, &n); /* SITE gave-up */
    serial = n + 1;             /* SITE wrote acted */
#endif
    return arg;
}

static void *program(void *arg)
{
    events = bine_chan_new(sizeof(int), 8, NULL);
    both(emit, NULL, emit, NULL);
    EXPECT(serial == 2);
    bine_chan_free(events);
    return arg;
}
PROGRAM(program)
