/* SPDX-License-Identifier: MIT
 *
 * The state is looked at, a message is awaited by select, and the state is advanced without another look.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

enum { IDLE, BUSY, CLOSED };
static int state = IDLE;
static bine_chan *inbox, *control;

static void *worker(void *arg)
{
    int job, command;
    if (state == CLOSED) /* SITE looked */
        return arg;
    bine_case cases[] = {bine_case_recv(inbox, &job), bine_case_recv(control, &command)};
    bine_chan_select(cases, 2); /* SITE gave-up */
#ifdef FIXED
    if (state == CLOSED)
        return arg;
#endif
    state = BUSY; /* SITE acted */
    return arg;
}

static void *closer(void *arg)
{
    state = CLOSED; /* SITE wrote */
    return arg;
}

static void *client(void *arg)
{
    bine_sleep(BINE_MS);
    bine_chan_send(inbox, &(int){1});
    return arg;
}

static void *program(void *arg)
{
    inbox = bine_chan_new(sizeof(int), 1, NULL);
    control = bine_chan_new(sizeof(int), 1, NULL);
    bine_task *w = bine_spawn(worker, NULL);
    both(closer, NULL, client, NULL);
    bine_join(w, NULL);
    EXPECT(state == CLOSED);
    bine_chan_free(inbox);
    bine_chan_free(control);
    return arg;
}
PROGRAM(program)
