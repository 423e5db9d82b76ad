/* SPDX-License-Identifier: MIT
 *
 * Several producers, one collector, which alone has the total. */
#include "../corpus.h"

static bine_chan *results;
static int total;

static void *producer(void *arg)
{
    for (int i = 0; i < 4; i++) {
        bine_sleep(BINE_MS);
        bine_chan_send(results, arg);
    }
    return NULL;
}

static void *collector(void *arg)
{
    int value;
    while (bine_chan_recv(results, &value) == 0) {
        int so_far = total;
        bine_yield();
        total = so_far + value;
    }
    return arg;
}

static void *program(void *arg)
{
    static int value[2] = {1, 10};
    results = bine_chan_new(sizeof(int), 1, NULL);
    bine_task *it = bine_spawn(collector, NULL);
    both(producer, &value[0], producer, &value[1]);
    bine_chan_close(results);
    bine_join(it, NULL);
    bine_chan_free(results);
    EXPECT(total == 44);
    return arg;
}
PROGRAM(program)
