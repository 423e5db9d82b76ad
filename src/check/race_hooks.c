/* SPDX-License-Identifier: MIT
 *
 * What compilers call: -fsanitize=thread for each access, function and atomic operation; -fsanitize-coverage
 * for each comparison.  The names and types are theirs.
 *
 * Most accesses come again in the slice in which the task touched the granule last: these are dealt with
 * here, and need no event (race_frames.c).  A granule that is freed or declared has a first record whose
 * slice is 0.  So are those to a granule that nobody else has touched: there is nothing to compare with, and
 * the record is brought up to date.  Whatever is done here race_access.c would do too. */
#include <string.h>

#include "check/race.h"

bool bine__race_hooked, bine__race_clang;

#define HOOK __attribute__((visibility("default"), used))
#define CALLER ((uintptr_t)__builtin_return_address(0))
#define INLINE static inline __attribute__((always_inline))

/* The first record of the granule; nobody's, if there is none. */
INLINE struct bine__record *first_record(uintptr_t at)
{
    const uint32_t *cell = bine__cell(at);
    return bine__record(bine__likely(cell != NULL) ? *cell : 0);
}

INLINE bool covers(const struct bine__record *record, uintptr_t at, unsigned size)
{
    uint8_t mask = bine__mask(at, size);
    return (record->mask & mask) == mask;
}

/* Where the access is, if that is known without asking. */
INLINE bool placed(const struct bine__strand *self, uintptr_t pc, uint32_t *short_pc, uint32_t *context)
{
    *short_pc = (uint32_t)(pc - bine__race_base);
    *context = self->frames[self->depth - 1].context;
    return bine__likely(*context && bine__race_near(pc));
}

/* The first access of this slice to a granule of which there is one record, this task's.  False: it is not so,
 * or is not so simple. */
INLINE bool alone(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                  enum bine__access_kind kind, uintptr_t pc)
{
    if (bine__race_beginning(mine) != self->alone || mine->slice == bine__race_slice ||
        mine->kind > BINE__UPDATE ||
        !((mine->size == size && mine->place == (uint16_t)at) || covers(mine, at, size)))
        return false;
    uint32_t short_pc = (uint32_t)(pc - bine__race_base);
    if (bine__race_options.predict || self->suspicious || (kind != BINE__READ && self->undos) ||
        !bine__race_near(pc) || !bine__race_event_again(self, short_pc))
        return false;
    uint32_t context = self->frames[self->depth - 1].context; /* it is known where there are events */
    mine->place = (uint16_t)at;
    mine->kind = (uint8_t)kind;
    mine->slice = bine__race_slice;
    mine->time = bine__race_now;
    mine->pc = short_pc;
    mine->context = context;
    mine->size = (uint8_t)size;
    if (kind == BINE__READ) {
        mine->flags &= BINE__KEPT_FLAGS;
        mine->val = bine__value_at(at, size);
        bine__race_looked(self, mine);
        const struct bine__frame_record *frame = &self->frames[self->depth - 1];
        self->last.pc = pc;
        self->last.event = &self->events[self->depth - 1]->at[frame->events - 1];
        self->last.short_pc = short_pc;
        self->last.context = context;
        return true;
    }
    mine->flags &= BINE__KEPT_FLAGS & ~BINE__OF_WRITE;
    if (kind == BINE__WRITE)
        mine->flags |= BINE__BLIND;
    mine->w_old = bine__value_at(at, size);
    mine->w_slice = bine__race_slice;
    mine->w_pc = short_pc;
    mine->w_context = context;
    mine->locks = self->locks;
    return true;
}

/* The same by a read that was the last event of all, where it read last, too: few registers are needed.  A
 * prediction never comes here: .last is not set by what does not. */
INLINE bool alone_at_once(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                          uintptr_t pc)
{
    if (pc != self->last.pc || bine__race_beginning(mine) != self->alone || mine->kind != BINE__READ ||
        mine->size != size || mine->place != (uint16_t)at || mine->slice == bine__race_slice ||
        self->suspicious)
        return false;
    mine->time = self->last.event->time = ++bine__race_now;
    mine->pc = self->last.short_pc;
    mine->context = self->last.context;
    mine->slice = bine__race_slice;
    mine->flags &= BINE__KEPT_FLAGS;
    mine->val = bine__value_at(at, size);
    bine__race_looked(self, mine);
    return true;
}

