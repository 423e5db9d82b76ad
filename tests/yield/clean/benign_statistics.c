/* SPDX-License-Identifier: MIT
 *
 * A count that may be off by one, and says so. */
#include "../corpus.h"

#include <bine/check.h>

static long hits;

static void *serve(void *arg)
{
    long before = hits;
    bine_sleep(BINE_MS);
    hits = before + 1;
    return arg;
}

static void *program(void *arg)
{
    bine_benign(&hits, sizeof hits, "statistics only");
    both(serve, NULL, serve, NULL);
    EXPECT(hits > 0);
    return arg;
}
PROGRAM(program)
