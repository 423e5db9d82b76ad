/* SPDX-License-Identifier: MIT
 *
 * What compilers call for -fsanitize=thread: for each access, function and atomic operation.  The names and types
 * are theirs.
 *
 * Most accesses come again in the slice in which the task touched the granule last: these are dealt with
 * here, and need no event (race_frames.c).  A granule that is freed or declared has a first record whose
 * slice is 0.  So are those to a granule that nobody else has touched: there is nothing to compare with, and
 * the record is brought up to date.  Whatever is done here race_access.c would do too. */
#include <string.h>

#include "check/race_hooks.h"

bool bine__race_hooked;

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

/* An access of this strand's own record, behind which there is no other: nothing is compared.  False: it is not so,
 * or not so simple. */
INLINE bool alone(struct bine__strand *self, const struct bine__record *mine, uintptr_t at, unsigned size,
                  uintptr_t pc)
{
    return bine__race_beginning(mine) == self->alone && mine->kind <= BINE__UPDATE &&
           (mine->mask & bine__mask(at, size)) && !self->predicts && !self->suspicious && bine__race_near(pc);
}

/* Where it is now, after its event; the context is known where there are events. */
INLINE void place(const struct bine__strand *self, struct bine__record *mine, uintptr_t pc)
{
    mine->time = bine__race_now;
    mine->pc = (uint32_t)(pc - bine__race_base);
    mine->context = self->frames[self->depth - 1].context;
}

/* If the same read comes again at once, it is this event again. */
INLINE void expect_again(struct bine__strand *self, const struct bine__record *mine, uintptr_t pc)
{
    const struct bine__frame_record *frame = &self->frames[self->depth - 1];
    if (!frame->events)
        return;
    self->last.pc = pc;
    self->last.event = &self->events[self->depth - 1]->at[frame->events - 1];
    self->last.short_pc = mine->pc;
    self->last.context = mine->context;
}

/* The first access of this slice, a read. */
INLINE bool read_alone(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                       uintptr_t pc)
{
    if (mine->slice == bine__race_slice || !alone(self, mine, at, size, pc))
        return false;
    bine__race_settle_step(self);
    bine__race_event(self, pc);
    place(self, mine, pc);
    mine->mask |= bine__mask(at, size);
    mine->place = (uint16_t)at;
    mine->kind = BINE__READ;
    mine->slice = bine__race_slice;
    mine->size = (uint8_t)size;
    mine->flags &= BINE__KEPT_FLAGS;
    mine->val = bine__value_at(at, size);
    bine__race_looked(self, mine);
    if (size >= 4 && bine__rule(BINE__RULE_TESTS) && bine__race_tested(mine->pc, size == 8))
        mine->flags |= BINE__CHECKED_READ;
    else
        expect_again(self, mine, pc);
    return true;
}

/* The same by a read that was the last event of all, where it read last, too: few registers are needed.  A
 * prediction never comes here: .last is not set by what does not. */
INLINE bool read_alone_again(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                             uintptr_t pc)
{
    if (pc != self->last.pc || bine__race_beginning(mine) != self->alone || mine->kind != BINE__READ ||
        mine->size != size || mine->place != (uint16_t)at || mine->slice == bine__race_slice ||
        self->suspicious)
        return false;
    const uint32_t short_pc = self->last.short_pc, context = self->last.context;
    mine->time = self->last.event->time = ++bine__race_now;
    mine->slice = bine__race_slice;
    mine->pc = short_pc;
    mine->context = context;
    mine->flags &= BINE__KEPT_FLAGS;
    mine->val = bine__value_at(at, size);
    bine__race_looked(self, mine);
    return true;
}

