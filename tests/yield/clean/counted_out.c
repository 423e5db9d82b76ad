/* SPDX-License-Identifier: MIT
 *
 * Who is in: counted in, the peak noted after a wait, counted out. */
#include "../corpus.h"

static struct {
    int in, peak, total;
} l;

static void *guest(void *arg)
{
    l.in++;
    l.total++;
    bine_sleep(BINE_MS);
    if (l.in > l.peak)
        l.peak = l.in;
    bine_sleep(*(int *)arg * BINE_MS);
    l.in--;
    return NULL;
}

static void *program(void *arg)
{
    static int t[4] = {1, 3, 2, 5};
    BINE_GROUP(g, BINE_GROUP_ALL)
    for (int i = 0; i < 4; i++)
        bine_group_spawn(&g, guest, &t[i]);
    EXPECT(l.in == 0 && l.peak <= 4 && l.total == 4);
    return arg;
}
PROGRAM(program)
