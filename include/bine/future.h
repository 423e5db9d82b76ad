/* SPDX-License-Identifier: MIT
 *
 * Futures: a result that is set once and awaited by any number of tasks; and waiting for several.
 *
 * The bridge from code that calls back to code that waits.  A future belongs to one loop and is counted:
 * _new() gives one reference.  Its value belongs to whoever reads it first (await, result); if nobody does
 * before the last reference is gone it goes to the drop function, and an unread failure to the report
 * hook. */
#ifndef BINE_FUTURE_H
#define BINE_FUTURE_H

#include <bine/base.h>
#include <bine/task.h>

BINE_BEGIN_DECLS

typedef struct bine_future bine_future;

/* NULL/ENOMEM, EPERM outside a loop. */
BINE_EXPORT bine_future *bine_future_new(bine_drop_fn *);
BINE_EXPORT bine_future *bine_future_ref(bine_future *); /* returns its argument */
BINE_EXPORT void bine_future_unref(bine_future *);

/* Set once: -1/EALREADY later, and the value stays the caller's.  Never switch.  cancel: as fail with
 * ECANCELED; of a task's future it cancels the task, and the future is done when that has ended. */
BINE_EXPORT int bine_future_set(bine_future *, void *value);
BINE_EXPORT int bine_future_fail(bine_future *, int error);
BINE_EXPORT int bine_future_cancel(bine_future *);

BINE_EXPORT bool bine_future_done(const bine_future *);
BINE_EXPORT bool bine_future_cancelled(const bine_future *);
BINE_EXPORT int bine_future_result(bine_future *, bine_result *); /* EAGAIN while pending */

/* fn runs on the loop's own stack once it is done, in the order of these calls, never inside them.  Holds
 * a reference till then. */
BINE_EXPORT int bine_future_on_done(bine_future *, void (*fn)(bine_future *, void *), void *arg);

/* The task's handle becomes a future: do not join, stop or detach it any more.  NULL/ENOMEM: the handle is
 * still good. */
BINE_EXPORT bine_future *bine_task_future(bine_task *);

/* Yields until it is done.  0, with how it ended in *result; -1: the wait failed, the future is as it was. */
BINE_EXPORT int bine_future_await(bine_future *, bine_result *result);

/* Yields until one is done, until one has failed or all are done, or until all are done.  Returns how many
 * are done. */
enum { BINE_FIRST_COMPLETED, BINE_FIRST_FAILURE, BINE_ALL_COMPLETED };
BINE_EXPORT int bine_wait(bine_future *const[], size_t n, int until);
/* Yields until one that is not seen yet is done: its index, in the order in which they were done; marks it
 * seen. -1/ENOENT: all are seen. */
BINE_EXPORT int bine_next_done(bine_future *const[], size_t n, bool seen[]);

/* Yields.  Runs fn(arg) in a task of its own and waits for it; if the caller's scope fires, the call fails
 * and the work goes on: its result then goes to the drop function.  The end of the run cancels it. */
#define bine_shield(fn, arg, drop, result) bine_shield_at((fn), (arg), (drop), (result), BINE__SITE)
BINE_EXPORT int bine_shield_at(bine_fn *fn, void *arg, bine_drop_fn *, bine_result *result, const char *site);

BINE_END_DECLS
#endif
