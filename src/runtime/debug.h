/* SPDX-License-Identifier: MIT
 *
 * What diagnostics are made of: between debug.c, debug_signals.c, dump.c, site.c, stuck.c, trace.c and those in
 * other files who know whom a task waits for. */
#ifndef BINE_RUNTIME_DEBUG_H
#define BINE_RUNTIME_DEBUG_H

#include <signal.h>

#include "runtime/runtime.h"

enum { BINE__FRAMES = 48, BINE__TRACE_SIZE = 3072 };

/* trace.c: return addresses of the caller's stack; 0 where the platform cannot tell. */
int bine__backtrace(void **frames, int max);
/* trace.c: the same of a task that is not running. */
int bine__backtrace_of(struct bine_task *, void **frames, int max);
/* trace.c: " function (file:line) function (file:line) ..."; without debugging information object and offset.
 * That is read from the program's file, so what was found is kept in known, of BINE__NAMED zeroed elements (may
 * be NULL). */
enum { BINE__NAMED = 256 };
struct bine__named {
    const void *frame;
    char text[240];
};
void bine__format_trace(char *out, size_t size, void **frames, int depth, struct bine__named *known);

/* src/sync/blocker.c: whose doing this parked task waits for: the first such task (after: NULL), then the
 * one after that. */
struct bine_task *bine__blocker(const struct bine_task *, const struct bine_task *after);

/* "mutex held by task 3", "join of task 3" */
static inline const char *bine__blocks_how(const struct bine_task *task)
{
    return task->wait == BINE__WAIT_MUTEX || task->wait == BINE__WAIT_RWLOCK ? "held by" : "of";
}

/* What it is made of, each in the file that knows the object of the wait. */
struct bine_task *bine__rwlock_writer(intptr_t object);
struct bine_task *bine__once_runner(intptr_t object);
struct bine_task *bine__group_child(intptr_t object, const struct bine_task *after);

/* stuck.c: nothing can ever run again. */
void bine__stuck_report(struct bine_loop *);

/* debug_signals.c: while a loop of the process is debugged.  False: SIGURG cannot be had. */
typedef void bine__siginfo_fn(int number, siginfo_t *, void *context);
bool bine__debug_signals_open(bine__siginfo_fn *on_urgent);
void bine__debug_signals_close(void);
void bine__urgent_pass_on(int number, siginfo_t *, void *context); /* to who had it before */
unsigned bine__quit_count(void);                                   /* how many SIGQUITs there have been */

/* site.c: the deepest stack of each spawn site. */
struct bine__site {
    struct bine__site *next;
    const char *site;
    size_t used, size; /* bytes: most that was touched, of how much */
    uint64_t tasks;
};
void bine__sites_note(struct bine__site **, const char *site, size_t used, size_t size);
void bine__sites_free(struct bine__site *);
const struct bine__site *bine__debug_sites(const struct bine_loop *);

#endif
