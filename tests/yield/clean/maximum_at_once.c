/* SPDX-License-Identifier: MIT
 *
 * A record is noted before it is announced. */
#include "../corpus.h"

static int record;

static void *score(void *arg)
{
    int n = *(int *)arg;
    bine_sleep(BINE_MS);
    if (n > record) {
        record = n;
        bine_sleep((20 - n) * BINE_MS);
        printf("%d was a record\n", n);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int n[2] = {10, 15};
    both(score, &n[0], score, &n[1]);
    EXPECT(record == 15);
    return arg;
}
PROGRAM(program)