/* What is left: kept out of the hooks, so that these need no registers saved. */
#define ELSEWHERE(n)                                                                                         \
    static __attribute__((noinline)) void read_rest##n(struct bine__strand *self, uintptr_t at,              \
                                                       struct bine__record *first, uintptr_t pc)             \
    {                                                                                                        \
        if (!alone(self, first, at, n, BINE__READ, pc))                                                      \
            bine__race_access(self, at, n, BINE__READ, pc);                                                  \
    }                                                                                                        \
    static __attribute__((noinline)) void read_more##n(struct bine__strand *self, uintptr_t at,              \
                                                       struct bine__record *first, uintptr_t pc)             \
    {                                                                                                        \
        if (!alone_at_once(self, first, at, n, pc))                                                          \
            read_rest##n(self, at, first, pc);                                                               \
    }                                                                                                        \
    static __attribute__((noinline)) void write_more##n(struct bine__strand *self, uintptr_t at,             \
                                                        struct bine__record *first, uintptr_t pc,            \
                                                        enum bine__access_kind kind)                         \
    {                                                                                                        \
        if (!alone(self, first, at, n, kind, pc))                                                            \
            bine__race_access(self, at, n, kind, pc);                                                        \
    }
ELSEWHERE(1)
ELSEWHERE(2)
ELSEWHERE(4)
ELSEWHERE(8)

INLINE void read_at(uintptr_t at, unsigned size, uintptr_t pc)
{
    struct bine__strand *self = bine__race_self;
    uint32_t short_pc, context;
    if (!self)
        return;
    struct bine__record *record = first_record(at);
    if (bine__likely(record->slice == bine__race_slice && covers(record, at, size) &&
                     placed(self, pc, &short_pc, &context))) {
        uint64_t value = bine__value_at(at, size);
        if (record->kind != BINE__READ) { /* of what it has written itself */
            record->val = value;
            record->kind = BINE__READ;
            record->size = (uint8_t)size;
            record->flags = (uint8_t)((record->flags & BINE__KEPT_FLAGS) | bine__race_options.own_read);
        }
        record->time = bine__race_now;
        if (!(record->flags & BINE__CHECKED_READ)) { /* where it looked counts */
            record->pc = short_pc;
            record->context = context;
        }
        bine__race_looked_at(self, record, value);
        return;
    }
    switch (size) {
    case 1: read_more1(self, at, record, pc); break;
    case 2: read_more2(self, at, record, pc); break;
    case 4: read_more4(self, at, record, pc); break;
    default: read_more8(self, at, record, pc); break;
    }
}

INLINE void write_at(uintptr_t at, unsigned size, uintptr_t pc, enum bine__access_kind kind)
{
    struct bine__strand *self = bine__race_self;
    uint32_t short_pc, context;
    if (!self)
        return;
    struct bine__record *record = first_record(at);
    if (bine__likely(record->slice == bine__race_slice && covers(record, at, size) &&
                     record->w_slice == bine__race_slice && !bine__race_options.predict && !self->undos &&
                     !self->returned.at && placed(self, pc, &short_pc, &context))) {
        record->time = bine__race_now;
        if (record->kind == BINE__WRITE) {
            record->pc = short_pc;
            record->context = context;
        }
        record->w_pc = short_pc;
        record->w_context = context;
        if (record->kind != BINE__WRITE || kind != BINE__WRITE)
            record->kind = BINE__UPDATE;
        record->flags &= BINE__KEPT_FLAGS;
        if (size == 8 && *(const uint64_t *)at != record->w_old)
            record->flags |= BINE__CHANGED;
        return;
    }
    switch (size) {
    case 1: write_more1(self, at, record, pc, kind); break;
    case 2: write_more2(self, at, record, pc, kind); break;
    case 4: write_more4(self, at, record, pc, kind); break;
    default: write_more8(self, at, record, pc, kind); break;
    }
}

/* ---- Accesses --------------------------------------------------------------------------------------- */

