/* SPDX-License-Identifier: MIT
 *
 * The first asks, the others wait for its answer. */
#include "../corpus.h"

static bine_future *flight;
static int requests;

static void *asker(void *arg)
{
    bine_sleep(5 * BINE_MS);
    requests++;
    bine_future_set(arg, "answer");
    bine_future_unref(arg);
    return NULL;
}

static const char *get(void)
{
    bine_result result;
    if (!flight) {
        flight = bine_future_new(NULL);
        bine_detach(bine_spawn(asker, bine_future_ref(flight)));
    }
    bine_future *mine = bine_future_ref(flight);
    bine_future_await(mine, &result);
    bine_future_unref(mine);
    return result.value;
}

static void *client(void *arg)
{
    EXPECT(strcmp(get(), "answer") == 0);
    return arg;
}

static void *program(void *arg)
{
    both(client, NULL, client, NULL);
    bine_future_unref(flight);
    EXPECT(requests == 1);
    return arg;
}
PROGRAM(program)
