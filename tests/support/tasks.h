/* SPDX-License-Identifier: MIT
 *
 * What many tests do with tasks. */
#ifndef TESTS_TASKS_H
#define TESTS_TASKS_H

#include "support/support.h"

/* Waits until it has ended, and tells how. */
static inline bine_result join(bine_task *task)
{
    bine_result result = {NULL, -1};
    expect_ok(bine_join(task, &result));
    return result;
}

/* The same of one that must have succeeded. */
static inline void *join_value(bine_task *task)
{
    bine_result result = join(task);
    expect_int(result.error, ==, 0);
    return result.value;
}

static inline void *return_arg(void *arg)
{
    return arg;
}

static inline bine_task *spawn_named(const char *name, bine_fn *fn, void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = name;
    return bine_spawn_with(&attr, fn, arg);
}

/* What the one task that is parked waits for; NULL: none is. */
static inline const char *parked_in(void)
{
    static bine_task_info info[16];
    size_t n = bine_tasks(info, 16);
    for (size_t i = 0; i < n && i < 16; i++)
        if (info[i].state == BINE_TASK_PARKED)
            return info[i].waits_for;
    return NULL;
}

/* Counts its turns in an int, until somebody makes that negative. */
static inline void *count_turns_in(void *arg)
{
    int *counter = arg;
    while (*counter >= 0) {
        ++*counter;
        bine_yield();
    }
    return NULL;
}

#endif
