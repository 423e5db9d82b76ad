/* SPDX-License-Identifier: MIT
 *
 * A timer's callback frees what it is given; the handler uses that around a wait, and is done in time, today.
 * KIND: USE-AFTER-FREE */
#include "../corpus.h"

struct connection {
    bine_timer idle;
    unsigned requests;
};
static struct connection *open_one;

static void expire(void *arg)
{
    struct connection *c = arg;
    open_one = NULL;
    free(c); /* SITE wrote */
}

static void *handler(void *arg)
{
    struct connection *c = open_one;
    if (!c)
        return arg;
#ifdef FIXED
    bine_timer_cancel(&c->idle);
#endif
    c->requests++;       /* SITE looked */
    bine_sleep(BINE_MS); /* SITE gave-up */
    c->requests++;       /* SITE acted */
#ifdef FIXED
    bine_timer_start(&c->idle, BINE_MINUTE);
#endif
    return arg;
}

static void *program(void *arg)
{
    struct connection *c = calloc(1, sizeof *c);
    open_one = c;
    bine_timer_init(&c->idle, expire, c);
    bine_timer_start(&c->idle, BINE_MINUTE);
    bine_join(bine_spawn(handler, NULL), NULL);
    bine_sleep(5 * BINE_MINUTE);
    EXPECT(!open_one || open_one->requests == 2);
    return arg;
}
PROGRAM(program)
