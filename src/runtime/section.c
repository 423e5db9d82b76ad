/* SPDX-License-Identifier: MIT
 *
 * Places where no task may switch: atomic blocks, and all that a task of explicit style does outside
 * bine_await().  And how a check that fails is told.
 *
 * A call is told once, though it is met twice: when it begins, since it may switch, and at the door, if it
 * does.  The first leaves the address that it was called from in the section, the second clears it. */
#include "runtime/section.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/symbol.h"

enum { TEXT_SIZE = 360 }; /* a report has room for 512 */

__thread int64_t *bine__gate __attribute__((tls_model("initial-exec")));
BINE__CARRIED(bine__gate);

static _Atomic int mode = -1; /* not yet known */
static _Atomic uint64_t failed;

/* ---- How it is told --------------------------------------------------------------------------------- */

static bine_check_mode mode_now(void)
{
    int known = atomic_load_explicit(&mode, memory_order_relaxed);
    if (known >= 0)
        return (bine_check_mode)known;
    const char *wish = getenv("BINE_CHECK");
    bine_check_mode first = BINE_CHECK_REPORT;
    if (wish && strcmp(wish, "abort") == 0)
        first = BINE_CHECK_ABORT;
    else if (wish && strcmp(wish, "count") == 0)
        first = BINE_CHECK_COUNT;
    atomic_store_explicit(&mode, (int)first, memory_order_relaxed);
    return first;
}

bine_check_mode bine_set_check_mode(bine_check_mode wish)
{
    bine_check_mode former = mode_now();
    if (wish == BINE_CHECK_REPORT || wish == BINE_CHECK_ABORT || wish == BINE_CHECK_COUNT)
        atomic_store_explicit(&mode, (int)wish, memory_order_relaxed);
    return former;
}

uint64_t bine_check_count(void)
{
    return atomic_load_explicit(&failed, memory_order_relaxed);
}

void bine__check_failed(bine_report_kind kind, const struct bine_task *task, const char *format, ...)
{
    char text[TEXT_SIZE + 128];
    va_list args;
    atomic_fetch_add_explicit(&failed, 1, memory_order_relaxed);
    if (mode_now() == BINE_CHECK_COUNT)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bine__report(kind, task, 0, "%s", text);
    if (mode_now() == BINE_CHECK_ABORT)
        bine__fatal(task, "a check failed, and BINE_CHECK is abort");
}

void bine__say_call(char *text, size_t size, const void *from)
{
    enum { FRAMES = 8 };
    struct bine__place place[FRAMES];
    char name[BINE__SYMBOL_SIZE];
    int depth = bine__call_places(place, FRAMES, from, name);
    size_t used = (size_t)snprintf(text, size, "%s%s", name[0] ? name : "a call", name[0] ? "()" : "");
    for (int i = 0; i < depth && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s %s%s%s%s", i == 0 ? ", called at" : ", from",
                                 place[i].where, place[i].function[0] ? " in " : "", place[i].function,
                                 place[i].function[0] ? "()" : "");
}

/* ---- Sections --------------------------------------------------------------------------------------- */

static bine__section *section_of(int64_t budget)
{
    enum { ALIGNMENT_SHIFT = 4 }; /* a section is aligned to 16 bytes: the bits below are what was charged */
    uint64_t shifted = (uint64_t)-budget >> (BINE__GATE_SHIFT + ALIGNMENT_SHIFT);
    return (bine__section *)(uintptr_t)(shifted << ALIGNMENT_SHIFT);
}

static int64_t budget_of(const bine__section *section)
{
    return -(int64_t)((uint64_t)(uintptr_t)section << BINE__GATE_SHIFT);
}

const char *bine__section_site(const struct bine_loop *loop)
{
    return bine__in_section(loop) ? section_of(loop->budget)->site : NULL;
}

static void tell(struct bine_task *self, const bine__section *section, const void *from)
{
    int error = errno;
    if (mode_now() == BINE_CHECK_COUNT) { /* without the work of finding out where */
        bine__check_failed(BINE_REPORT_ATOMIC, self, "%s", "");
        return;
    }
    char call[TEXT_SIZE];
    bine__say_call(call, sizeof call, from);
    if (section->site)
        bine__check_failed(BINE_REPORT_ATOMIC, self, "may switch inside BINE_ATOMIC at %s: %s", section->site,
                           call);
    else
        bine__check_failed(BINE_REPORT_ATOMIC, self,
                           "explicit style, but may switch outside bine_await(): %s", call);
    errno = error;
}

void bine__section_begin(struct bine_loop *loop, struct bine_task *self, const void *from)
{
    bine__section *section = section_of(loop->budget);
    loop->budget = budget_of(section); /* what was charged is forgotten */
    tell(self, section, from);
    section->told = (uint64_t)(uintptr_t)from;
}

void bine__section_leave_loop(struct bine_loop *loop, struct bine_task *self)
{
    bine__section *section = section_of(loop->budget);
    if (section->told)
        section->told = 0;
    else
        tell(self, section, NULL);
    loop->budget = BINE__IO_BUDGET;
}

void bine_might_yield(void)
{
    struct bine_loop *loop = bine__loop;
    if (!loop || loop->current == &loop->root)
        return;
    bine__check_call(loop->current);
    if (bine__in_section(loop)) {
        bine__section_begin(loop, loop->current, __builtin_return_address(0));
        section_of(loop->budget)->told = 0; /* no door follows */
    }
}

/* ---- The explicit style ----------------------------------------------------------------------------- */

void *bine__run_explicit(struct bine_task *self)
{
    bine__section section = {.site = NULL};
    bine__section_enter(&section, NULL);
    void *value = self->fn(self->arg);
    bine__section_leave(&section);
    return value;
}

void bine__await_open(struct bine__await *await)
{
    struct bine_loop *loop = bine__loop;
    if (!loop || !bine__in_section(loop))
        return; /* the budget is spent, no more */
    bine__section *section = section_of(loop->budget);
    if (section->site)
        return; /* an atomic block: await or not */
    await->open = (uint64_t)(uintptr_t)section;
    loop->budget = section->outer;
}

void bine__await_shut(struct bine__await *await)
{
    bine__section *section = (bine__section *)(uintptr_t)await->open;
    section->outer = *await->gate;
    section->told = 0;
    *await->gate = budget_of(section);
}
