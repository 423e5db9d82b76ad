/* SPDX-License-Identifier: MIT
 *
 * bine's side of the works about generators and groups:
 *
 *   structure next | group
 *
 * Each runs in a process of its own, prints its figure, and ends. */
#include <bine.h>

#include "../measure.h"

enum { VALUES = 20000000, CHILDREN = 1000, GROUPS = 2000 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- A generator's values ------------------------------------------------------------------------ */

static void *count(bine_gen *gen, void *arg)
{
    for (intptr_t i = 0; bine_gen_yield(gen, (void *)i, NULL) == 0; i++)
        ;
    return arg;
}

static void *measure_next(void *arg)
{
    bine_gen *gen = bine_gen_new(count, NULL);
    void *value;
    intptr_t sum = 0;
    int64_t start = cpu_now();
    for (int i = 0; i < VALUES; i++) {
        if (bine_gen_next(gen, &value) != 1)
            fail("bine_gen_next");
        sum += (intptr_t)value;
    }
    figure("next", (double)(cpu_now() - start) / VALUES, "ns");
    if (sum != (intptr_t)VALUES * (VALUES - 1) / 2)
        fail("the values");
    bine_gen_free(gen);
    return arg;
}

/* ---- A group of children that do nothing ----------------------------------------------------------- */

static void *nothing(void *arg)
{
    return arg;
}

static void *measure_group(void *arg)
{
    int64_t start = 0;
    for (int i = -GROUPS / 10; i < GROUPS; i++) {
        bine_group group;
        if (i == 0)
            start = cpu_now();
        bine_group_open(&group, BINE_GROUP_ALL);
        for (int k = 0; k < CHILDREN; k++)
            if (!bine_group_spawn(&group, nothing, NULL))
                fail("bine_group_spawn");
        if (bine_group_wait(&group, NULL) != 0)
            fail("bine_group_wait");
    }
    figure("child", (double)(cpu_now() - start) / ((double)GROUPS * CHILDREN), "ns");
    return arg;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bine_fn *fn;
    } works[] = {{"next", measure_next}, {"group", measure_group}};
    for (size_t i = 0; argc == 2 && i < sizeof works / sizeof *works; i++)
        if (strcmp(argv[1], works[i].name) == 0) {
            if (bine_run(works[i].fn, NULL, NULL) != 0)
                fail("bine_run");
            return 0;
        }
    fprintf(stderr, "usage: structure next|group\n");
    return 2;
}
