/* SPDX-License-Identifier: MIT
 *
 * A task of explicit style that marks every switch. */
#include "../corpus.h"

#include <bine/check.h>

static int total;

static int fetch(int n)
{
    bine_sleep(n * BINE_MS);
    return n;
}

static void *careful(void *arg)
{
    for (int i = 1; i < 4; i++) {
        int got = bine_await(fetch(i));
        total += got;
    }
    bine_await(bine_yield());
    return arg;
}

static void *program(void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.style = BINE_EXPLICIT;
    bine_task *one = bine_spawn_with(&attr, careful, NULL), *two = bine_spawn_with(&attr, careful, NULL);
    bine_join(one, NULL), bine_join(two, NULL);
    EXPECT(total == 12);
    return arg;
}
PROGRAM(program)
