/* SPDX-License-Identifier: MIT
 *
 * Tokens are taken where there are some; else the task waits for the next and looks again. */
#include "../corpus.h"

static struct {
    int tokens;
    bine_ns last;
} bucket = {2, 0};
static int taken;

static void refill(void)
{
    bine_ns now = bine_now();
    int more = (int)((now - bucket.last) / (10 * BINE_MS));
    if (more > 0) {
        bucket.tokens = bucket.tokens + more > 2 ? 2 : bucket.tokens + more;
        bucket.last += more * 10 * BINE_MS;
    }
}

static void *client(void *arg)
{
    for (int i = 0; i < 4; i++) {
        for (refill(); bucket.tokens == 0; refill())
            bine_sleep(10 * BINE_MS);
        bucket.tokens--;
        taken++;
    }
    return arg;
}

static void *program(void *arg)
{
    bucket.last = bine_now();
    both(client, NULL, client, NULL);
    EXPECT(taken == 8);
    return arg;
}
PROGRAM(program)
