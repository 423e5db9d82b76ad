/* SPDX-License-Identifier: MIT
 *
 * Two tasks wait for a message from each other, and nobody else could ever send one.
 * KIND: STUCK DEADLOCK */
#include "../corpus.h"

static bine_chan *ask, *reply;

static void *left(void *arg)
{
    int n = 1;
#ifdef FIXED
    bine_chan_send(ask, &n);
#endif
    bine_chan_recv(reply, &n); /* SITE acted */
    return arg;
}

static void *right(void *arg)
{
    int n = 2;
    bine_chan_recv(ask, &n); /* SITE wrote */
    bine_chan_send(reply, &n);
    return arg;
}

static void *program(void *arg)
{
    ask = bine_chan_new(sizeof(int), 0, NULL);
    reply = bine_chan_new(sizeof(int), 0, NULL);
    both(left, NULL, right, NULL);
    bine_chan_free(ask);
    bine_chan_free(reply);
    return arg;
}
PROGRAM(program)
