/* SPDX-License-Identifier: MIT
 *
 * The native switch for x86-64, System V ABI (psABI 1.0, section 3.2.1 "Registers and the Stack Frame").
 *
 * The switch is inlined into its one caller as an asm statement that clobbers every register, so that the
 * compiler saves just what it needs, in its own frame, described by its own CFI: a debugger unwinds a
 * suspended context from (ip, sp, bp) as it would any frame.  Nothing is pushed.  The continuation is
 * reached by an indirect jump from one place to one place, which the branch predictor knows; a `ret` would
 * miss on the return stack, and a `pop; jmp` leaves that stack unbalanced for the returns that follow
 * (tests/bench: the depth bench).
 *
 *   callee-saved    rbx r12-r15   by the compiler, because clobbered
 *                   rbp rsp       here
 *                   MXCSR control bits, x87 control word
 *                                 stored at each switch, loaded only where the two contexts differ: storing costs
 *                                 about a nanosecond, loading both four
 *   caller-saved    all else, the MXCSR status bits included: clobbered */
#ifndef BINE_ARCH_X86_64_H
#define BINE_ARCH_X86_64_H

#include <stdint.h>

struct bine__context {
    void *sp; /* offsets 0, 8, 16 are known to the asm below */
    void *ip;
    void *bp;
    uint32_t mxcsr;
    uint16_t fpu;
};

enum { BINE__MXCSR_CONTROL = 0xffc0 }; /* the rest are sticky exception flags, which no call keeps */

void bine__context_entry(void); /* x86_64.S */

static inline void bine__context_make(struct bine__context *context, void *top, void (*entry)(void))
{
    context->sp = top;
    context->ip = (void *)(uintptr_t)bine__context_entry;
    context->bp = (void *)(uintptr_t)entry; /* where bine__context_entry looks for it */
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(context->mxcsr), "=m"(context->fpu));
}

#ifdef __AVX512F__
#define BINE__CLOBBER_AVX512                                                                          \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", \
        "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define BINE__CLOBBER_AVX512
#endif

static inline __attribute__((always_inline)) struct bine__context *bine__context_switch(
    struct bine__context *from, struct bine__context *to)
{
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(from->mxcsr), "=m"(from->fpu));
    if (__builtin_expect((from->mxcsr ^ to->mxcsr) & BINE__MXCSR_CONTROL, 0))
        __asm__ volatile("ldmxcsr %0" : : "m"(to->mxcsr));
    if (__builtin_expect(from->fpu != to->fpu, 0))
        __asm__ volatile("fldcw %0" : : "m"(to->fpu));
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rsp, 0(%%rdi)\n\t"
                     "movq %%rax, 8(%%rdi)\n\t"
                     "movq %%rbp, 16(%%rdi)\n\t"
                     "movq 0(%%rsi), %%rsp\n\t"
                     "movq 16(%%rsi), %%rbp\n\t"
                     "jmpq *8(%%rsi)\n\t"
                     "1: endbr64"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",
                       "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                       "xmm12", "xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",
                       "st(6)", "st(7)", "memory", "cc" BINE__CLOBBER_AVX512);
    return to; /* of who has come back: our own */
}

/* A context that is suspended in bine__context_leap(). */
struct bine__leap {
    struct bine__context context;
    int said;
    uintptr_t kept[5]; /* rbx r12 r13 r14 r15; offsets 32 (said) and 40 (these) are known to x86_64.S */
};
#define BINE__CONTEXT_LEAPS 1

/* Suspends *from and continues *to, as bine__context_switch() does.  A function that ends in a call of this
 * returns, when somebody comes back, from->said, and does so by a jump: of two functions that end so and lead to each
 * other, no return is mispredicted.  The processor's return stack is left two deeper. */
int bine__context_leap(struct bine__leap *from, struct bine__leap *to);

/* In a loop that waits for another processor to write something. */
static inline void bine__context_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}
#define BINE__CONTEXT_RELAXES 1

/* Near where a suspended context goes on in its stack: only to be prefetched. */
static inline const char *bine__context_sp(const struct bine__context *context)
{
    return context->sp;
}

#endif