#define ACCESS(n)                                                                                            \
    HOOK void __tsan_read##n(void *p) { read_at((uintptr_t)p, n, CALLER); }                                  \
    HOOK void __tsan_write##n(void *p) { write_at((uintptr_t)p, n, CALLER, BINE__WRITE); }                   \
    HOOK void __tsan_read_write##n(void *p) { write_at((uintptr_t)p, n, CALLER, BINE__UPDATE); }             \
    HOOK void __tsan_unaligned_read##n(void *p) { unaligned((uintptr_t)p, n, false, CALLER); }               \
    HOOK void __tsan_unaligned_write##n(void *p) { unaligned((uintptr_t)p, n, true, CALLER); }               \
    HOOK void __tsan_unaligned_read_write##n(void *p) { unaligned((uintptr_t)p, n, true, CALLER); }          \
    HOOK void __tsan_volatile_read##n(void *p) { read_at((uintptr_t)p, n, CALLER); }                         \
    HOOK void __tsan_volatile_write##n(void *p) { write_at((uintptr_t)p, n, CALLER, BINE__WRITE); }          \
    HOOK void __tsan_unaligned_volatile_read##n(void *p) { unaligned((uintptr_t)p, n, false, CALLER); }      \
    HOOK void __tsan_unaligned_volatile_write##n(void *p) { unaligned((uintptr_t)p, n, true, CALLER); }

#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* the compilers' own, which no header declares */
#pragma GCC diagnostic ignored "-Wmissing-declarations"

static void unaligned(uintptr_t at, unsigned size, bool write, uintptr_t pc)
{
    if ((at & 7) + size > 8)
        bine__race_range(at, size, write, pc);
    else if (write)
        write_at(at, size, pc, BINE__WRITE);
    else
        read_at(at, size, pc);
}

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
#define ACCESS_WIDE(prefix)                                                                                  \
    HOOK void __tsan_##prefix##read16(void *p) { bine__race_range((uintptr_t)p, 16, false, CALLER); }        \
    HOOK void __tsan_##prefix##write16(void *p) { bine__race_range((uintptr_t)p, 16, true, CALLER); }        \
    HOOK void __tsan_##prefix##read_write16(void *p) { bine__race_range((uintptr_t)p, 16, true, CALLER); }
ACCESS_WIDE()
ACCESS_WIDE(unaligned_)
ACCESS_WIDE(volatile_)
HOOK void __tsan_read_range(void *p, size_t n) { bine__race_range((uintptr_t)p, n, false, CALLER); }
HOOK void __tsan_write_range(void *p, size_t n) { bine__race_range((uintptr_t)p, n, true, CALLER); }
HOOK void __tsan_vptr_read(void **p) { (void)p; }
HOOK void __tsan_vptr_update(void **p, void *value) { (void)p, (void)value; }

HOOK void *__tsan_memcpy(void *to, const void *from, size_t n)
{
    bine__race_copy(to, n, from, n, CALLER);
    return memcpy(to, from, n);
}

HOOK void *__tsan_memmove(void *to, const void *from, size_t n)
{
    bine__race_move(to, from, n, CALLER);
    return memmove(to, from, n);
}

HOOK void *__tsan_memset(void *to, int byte, size_t n)
{
    bine__race_range((uintptr_t)to, n, true, CALLER);
    return memset(to, byte, n);
}

/* ---- Functions -------------------------------------------------------------------------------------- */

HOOK void __tsan_init(void) { bine__race_hooked = true; }

/* Activations that were left by longjmp() are below this one's stack: nobody will say that they ended. */
HOOK void __tsan_func_entry(void *call)
{
    struct bine__strand *self = bine__race_self;
    uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
    if (!self)
        return;
    while (bine__unlikely(self->depth > 1 && self->depth > self->floor &&
                          self->frames[self->depth - 1].sp <= sp))
        self->depth--;
    uintptr_t from = (uintptr_t)call;
    if (bine__unlikely(from >= bine__race_text[0] && from < bine__race_text[1]) && self->called)
        from = self->called; /* the library calls back */
    bine__race_enter(self, from, CALLER, sp);
}

HOOK void __tsan_func_exit(void)
{
    struct bine__strand *self = bine__race_self;
    if (!self)
        return;
    if (self->undos && self->undo_entry == self->frames[self->depth - 1].entry)
        self->undos = 0;
    self->last.pc = 0;
    self->returned_looks = self->looks;
    self->returned_from = bine__race_short(CALLER);
    self->returned_to = self->frames[self->depth - 1].call;
    if (self->depth > 1)
        self->depth--;
}

/* ---- Comparisons: what was read a moment ago and is compared was looked at -------------------------- */

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

