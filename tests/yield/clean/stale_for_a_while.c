/* SPDX-License-Identifier: MIT
 *
 * A cache that one task at a time loads anew, chosen by a flag, while the others are served what is stale: whoever has
 * loaded it may find in the next turn what another has. */
#include "../corpus.h"

static struct {
    int value;
    bine_ns until;
    bool loading;
    unsigned loads;
} cache = {1, 0, false, 0};
static int wrong;

static int get(void)
{
    if (bine_now() < cache.until || cache.loading)
        return cache.value;
    cache.loading = true;
    bine_sleep(4 * BINE_MS);
    cache.value = 10 + (int)cache.loads++;
    cache.until = bine_now() + 5 * BINE_MS;
    cache.loading = false;
    return cache.value;
}

static void *reader(void *arg)
{
    for (int i = 0; i < 12; i++) {
        if (get() < 1)
            wrong++;
        bine_sleep(*(bine_ns *)arg);
    }
    return NULL;
}

static void *program(void *arg)
{
    static bine_ns step[2] = {BINE_MS, 3 * BINE_MS};
    both(reader, &step[0], reader, &step[1]);
    EXPECT(!wrong && cache.loads > 0);
    return arg;
}
PROGRAM(program)
