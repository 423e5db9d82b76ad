/* SPDX-License-Identifier: MIT
 *
 * bine's side of the works between two loops, each on a thread of its own:
 *
 *   cross post   loop 0 posts to loop 1, which posts back: a round trip, each way a fresh task
 *   cross chan   a task of each loop; a value goes forth by one shared channel and back by another
 *   cross rare   as post, but 200 us pass between two round trips: both loops are asleep by then
 *
 * Each loop is bound to a processor, if there are two: else the scheduler of a busy machine puts both on the same one.
 *
 * Two figures of each: the time that a round trip takes on the wall, and the CPU time that both loops use for it.  Each
 * is the median of many batches: who else uses the processors meanwhile delays some of them by whole time slices. */
#define _GNU_SOURCE
#include <bine.h>

#include <errno.h>
#include <sched.h>

#include "../measure.h"

enum { BATCHES = 1001, BATCH = 100, RARE_BATCHES = 1001 };

static const bine_ns rare_pause = 200 * BINE_US;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t wall_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void bind_loop(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(bine_loop_index() % 2, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

static double walls[BATCHES], cpus[BATCHES];

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(void (*trips)(long), int batches, long batch, bine_ns pause)
{
    for (int i = 0; i < batches; i++) {
        if (pause)
            bine_sleep(pause);
        int64_t wall = wall_now(), cpu = cpu_now();
        trips(batch);
        cpus[i] = (double)(cpu_now() - cpu) / (double)batch;
        walls[i] = (double)(wall_now() - wall) / (double)batch;
    }
    qsort(walls, (size_t)batches, sizeof *walls, compare);
    qsort(cpus, (size_t)batches, sizeof *cpus, compare);
    figure("trip", walls[batches / 2], "ns");
    figure("cpu", cpus[batches / 2], "ns");
}

/* ---- Posts ------------------------------------------------------------------------------------------- */

static long trips_left;
static bine_event all_back = BINE_EVENT_INIT, over = BINE_EVENT_INIT; /* of loop 0; of loop 1 */

static void post(unsigned loop, bine_fn *fn)
{
    if (bine_post(bine_cluster_loop(loop), fn, NULL) != 0)
        fail("bine_post");
}

static void *forth(void *arg);

static void *back(void *arg)
{
    (void)arg;
    if (--trips_left > 0)
        post(1, forth);
    else
        bine_event_set(&all_back);
    return NULL;
}

static void *forth(void *arg)
{
    (void)arg;
    post(0, back);
    return NULL;
}

static void go_round(long trips)
{
    trips_left = trips;
    bine_event_clear(&all_back);
    post(1, forth);
    if (bine_event_wait(&all_back) != 0)
        fail("bine_event_wait");
}

static void *end(void *arg)
{
    (void)arg;
    bine_event_set(&over);
    return NULL;
}

static void *measure_post(void *arg)
{
    bind_loop();
    if (bine_loop_index() == 1)
        return bine_event_wait(&over) == 0 ? NULL : bine_fail(errno);
    measure(go_round, BATCHES, BATCH, 0);
    post(1, end);
    return arg;
}

static void *measure_rare(void *arg)
{
    bind_loop();
    if (bine_loop_index() == 1)
        return bine_event_wait(&over) == 0 ? NULL : bine_fail(errno);
    measure(go_round, RARE_BATCHES, 1, rare_pause);
    post(1, end);
    return arg;
}

/* ---- Channels ---------------------------------------------------------------------------------------- */

static bine_chan *there, *here;

static void trip_often(long trips)
{
    for (long i = 0; i < trips; i++) {
        int64_t value = i;
        if (bine_chan_send(there, &value) != 0 || bine_chan_recv(here, &value) != 0 || value != i)
            fail("a trip");
    }
}

static void *measure_chan(void *arg)
{
    bind_loop();
    if (bine_loop_index() == 1) {
        int64_t value;
        while (bine_chan_recv(there, &value) == 0)
            if (bine_chan_send(here, &value) != 0)
                fail("bine_chan_send");
        return arg;
    }
    measure(trip_often, BATCHES, BATCH, 0);
    bine_chan_close(there);
    return arg;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bine_fn *fn;
    } works[] = {{"post", measure_post}, {"chan", measure_chan}, {"rare", measure_rare}};
    there = bine_chan_new_shared(sizeof(int64_t), 0, NULL);
    here = bine_chan_new_shared(sizeof(int64_t), 0, NULL);
    if (!there || !here)
        fail("bine_chan_new_shared");
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (strcmp(argc > 1 ? argv[1] : "", works[i].name) != 0)
            continue;
        if (bine_cluster(2, works[i].fn, NULL) != 0)
            fail("bine_cluster");
        bine_chan_free(there);
        bine_chan_free(here);
        return 0;
    }
    fprintf(stderr, "usage: cross post | chan | rare\n");
    return 2;
}
