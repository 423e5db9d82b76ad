/* SPDX-License-Identifier: MIT
 *
 * What the programs of examples/seeds have in common: a trace with times, and how they are run.
 *
 * They run on the virtual clock, so that a second costs nothing and the output is always the same; with
 * --real they take the time that they print. */
#ifndef EXAMPLES_TRACE_H
#define EXAMPLES_TRACE_H

#include <bine.h>

/* From now on it is 0.000 again. */
void trace_restart(void);

/* Prints "0.500 text", the text as by printf(3). */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The whole of main(): runs fn(NULL) on the virtual clock, or with --real on the real one. */
int trace_main(int argc, char **argv, bine_fn *fn);

#endif
