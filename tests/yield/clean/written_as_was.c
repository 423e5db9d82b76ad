/* SPDX-License-Identifier: MIT
 *
 * Who sets the level to what it is already has changed nothing that another has looked at. */
#include "../corpus.h"

static int level = 3;

static void *raise_it(void *arg)
{
    if (level == 3) {
        bine_sleep(2 * BINE_MS);
        level = 4;
    }
    return arg;
}

static void *normal(void *arg)
{
    bine_sleep(BINE_MS);
    level = 3;
    return arg;
}

static void *program(void *arg)
{
    both(raise_it, NULL, normal, NULL);
    EXPECT(level == 3 || level == 4);
    return arg;
}
PROGRAM(program)
