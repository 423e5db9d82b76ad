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
