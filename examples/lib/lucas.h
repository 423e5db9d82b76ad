/* SPDX-License-Identifier: MIT
 *
 * The Lucas sequence 2, 1, 3, 4, 7, 11 ... as a generator: what programs of examples/seeds search in. */
#ifndef EXAMPLES_LUCAS_H
#define EXAMPLES_LUCAS_H

#include <bine.h>

/* A generator's body.  Hands out pointers to uint64_t, valid until the next one.  arg: NULL for the whole
 * sequence, as far as 64 bits hold it, or a pointer to the number (unsigned) of items to hand out. */
void *lucas(bine_gen *, void *arg);

unsigned count_digits(uint64_t);

/* ENOENT in a search's own words, any other error in the system's. */
const char *why(int error);

#endif
