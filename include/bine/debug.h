/* SPDX-License-Identifier: MIT
 *
 * Looking inside: reports, statistics, and a dump of every task.
 *
 * BINE_DEBUG=1 in the environment, read when a run starts, turns the slow checks on: a task that held the
 * loop longer than 100 ms (with its backtrace, taken while it does), stacks measured per spawn site, freed
 * tasks kept in quarantine so that stale handles are told, errors of fired scopes ignored a thousand
 * times, children that ignore their group's cancellation for a second; that nothing can ever run again,
 * and who waits for whom then.  SIGQUIT, where it is at its default, makes every loop dump its tasks to
 * standard error and go on. */
#ifndef BINE_DEBUG_H
#define BINE_DEBUG_H

#include <bine/base.h>

BINE_BEGIN_DECLS

typedef enum bine_report_kind {
    BINE_REPORT_LOST_ERROR,   /* a task failed and nobody looked */
    BINE_REPORT_HOG,          /* a task holds the loop */
    BINE_REPORT_LEFT_BEHIND,  /* a task ignores its cancellation, at the end of a run or by its group */
    BINE_REPORT_IGNORED,      /* a task goes on calling in a scope that has fired */
    BINE_REPORT_MISUSE,       /* a call that the contract forbids */
    BINE_REPORT_FATAL,        /* the library is about to abort */
    BINE_REPORT_STUCK,        /* nothing can ever run again; one for each task that waits, too */
    BINE_REPORT_ATOMIC,       /* a call that may switch where none may: BINE_ATOMIC, the explicit style */
    BINE_REPORT_INVARIANT     /* a bine_invariant() does not hold at a switch */
} bine_report_kind;

typedef struct bine_report {
    bine_report_kind kind;
    const char *message; /* one line, no newline; valid during the call */
    uint64_t task;       /* id; 0: none */
    const char *name;    /* of the task; "" if it has none */
    const char *site;    /* "file:line" of its spawn, or NULL */
    int error;           /* the errno value it is about, or 0 */
} bine_report;

/* Where every diagnostic goes, for the whole process; NULL restores the default, which writes
 * "bine: ..." to standard error.  Returns the former one.  The hook must not yield and may be called on
 * any thread. */
typedef void bine_report_fn(const bine_report *);
BINE_EXPORT bine_report_fn *bine_set_report(bine_report_fn *);

/* Counts of this loop since its run began. */
typedef struct bine_statistics {
    uint64_t switches;      /* from one task to another, or to the loop */
    uint64_t turns;         /* of the loop: how often the poller was consulted */
    uint64_t polls;         /* system calls that waited for events */
    uint64_t spawned;       /* tasks */
    uint64_t alive;         /* tasks now */
    uint64_t timers;        /* pending now: sleeps, deadlines, bine_timer */
    uint64_t offloaded;     /* calls that went to a thread */
    uint64_t stacks_mapped; /* stacks carved and not unmapped, in use or kept */
    uint64_t stacks_free;   /* of these, kept for reuse */
} bine_statistics;
/* 0, or -1/EPERM outside a loop. */
#define bine_stats(out) bine_stats_sized((out), sizeof(bine_statistics))
BINE_EXPORT int bine_stats_sized(bine_statistics *, size_t size);

/* Writes every task of this loop to a descriptor, as a tree: name, state, what it waits for and who has
 * that, since when, until when, where it was spawned, its stack's use and its backtrace.  Blocks, never
 * switches. */
BINE_EXPORT int bine_dump(int fd);

BINE_END_DECLS
#endif
