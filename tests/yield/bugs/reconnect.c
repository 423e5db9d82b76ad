/* SPDX-License-Identifier: MIT
 *
 * Both users of a broken connection repair it; the first repair is leaked.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

struct connection {
    int fd;
    bool connecting;
    bine_event up;
};
static struct connection redis = {-1, false, BINE_EVENT_INIT};
static int dialled = 10;

static int dial(void)
{
    bine_sleep(BINE_MS); /* SITE gave-up */
    return dialled++;
}

static int connected(struct connection *c)
{
#ifdef FIXED
    if (c->fd < 0 && !c->connecting) {
        c->connecting = true;
        c->fd = dial();
        bine_event_set(&c->up);
    }
    bine_event_wait(&c->up);
#else
    if (c->fd < 0)      /* SITE looked */
        c->fd = dial(); /* SITE wrote acted */
#endif
    return c->fd;
}

static void *user(void *arg)
{
    EXPECT(connected(&redis) >= 10);
    return arg;
}

static void *program(void *arg)
{
    both(user, NULL, user, NULL);
    EXPECT(dialled == 11);
    return arg;
}
PROGRAM(program)
