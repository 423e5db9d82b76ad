/* SPDX-License-Identifier: MIT
 *
 * Patterns in the code of x86-64: calls, tests, jumps.
 *
 * Instructions are not decoded; bytes that look like one and are not lead to a rule that is not applied, or is where
 * it need not be.
 * Included by race_code.c, which says what is asked. */
#ifndef BINE_CHECK_CODE_X86_64_H
#define BINE_CHECK_CODE_X86_64_H

enum { CALL_BYTES = 5 };

static uintptr_t call_to(const uint8_t *at) /* 0: it is none */
{
    int32_t distance;
    if (*at != 0xe8)
        return 0;
    memcpy(&distance, at + 1, sizeof distance);
    uintptr_t to = (uintptr_t)at + CALL_BYTES + (uintptr_t)(intptr_t)distance;
    return is_code(to) ? to : 0;
}

static bool calls_through_pointer(const uint8_t *at)
{
    return *at == 0xff && ((at[1] & 0xf8) == 0xd0 || at[1] == 0x15);
}

static bool branches(const uint8_t *at)
{
    return *at == 0x74 || *at == 0x75 || (*at == 0x0f && (at[1] & 0xfe) == 0x84) ||
           (*at == 0x0f && (at[1] & 0xfe) == 0x94) || (*at == 0x0f && (at[1] & 0xfe) == 0x44) ||
           ((*at & 0xf8) == 0x48 && at[1] == 0x0f && (at[2] & 0xfe) == 0x44);
}

/* A whole register is compared with itself, or a word in memory with 0, or one with the other. */
static bool tests(const uint8_t *at)
{
    uint8_t how = at[2];
    if ((*at & 0xf8) != 0x48)
        return false;
    if (at[1] == 0x85)
        return how >= 0xc0 && (how >> 3 & 7) == (how & 7);
    if (at[1] == 0x39 || at[1] == 0x3b)
        return true;
    return at[1] == 0x83 && how < 0xc0 && (how & 0x38) == 0x38;
}

static bool pointer_tested(const uint8_t *from)
{
    enum { LONGEST_TEST = 8, MOVES = 8 };
    for (const uint8_t *at = from; at < from + NEAREST_TEST; at++) {
        if (call_to(at) || *at == 0xc3)
            return false;
        if (tests(at))
            for (unsigned i = 3; i < LONGEST_TEST + MOVES; i++)
                if (branches(at + i))
                    return true;
    }
    return false;
}

/* Two numbers of floating point are compared: ucomiss and its like. */
static bool compares_floats(const uint8_t *at) { return *at == 0x0f && (at[1] & 0xfe) == 0x2e; }

/* The lesser or the greater of two: cmp and cmov. */
static bool bounded(const uint8_t *from)
{
    enum { LONGEST_COMPARE = 8 };
    for (const uint8_t *at = from; at < from + NEAREST_TEST; at++) {
        uintptr_t called = call_to(at);
        if (compares_floats(at))
            return true;
        if ((called && !is_read_hook(called)) || *at == 0xc3)
            return false;
        if (*at == 0x39 || *at == 0x3b) {
            for (unsigned i = 2; i < LONGEST_COMPARE; i++)
                if (at[i] == 0x0f && at[i + 1] >= 0x4c && at[i + 1] <= 0x4f) /* cmovl, ge, le, g */
                    return true;
                else if (at[i] == 0x0f && ((at[i + 1] & 0xfe) == 0x42 || (at[i + 1] & 0xfe) == 0x46))
                    return true; /* cmovb, ae, be, a */
        }
    }
    return false;
}

static bool tested_code(const uint8_t *from, bool pointer)
{
    return (pointer && pointer_tested(from)) || bounded(from);
}

/* A comparison and a conditional jump behind it; -1: neither. */
static int condition_of(const uint8_t *at)
{
    if (!*at || !strchr("\x85\x84\x39\x3b\x38\x83\x80\x81\x3d\x3c\xf6\xa8", *at))
        return -1;
    for (unsigned i = 2; i < 8 && !call_to(at + i); i++) {
        if ((at[i] & 0xf0) == 0x70)
            return at[i] >> 1 & 7;
        if (at[i] == 0x0f && (at[i + 1] & 0xf0) == 0x80)
            return at[i + 1] >> 1 & 7;
    }
    return -1;
}

