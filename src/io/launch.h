/* SPDX-License-Identifier: MIT
 *
 * From a program's name to a process that runs it: one blocking call, for a thread of the pool. */
#ifndef BINE_IO_LAUNCH_H
#define BINE_IO_LAUNCH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bine__move { /* a descriptor of the child's */
    int from;       /* here */
    int to;         /* there */
};

struct bine__launch {
    char *const *argv;
    char *const *env;
    const char *cwd;          /* or NULL */
    struct bine__move *moves; /* in order, so that the last one to a number holds; changed while it is at work */
    size_t move_count;
    sigset_t mask;     /* the child's */
    bool default_pipe; /* SIGPIPE is ignored here alone */
    bool group;        /* lead one */
    pid_t pid;         /* out */
};

/* To be called with all signals blocked.  0, or the errno value that something failed with, exec included; then
 * there is no child. */
int bine__launch(struct bine__launch *);

#endif
