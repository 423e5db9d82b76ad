/* SPDX-License-Identifier: MIT
 *
 * Readers of two fields look at a version before and after, and try again. */
#include "../corpus.h"

static struct {
    unsigned seq;
    int a, b;
} d = {0, 1, -1};

static void slow(void)
{
    bine_yield();
}

static void write_pair(int v)
{
    d.seq++;
    d.a = v;
    slow();
    d.b = -v;
    d.seq++;
}

static int read_sum(void)
{
    for (;;) {
        unsigned s = d.seq;
        if (s & 1) {
            bine_yield();
            continue;
        }
        int a = d.a;
        slow();
        int b = d.b;
        if (d.seq == s)
            return a + b;
    }
}

static void *writer(void *arg)
{
    for (int i = 2; i < 6; i++) {
        write_pair(i);
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *reader(void *arg)
{
    for (int i = 0; i < 6; i++) {
        EXPECT(read_sum() == 0);
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *program(void *arg)
{
    both(writer, NULL, reader, NULL);
    return arg;
}
PROGRAM(program)
