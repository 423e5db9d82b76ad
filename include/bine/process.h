/* SPDX-License-Identifier: MIT
 *
 * Programs as child processes: started, talked to, waited for, ended.
 *
 * A child gets the standard descriptors and those that are passed to it, and no other; default handlers, SIGPIPE
 * too, and the caller's signal mask.  Each is waited for by its own number, so other code's children are left
 * alone; a program that waits for any child (waitpid(-1)), or ignores SIGCHLD, takes the status away: ECHILD. */
#ifndef BINE_PROCESS_H
#define BINE_PROCESS_H

#include <bine/base.h>

BINE_BEGIN_DECLS

typedef struct bine_process bine_process;

/* What a child's standard descriptor is. */
enum {
    BINE_PROCESS_INHERIT = 0, /* what it is here */
    BINE_PROCESS_PIPE = 1,    /* a pipe to the caller */
    BINE_PROCESS_NULL = 2,    /* /dev/null */
    BINE_PROCESS_STDOUT = 3   /* of .err alone: what .out is */
};

typedef struct bine_process_fd { /* a descriptor that the child gets */
    int parent;                  /* its number here */
    int child;                   /* and there */
} bine_process_fd;

/* Zero-initialise, or start from BINE_PROCESS_OPTIONS_INIT, and fill in what differs. */
typedef struct bine_process_options {
    char *const *env; /* "NAME=value", ended by NULL; NULL: as here */
    const char *cwd;  /* NULL: as here */
    const bine_process_fd *fds;
    size_t fd_count;
    int in, out, err; /* BINE_PROCESS_INHERIT ... */
    bool group;       /* leads a process group of its own, which bine_process_kill() and _stop() reach */
} bine_process_options;
#define BINE_PROCESS_OPTIONS_INIT {NULL, NULL, NULL, 0, 0, 0, 0, false}

/* How it ended. */
typedef struct bine_process_status {
    int code;    /* that it exited with; -1: a signal ended it */
    int signal;  /* that ended it, or 0 */
    bool dumped; /* core */
} bine_process_status;

/* Yields until the program runs, or could not be executed: NULL with the errno of that.  A name without a slash
 * is looked for in PATH.  pipes: our ends of stdin, stdout, stderr, the caller's to close; -1 where none was
 * asked for; may be NULL.  options may be NULL. */
#define bine_process_start(argv, options, pipes) \
    bine_process_start_sized((argv), (options), sizeof(bine_process_options), (pipes))
BINE_EXPORT bine_process *bine_process_start_sized(char *const argv[], const bine_process_options *, size_t size,
                                                   int pipes[3]);

BINE_EXPORT pid_t bine_process_pid(const bine_process *);

/* Yields until it has ended; again and again, by any number of tasks of the loop that started it.  A wait that
 * is cut short leaves it alone.  status may be NULL. */
BINE_EXPORT int bine_process_wait(bine_process *, bine_process_status *status);
BINE_EXPORT int bine_process_wait_try(bine_process *, bine_process_status *status); /* EAGAIN: it runs */

/* Sends a signal.  ESRCH: it has ended and was waited for. */
BINE_EXPORT int bine_process_kill(bine_process *, int signal);

/* Yields until it has ended, whatever happens to the caller: SIGTERM first, and SIGKILL when the grace has
 * passed or a scope fires. */
BINE_EXPORT int bine_process_stop(bine_process *, bine_ns grace, bine_process_status *status);

/* Frees the handle of one that has ended; EBUSY: it has not, or a task waits for it. */
BINE_EXPORT int bine_process_free(bine_process *);
/* Gives the handle up, and the child with it: it runs on, and is waited for when it ends. */
BINE_EXPORT int bine_process_detach(bine_process *);

BINE_END_DECLS
#endif
