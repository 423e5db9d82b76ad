/* SPDX-License-Identifier: MIT
 *
 * bine's side of the works about channels and locks:
 *
 *   chan meet | buffer | select | mutex
 *
 * Each runs in a process of its own, prints its figure, and ends. */
#include <bine.h>

#include "../measure.h"

enum { MESSAGES = 10000000, BUFFER = 128, WAYS = 8, SELECTS = 5000000, LOCKS = 5000000 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static bine_chan *chan_of(size_t capacity)
{
    bine_chan *chan = bine_chan_new(sizeof(int64_t), capacity, NULL);
    if (!chan)
        fail("bine_chan_new");
    return chan;
}

static bine_task *spawn(bine_fn *fn, void *arg)
{
    bine_task *task = bine_spawn(fn, arg);
    if (!task)
        fail("bine_spawn");
    return task;
}

/* ---- One task sends, another receives ------------------------------------------------------------ */

static void *send_all(void *chan)
{
    for (int64_t i = 0; i < MESSAGES; i++)
        if (bine_chan_send(chan, &i) != 0)
            fail("bine_chan_send");
    return NULL;
}

static void *one_way(void *arg)
{
    bine_chan *chan = chan_of(*(size_t *)arg);
    int64_t value, sum = 0;
    int64_t start = cpu_now();
    bine_task *sender = spawn(send_all, chan);
    for (int64_t i = 0; i < MESSAGES; i++) {
        if (bine_chan_recv(chan, &value) != 0)
            fail("bine_chan_recv");
        sum += value;
    }
    figure("message", (double)(cpu_now() - start) / MESSAGES, "ns");
    if (sum != (int64_t)MESSAGES * (MESSAGES - 1) / 2)
        fail("the values");
    bine_join(sender, NULL);
    bine_chan_free(chan);
    return NULL;
}

static void *measure_meet(void *arg)
{
    size_t capacity = 0;
    (void)arg;
    return one_way(&capacity);
}

static void *measure_buffer(void *arg)
{
    size_t capacity = BUFFER;
    (void)arg;
    return one_way(&capacity);
}

/* ---- A value is sent to one of eight channels, and all eight are selected from --------------------- */

static void *measure_select(void *arg)
{
    bine_chan *chans[WAYS];
    bine_case cases[WAYS];
    int64_t value = 0;
    for (int i = 0; i < WAYS; i++) {
        chans[i] = chan_of(1);
        cases[i] = bine_case_recv(chans[i], &value);
    }
    int64_t start = cpu_now();
    for (int64_t i = 0; i < SELECTS; i++) {
        int way = (int)(i * 5 % WAYS);
        bine_chan_send(chans[way], &i);
        if (bine_chan_select(cases, WAYS) != way || value != i)
            fail("bine_chan_select");
    }
    figure("select", (double)(cpu_now() - start) / SELECTS, "ns");
    for (int i = 0; i < WAYS; i++)
        bine_chan_free(chans[i]);
    return arg;
}

/* ---- Two tasks hold a mutex in turn, each across a switch ------------------------------------------- */

static bine_mutex mutex = BINE_MUTEX_INIT;

static void *hold(void *arg)
{
    for (int i = 0; i < LOCKS; i++) {
        if (bine_mutex_lock(&mutex) != 0)
            fail("bine_mutex_lock");
        bine_yield();
        bine_mutex_unlock(&mutex);
    }
    return arg;
}

static void *measure_mutex(void *arg)
{
    int64_t start = cpu_now();
    bine_task *other = spawn(hold, NULL);
    hold(NULL);
    bine_join(other, NULL);
    figure("lock", (double)(cpu_now() - start) / (2.0 * LOCKS), "ns");
    return arg;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bine_fn *fn;
    } works[] = {
        {"meet", measure_meet}, {"buffer", measure_buffer}, {"select", measure_select}, {"mutex", measure_mutex}};
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (strcmp(argc > 1 ? argv[1] : "", works[i].name) != 0)
            continue;
        if (bine_run(works[i].fn, NULL, NULL) != 0)
            fail("bine_run");
        return 0;
    }
    fprintf(stderr, "usage: chan meet | buffer | select | mutex\n");
    return 2;
}
