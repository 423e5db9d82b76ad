/* SPDX-License-Identifier: MIT
 *
 * Signals as something to wait for.
 *
 * While a signal is waited for it is taken from whoever had it before, who gets it back afterwards.  Each of
 * those that wait, in whatever loop, is told of it.  As in the kernel, a plain signal that comes again before it
 * was fetched counts once; real-time signals are queued, up to a limit beyond which they count once too. */
#ifndef BINE_SIGNAL_H
#define BINE_SIGNAL_H

#include <signal.h>
#include <sys/select.h> /* sigset_t, also where <signal.h> keeps to ISO C */

#include <bine/base.h>

BINE_BEGIN_DECLS

/* What siginfo_t tells, as far as it is known: zeros where many were counted as one. */
typedef struct bine_signal_info {
    int signal;
    int code;   /* SI_USER, SI_QUEUE ... */
    pid_t pid;  /* of the sender, or of the child */
    uid_t uid;
    int status; /* of SIGCHLD */
    int value;  /* that sigqueue(3) sent, one of: */
    void *pointer;
} bine_signal_info;

/* Yields until one of the set comes: its number.  info may be NULL.  What else came meanwhile is kept for the
 * next wait; what comes between two waits goes to whoever had it before (default: it ends the program).
 * EINVAL: an empty set, or SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL in it. */
BINE_EXPORT int bine_signal_wait(const sigset_t *set, bine_signal_info *info);

/* Takes the signals from now on until it is closed, so that none is missed between two calls of
 * bine_signal_next(), which yields until one comes.  EINVAL as above. */
typedef struct bine_signals bine_signals;
BINE_EXPORT bine_signals *bine_signal_open(const sigset_t *set);
BINE_EXPORT int bine_signal_next(bine_signals *, bine_signal_info *info);
BINE_EXPORT int bine_signal_close(bine_signals *); /* EBUSY: a task waits */

BINE_END_DECLS
#endif
