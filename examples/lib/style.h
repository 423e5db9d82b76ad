/* SPDX-License-Identifier: MIT
 *
 * What the programs of examples/styles have in common, so that two of them differ in their style alone: how
 * they are run, and the same load for both. */
#ifndef EXAMPLES_STYLE_H
#define EXAMPLES_STYLE_H

#include <bine.h>

struct style {
    const char *name;                  /* "transfer, gevent" */
    int style;                         /* of the tasks: BINE_IMPLICIT or BINE_EXPLICIT */
    bine_fn *scenario;                 /* tasks that meet; fails with EPROTO if what comes of it is wrong */
    int (*open)(void);                 /* before the load: 0, or -1 with errno */
    int (*operation)(unsigned client); /* yields: one operation of the load; 0, or -1 with errno */
    void (*close)(void);               /* after it */
};

/* The whole of main(): runs the scenario, or with --load OPERATIONS so many by 20 clients, and prints
 * "operations per second, median and 99th percentile in microseconds". */
int style_main(int argc, char **argv, const struct style *);

/* Yields.  fn(args[i]) for each, in tasks of that style; until all have ended.  0, or -1 with the first
 * failure. */
int style_all(int style, unsigned n, bine_fn *fn, void *const args[]);

/* A task of that style. */
bine_task *style_spawn(int style, bine_fn *fn, void *arg);

/* Yields, as a line to a log server would. */
void style_log(const char *what);

/* A server in a task of its own, at the other end of the descriptor that it gives: answers each line with the
 * same line. -1 with errno.  Closing the descriptor ends it. */
int style_echo_server(void);

#endif
