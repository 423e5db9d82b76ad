/* SPDX-License-Identifier: MIT
 *
 * Each computes its part from the others' of the phase before. */
#include "../corpus.h"

static bine_barrier barrier;
static int part[2][2] = {{1, 2}, {0, 0}};

static void *worker(void *arg)
{
    int me = *(int *)arg;
    for (int phase = 0; phase < 4; phase++) {
        int from = phase & 1, to = !from;
        part[to][me] = part[from][0] + part[from][1];
        bine_sleep((me + 1) * BINE_MS);
        bine_barrier_wait(&barrier);
        EXPECT(part[to][0] == part[to][1]);
        bine_barrier_wait(&barrier);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int id[2] = {0, 1};
    bine_barrier_init(&barrier, 2);
    both(worker, &id[0], worker, &id[1]);
    EXPECT(part[0][0] == 24);
    return arg;
}
PROGRAM(program)
