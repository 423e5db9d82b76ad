/* SPDX-License-Identifier: MIT
 *
 * The machine-context contract, chosen by the build (CONTEXT=native, fcontext or thread).
 *
 *   struct bine__context               where a suspended context goes on
 *   bine__context_open(c, bottom, top, entry)
 *                                      a context that will call entry(), which never returns, on the stack
 *                                      from bottom to top (16-byte aligned).  -1/ENOMEM
 *   bine__context_close(c)             it will never run again, and does not now: its stack is free after this
 *   bine__context_switch(from, to)     suspends the caller into *from and continues *to.  Keeps everything
 *                                      that the ABI says a call keeps, FP control words included.  Returns, when
 *                                      somebody continues *from, where that has found it: so it need not be kept
 *
 * A context that is suspended may be copied to another place only if the header defines BINE__CONTEXT_LEAPS; it then
 * also offers bine__context_leap(), a switch for functions that have nothing left to do but to return.
 *
 *   bine__context_relax()              said again and again by a thread that waits for another to write something
 *   bine__context_room()               bytes of every stack that it takes for itself
 *
 * Where a context is memory alone, its header has bine__context_make(c, top, entry), which cannot fail, and the rest
 * stands here.
 *
 * Knows registers and the ABI; knows no task. */
#ifndef BINE_ARCH_CONTEXT_H
#define BINE_ARCH_CONTEXT_H

#if defined(BINE_CONTEXT_THREAD)
#include "arch/thread.h"
#elif defined(BINE_CONTEXT_FCONTEXT)
#include "arch/fcontext.h"
#elif defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__aarch64__)
#include "arch/aarch64.h"
#else
#error "no native context switch for this CPU: build with CONTEXT=fcontext or thread"
#endif

#ifndef BINE__CONTEXT_RELAXES /* this CPU's hint is not known here */
static inline void bine__context_relax(void)
{
    __asm__ volatile("" : : : "memory");
}
#endif

#ifndef BINE_CONTEXT_THREAD
#include <stddef.h>

enum { BINE__CONTEXT_THREADS = 0 }; /* 1: each context is a thread, and has thread-locals of its own */
#define BINE__CARRIED(variable) struct bine__context

static inline int bine__context_open(struct bine__context *context, char *bottom, char *top, void (*entry)(void))
{
    (void)bottom;
    bine__context_make(context, top, entry);
    return 0;
}

static inline void bine__context_close(struct bine__context *context)
{
    (void)context;
}

static inline size_t bine__context_room(void)
{
    return 0;
}

static inline void bine__context_signal(const struct bine__context *context, int number)
{
    (void)context, (void)number;
}
#endif

#endif
