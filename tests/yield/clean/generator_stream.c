/* SPDX-License-Identifier: MIT
 *
 * A generator that waits for each of its values, for each of two consumers one of its own. */
#include "../corpus.h"

struct range {
    int at, end;
};

static void *count(bine_gen *g, void *arg)
{
    struct range *r = arg;
    while (r->at < r->end) {
        int now = r->at;
        bine_sleep(BINE_MS);
        r->at = now + 1;
        if (bine_gen_yield(g, &r->at, NULL) < 0)
            break;
    }
    return NULL;
}

static void *consumer(void *arg)
{
    struct range r = {0, *(int *)arg};
    int sum = 0;
    bine_gen *g = bine_gen_new(count, &r);
    BINE_FOR_EACH(v, g)
    {
        sum += *(int *)v;
        bine_yield();
    }
    bine_gen_free(g);
    EXPECT(sum == r.end * (r.end + 1) / 2);
    return NULL;
}

static void *program(void *arg)
{
    static int end[2] = {4, 6};
    both(consumer, &end[0], consumer, &end[1]);
    return arg;
}
PROGRAM(program)
