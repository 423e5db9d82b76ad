/* SPDX-License-Identifier: MIT
 *
 * Where a new context begins, x86-64 System V.  x86_64.h holds the switch and the register table.
 *
 *   at entry                                  in entry()
 *     rsp  16-byte aligned, end of the stack    8(%rsp)  nothing
 *     rbp  the address of entry()               0(%rsp)  return address into bine__context_entry
 *
 * The return address is marked undefined and rbp is zero: an unwinder by CFI and one by frame
 * pointers both stop here.  entry() never returns; it is jumped to, for a call would leave the processor's
 * return stack one deeper than the context that is resumed when this one ends expects it. */

#ifdef __APPLE__
#define SYMBOL(name) _##name
#define IS_FUNCTION(name)
#define HAS_SIZE(name)
#else
#define SYMBOL(name) name
#define IS_FUNCTION(name) .type name, @function
#define HAS_SIZE(name) .size name, .-name
#endif

        .text
        .p2align 4
        .globl  SYMBOL(bine__context_entry)
#ifndef __APPLE__
        .hidden SYMBOL(bine__context_entry)
#endif
        IS_FUNCTION(bine__context_entry)
SYMBOL(bine__context_entry):
        .cfi_startproc
        .cfi_undefined rip
        endbr64
        movq    %rbp, %rax
        xorl    %ebp, %ebp
        leaq    1f(%rip), %rcx
        pushq   %rcx
        .cfi_adjust_cfa_offset 8
        jmpq    *%rax
        .cfi_adjust_cfa_offset -8
1:      ud2
        .cfi_endproc
        HAS_SIZE(bine__context_entry)

/* int bine__context_leap(from rdi, to rsi): see x86_64.h, which holds the offsets.  The registers that a call keeps
 * are kept in *from, not on the stack, so that restoring them waits for no stack pointer. */
        .p2align 4
        .globl  SYMBOL(bine__context_leap)
#ifndef __APPLE__
        .hidden SYMBOL(bine__context_leap)
#endif
        IS_FUNCTION(bine__context_leap)
SYMBOL(bine__context_leap):
        .cfi_startproc
        endbr64
        leaq    2f(%rip), %rax
        stmxcsr 24(%rdi)
        fnstcw  28(%rdi)
        movq    %rsp, 0(%rdi)
        movq    %rax, 8(%rdi)
        movq    %rbp, 16(%rdi)
        movq    %rbx, 40(%rdi)
        movq    %r12, 48(%rdi)
        movq    %r13, 56(%rdi)
        movq    %r14, 64(%rdi)
        movq    %r15, 72(%rdi)
        movl    24(%rdi), %ecx
        xorl    24(%rsi), %ecx
        testl   $0xffc0, %ecx     /* the control bits; the rest are sticky exception flags */
        jnz     5f
        movzwl  28(%rdi), %ecx
        cmpw    28(%rsi), %cx
        jne     5f
1:      cmpq    %rax, 8(%rsi)     /* has it leapt too?  Then no jump is needed to get there */
        movq    0(%rsi), %rsp
        movq    16(%rsi), %rbp
        jne     4f
3:      movq    40(%rsi), %rbx
        movq    48(%rsi), %r12
        movq    56(%rsi), %r13
        movq    64(%rsi), %r14
        movq    72(%rsi), %r15
        movl    32(%rsi), %eax
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register rip, rcx
        notrack jmpq *%rcx        /* to after a call, where no endbr64 stands */
        .cfi_adjust_cfa_offset 8
        .cfi_offset rip, -8
2:      endbr64                   /* rsi as above: bine__context_switch() leaves it so */
        jmp     3b
4:      jmpq    *8(%rsi)
5:      ldmxcsr 24(%rsi)
        fldcw   28(%rsi)
        jmp     1b
        .cfi_endproc
        HAS_SIZE(bine__context_leap)

#ifdef __ELF__
        /* Works under indirect-branch tracking (each target of a jump begins with endbr64).  It makes no
         * claim about shadow stacks: a context would need one of its own. */
        .section .note.gnu.property, "a", @note
        .p2align 3
        .long   4, 16, 5          /* name size, descriptor size, NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .long   0xc0000002, 4, 1  /* GNU_PROPERTY_X86_FEATURE_1_AND: IBT */
        .long   0                 /* padding to 8 */
        .section .note.GNU-stack, "", @progbits
#endif
