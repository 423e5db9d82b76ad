/* SPDX-License-Identifier: MIT
 *
 * Patterns in the code of aarch64, where each instruction is a word.
 * Included by race_code.c, which says what is asked. */
#ifndef BINE_CHECK_CODE_AARCH64_H
#define BINE_CHECK_CODE_AARCH64_H

enum { CALL_BYTES = 4 };

static uint32_t word(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uintptr_t call_to(const uint8_t *at)
{
    uint32_t code = word(at);
    if (code >> 26 != 0x25) /* bl */
        return 0;
    return (uintptr_t)at + (uintptr_t)((intptr_t)((uint64_t)code << 38) >> 36);
}

static bool calls_through_pointer(const uint8_t *at)
{
    return (word(at) & 0xfffffc1f) == 0xd63f0000; /* blr */
}

static bool tested_code(const uint8_t *from, bool pointer)
{
    for (const uint8_t *at = from; at < from + NEAREST_TEST; at += 4) {
        uint32_t code = word(at);
        uintptr_t called = call_to(at);
        if ((code & 0xff20fc07) == 0x1e202000) /* fcmp */
            return true;
        if ((called && !is_read_hook(called)) || code == 0xd65f03c0)
            return false;
        pointer &= !called;
        bool zero = (code & 0xfe000000) == 0xb4000000, compare = (code & 0xffe0001f) == 0xeb00001f;
        if (pointer && (zero || compare)) /* cbz, cbnz; cmp */
            return true;
    }
    return false;
}
static int condition(const uint8_t *from)
{
    enum { ZERO = 8 };
    for (const uint8_t *at = from; at < from + NEAREST_TEST; at += 4) {
        uint32_t code = word(at);
        if (call_to(at) || code == 0xd65f03c0)
            return -1;
        if ((code & 0xff000010) == 0x54000000) /* b.cond */
            return (int)(code >> 1 & 7);
        if ((code & 0x7c000000) == 0x34000000) /* cbz, tbz */
            return ZERO;
    }
    return -1;
}

static bool merged(const uint8_t *back, bool surely)
{
    (void)surely;
    for (unsigned i = 2; i <= 3; i++) {
        uint32_t code = word(back - i * 4);
        bool inserts = (code & 0x7f800000) == 0x33000000, or = (code & 0x7f200000) == 0x2a000000;
        if (inserts || (or && (code >> 5 & 31) != 31)) /* bfi; orr, which is no mov */
            return true;
    }
    return false;
}
static bool regardless(const uint8_t *from, const uint8_t *to) { return to < from; }
static bool straight(const uint8_t *from, const uint8_t *to)
{
    for (const uint8_t *at = from; at < to; at += 4)
        if (word(at) >> 26 == 5 || word(at) == 0xd65f03c0 || (word(at) & 0xff000010) == 0x54000000 ||
            (word(at) & 0x7c000000) == 0x34000000) /* b, ret, b.cond, cbz and tbz */
            return false;
    return true;
}
static const enum bine__condition conditions[] = {
    [0] = BINE__IF_EQUAL,          [1] = BINE__IF_BELOW, [2] = BINE__IF_LESS,
    [4] = BINE__IF_BELOW_OR_EQUAL, [5] = BINE__IF_LESS,  [6] = BINE__IF_LESS_OR_EQUAL, [8] = BINE__IF_EQUAL};
static bool result_used(const uint8_t *back) { return back != NULL; }
enum { STEP = 4 };

#endif
