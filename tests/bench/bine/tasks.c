/* SPDX-License-Identifier: MIT
 *
 * bine's side of the works that need no descriptor:
 *
 *   tasks yield N | spawn | wave | crowd N | cold N | timer | sleepers N | parked N
 *
 * Each runs in a process of its own, prints its figure, and ends.  "crowd" is how things are among N tasks, for the
 * curves: what one of them holds, what a switch between them costs, and then what the life of an empty one costs
 * when N are spawned and then joined.  The clock of the switches starts when the last has started. */
#include <bine.h>

#include <unistd.h>

#include "../measure.h"

static long tasks; /* how many this run is about */

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void *array_of(size_t n, size_t size)
{
    void *array = calloc(n, size);
    if (!array)
        fail("calloc");
    return array;
}

static bine_task *spawn(bine_fn *fn, void *arg)
{
    bine_task *task = bine_spawn(fn, arg);
    if (!task)
        fail("bine_spawn");
    return task;
}

/* ---- yield --------------------------------------------------------------------------------- */

static long yields;

static void *yielder(void *arg)
{
    for (long i = 0; i < yields; i++)
        bine_yield();
    return arg;
}

static void *measure_yield(void *arg)
{
    bine_task **all = array_of((size_t)tasks, sizeof *all);
    yields = 10000000 / tasks;
    int64_t start = cpu_now();
    for (long i = 0; i < tasks; i++)
        all[i] = spawn(yielder, NULL);
    for (long i = 0; i < tasks; i++)
        bine_join(all[i], NULL);
    figure("yield", (double)(cpu_now() - start) / (double)(yields * tasks), "ns");
    free(all);
    return arg;
}

/* ---- spawn, run, join ---------------------------------------------------------------------- */

static void *nothing(void *arg)
{
    return arg;
}

static void run_wave(bine_task **all, bine_fn *fn)
{
    for (long i = 0; i < tasks; i++)
        all[i] = spawn(fn, NULL);
    for (long i = 0; i < tasks; i++)
        bine_join(all[i], NULL);
}

static void *measure_spawn(void *arg)
{
    bine_task **all = array_of((size_t)tasks, sizeof *all);
    long rounds = 4000000 / tasks;
    int64_t start = 0;
    for (long k = -rounds / 10; k < rounds; k++) {
        if (k == 0)
            start = cpu_now();
        run_wave(all, nothing);
    }
    figure("spawn", (double)(cpu_now() - start) / (double)(rounds * tasks), "ns");
    free(all);
    return arg;
}

/* ---- crowds -------------------------------------------------------------------------------- */

enum { CROWD_YIELDS = 2000000, CROWD_LIVES = 300000, LEAST_ROUNDS = 3 };

static long started;
static int64_t crowd_start, crowd_memory;

static void *crowd_yielder(void *arg)
{
    if (++started == tasks) {
        crowd_memory = memory_of(0) - crowd_memory;
        crowd_start = cpu_now();
    }
    while (started < tasks)
        bine_yield();
    for (long i = 0; i < yields; i++)
        bine_yield();
    return arg;
}

static void *measure_crowd(void *arg)
{
    bine_task **all = array_of((size_t)tasks, sizeof *all);
    memset(all, 1, (size_t)tasks * sizeof *all); /* so that its pages are not counted */
    yields = CROWD_YIELDS / tasks > LEAST_ROUNDS ? CROWD_YIELDS / tasks : LEAST_ROUNDS;
    crowd_memory = memory_of(0);
    run_wave(all, crowd_yielder);
    figure("yield", (double)(cpu_now() - crowd_start) / ((double)yields * (double)tasks), "ns");
    figure("memory", (double)crowd_memory / (double)tasks, "bytes");
    run_wave(all, nothing);
    long waves = CROWD_LIVES / tasks + 1;
    int64_t start = cpu_now();
    for (long k = 0; k < waves; k++)
        run_wave(all, nothing);
    figure("spawn", (double)(cpu_now() - start) / ((double)waves * (double)tasks), "ns");
    free(all);
    return arg;
}

/* ---- cold creation: every stack is touched for the first time ------------------------------- */

static int64_t cold_start;
static bool stop;

static void *wait_for_stop(void *arg)
{
    while (!stop)
        bine_park();
    return arg;
}

