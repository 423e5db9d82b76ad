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
