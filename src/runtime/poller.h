/* SPDX-License-Identifier: MIT
 *
 * All that the runtime knows of the outside world: something that can wait.  src/io fills it in.
 *
 * A poller belongs to one loop.  Its functions run on the loop's own stack and never switch; what it
 * learns it passes on by bine__wake().  Only interrupt() may be called from another thread. */
#ifndef BINE_RUNTIME_POLLER_H
#define BINE_RUNTIME_POLLER_H

#include <bine/base.h>

struct bine_loop;

struct bine__poller {
    /* Waits for events until the time-out (ns; 0: only looks; BINE_FOREVER), an interrupt, or early for any
     * reason, and wakes the tasks they are for.  Returns how many it woke. */
    unsigned (*wait)(struct bine_loop *, bine_ns timeout);
    /* Makes a wait() that is running, or else the next one, return at once.  From any thread. */
    void (*interrupt)(struct bine_loop *);
    /* Frees everything.  No task is left. */
    void (*close)(struct bine_loop *);
};

/* Fills in loop->poller and loop->io.  name: NULL for the default.  0, or -1 with errno (EINVAL: no such
 * reactor) and nothing left behind. */
int bine__poller_open(struct bine_loop *, const char *name);

/* In the child after fork(): gives up, without a trace in the parent, what the poller shares with it. */
void bine__poller_forked(struct bine_loop *);

#endif