/* The first write of this slice, which may follow a read. */
INLINE bool written_alone(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                          enum bine__access_kind kind, uintptr_t pc)
{
    bool read = mine->slice == bine__race_slice;
    if (mine->w_slice == bine__race_slice || self->undos || self->returned.at == at ||
        self->tested.at == at || self->unfound.at == at || !alone(self, mine, at, size, pc))
        return false;
    bine__race_settle_step(self);
    bine__race_event(self, pc);
    mine->mask |= bine__mask(at, size);
    if (read) {
        if (self->compared.slice == bine__race_slice)
            bine__race_acted(self, mine);
        mine->time = bine__race_now;
        mine->w_pc = (uint32_t)(pc - bine__race_base);
        mine->w_context = self->frames[self->depth - 1].context;
        kind = BINE__UPDATE;
    } else {
        place(self, mine, pc);
        mine->w_pc = mine->pc;
        mine->w_context = mine->context;
        mine->place = (uint16_t)at;
        mine->slice = bine__race_slice;
    }
    mine->w_old = bine__value_at(at, size);
    mine->w_slice = bine__race_slice;
    mine->kind = (uint8_t)kind;
    mine->size = (uint8_t)size;
    mine->locks = self->locks;
    mine->flags &= BINE__KEPT_FLAGS & ~BINE__OF_WRITE;
    if (kind == BINE__WRITE)
        mine->flags |= BINE__BLIND;
    else
        self->step = (struct bine__step){at, mine->w_old, (uint32_t)(mine - bine__records), bine__race_slice, size};
    return true;
}

/* What is left: kept out of the hooks, so that these need no registers saved. */
#define ELSEWHERE(n)                                                                                         \
    static __attribute__((noinline)) void read_rest##n(struct bine__strand *self, uintptr_t at,              \
                                                       struct bine__record *first, uintptr_t pc)             \
    {                                                                                                        \
        if (!read_alone(self, first, at, n, pc))                                                             \
            bine__race_access(self, at, n, BINE__READ, pc);                                                  \
    }                                                                                                        \
    static __attribute__((noinline)) void read_more##n(struct bine__strand *self, uintptr_t at,              \
                                                       struct bine__record *first, uintptr_t pc)             \
    {                                                                                                        \
        if (!read_alone_again(self, first, at, n, pc))                                                       \
            read_rest##n(self, at, first, pc);                                                               \
    }                                                                                                        \
    static __attribute__((noinline)) void write_more##n(struct bine__strand *self, uintptr_t at,             \
                                                        struct bine__record *first, uintptr_t pc,            \
                                                        enum bine__access_kind kind)                         \
    {                                                                                                        \
        if (!written_alone(self, first, at, n, kind, pc))                                                    \
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
    if (bine__likely(record->slice == bine__race_slice && covers(record, at, size))) {
        uint64_t value = bine__value_at(at, size);
        if (record->kind == BINE__READ && (record->flags & BINE__CHECKED_READ)) { /* where it looked counts */
            record->time = bine__race_now;
            bine__race_looked_at(self, record, value);
            return;
        }
        if (placed(self, pc, &short_pc, &context)) {
            if (record->kind != BINE__READ) { /* of what it has written itself */
                record->val = value;
                record->kind = BINE__READ;
                record->size = (uint8_t)size;
                record->flags = (uint8_t)((record->flags & BINE__KEPT_FLAGS) | bine__race_options.own_read);
            }
            record->time = bine__race_now;
            record->pc = short_pc;
            record->context = context;
            bine__race_looked_at(self, record, value);
            return;
        }
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
                     record->w_slice == bine__race_slice && !self->predicts && !self->undos &&
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
static __attribute__((noinline)) void enter_otherwise(struct bine__strand *self, uintptr_t call, uintptr_t function,
                                                      uintptr_t sp)
{
    while (self->depth > 1 && self->depth > self->floor && self->frames[self->depth - 1].sp <= sp)
        self->depth--;
    if (bine__race_is_library(call) && self->called)
        call = self->called; /* the library calls back */
    if (self->depth < self->room || bine__race_deeper(self))
        bine__race_enter(self, call, function, sp); /* else it counts as its caller */
}

HOOK void __tsan_func_entry(void *from)
{
    struct bine__strand *self = bine__race_self;
    const uintptr_t sp = (uintptr_t)__builtin_dwarf_cfa(), call = (uintptr_t)from;
    if (!self)
        return;
    if (bine__unlikely(self->frames[self->depth - 1].sp <= sp || bine__race_is_library(call) ||
                       self->depth == self->room))
        enter_otherwise(self, call, CALLER, sp);
    else
        bine__race_enter(self, call, CALLER, sp);
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
