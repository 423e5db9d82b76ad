/* SPDX-License-Identifier: MIT
 *
 * GNU Pth's side of the bench: pth yield N | spawn | wave | crowd N.
 *
 * Stacks of 64 KiB, as bine's; the library gives them no guard, and each new thread one of its own by malloc().
 * "crowd" is as in bine/tasks.c.  A switch takes the longer the more threads there are, so that the counts are
 * small. */
#include <pth.h>

#include "../measure.h"

enum { STACK_SIZE = 64 * 1024, YIELDS = 50000, LIVES = 10000 };

static long tasks, yields, started;
static pth_attr_t attributes;
static int64_t start, memory;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void run_wave(pth_t *all, void *(*fn)(void *))
{
    for (long i = 0; i < tasks; i++)
        if (!(all[i] = pth_spawn(attributes, fn, NULL)))
            fail("pth_spawn");
    for (long i = 0; i < tasks; i++)
        if (!pth_join(all[i], NULL))
            fail("pth_join");
}

static void *yielder(void *arg)
{
    if (++started == tasks) {
        memory = memory_of(0) - memory;
        start = cpu_now();
    }
    while (started < tasks)
        pth_yield(NULL);
    for (long i = 0; i < yields; i++)
        pth_yield(NULL);
    return arg;
}

static void measure_yield(pth_t *all)
{
    yields = YIELDS / tasks + 1;
    memory = memory_of(0);
    run_wave(all, yielder);
    figure("yield", (double)(cpu_now() - start) / ((double)yields * (double)tasks), "ns");
}

static void *nothing(void *arg)
{
    return arg;
}

static void measure_spawn(pth_t *all)
{
    long waves = LIVES / tasks + 1;
    for (long k = -waves / 10 - 1; k < waves; k++) {
        if (k == 0)
            start = cpu_now();
        run_wave(all, nothing);
    }
    figure("spawn", (double)(cpu_now() - start) / ((double)waves * (double)tasks), "ns");
}

int main(int argc, char **argv)
{
    const char *work = argc > 1 ? argv[1] : "";
    int crowd = !strcmp(work, "crowd");
    if (!pth_init())
        fail("pth_init");
    attributes = pth_attr_new();
    pth_attr_set(attributes, PTH_ATTR_STACK_SIZE, STACK_SIZE);
    tasks = count_argument(argc, argv, 2, strcmp(work, "spawn") ? 1000 : 1);
    pth_t *all = malloc((size_t)tasks * sizeof *all);
    if (!all)
        fail("malloc");
    memset(all, 1, (size_t)tasks * sizeof *all); /* so that its pages are not counted */
    if (crowd || !strcmp(work, "yield"))
        measure_yield(all);
    if (crowd)
        figure("memory", (double)memory / (double)tasks, "bytes");
    if (crowd || !strcmp(work, "spawn") || !strcmp(work, "wave"))
        measure_spawn(all);
    else if (strcmp(work, "yield") != 0)
        return fprintf(stderr, "usage: pth yield N | spawn | wave | crowd N\n"), 2;
    return 0;
}
