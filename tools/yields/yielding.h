/* SPDX-License-Identifier: MIT
 *
 * Bine's calls that may switch tasks, as the manual has them: made from the pages by yielding.awk when the
 * program is built, so that there is one list of them. */
#ifndef YIELDS_YIELDING_H
#define YIELDS_YIELDING_H

#include <stdbool.h>
#include <stddef.h>

struct yielding {
    const char *name;
    const char *result, *parameters; /* as its page's SYNOPSIS gives them */
    bool as_callback;                /* only as what it is given to call does */
};

extern const struct yielding yielding[];
extern const size_t yielding_count;

#endif
