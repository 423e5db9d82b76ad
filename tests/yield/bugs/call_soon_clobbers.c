/* SPDX-License-Identifier: MIT
 *
 * What was to be the next message is overwritten by a callback that runs at the next switch.
 * KIND: CLOBBERED */
#include "../corpus.h"

static int next_message;

static void heartbeat(void *arg)
{
    (void)arg;
    next_message = 99; /* SITE wrote */
}

static void *program(void *arg)
{
#ifdef FIXED
    int own = 7;
    bine_call_soon(heartbeat, NULL);
    bine_yield();
    EXPECT(own == 7);
#else
    next_message = 7; /* SITE looked */
    bine_call_soon(heartbeat, NULL);
    bine_yield();              /* SITE gave-up */
    EXPECT(next_message == 7); /* SITE acted */
#endif
    return arg;
}
PROGRAM(program)