static void *measure_cold(void *arg)
{
    bine_task **all = array_of((size_t)tasks, sizeof *all);
    cold_start = cpu_now();
    for (long i = 0; i < tasks; i++)
        all[i] = spawn(wait_for_stop, NULL);
    bine_yield(); /* by its return each of them has started and parked */
    figure("cold", (double)(cpu_now() - cold_start) / (double)tasks, "ns");
    stop = true;
    for (long i = 0; i < tasks; i++)
        bine_wake(all[i]);
    for (long i = 0; i < tasks; i++)
        bine_join(all[i], NULL);
    free(all);
    return arg;
}

/* ---- timers --------------------------------------------------------------------------------- */

enum { PENDING = 1000000, OPERATIONS = 4000000, DELAYS = 4096, TOGETHER = 64 };

static void fired(void *arg)
{
    (void)arg;
    abort(); /* nothing may fire while it is measured */
}

static bine_ns draw_delay(uint64_t *random)
{
    return 100 * BINE_SECOND + (bine_ns)(next_random(random) % 1000000) * BINE_MS;
}

/* "timer": 64 are started, the clock is looked at, so that they take their places among the million, and all are
 * cancelled.  "timer-at-once": each is cancelled right after its start. */
static void *measure_timer(void *arg)
{
    static bine_timer pending[PENDING], timer[TOGETHER];
    static bine_ns delay[DELAYS];
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < DELAYS; i++)
        delay[i] = draw_delay(&random);
    for (int i = 0; i < PENDING; i++) {
        bine_timer_init(&pending[i], fired, NULL);
        bine_timer_start(&pending[i], draw_delay(&random));
    }
    for (int i = 0; i < TOGETHER; i++)
        bine_timer_init(&timer[i], fired, NULL);
    bine_now();
    int64_t start = cpu_now();
    for (int i = 0; i < OPERATIONS; i += TOGETHER) {
        for (int k = 0; k < TOGETHER; k++)
            bine_timer_start(&timer[k], delay[(i + k) % DELAYS]);
        bine_now();
        for (int k = 0; k < TOGETHER; k++)
            bine_timer_cancel(&timer[k]);
    }
    figure("timer", (double)(cpu_now() - start) / OPERATIONS, "ns");
    start = cpu_now();
    for (int i = 0; i < OPERATIONS; i++) {
        bine_timer_start(&timer[0], delay[i % DELAYS]);
        bine_timer_cancel(&timer[0]);
    }
    figure("timer-at-once", (double)(cpu_now() - start) / OPERATIONS, "ns");
    for (int i = 0; i < PENDING; i++)
        if (bine_timer_cancel(&pending[i]) != 1)
            abort();
    return arg;
}

/* ---- sleepers and parked tasks --------------------------------------------------------------- */

static void *sleeper(void *arg)
{
    bine_sleep((bine_ns)(uintptr_t)arg);
    return NULL;
}

static void *measure_sleepers(void *arg)
{
    bine_task **all = array_of((size_t)tasks, sizeof *all);
    uint64_t random = 88172645463325252u;
    int64_t start = cpu_now();
    for (long i = 0; i < tasks; i++)
        all[i] = spawn(sleeper, (void *)(uintptr_t)(next_random(&random) % (uint64_t)BINE_SECOND));
    for (long i = 0; i < tasks; i++)
        bine_join(all[i], NULL);
    figure("sleepers", (double)(cpu_now() - start) / 1e6, "ms");
    free(all);
    return arg;
}

static void *measure_parked(void *arg)
{
    (void)arg;
    int64_t before = memory_of(0);
    for (long i = 0; i < tasks; i++)
        bine_detach(spawn(wait_for_stop, NULL));
    bine_yield();
    figure("parked", (double)(memory_of(0) - before) / (double)tasks, "bytes");
    _exit(0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bine_fn *fn;
        long fallback;
    } works[] = {
        {"yield", measure_yield, 2},   {"spawn", measure_spawn, 1},     {"wave", measure_spawn, 1000},
        {"crowd", measure_crowd, 1000}, {"cold", measure_cold, 20000},   {"timer", measure_timer, 1},
        {"sleepers", measure_sleepers, 100000}, {"parked", measure_parked, 100000},
    };
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (strcmp(argc > 1 ? argv[1] : "", works[i].name) != 0)
            continue;
        tasks = count_argument(argc, argv, 2, works[i].fallback);
        if (bine_run(works[i].fn, NULL, NULL) != 0)
            fail("bine_run");
        if (works[i].fn == measure_cold)
            figure("life", (double)(cpu_now() - cold_start) / (double)tasks, "ns");
        return 0;
    }
    fprintf(stderr, "usage: tasks yield N | spawn | wave | crowd N | cold N | timer | sleepers N | parked N\n");
    return 2;
}
