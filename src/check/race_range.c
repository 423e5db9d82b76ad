/* SPDX-License-Identifier: MIT
 *
 * What one call reads or writes: memcpy() and its like, the texts and buffers that libc and the library are
 * given.  It is gone over granule by granule, and is one event.
 *
 * Most of it nobody else has touched, or this task has touched it in this slice: then nothing but the record
 * is brought up to date, as race_access.c would do it.  Of constants there are no records, since nobody writes
 * them; that they were looked at counts for what was looked at before them. */
#include "check/race.h"

struct stretch { /* what the accesses of one call have in common */
    bool write;
    int8_t tested[2]; /* what is read there, a word or less; -1: not asked for yet */
    uint32_t pc, context;
    uintptr_t looks_from; /* those before are forgotten at once: so many looks are kept */
};

/* Nothing hangs on this access but its record. */
static inline bool is_plain(const struct bine__strand *self, bool write)
{
    return !self->suspicious && !self->step.at && !bine__race_options.predict &&
           !(write && (self->undos || self->tested.at || self->unfound.at));
}

static inline void reads_plainly(struct bine__strand *self, struct bine__record *mine, uintptr_t at,
                                 unsigned size, const struct stretch *all)
{
    mine->val = bine__value_at(at, size);
    mine->size = (uint8_t)size;
    if (at >= all->looks_from)
        bine__race_looked(self, mine);
    else
        self->looks++;
}

static inline bool is_tested(struct stretch *all, unsigned size)
{
    bool word = size == 8;
    if (size < 4 || !bine__rule(BINE__RULE_TESTS))
        return false;
    if (all->tested[word] < 0)
        all->tested[word] = bine__race_tested(all->pc, word);
    return all->tested[word] != 0;
}

/* What bine__race_access() does where the task was in this slice, or where nobody else has ever been.  False:
 * it is not so. */
static inline bool plainly(struct bine__strand *self, uint32_t *cell, uintptr_t at, unsigned size,
                           struct stretch *all)
{
    struct bine__record *mine = bine__record(*cell);
    uint8_t mask = bine__mask(at, size);
    if (*cell && mine->slice == bine__race_slice && (mine->mask & mask) == mask) {
        if (all->write && (mine->kind == BINE__READ || mine->w_slice != bine__race_slice))
            return false;
        mine->time = bine__race_now;
        if (all->write) {
            if (bine__value_at(at, size) != mine->w_old)
                mine->flags |= BINE__CHANGED;
            mine->flags &= BINE__KEPT_FLAGS;
            mine->w_pc = all->pc;
            mine->w_context = all->context;
            mine->locks = self->locks;
            mine->size = (uint8_t)size;
            if (mine->kind == BINE__WRITE) {
                mine->pc = all->pc;
                mine->context = all->context;
            }
            return true;
        }
        if (!(mine->flags & BINE__CHECKED_READ)) { /* where it looked counts */
            mine->pc = all->pc;
            mine->context = all->context;
        }
        if (mine->kind != BINE__READ) {
            mine->kind = BINE__READ;
            mine->flags = (uint8_t)((mine->flags & BINE__KEPT_FLAGS) | bine__race_options.own_read);
        }
        reads_plainly(self, mine, at, size, all);
        return true;
    }
    if (!*cell) {
        uint32_t number = bine__record_new();
        if (!number)
            return false;
        bine__cell_fill(cell, at, number);
        mine = bine__record(number);
        mine->strand = self->number;
    } else if (mine->strand != self->number || mine->next || mine->slice == bine__race_slice ||
               mine->kind > BINE__UPDATE || !(mine->mask & mask)) {
        return false;
    }
    mine->place = (uint16_t)at;
    mine->slice = bine__race_slice;
    mine->time = bine__race_now;
    mine->pc = all->pc;
    mine->context = all->context;
    mine->mask |= mask;
    if (all->write) {
        mine->kind = BINE__WRITE;
        mine->flags = (uint8_t)((mine->flags & BINE__IN_SPAN) | BINE__BLIND);
        mine->w_old = bine__value_at(at, size);
        mine->w_slice = bine__race_slice;
        mine->w_pc = all->pc;
        mine->w_context = all->context;
        mine->locks = self->locks;
        mine->size = (uint8_t)size;
    } else {
        mine->kind = BINE__READ;
        mine->flags = (uint8_t)((mine->flags & BINE__KEPT_FLAGS) |
                                (is_tested(all, size) ? BINE__CHECKED_READ : 0));
        reads_plainly(self, mine, at, size, all);
    }
    return true;
}

