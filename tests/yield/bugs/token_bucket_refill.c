/* SPDX-License-Identifier: MIT
 *
 * The bucket is refilled from the time since the last refill; asking the clock's server yields.
 * KIND: LOST-UPDATE STALE-CHECK
 * STAGGERED: yes */
#include "../corpus.h"

static struct {
    int tokens;
    bine_ns last;
} bucket = {0, 0};

static bine_ns server_time(void)
{
    bine_sleep(BINE_MS); /* SITE gave-up */
    return 1000 * BINE_MS;
}

static void *refill(void *arg)
{
#ifdef FIXED
    bine_ns now = server_time();
    bucket.tokens += (int)((now - bucket.last) / (100 * BINE_MS));
    bucket.last = now;
#else
    bine_ns last = bucket.last; /* SITE looked */
    bine_ns now = server_time();
    bucket.tokens += (int)((now - last) / (100 * BINE_MS));
    bucket.last = now; /* SITE wrote acted */
#endif
    return arg;
}

static void *program(void *arg)
{
    both(refill, NULL, refill, NULL);
    EXPECT(bucket.tokens == 10);
    return arg;
}
PROGRAM(program)
