/* SPDX-License-Identifier: MIT
 *
 * What tests of generators share: numbers as values, and what happened, in words. */
#ifndef TESTS_GENERATORS_H
#define TESTS_GENERATORS_H

#include "support/support.h"

static char trace[128];

static inline void note(const char *text)
{
    strncat(trace, text, sizeof trace - strlen(trace) - 1);
}

static inline void *number(intptr_t n)
{
    return (void *)n;
}

/* The next value; there must be one. */
static inline intptr_t next(bine_gen *gen)
{
    void *value = NULL;
    expect_int(bine_gen_next(gen, &value), ==, 1);
    return (intptr_t)value;
}

#endif