/* Past a byte of code; a call's and an address's displacements are not looked at, which may look like anything. */
static const uint8_t *past(const uint8_t *at)
{
    enum { ADDRESS_BYTES = 6 };
    if ((*at == 0x8d || *at == 0x89 || *at == 0x8b || *at == 0x63) && (at[1] & 0xc7) == 0x05) /* lea, mov, from here */
        return at + ADDRESS_BYTES;
    return at + (call_to(at) ? CALL_BYTES : 1);
}

/* No conditional jump. */
static bool straight(const uint8_t *from, const uint8_t *to)
{
    for (const uint8_t *at = from; at < to; at = past(at))
        if (condition_of(at) >= 0)
            return false;
    return true;
}

/* From behind a read to a write: the value is tested for 0, and the jump is to where nothing but code that asks
 * nothing leads to the write.  Whichever way was chosen, it is written. */
static bool regardless(const uint8_t *from, const uint8_t *to)
{
    enum { LONGEST_COMPARE = 8 };
    const uint8_t *at = from, *meet = NULL;
    while (at < from + NEAREST_TEST && !tests(at) && !call_to(at))
        at++;
    for (unsigned i = 3; tests(at) && !meet && i <= LONGEST_COMPARE; i++) {
        int32_t distance;
        memcpy(&distance, at + i + 2, sizeof distance);
        if (at[i] == 0x74)
            meet = at + i + 2 + (int8_t)at[i + 1];
        else if (at[i] == 0x0f && at[i + 1] == 0x84)
            meet = at + i + 6 + distance;
    }
    return meet && meet > at && meet <= to && to - meet <= NEAREST_TEST && straight(meet, to);
}

/* A conditional jump comes before any call: not a value is made of it, but a way is chosen.  On what, or on
 * its opposite. */
static int condition(const uint8_t *from)
{
    for (const uint8_t *at = from; at < from + NEAREST_TEST; at = past(at)) {
        int found = condition_of(at);
        if (call_to(at) || *at == 0xc3)
            return -1;
        if (found >= 0)
            return found;
    }
    return -1;
}

/* Of an instruction's operand. */
static unsigned operand_bytes(uint8_t how)
{
    enum { SCALED = 4, FROM_HERE = 5, FAR = 4 };
    unsigned of = how & 7, bytes = of == SCALED && how < 0xc0 ? 2 : 1;
    if (how < 0x40)
        return bytes + (of == FROM_HERE ? FAR : 0);
    return bytes + (how < 0x80 ? 1 : how < 0xc0 ? FAR : 0);
}

/* How long the instruction is if it sets bits, or clears some: an and, or an or, of a place and a register, or of
 * a register and bits; a part of a place that is read without the rest.  0: it does not, or it keeps but the
 * lowest bits, as of an index. */
static unsigned sets_bits(const uint8_t *at)
{
    enum { SHORT = 3, EAX = 5, LONG = 6 };
    int32_t bits;
    if ((*at == 0x23 || *at == 0x0b) && at[1] < 0xc0)
        return 1 + operand_bytes(at[1]);
    if (*at == 0x0f && (at[1] & 0xfe) == 0xb6 && at[2] < 0xc0)
        return 2 + operand_bytes(at[2]);
    if (*at == 0x83 && ((at[1] & 0xf8) == 0xc8 || ((at[1] & 0xf8) == 0xe0 && at[2] >= 0x80)))
        return SHORT;
    unsigned length = *at == 0x25 || *at == 0x0d ? EAX : *at == 0x81 ? LONG : 0;
    bool sets = *at == 0x0d || (at[1] & 0xf8) == 0xc8, clears = *at == 0x25 || (at[1] & 0xf8) == 0xe0;
    if (!length || !(sets || clears))
        return 0;
    memcpy(&bits, at + length - sizeof bits, sizeof bits);
    return sets || bits < 0 || bits >> 16 ? length : 0;
}

