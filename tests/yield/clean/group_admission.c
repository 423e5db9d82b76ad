/* SPDX-License-Identifier: MIT
 *
 * No more children at once than the group admits; each counts itself in and out. */
#include "../corpus.h"

static int running, finished;

static void *child(void *arg)
{
    running++;
    EXPECT(running <= 2);
    bine_sleep(2 * BINE_MS);
    running--;
    finished++;
    return arg;
}

static void *program(void *arg)
{
    BINE_GROUP(g, BINE_GROUP_ALL)
    {
        for (int i = 0; i < 6; i++) {
            bine_group_admit(&g, 2);
            bine_group_spawn(&g, child, NULL);
        }
    }
    EXPECT(finished == 6);
    return arg;
}
PROGRAM(program)
