/* SPDX-License-Identifier: MIT
 *
 * The channel has room, so that this send does not switch; the next one would.
 * KIND: YIELD-IN-ATOMIC */
#include "../corpus.h"

#include <bine/check.h>

static bine_chan *events;
static int state;

static void tell(int n)
{
#ifdef FIXED
    bine_chan_send_try(events, &n);
#else
    bine_chan_send(events, &n); /* SITE gave-up */
#endif
}

static void *step(void *arg)
{
    BINE_ATOMIC
    {
        state++;
        tell(state);
    }
    return arg;
}

static void *program(void *arg)
{
    events = bine_chan_new(sizeof(int), 16, NULL);
    bine_join(bine_spawn(step, NULL), NULL);
    EXPECT(bine_chan_length(events) == 1);
    bine_chan_free(events);
    return arg;
}
PROGRAM(program)
