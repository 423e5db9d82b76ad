/* SPDX-License-Identifier: MIT
 *
 * Task(redis.set('a', 'b')): a task that nobody waits for, and that fails.
 *
 * The failure is not lost: what nobody looked at goes to the report hook, with the task's name and the
 * place that spawned it. task_wrapper() is the cure of the talk, a task that deals with its own failure.
 * Better is a group (spawn.c), where there is always somebody to look. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lib/trace.h"

static void *set(void *arg)
{
    return bine_yield() < 0 ? bine_fail(errno) : bine_fail(arg ? ECONNREFUSED : EPIPE);
}

static void *task_wrapper(void *arg)
{
    bine_task *task = bine_spawn(set, arg);
    bine_result result = {NULL, 0};
    if (task && bine_join(task, &result) == 0 && result.error)
        printf("  log: task error: %s\n", strerror(result.error));
    return NULL;
}

static void report(const bine_report *r)
{
    printf("  report: task \"%s\": %s\n", r->name, strerror(r->error));
}

static void spawn_and_forget(bine_fn *fn, const char *name)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = name;
    attr.detached = true;
    bine_spawn_with(&attr, fn, NULL);
    bine_sleep(BINE_MS);
}

static void *run(void *arg)
{
    bine_set_report(report);
    puts("forgotten");
    spawn_and_forget(set, "set a");
    puts("wrapped");
    spawn_and_forget(task_wrapper, "wrapper");
    puts("in a group that nobody asks");
    BINE_GROUP(g, BINE_GROUP_ALL)
        bine_group_spawn(&g, set, NULL);
    puts("in a group that somebody asks");
    bine_group group;
    bine_group_open(&group, BINE_GROUP_ALL);
    bine_group_spawn(&group, set, NULL);
    if (bine_group_wait(&group, NULL) < 0)
        printf("  the group: %s\n", strerror(errno));
    return arg;
}

int main(int argc, char **argv)
{
    return trace_main(argc, argv, run);
}
