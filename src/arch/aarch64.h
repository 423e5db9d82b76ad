/* SPDX-License-Identifier: MIT
 *
 * The native switch for AArch64, AAPCS64 (2023Q3, sections 6.1.1 and 6.1.2).  The form, and why it is
 * inlined, as in x86_64.h.
 *
 *   callee-saved    x19-x28, d8-d15   by the compiler, because clobbered
 *                   x29 sp            here
 *                   FPCR              stored at each switch, loaded only where the two contexts differ
 *   caller-saved    all else, FPSR included: clobbered
 *   x18             clobbered too, where it is a temporary; on Apple's platforms it is the system's */
#ifndef BINE_ARCH_AARCH64_H
#define BINE_ARCH_AARCH64_H

#include <stdint.h>

struct bine__context {
    void *sp; /* offsets 0, 8, 16 are known to the asm below */
    void *ip;
    void *fp;
    uint64_t fpcr;
};

void bine__context_entry(void); /* aarch64.S */

static inline uint64_t bine__context_fpcr(void)
{
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr;
}

static inline void bine__context_make(struct bine__context *context, void *top, void (*entry)(void))
{
    context->sp = top;
    context->ip = (void *)(uintptr_t)bine__context_entry;
    context->fp = (void *)(uintptr_t)entry; /* where bine__context_entry looks for it */
    context->fpcr = bine__context_fpcr();
}

#ifdef __APPLE__
#define BINE__CLOBBER_X18
#else
#define BINE__CLOBBER_X18 , "x18"
#endif
#ifdef __ARM_FEATURE_SVE
#define BINE__CLOBBER_SVE                                                                                   \
    , "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15", "ffr"
#else
#define BINE__CLOBBER_SVE
#endif

static inline __attribute__((always_inline)) struct bine__context *bine__context_switch(
    struct bine__context *from, struct bine__context *to)
{
    from->fpcr = bine__context_fpcr();
    if (__builtin_expect(from->fpcr != to->fpcr, 0))
        __asm__ volatile("msr fpcr, %0" : : "r"(to->fpcr));
    register struct bine__context *x0 __asm__("x0") = from;
    register struct bine__context *x1 __asm__("x1") = to;
    /* x16: a branch through it may land on any kind of BTI landing pad. */
    __asm__ volatile("adr x16, 1f\n\t"
                     "mov x9, sp\n\t"
                     "stp x9, x16, [x0]\n\t"
                     "str x29, [x0, #16]\n\t"
                     "ldp x9, x16, [x1]\n\t"
                     "ldr x29, [x1, #16]\n\t"
                     "mov sp, x9\n\t"
                     "br x16\n"
                     "1: hint #36" /* bti j */
                     : "+r"(x0), "+r"(x1)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                       "x16", "x17", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30",
                       "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
                       "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",
                       "v27", "v28", "v29", "v30", "v31", "memory", "cc" BINE__CLOBBER_X18 BINE__CLOBBER_SVE);
    return x1; /* of who has come back: our own */
}

/* A context that is suspended in bine__context_leap(). */
struct bine__leap {
    struct bine__context context;
    int said;
    uint64_t kept[19]; /* x19-x28 x30 d8-d15; offsets 32 (said) and 40 (these) are known to aarch64.S */
};
#define BINE__CONTEXT_LEAPS 1

/* Suspends *from and continues *to, as bine__context_switch() does.  A function that ends in a call of this
 * returns, when somebody comes back, from->said.  By a return: a branch would need a landing pad where branch
 * targets are checked. */
int bine__context_leap(struct bine__leap *from, struct bine__leap *to);

/* In a loop that waits for another processor to write something.  (YIELD is nothing on most.) */
static inline void bine__context_relax(void)
{
    __asm__ volatile("isb" : : : "memory");
}
#define BINE__CONTEXT_RELAXES 1

/* Near where a suspended context goes on in its stack: only to be prefetched. */
static inline const char *bine__context_sp(const struct bine__context *context)
{
    return context->sp;
}

#endif
