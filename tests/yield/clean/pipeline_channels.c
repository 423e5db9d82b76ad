/* SPDX-License-Identifier: MIT
 *
 * Three stages joined by channels; what goes through belongs to the stage that has it. */
#include "../corpus.h"

struct item {
    int raw, parsed, total;
};
static bine_chan *first, *second;
static int sum;

static void *source(void *arg)
{
    for (int i = 1; i <= 5; i++) {
        struct item *it = calloc(1, sizeof *it);
        it->raw = i;
        bine_chan_send(first, &it);
    }
    bine_chan_close(first);
    return arg;
}

static void *parser(void *arg)
{
    struct item *it;
    while (bine_chan_recv(first, &it) == 0) {
        it->parsed = it->raw * 10;
        bine_sleep(BINE_MS);
        it->total = it->parsed + it->raw;
        bine_chan_send(second, &it);
    }
    bine_chan_close(second);
    return arg;
}

static void *sink(void *arg)
{
    struct item *it;
    while (bine_chan_recv(second, &it) == 0) {
        sum += it->total;
        free(it);
    }
    return arg;
}

static void *program(void *arg)
{
    first = bine_chan_new(sizeof(struct item *), 0, NULL);
    second = bine_chan_new(sizeof(struct item *), 2, NULL);
    bine_task *last = bine_spawn(sink, NULL);
    both(source, NULL, parser, NULL);
    bine_join(last, NULL);
    bine_chan_free(first), bine_chan_free(second);
    EXPECT(sum == 165);
    return arg;
}
PROGRAM(program)
