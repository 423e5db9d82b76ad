/* SPDX-License-Identifier: MIT
 *
 * A meter is set to zero, others add to it and take their share away again, and who has set it reads it. */
#include "../corpus.h"

static struct {
    int progress, level;
} meter = {9, 9};

static void *owner(void *arg)
{
    int seen = 0;
    meter.progress = 0;
    meter.level = 1;
    for (int i = 0; i < 2; i++)
        bine_sleep(2 * BINE_MS);
    seen += meter.progress * 10;
    seen += meter.level;
    EXPECT(seen >= 1);
    return arg;
}

static void *helper(void *arg)
{
    bine_sleep(BINE_MS);
    meter.progress += 5;
    if (meter.level < 3)
        meter.level = 3;
    return arg;
}

static void *program(void *arg)
{
    both(owner, NULL, helper, NULL);
    return arg;
}
PROGRAM(program)
