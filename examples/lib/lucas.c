/* SPDX-License-Identifier: MIT
 *
 * The Lucas sequence: see lucas.h. */
#include "lucas.h"

#include <errno.h>
#include <string.h>

/* The 91st is the last that 64 bits hold with its successor. */
enum { LUCAS_ITEMS = 91 };

void *lucas(bine_gen *g, void *arg)
{
    unsigned left = arg ? *(const unsigned *)arg : LUCAS_ITEMS;
    uint64_t item = 2;
    uint64_t next = 1;
    for (; left > 0 && bine_gen_yield(g, &item, NULL) == 0; left--) {
        uint64_t sum = item + next;
        item = next;
        next = sum;
    }
    return NULL;
}

unsigned count_digits(uint64_t n)
{
    unsigned digits = 1;
    for (; n >= 10; n /= 10)
        digits++;
    return digits;
}

const char *why(int error)
{
    return error == ENOENT ? "not found" : strerror(error);
}
