/* SPDX-License-Identifier: MIT
 *
 * Credits are left, so a value is sent, which waits while the channel is full; the credit is taken afterwards.
 * KIND: STALE-CHECK */
#include "../corpus.h"

static bine_chan *out;
static int credits = 1, sent;

static void *sender(void *arg)
{
    if (credits < 1) /* SITE looked */
        return arg;
#ifdef FIXED
    credits--;
#endif
    bine_chan_send(out, &(int){1}); /* SITE gave-up */
    sent++;
#ifndef FIXED
    credits--; /* SITE wrote acted */
#endif
    return arg;
}

static void *receiver(void *arg)
{
    int value;
    bine_sleep(BINE_MS);
    while (bine_chan_recv(out, &value) == 0)
        ;
    return arg;
}

static void *program(void *arg)
{
    out = bine_chan_new(sizeof(int), 0, NULL);
    bine_task *sink = bine_spawn(receiver, NULL);
    both(sender, NULL, sender, NULL);
    bine_chan_close(out);
    bine_join(sink, NULL);
    bine_chan_free(out);
    EXPECT(credits >= 0 && sent == 1);
    return arg;
}
PROGRAM(program)
