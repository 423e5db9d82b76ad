/* SPDX-License-Identifier: MIT
 *
 * Backtraces: of what runs, and of a task that is parked. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "runtime/debug.h"
#include "runtime/symbol.h"

#if defined(__has_include)
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define HAVE_BACKTRACE 1
#endif
#endif

int bine__backtrace(void **frames, int max)
{
#ifdef HAVE_BACKTRACE
    return backtrace(frames, max);
#else
    (void)frames, (void)max;
    return 0;
#endif
}

#if defined(HAVE_BACKTRACE) && defined(__x86_64__) && !defined(BINE_CONTEXT_FCONTEXT) && \
    !defined(BINE_CONTEXT_THREAD) && !defined(BINE__ASAN) && !defined(BINE__TSAN)
/* A parked task is unwound from its own stack, by a function that seems to have been called from where it
 * parked: the return address stands just below the parked frame, which is dead space.  This is not a
 * switch of tasks: nothing else can run meanwhile, and the task's context is not touched. */
enum { ROOM = 16 << 10 }; /* what backtrace() may need below; a task with less left is not traced */

static _Thread_local struct {
    struct bine__context here, there;
    void **frames;
    int max, depth;
} peek;

static void peek_main(void)
{
    peek.depth = backtrace(peek.frames, peek.max);
    bine__context_switch(&peek.there, &peek.here);
    __builtin_unreachable();
}

int bine__backtrace_of(struct bine_task *task, void **frames, int max)
{
    char *sp = task->context.sp;
    if (!(task->flags & BINE__TASK_STARTED) || (size_t)(sp - task->stack.base) < bine__stack_guard() + ROOM)
        return 0;
    peek.frames = frames;
    peek.max = max;
    peek.there = task->context;
    peek.there.sp = sp - sizeof(void *);
    peek.there.ip = (void *)(uintptr_t)peek_main;
    void **slot = peek.there.sp, *before = *slot;
    *slot = task->context.ip;
    bine__context_switch(&peek.here, &peek.there);
    *slot = before;
    if (peek.depth < 1)
        return 0;
    memmove(frames, frames + 1, (size_t)--peek.depth * sizeof *frames); /* without peek_main() */
    return peek.depth;
}
#else
int bine__backtrace_of(struct bine_task *task, void **frames, int max)
{
    (void)task, (void)frames, (void)max;
    return 0;
}
#endif

/* " function (file:line)", as far as it is known. */
static void name_frame(char *out, size_t size, const void *frame)
{
    struct bine__place place;
    bine__place_of_call(&place, frame);
    if (place.function[0])
        snprintf(out, size, " %s (%s)", place.function, place.where);
    else
        snprintf(out, size, " %s", place.where);
}

void bine__format_trace(char *out, size_t size, void **frames, int depth, struct bine__named *known)
{
    size_t used = 0;
    out[0] = '\0';
    if (depth == 0)
        snprintf(out, size, " (no backtrace here)");
    for (int i = 0; i < depth && used < size; i++) {
        struct bine__named one = {NULL, ""};
        struct bine__named *named = known ? &known[(uintptr_t)frames[i] / 4 % BINE__NAMED] : &one;
        if (named->frame != frames[i])
            name_frame(named->text, sizeof named->text, named->frame = frames[i]);
        used += (size_t)snprintf(out + used, size - used, "%s", named->text);
    }
}