/* What follows from the comparison alone: that derived() would not come far. */
INLINE bool far_from_looks(const struct bine__strand *self, uintptr_t pc)
{
    const struct bine__look *last = &self->look[(self->looks - 1) % BINE__LOOKS];
    uint32_t from = last->of ? last->of->pc : 0, to = (uint32_t)(pc - bine__race_base);
    if (self->returned_looks == self->looks) {
        if (!bine__race_near(self->returned_to))
            return false;
        from = (uint32_t)(self->returned_to - bine__race_base);
    }
    return to - from - 1 >= BINE__FARTHEST && bine__race_near(pc);
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
           (!(self->open & 3) || far_from_looks(self, pc));
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

/* If one of them is a constant, it is a. */
INLINE void compare(uint64_t a, uint64_t b, unsigned size, bool constant, uintptr_t pc)
{
    struct bine__strand *self = bine__race_self;
    if (!self)
        return;
    self->undos = 0;
    const struct bine__look *last = last_look(self, 1);
    if (constant && is_open(self, 1) && last->of && holds(last, b, size)) {
        if (!(self->suspicious & BINE__SUSPECTS)) {
            struct bine__question *question = bine__race_question(last->of);
            question->of = last->of;
            question->pc = pc;
            question->constant = a;
            question->slice = last->of->slice;
        }
        mark(self, 1);
    }
    if (bine__unlikely(bine__race_options.predict))
        bine__predict_compared(self, a, b, size, constant, pc);
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

/* ---- Atomic operations: on one thread, accesses as others; done as what they are, for the other threads ---- */

#define ATOMIC(bits, type)                                                                                   \
    HOOK type __tsan_atomic##bits##_load(const volatile type *p, int order)                                  \
    {                                                                                                        \
        (void)order;                                                                                         \
        read_at((uintptr_t)p, sizeof(type), CALLER);                                                         \
        return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                         \
    }                                                                                                        \
    HOOK void __tsan_atomic##bits##_store(volatile type *p, type value, int order)                           \
    {                                                                                                        \
        (void)order;                                                                                         \
        write_at((uintptr_t)p, sizeof(type), CALLER, BINE__WRITE);                                           \
        __atomic_store_n(p, value, __ATOMIC_SEQ_CST);                                                        \
    }                                                                                                        \
    ATOMIC_UPDATE(bits, type, exchange, __atomic_exchange_n)                                                 \
    ATOMIC_UPDATE(bits, type, fetch_add, __atomic_fetch_add)                                                 \
    ATOMIC_UPDATE(bits, type, fetch_sub, __atomic_fetch_sub)                                                 \
    ATOMIC_UPDATE(bits, type, fetch_and, __atomic_fetch_and)                                                 \
    ATOMIC_UPDATE(bits, type, fetch_or, __atomic_fetch_or)                                                   \
    ATOMIC_UPDATE(bits, type, fetch_xor, __atomic_fetch_xor)                                                 \
    ATOMIC_UPDATE(bits, type, fetch_nand, __atomic_fetch_nand)                                               \
    ATOMIC_SWAP(bits, type, compare_exchange_strong)                                                         \
    ATOMIC_SWAP(bits, type, compare_exchange_weak)                                                           \
    HOOK type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, type expected, type value,        \
                                                         int order, int failed)                              \
    {                                                                                                        \
        (void)order, (void)failed;                                                                           \
        write_at((uintptr_t)p, sizeof(type), CALLER, BINE__UPDATE);                                          \
        __atomic_compare_exchange_n(p, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);             \
        return expected;                                                                                     \
    }
#define ATOMIC_UPDATE(bits, type, name, builtin)                                                             \
    HOOK type __tsan_atomic##bits##_##name(volatile type *p, type value, int order)                          \
    {                                                                                                        \
        (void)order;                                                                                         \
        write_at((uintptr_t)p, sizeof(type), CALLER, BINE__UPDATE);                                          \
        return builtin(p, value, __ATOMIC_SEQ_CST);                                                          \
    }
#define ATOMIC_SWAP(bits, type, name)                                                                        \
    HOOK int __tsan_atomic##bits##_##name(volatile type *p, type *expected, type value, int order,           \
                                          int failed)                                                        \
    {                                                                                                        \
        (void)order, (void)failed;                                                                           \
        write_at((uintptr_t)p, sizeof(type), CALLER, BINE__UPDATE);                                          \
        return __atomic_compare_exchange_n(p, expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);       \
    }
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)
HOOK void __tsan_atomic_thread_fence(int order)
{
    (void)order;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
HOOK void __tsan_atomic_signal_fence(int order)
{
    (void)order;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
