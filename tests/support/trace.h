/* SPDX-License-Identifier: MIT
 *
 * What happened, in order: a letter for each thing. */
#ifndef TESTS_TRACE_H
#define TESTS_TRACE_H

#include "support/support.h"

static char trace[1024];

static inline void note(char c)
{
    size_t n = strlen(trace);
    if (expect(n + 1 < sizeof trace)) {
        trace[n] = c;
        trace[n + 1] = '\0';
    }
}

#endif