/* Where a call's argument is set, by the one instruction right before it; the call, if that is not known. */
static const uint8_t *argument_of(const uint8_t *call)
{
    enum { MOVE = 3, NEAR = 4, STACK = 5, FAR = 7 };
    if (call[-FAR] == 0x48 && call[1 - FAR] == 0x8d && call[2 - FAR] == 0x3d)
        return call - FAR;
    if (call[-STACK] == 0x48 && call[1 - STACK] == 0x8d && call[2 - STACK] == 0x7c && call[3 - STACK] == 0x24)
        return call - STACK;
    if ((call[-NEAR] & 0xfe) == 0x48 && (call[1 - NEAR] & 0xf9) == 0x89 && (call[2 - NEAR] & 0xf8) == 0x78)
        return call - NEAR;
    if ((call[-MOVE] & 0xfb) == 0x48 && call[1 - MOVE] == 0x89 && (call[2 - MOVE] & 0xc7) == 0xc7)
        return call - MOVE;
    return call;
}

/* An or of two registers comes right before the call, with what sets its argument at most; or another that sets or
 * clears bits, without optimization with what keeps the value.  Surely: not an or of a place, of flags perhaps. */
static bool merged(const uint8_t *back, bool surely)
{
    enum { LONGEST_ARGUMENT = 7, OR_BYTES = 2, LONGEST = 8, KEEPS = 3 };
    const uint8_t *call = back - CALL_BYTES, *argument = argument_of(call);
    for (const uint8_t *at = call - LONGEST_ARGUMENT - OR_BYTES; at <= call - OR_BYTES; at++)
        if (*at == 0x09 && at[1] >= 0xc0)
            return true;
    const uint8_t *kept = argument[-KEEPS] == 0x89 ? argument - KEEPS : argument;
    for (const uint8_t *at = argument - LONGEST - KEEPS; at < argument; at++) {
        unsigned length = surely && *at == 0x0b ? 0 : sets_bits(at);
        if (length && kept != call && (at + length == argument || at + length == kept))
            return true;
    }
    return false;
}
/* By condition(). */
static const enum bine__condition conditions[] = {
    [1] = BINE__IF_BELOW, [2] = BINE__IF_EQUAL, [3] = BINE__IF_BELOW_OR_EQUAL,
    [4] = BINE__IF_LESS,  [6] = BINE__IF_LESS,  [7] = BINE__IF_LESS_OR_EQUAL};

/* The accumulator is set anew: moved to, loaded, cleared. */
static bool sets_result(const uint8_t *at)
{
    const uint8_t how = at[1];
    switch (*at) {
    case 0x89: return (how & 0xc7) == 0xc0 && how != 0xc0;
    case 0x8b:
    case 0x8d: return (how & 0x38) == 0 && (how & 0xc7) != 0xc0 && (how & 7) != 0;
    case 0x31: return how == 0xc0;
    default: return *at == 0xb8;
    }
}

/* It is tested, compared, copied, converted, pointed with; or that is not known here. */
static bool uses_result(const uint8_t *at)
{
    const uint8_t how = at[1];
    if (strchr("\x3c\x3d\x34\x98\x50\xa8\xa9\xc3\xe9\xeb", *at))
        return true;
    if (strchr("\x88\x89", *at))
        return (how & 0x38) == 0;
    if (strchr("\x84\x85\x01\x03\x09\x21\x29\x31\x38\x39\x3b", *at))
        return (how & 0x38) == 0 || (how & 0xc7) == 0xc0;
    if (strchr("\x8b\x8d", *at))
        return (how & 7) == 0;
    if (*at == 0x0f)
        return (how & 0xf0) == 0xb0 ? (at[2] & 0xc7) == 0xc0 : (how & 0xf0) != 0x80;
    return (*at == 0x83 || *at == 0xff) && (how & 0xc7) == 0xc0;
}

/* Before the next call. */
static bool result_used(const uint8_t *back)
{
    enum { DISTANCE = 5, CONSTANT = 4 }; /* operands: that many bytes behind the opcode */
    for (const uint8_t *at = back; at < back + NEAREST_TEST; at++) {
        if ((*at == 0x8d || *at == 0x8b) && (at[1] & 0xc7) == 0x05 && (at[1] & 0x38) != 0) {
            at += DISTANCE;
            continue;
        } else if (*at >= 0xb9 && *at <= 0xbf) {
            at += CONSTANT;
            continue;
        }
        if (call_to(at) || sets_result(at))
            return false;
        if (*at && uses_result(at))
            return true;
    }
    return true;
}
enum { STEP = 1 };

#endif
