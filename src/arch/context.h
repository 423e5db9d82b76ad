/* SPDX-License-Identifier: MIT
 *
 * The machine-context contract, chosen by the build (CONTEXT=native or fcontext).
 *
 *   struct bine__context               where a suspended context goes on
 *   bine__context_make(c, top, entry)  a context that will call entry(), which never returns, on the stack
 *                                      that ends below top (16-byte aligned)
 *   bine__context_switch(from, to)     suspends the caller into *from and continues *to.  Keeps everything
 *                                      that the ABI says a call keeps, FP control words included.
 *
 * A context that is suspended may be copied to another place only if the header defines BINE__CONTEXT_LEAPS; it then
 * also offers bine__context_leap(), a switch for functions that have nothing left to do but to return.
 *
 * Knows registers and the ABI; knows no task. */
#ifndef BINE_ARCH_CONTEXT_H
#define BINE_ARCH_CONTEXT_H

#if defined(BINE_CONTEXT_FCONTEXT)
#include "arch/fcontext.h"
#elif defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__aarch64__)
#include "arch/aarch64.h"
#else
#error "no native context switch for this CPU: build with CONTEXT=fcontext"
#endif

#endif
