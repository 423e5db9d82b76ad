/* SPDX-License-Identifier: MIT
 *
 * What compilers call for -fsanitize-coverage=trace-cmp: for each comparison, with the values.  The names and types
 * are theirs.
 *
 * What was read a moment ago and is compared was looked at.  It is found by its value; or, if a comparison follows a
 * read with no call between, something was compared that was made of it (race_code.c). */
#include <string.h>

#include "check/race_hooks.h"

bool bine__race_clang;

/* The last but so many, from 1. */
INLINE struct bine__look *last_look(struct bine__strand *self, unsigned n)
{
    return &self->look[(self->looks - n) % BINE__LOOKS];
}

INLINE bool is_open(const struct bine__strand *self, unsigned n) { return self->open >> (n - 1) & 1; }

/* A value is compared after a switch only if it was the last to be read. */
INLINE void mark(struct bine__strand *self, unsigned n)
{
    const struct bine__look *look = last_look(self, n);
    struct bine__record *record = look->of;
    self->open &= (uint8_t)~(1u << (n - 1));
    if (!record || record->kind != BINE__READ)
        return;
    if (bine__likely(record->slice == bine__race_slice) || /* that is its own, then */
        (n == 1 && record->val == look->value && record->strand == self->number))
        record->flags |= BINE__CHECKED_READ;
}

INLINE void compared_both(struct bine__strand *self, const struct bine__record *one,
                          const struct bine__record *other)
{
    self->compared.record[0] = one ? (uint32_t)(one - bine__records) : 0;
    self->compared.record[1] = other ? (uint32_t)(other - bine__records) : 0;
    self->compared.record[2] = 0;
    self->compared.slice = bine__race_slice;
}

/* What was read just before, if it was not compared itself: something was that was made of it. */
static __attribute__((noinline)) void derived(struct bine__strand *self, uintptr_t pc)
{
    enum { OPERANDS = 3 };
    uint32_t to = bine__race_short(pc);
    bool outside = self->returned_looks == self->looks; /* of the function that has read it */
    if (!bine__rule(BINE__RULE_DERIVED))
        return;
    if (outside && !bine__race_leads(bine__race_short(self->returned_to), to))
        return;
    if (outside)
        to = self->returned_from;
    for (unsigned i = 1; i <= OPERANDS && i <= self->looks; i++) {
        const struct bine__record *record = last_look(self, i)->of;
        if (!record || record == bine__records || !bine__race_leads(record->pc, to))
            return;
        mark(self, i);
        if (bine__race_options.predict)
            bine__predict_asked(self, record, record->val, 0, sizeof(uint64_t), BINE__ASKED_NOTHING_KNOWN, pc);
        if (i == 2) /* of both, or of three: their sum, say */
            compared_both(self, last_look(self, 1)->of, record);
        else if (i > 2)
            self->compared.record[2] = (uint32_t)(record - bine__records);
    }
}

/* As an instruction would: of a constant size this is one. */
INLINE bool holds(const struct bine__look *look, uint64_t value, unsigned size)
{
    switch (size) {
    case 1: return (uint8_t)look->value == (uint8_t)value;
    case 2: return (uint16_t)look->value == (uint16_t)value;
    case 4: return (uint32_t)look->value == (uint32_t)value;
    default: return look->value == value;
    }
}

/* The last that were read, of those that may be these. */
INLINE void compared(struct bine__strand *self, uint64_t a, uint64_t b, unsigned size)
{
    const struct bine__record *one = NULL, *other = NULL;
    for (unsigned i = 1; i <= BINE__LOOKS; i++) {
        const struct bine__look *look = last_look(self, i);
        if (!one && holds(look, a, size))
            one = look->of;
        else if (!other && holds(look, b, size))
            other = look->of;
    }
    compared_both(self, one, other);
}

/* What is left of a comparison: there are other values that were not compared yet, or suspicions. */
INLINE void compare_all(struct bine__strand *self, uint64_t a, uint64_t b, unsigned size, bool constant,
                        uintptr_t pc)
{
    unsigned these = 0;
    unsigned suspicious = self->suspicious;
#pragma GCC unroll 4
    for (unsigned i = 1; i <= BINE__LOOKS; i++)
        if (holds(last_look(self, i), b, size) || (!constant && holds(last_look(self, i), a, size)))
            these |= 1u << (i - 1);
    these &= self->open & ((1 << BINE__LOOKS) - 1);
    if (suspicious & BINE__FILLED)
        bine__race_asks_found(self);
    if (suspicious & BINE__SUSPECTS) {
        if (constant)
            bine__race_ask_again(self, a, b, pc);
        else
            bine__race_ask_own(self, a, b, size);
    }
    if (!constant && (these || suspicious))
        compared(self, a, b, size);
    for (unsigned i = 1; these; i++, these >>= 1)
        if (these & 1)
            mark(self, i);
    if (is_open(self, 1) || is_open(self, 2))
        derived(self, pc);
}

/* That derived() would not come far, as far as is known without asking. */
INLINE bool leads_nowhere(const struct bine__strand *self, uintptr_t pc)
{
    const struct bine__look *last = &self->look[(self->looks - 1) % BINE__LOOKS];
    const uint32_t from = last->of ? last->of->pc : 0, to = (uint32_t)(pc - bine__race_base);
    if (!bine__race_near(pc))
        return false;
    if (self->returned_looks != self->looks)
        return bine__race_leads_not(from, to);
    return bine__race_leads_not(from, self->returned_from) ||
           (bine__race_near(self->returned_to) &&
            bine__race_leads_not((uint32_t)(self->returned_to - bine__race_base), to));
}

