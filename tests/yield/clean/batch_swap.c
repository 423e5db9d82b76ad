/* SPDX-License-Identifier: MIT
 *
 * What has been collected is taken away whole before it is written, while others go on collecting. */
#include "../corpus.h"

static struct {
    int n, value[32];
} pending;
static int written, collected;
static bool over;

static void *collector(void *arg)
{
    for (int i = 0; i < 10; i++) {
        pending.value[pending.n++] = 1;
        collected++;
        bine_sleep(BINE_MS);
    }
    over = true;
    return arg;
}

static void *flusher(void *arg)
{
    while (!over || pending.n > 0) {
        int n = pending.n, sum = 0;
        for (int i = 0; i < n; i++)
            sum += pending.value[i];
        pending.n = 0;
        bine_sleep(3 * BINE_MS);
        written += sum;
    }
    return arg;
}

static void *program(void *arg)
{
    both(collector, NULL, flusher, NULL);
    EXPECT(written == collected);
    return arg;
}
PROGRAM(program)
