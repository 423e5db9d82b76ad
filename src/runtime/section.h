/* SPDX-License-Identifier: MIT
 *
 * Between section.c, invariant.c and the door: places where no task may switch, and how it is told.
 *
 * While a task is in one, its loop's budget is minus the section's address, shifted (bine/check.h): so entering
 * costs a load and two stores, and every call that yields, which looks whether there is budget left, goes its
 * slow way, which asks.  What a call charges meanwhile stays below the shift. */
#ifndef BINE_RUNTIME_SECTION_H
#define BINE_RUNTIME_SECTION_H

#include <bine/check.h>

#include "runtime/runtime.h"

/* Before the switch that a section forbids: told, unless bine__section_begin() has; the budget is set right
 * for those who run meanwhile. */
void bine__section_leave_loop(struct bine_loop *, struct bine_task *);

/* Where the section begins that the running task is in, "file:line"; NULL: in none, or in that of the explicit
 * style. */
const char *bine__section_site(const struct bine_loop *);

/* Calls the task's function in a section of its own: that of the explicit style. */
void *bine__run_explicit(struct bine_task *);

/* A check has failed: counts, and tells or aborts as the mode says. */
void bine__check_failed(bine_report_kind, const struct bine_task *, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* " bine_read(), called at file:line in f(), from file:line in g()": where the library was called from. */
void bine__say_call(char *text, size_t size, const void *from);

#endif
