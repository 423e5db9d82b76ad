/* SPDX-License-Identifier: MIT
 *
 * Where a new context begins, AArch64 AAPCS64.  aarch64.h holds the switch and the register table.
 *
 *   at entry                                  in entry()
 *     sp   16-byte aligned, end of the stack    sp   the same
 *     x29  the address of entry()               x29  0
 *                                               x30  return address into bine__context_entry
 *
 * The return address is marked undefined and x29 is zero: an unwinder by CFI and one by frame
 * pointers both stop here.  entry() never returns; it is jumped to, for a call would leave the processor's
 * return stack one deeper than the context that is resumed when this one ends expects it. */

#ifdef __APPLE__
#define SYMBOL(name) _##name
#define IS_FUNCTION(name)
#define HAS_SIZE(name)
#else
#define SYMBOL(name) name
#define IS_FUNCTION(name) .type name, %function
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
        .cfi_undefined x30
        hint    #38               /* bti jc */
        mov     x16, x29
        mov     x29, #0
        adr     x30, 1f
        br      x16
1:      brk     #1
        .cfi_endproc
        HAS_SIZE(bine__context_entry)

#ifdef __ELF__
        .section .note.gnu.property, "a", %note
        .p2align 3
        .word   4, 16, 5          /* name size, descriptor size, NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .word   0xc0000000, 4, 1  /* GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI */
        .word   0                 /* padding to 8 */
        .section .note.GNU-stack, "", %progbits
#endif
