/* SPDX-License-Identifier: MIT
 *
 * The request under way is remembered in a future, but only once it has been sent.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

static bine_future *under_way;
static int requests;

static void *answer(void *arg)
{
    bine_sleep(5 * BINE_MS);
    bine_future_set(arg, NULL);
    bine_future_unref(arg);
    return NULL;
}

static bine_future *request(void)
{
    bine_future *f = bine_future_new(NULL);
    requests++;
#ifndef FIXED
    bine_sleep(BINE_MS); /* SITE gave-up: to write it */
#endif
    bine_detach(bine_spawn(answer, bine_future_ref(f)));
    return f;
}

static void *client(void *arg)
{
    bine_result result;
    if (!under_way)            /* SITE looked */
        under_way = request(); /* SITE wrote acted */
    bine_future *mine = bine_future_ref(under_way);
    bine_future_await(mine, &result);
    bine_future_unref(mine);
    return arg;
}

static void *program(void *arg)
{
    both(client, NULL, client, NULL);
    bine_future_unref(under_way);
    EXPECT(requests == 1);
    return arg;
}
PROGRAM(program)