static void go_over(struct bine__strand *self, uintptr_t at, size_t size, bool write, uintptr_t pc)
{
    enum { MOST = 1 << 16 };
    const uintptr_t end = at + (size < MOST ? size : MOST), last = (end - 1) & ~(uintptr_t)7;
    bine__race_settle_step(self);
    bool plain = is_plain(self, write);
    struct stretch all = {.write = write,
                          .tested = {-1, -1},
                          .pc = bine__race_short(pc),
                          .context = bine__race_here(self),
                          .looks_from = end - at > BINE__LOOKS * 8 ? last - (BINE__LOOKS - 1) * 8 : at};
    while (at < end) {
        unsigned n = 8 - (unsigned)(at & 7);
        if (n > end - at)
            n = (unsigned)(end - at);
        uint32_t *cell = bine__cell(at);
        if (!cell || !plain || !plainly(self, cell, at, n, &all)) {
            bine__race_access(self, at, n, write ? BINE__WRITE : BINE__READ, pc);
            plain = is_plain(self, write);
        }
        at += n;
    }
}

/* Where there are cells there are the records that stand for constants. */
static void go_over_read(struct bine__strand *self, uintptr_t at, size_t size, uintptr_t pc)
{
    if (!size)
        return;
    if (!bine__race_constant(at + size - 1) || !bine__cell(at) || !is_plain(self, false)) {
        go_over(self, at, size, false, pc);
        return;
    }
    const uintptr_t granules = (at + size - 1) / 8 - at / 8 + 1;
    const uint32_t place = bine__race_short(pc);
    for (unsigned i = 0; i < BINE__LOOKS && i < granules; i++)
        bine__race_looked_at_constant(self, place);
}

static void reads(struct bine__strand *self, uintptr_t at, size_t size, uintptr_t pc)
{
    bool noted = self->noted;
    if (!noted)
        bine__race_event(self, pc);
    self->noted = true;
    go_over_read(self, at, size, pc);
    self->noted = noted;
}

void bine__race_range(uintptr_t at, size_t size, bool write, uintptr_t pc)
{
    struct bine__strand *self = bine__race_self;
    if (write)
        bine__race_copy((const void *)at, size, NULL, 0, pc);
    else if (self)
        reads(self, at, size, pc);
}

/* memmove(): bytes go elsewhere in their buffer, whoever has put them there. */
void bine__race_move(const void *to, const void *from, size_t n, uintptr_t pc)
{
    struct bine__strand *self = bine__race_self;
    if (!self)
        return;
    self->copying.within = true;
    bine__race_copy(to, n, from, n, pc);
    self->copying.within = false;
}

void bine__race_copy(const void *to, size_t written, const void *from, size_t read, uintptr_t pc)
{
    struct bine__strand *self = bine__race_self;
    if (!self)
        return;
    bool noted = self->noted;
    const uint32_t *cell = written ? bine__cell((uintptr_t)to) : NULL;
    if (!noted)
        bine__race_event(self, pc);
    self->noted = true;
    if (cell && *cell && bine__record(*cell)->next)
        bine__race_copies(self, (uintptr_t)from, read);
    go_over_read(self, (uintptr_t)from, read, pc);
    if (written)
        go_over(self, (uintptr_t)to, written, true, pc);
    self->copying.source = self->copying.index = 0;
    self->noted = noted;
}

void bine__race_compared(uintptr_t at, size_t size)
{
    const struct bine__strand *self = bine__race_self;
    for (uintptr_t granule = at & ~(uintptr_t)7; granule < at + size; granule += 8) {
        const uint32_t *cell = bine__cell(granule);
        struct bine__record *mine = cell && *cell ? bine__record(*cell) : NULL;
        if (mine && mine->strand == self->number && mine->kind == BINE__READ &&
            mine->slice == bine__race_slice) {
            mine->flags |= BINE__CHECKED_READ;
            if (bine__race_options.predict)
                bine__predict_asked(bine__race_self, mine, mine->val, 0, mine->size,
                                    BINE__ASKED_NOTHING_KNOWN, bine__race_pc(mine->pc));
        }
    }
}
