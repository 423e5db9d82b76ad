/* SPDX-License-Identifier: MIT
 *
 * The textbook switch for x86-64, which bine does not use: a call that pushes the callee-saved registers,
 * changes stacks, pops them, and returns by `ret`, which the processor's return stack mispredicts.  It keeps the
 * FP control words as jump_fcontext() does, by saving and loading both. */
#ifndef BINE_BENCH_CALL_RET_H
#define BINE_BENCH_CALL_RET_H

#ifndef __x86_64__
#error "x86-64 only"
#endif

#include <stdint.h>

struct bine__context {
    uint64_t *sp;
};

void call_ret_switch(uint64_t **from, uint64_t *to);
__asm__(".text\n"
        ".p2align 4\n"
        ".type call_ret_switch, @function\n"
        "call_ret_switch:\n"
        "\tendbr64\n"
        "\tpushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n"
        "\tsubq $8, %rsp\n"
        "\tstmxcsr (%rsp)\n\tfnstcw 4(%rsp)\n"
        "\tmovq %rsp, (%rdi)\n"
        "\tmovq %rsi, %rsp\n"
        "\tldmxcsr (%rsp)\n\tfldcw 4(%rsp)\n"
        "\taddq $8, %rsp\n"
        "\tpopq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n"
        "\tret\n"
        ".size call_ret_switch, .-call_ret_switch\n");

static inline void bine__context_make(struct bine__context *context, void *top, void (*entry)(void))
{
    /* From the top: a gap that keeps the ABI's alignment at entry(), its address, six registers, control words. */
    context->sp = (uint64_t *)top - 9;
    for (int i = 0; i < 9; i++)
        context->sp[i] = 0;
    context->sp[7] = (uint64_t)(uintptr_t)entry;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(((uint32_t *)context->sp)[0]),
                     "=m"(((uint16_t *)context->sp)[2]));
}

static inline __attribute__((always_inline)) void bine__context_switch(struct bine__context *from,
                                                                       struct bine__context *to)
{
    call_ret_switch(&from->sp, to->sp);
}

#endif
