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

/* int bine__context_leap(from x0, to x1): see aarch64.h, which holds the offsets. */
        .p2align 4
        .globl  SYMBOL(bine__context_leap)
#ifndef __APPLE__
        .hidden SYMBOL(bine__context_leap)
#endif
        IS_FUNCTION(bine__context_leap)
SYMBOL(bine__context_leap):
        .cfi_startproc
        hint    #34               /* bti c */
        adr     x16, 2f
        mov     x9, sp
        mrs     x10, fpcr
        stp     x9, x16, [x0]
        stp     x29, x10, [x0, #16]
        stp     x19, x20, [x0, #40]
        stp     x21, x22, [x0, #56]
        stp     x23, x24, [x0, #72]
        stp     x25, x26, [x0, #88]
        stp     x27, x28, [x0, #104]
        str     x30, [x0, #120]
        stp     d8, d9, [x0, #128]
        stp     d10, d11, [x0, #144]
        stp     d12, d13, [x0, #160]
        stp     d14, d15, [x0, #176]
        ldr     x11, [x1, #24]
        cmp     x10, x11
        b.ne    5f
1:      ldp     x9, x17, [x1]
        ldr     x29, [x1, #16]
        cmp     x17, x16          /* has it leapt too?  Then no branch is needed to get there */
        mov     sp, x9
        b.ne    4f
3:      ldp     x19, x20, [x1, #40]
        ldp     x21, x22, [x1, #56]
        ldp     x23, x24, [x1, #72]
        ldp     x25, x26, [x1, #88]
        ldp     x27, x28, [x1, #104]
        ldr     x30, [x1, #120]
        ldp     d8, d9, [x1, #128]
        ldp     d10, d11, [x1, #144]
        ldp     d12, d13, [x1, #160]
        ldp     d14, d15, [x1, #176]
        ldr     w0, [x1, #32]
        ret
2:      hint    #36               /* bti j; x1 as above: bine__context_switch() leaves it so */
        b       3b
4:      br      x17
5:      msr     fpcr, x11
        b       1b
        .cfi_endproc
        HAS_SIZE(bine__context_leap)

#ifdef __ELF__
        .section .note.gnu.property, "a", %note
        .p2align 3
        .word   4, 16, 5          /* name size, descriptor size, NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .word   0xc0000000, 4, 1  /* GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI */
        .word   0                 /* padding to 8 */
        .section .note.GNU-stack, "", %progbits
#endif
