/* SPDX-License-Identifier: MIT
 *
 * Tasks that fill tables and lists of their own and add what is in them up: what memory costs under the detector.
 * Prints the largest resident size in KiB. */
#include <bine.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { TASKS = 20, CELLS = 40000, NODES = 10000 };

struct node {
    long value[4];
    struct node *next;
};

static void *task(void *arg)
{
    long *table = malloc(CELLS * sizeof *table), sum = 0;
    struct node *list = NULL;
    for (long i = 0; i < CELLS; i++)
        table[i] = i;
    for (long i = 0; i < NODES; i++) {
        struct node *n = malloc(sizeof *n);
        *n = (struct node){{i, i, i, i}, list};
        list = n;
    }
    bine_sleep(10 * BINE_MS);
    for (long i = 0; i < CELLS; i++)
        sum += table[i];
    for (struct node *n = list; n; n = n->next)
        sum += n->value[3];
    *(long *)arg = sum;
    bine_sleep(10 * BINE_MS);
    while (list) {
        struct node *n = list;
        list = n->next;
        free(n);
    }
    free(table);
    return NULL;
}

static void *program(void *arg)
{
    static long sum[TASKS];
    BINE_GROUP(g, BINE_GROUP_ALL)
    {
        for (int i = 0; i < TASKS; i++)
            bine_group_spawn(&g, task, &sum[i]);
    }
    return arg;
}

int main(void)
{
    struct rusage use;
    bine_run(program, NULL, NULL);
    getrusage(RUSAGE_SELF, &use);
    printf("%ld\n", use.ru_maxrss);
    return 0;
}