/* None that is open has either of these values; if one of them is a constant, it is a. */
INLINE bool none_equal(struct bine__strand *self, uint64_t a, uint64_t b, unsigned size, bool constant)
{
    unsigned open = self->open;
#pragma GCC unroll 4
    for (unsigned i = 1; i <= BINE__LOOKS; i++)
        if ((open >> (i - 1) & 1) &&
            (holds(last_look(self, i), b, size) || (!constant && holds(last_look(self, i), a, size))))
            return false;
    return true;
}

/* Nothing would come of it: what is true of most, and needs few registers. */
INLINE bool idle(struct bine__strand *self, uint64_t a, uint64_t b, unsigned size, bool constant,
                 uintptr_t pc)
{
    return !self->suspicious && none_equal(self, a, b, size, constant) &&
           (!(self->open & 3) || leads_nowhere(self, pc));
}

#define COMPARE_MORE(n)                                                                                      \
    static __attribute__((noinline)) void compare_rest##n(struct bine__strand *self, uint64_t a, uint64_t b, \
                                                          uintptr_t pc)                                      \
    {                                                                                                        \
        compare_all(self, a, b, n, false, pc);                                                               \
    }                                                                                                        \
    static __attribute__((noinline)) void constant_rest##n(struct bine__strand *self, uint64_t a,            \
                                                           uint64_t b, uintptr_t pc)                         \
    {                                                                                                        \
        compare_all(self, a, b, n, true, pc);                                                                \
    }                                                                                                        \
    static __attribute__((noinline)) void compare_more##n(struct bine__strand *self, uint64_t a, uint64_t b, \
                                                          uintptr_t pc)                                      \
    {                                                                                                        \
        if (!idle(self, a, b, n, false, pc))                                                                 \
            compare_rest##n(self, a, b, pc);                                                                 \
    }                                                                                                        \
    static __attribute__((noinline)) void constant_more##n(struct bine__strand *self, uint64_t a,            \
                                                           uint64_t b, uintptr_t pc)                         \
    {                                                                                                        \
        if (!idle(self, a, b, n, true, pc))                                                                  \
            constant_rest##n(self, a, b, pc);                                                                \
    }
COMPARE_MORE(1)
COMPARE_MORE(2)
COMPARE_MORE(4)
COMPARE_MORE(8)

/* The value that was read last is compared with a constant: that is what it was asked. */
INLINE void ask_last(struct bine__strand *self, uint64_t constant, uint64_t value, unsigned size, uintptr_t pc)
{
    const struct bine__look *last = last_look(self, 1);
    if (!is_open(self, 1) || !last->of || !holds(last, value, size))
        return;
    if (!(self->suspicious & BINE__SUSPECTS)) {
        struct bine__question *question = bine__race_question(last->of);
        question->of = last->of;
        question->pc = pc;
        question->constant = constant;
        question->slice = last->of->slice;
    }
    mark(self, 1);
}

static __attribute__((noinline)) void compare_predicting(struct bine__strand *self, uint64_t a, uint64_t b,
                                                         unsigned size, bool constant, uintptr_t pc)
{
    if (constant)
        ask_last(self, a, b, size, pc);
    bine__predict_compared(self, a, b, size, constant, pc);
    compare_all(self, a, b, size, constant, pc);
}

/* If one of them is a constant, it is a. */
INLINE void compare(uint64_t a, uint64_t b, unsigned size, bool constant, uintptr_t pc)
{
    struct bine__strand *self = bine__race_self;
    if (!self)
        return;
    self->undos = 0;
    if (bine__unlikely(self->predicts)) {
        compare_predicting(self, a, b, size, constant, pc);
        return;
    }
    if (constant)
        ask_last(self, a, b, size, pc);
    if (!(self->open & ((1 << BINE__LOOKS) - 1)) && !self->suspicious)
        return;
    switch (size) {
    case 1: (constant ? constant_more1 : compare_more1)(self, a, b, pc); break;
    case 2: (constant ? constant_more2 : compare_more2)(self, a, b, pc); break;
    case 4: (constant ? constant_more4 : compare_more4)(self, a, b, pc); break;
    default: (constant ? constant_more8 : compare_more8)(self, a, b, pc); break;
    }
}

#define COMPARE(n, type)                                                                                     \
    HOOK void __sanitizer_cov_trace_cmp##n(type a, type b) { compare(a, b, n, false, CALLER); }       \
    HOOK void __sanitizer_cov_trace_const_cmp##n(type a, type b) { compare(a, b, n, true, CALLER); }
COMPARE(1, uint8_t)
COMPARE(2, uint16_t)
COMPARE(4, uint32_t)
COMPARE(8, uint64_t)

HOOK void __sanitizer_cov_trace_cmpf(float a, float b)
{
    uint32_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    compare(x, y, sizeof x, false, CALLER);
}

HOOK void __sanitizer_cov_trace_cmpd(double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    compare(x, y, sizeof x, false, CALLER);
}

HOOK void __sanitizer_cov_trace_switch(uint64_t value, uint64_t *cases)
{
    compare(value, value, (unsigned)cases[1] / 8, true, CALLER);
    if (bine__unlikely(bine__race_options.predict))
        bine__predict_switched(CALLER);
}

HOOK void __sanitizer_cov_trace_pc_guard(uint32_t *guard) { (void)guard; }
HOOK void __sanitizer_cov_trace_pc_guard_init(uint32_t *from, uint32_t *to)
{
    (void)from, (void)to;
    bine__race_clang = true; /* gcc has no such */
}

HOOK void __sanitizer_cov_trace_pc(void) {}
