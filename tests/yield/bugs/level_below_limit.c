/* SPDX-License-Identifier: MIT
 *
 * The level is raised while it is below its limit: both are floating point, and neither is a constant.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

struct tank {
    float level, limit;
};
static struct tank tank = {59, 60};

static void open_valve(void) { bine_sleep(BINE_MS); /* SITE gave-up */ }

static void fill(struct tank *of, float by)
{
#ifdef FIXED
    open_valve();
#endif
    if (of->level + by > of->limit) /* SITE looked */
        return;
#ifndef FIXED
    open_valve();
#endif
    of->level += by; /* SITE wrote acted */
}

static void *pump(void *arg)
{
    fill(&tank, *(float *)arg);
    return NULL;
}

static void *program(void *arg)
{
    static float a = 0.75F, b = 0.5F;
    both(pump, &a, pump, &b);
    EXPECT(tank.level <= tank.limit);
    return arg;
}
PROGRAM(program)
