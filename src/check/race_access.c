/* SPDX-License-Identifier: MIT
 *
 * What becomes of an access that the hooks do not deal with themselves: the task's record of the granule is
 * found or made, compared with those of others if its last access was in an earlier slice (race_rules.c), and
 * brought up to date.
 *
 * A read that is followed by a write of the same place is half of an update, and no second look: what was
 * known before it is kept until then. */
#include <string.h>

#include "check/race.h"

enum { LONGEST_CHAIN = 16 };

/* ---- Records ---------------------------------------------------------------------------------------- */

/* The task's own for these bytes, moved to the chain's front; or a new one. */
static struct bine__record *own_record(struct bine__strand *self, uint32_t *cell, uintptr_t at, bool group,
                                       uint8_t mask, unsigned size, enum bine__access_kind kind, uint32_t pc)
{
    uint32_t number = *cell, before = 0, length = 0;
    for (; number; before = number, number = bine__record(number)->next, length++) {
        const struct bine__record *one = bine__record(number);
        if (one->strand != self->number)
            continue;
        if ((one->mask & mask) || !bine__rule(BINE__RULE_MASKS))
            break;
        /* One instruction that goes over neighbours: of an array, which is one thing. */
        if (size < 8 && one->slice == bine__race_slice && one->kind == kind && one->pc == pc &&
            one->size == size)
            break;
    }
    if (!number) {
        number = bine__record_new();
        if (!number)
            return NULL;
        bine__record(number)->strand = self->number;
        bine__record(number)->next = *cell;
        if (!*cell && !group)
            *bine__block(at) = 1;
        *cell = number;
        if (length >= LONGEST_CHAIN) {
            uint32_t last = number;
            for (uint32_t i = 1; i < LONGEST_CHAIN; i++)
                last = bine__record(last)->next;
            for (uint32_t gone = bine__record(last)->next, next; gone; gone = next) {
                next = bine__record(gone)->next;
                bine__record_free(gone);
            }
            bine__record(last)->next = 0;
        }
    } else if (before) {
        bine__record(before)->next = bine__record(number)->next;
        bine__record(number)->next = *cell;
        *cell = number;
    }
    return bine__record(number);
}

static void read_now(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size)
{
    mine->val = bine__value_at(at, size);
    mine->size = (uint8_t)size;
    bine__race_looked(self, mine);
}

static void written_now(struct bine__strand *self, struct bine__record *mine, uint32_t pc, uint32_t context,
                        uintptr_t at, unsigned size, bool blind)
{
    if (mine->w_slice != bine__race_slice) {
        mine->w_old = bine__value_at(at, size);
        mine->flags = (uint8_t)((mine->flags & ~BINE__OF_WRITE) | (blind ? BINE__BLIND : 0));
        if (!blind) /* which way it goes is known later */
            self->step = (struct bine__step){at, mine->w_old, (uint32_t)(mine - bine__records),
                                             bine__race_slice, size};
    } else if (bine__value_at(at, size) != mine->w_old) {
        mine->flags |= BINE__CHANGED;
    }
    mine->w_slice = bine__race_slice;
    mine->w_pc = pc;
    mine->w_context = context;
    mine->locks = self->locks;
    mine->size = (uint8_t)size;
}

/* A read that began this slice's accesses to it becomes a part of this update: what was there before it
 * counts. */
static bool take_back(struct bine__strand *self, uintptr_t at, unsigned size, uint32_t *pc, uint32_t *context)
{
    for (unsigned i = 0; i < self->undos; i++) {
        struct bine__undo *undo = &self->undo[i];
        if (undo->at != at || undo->size != size)
            continue;
        struct bine__record *mine = bine__record(undo->record);
        uint32_t next = mine->next;
        *pc = mine->pc;
        *context = mine->context;
        *mine = undo->before;
        mine->next = next;
        self->undos = 0;
        return true;
    }
    return false;
}

/* A pointer that was NULL at the look is kept elsewhere: it will be replaced. */
static void may_be_unfound(struct bine__strand *self, uintptr_t link)
{
    for (unsigned i = 0; i < self->undos; i++) {
        const struct bine__undo *undo = &self->undo[i];
        const struct bine__record *look = &undo->before;
        if (undo->size == 8 && undo->at != link && look->kind == BINE__READ && look->val == 0 &&
            (look->flags & (BINE__CHECKED_READ | BINE__OWN_READ)) == BINE__CHECKED_READ)
            self->unfound = (struct bine__suspect){.at = undo->at,
                                                   .slice = bine__race_slice,
                                                   .record = undo->record,
                                                   .value = link,
                                                   .size = 8,
                                                   .mine = *look};
    }
}

/* A number may be an index, `place[n] = x; n++`: writing elsewhere first makes its read no look.  A new
 * element that is made to point at the first one is linked, and nothing is lost. */
static void keep_numbers(struct bine__strand *self)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < self->undos; i++)
        if (self->undo[i].size < 8)
            self->undo[kept++] = self->undo[i];
    self->undos = kept;
}

static void may_take_back(struct bine__strand *self, const struct bine__record *mine, uintptr_t at,
                          unsigned size)
{
    struct bine__undo *undo = &self->undo[self->undos < BINE__UNDO ? self->undos : BINE__UNDO - 1];
    if (self->undos < BINE__UNDO)
        self->undos++;
    self->undo_entry = self->frames[self->depth - 1].entry;
    *undo = (struct bine__undo){at, (uint32_t)(mine - bine__records), (uint8_t)size, *mine};
}

static bool is_special(enum bine__access_kind kind)
{
    return kind == BINE__FREED || kind == BINE__MEMBER || kind == BINE__BENIGN;
}

/* Whether any rule is about these two (bine__race_judge()), which is known sooner than whether they belong
 * together. */
static bool may_matter(const struct bine__record *mine, enum bine__access_kind kind, uintptr_t at,
                       unsigned size, bool group)
{
    if (group)
        return true;
    switch ((enum bine__access_kind)mine->kind) {
    case BINE__READ: return kind != BINE__READ || (size == 8 && bine__value_at(at, 8) == mine->val);
    case BINE__WRITE: return kind == BINE__READ;
    case BINE__UPDATE: return kind == BINE__WRITE;
    default: return false;
    }
}

/* It looked, and looks again with the same instruction, until another has changed it: that comes before. */
static void polled(struct bine__strand *self, const struct bine__record *mine, uintptr_t at, unsigned size,
                   uint8_t mask)
{
    if (!(mine->flags & BINE__CHECKED_READ) || bine__value_at(at, size) == mine->val)
        return;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if ((theirs->mask & mask) && theirs->w_slice > mine->slice)
            bine__race_learn(self, theirs->strand, theirs->w_slice);
    }
}

/* What predictions are made of, beside what is judged. */
static void predicted(struct bine__strand *self, const struct bine__record *mine, uintptr_t at, unsigned size,
                      enum bine__access_kind kind, uint32_t pc, uint32_t context)
{
    bine__predict_place(mine, at);
    bine__predict_use(self, at, pc, context);
    if (kind == BINE__READ && size == 8)
        bine__predict_pointer(self, at, bine__value_at(at, 8), pc, context);
    if (kind == BINE__UPDATE && size >= 4)
        bine__predict_asked(self, mine, bine__value_at(at, size), 0, size, BINE__ASKED_BY_UPDATE,
                            bine__race_pc(pc));
}

/* A pointer that is tested; a truth value, of which clang announces no comparison. */
static void asked_at_once(struct bine__strand *self, const struct bine__record *mine, bool tested, uint32_t pc)
{
    bool truth = mine->size == 1 && bine__race_clang && bine__race_condition(bine__race_pc(pc)) >= 0;
    if (tested || truth)
        bine__predict_asked(self, mine, mine->val, 0, mine->size,
                            truth || mine->size == 8 ? BINE__ASKED_POINTER : BINE__ASKED_NOTHING_KNOWN,
                            bine__race_pc(pc));
}

void bine__race_access(struct bine__strand *self, uintptr_t at, unsigned size, enum bine__access_kind kind,
                       uintptr_t pc)
{
    uint32_t *cell = bine__cell(at);
    uint8_t mask = bine__mask(at, size);
    bool group = false;
    if (!cell && !(cell = bine__cell_made(at)))
        return;
    if (*cell && is_special((enum bine__access_kind)bine__record(*cell)->kind)) {
        cell = bine__race_special(self, at, size, cell, kind, pc);
        if (!cell)
            return;
        mask = 0xff;
        group = true;
    }
    if (self->undos && self->undo_entry != self->frames[self->depth - 1].entry)
        self->undos = 0;
    uint32_t read_pc = 0, read_context = 0;
    if (kind == BINE__WRITE && self->undos && bine__rule(BINE__RULE_UPDATES) &&
        take_back(self, at, size, &read_pc, &read_context))
        kind = BINE__UPDATE;
    if (kind == BINE__UPDATE && self->clobbered.at == at)
        self->clobbered.at = 0;
    if (kind == BINE__WRITE && size == 8 && self->undos && bine__rule(BINE__RULE_UNFOUND))
        may_be_unfound(self, at);
    if (kind == BINE__WRITE)
        keep_numbers(self);
    else if (kind == BINE__UPDATE)
        self->undos = 0;
    if (self->suspicious)
        bine__race_settle_before(self, kind);
    else
        bine__race_settle(self);
    if (!self->noted)
        bine__race_event(self, pc);
    uint32_t short_pc = bine__race_short(pc);
    if (kind == BINE__READ && !group && bine__race_constant(at)) {
        bine__race_looked_at_constant(self, bine__value_at(at, size), short_pc);
        return;
    }
    uint32_t context = bine__race_here(self);
    struct bine__record *mine = own_record(self, cell, at, group, mask, size, kind, short_pc);
    if (!mine)
        return;
    if (bine__race_options.predict)
        predicted(self, mine, at, size, kind, short_pc, context);
    if (kind != BINE__READ && (self->suspicious & BINE__FILLED))
        bine__race_fills(self, mine, at, size, kind, short_pc, context);
    if (mine->kind && mine->slice == bine__race_slice) { /* nobody can have come between */
        mine->time = bine__race_now;
        mine->mask |= mask;
        bool looked = kind == BINE__READ && (mine->flags & BINE__CHECKED_READ); /* where it did counts */
        if ((kind == BINE__READ && !looked) || (kind != BINE__READ && mine->kind == BINE__WRITE)) {
            mine->pc = short_pc;
            mine->context = context;
        }
        if (kind != BINE__READ && mine->kind == BINE__READ) {
            bine__race_replaced(self, at, pc);
            bine__race_acted(self, mine);
        }
        if (kind == BINE__WRITE && self->tested.at == at)
            bine__race_released(self, mine, short_pc, context);
        if (kind == BINE__WRITE && self->unfound.at == at)
            bine__race_unfound(self, mine, at, pc);
        if (kind == BINE__READ) {
            if (mine->kind != BINE__READ) {
                mine->kind = BINE__READ;
                mine->flags = (uint8_t)((mine->flags & BINE__KEPT_FLAGS) |
                                        (bine__rule(BINE__RULE_OWN_READS) ? BINE__OWN_READ : 0));
                if (group && mine->place != (uint16_t)at) { /* it reads another part than it has written */
                    mine->place = (uint16_t)at;
                    mine->flags |= BINE__SEVERAL;
                }
            }
            read_now(self, mine, at, size);
        } else {
            bool first = mine->w_slice != bine__race_slice;
            written_now(self, mine, short_pc, context, at, size, false);
            if (group && first)
                mine->place = (uint16_t)at;
            else if (group && mine->place != (uint16_t)at)
                mine->flags |= BINE__SEVERAL;
            mine->kind = mine->kind == BINE__WRITE && kind == BINE__WRITE ? BINE__WRITE : BINE__UPDATE;
            mine->flags &= BINE__KEPT_FLAGS;
            if (bine__race_options.predict)
                bine__predict_write(self, mine, at, mask, short_pc, context);
        }
        if (group && bine__race_options.predict)
            bine__predict_touch(self, cell, at, kind != BINE__READ, short_pc, context);
        return;
    }
    if (bine__race_options.predict && kind == BINE__READ && mine->kind == BINE__READ &&
        mine->pc == short_pc && mine->context == context)
        polled(self, mine, at, size, mask);
    /* Where nobody else has been there is nothing to compare with. */
    bool shared = mine->next || bine__race_options.predict;
    if (mine->kind && shared && may_matter(mine, kind, at, size, group) &&
        bine__race_same_turn(self, mine->time, mine->slice))
        bine__race_judge(self, mine, at, size, kind, mask, pc, group ? cell : NULL);
    if (kind == BINE__READ && mine->kind == BINE__READ && mine->next && size == mine->size && !group &&
        bine__value_at(at, size) != mine->val)
        bine__race_looks_again(self, mine, at, size);
    if (kind == BINE__READ && size == 8 && mine->kind && mine->next &&
        bine__race_is_pointer(bine__value_at(at, 8)))
        bine__race_took(self, mine, at);
    bool tested = kind == BINE__READ && size >= 4 && bine__rule(BINE__RULE_TESTS) &&
                  bine__race_tested(short_pc, size == 8);
    if (tested && size == 8 && mine->kind == BINE__READ && mine->next)
        bine__race_tests_again(self, mine, at, short_pc);
    if (kind == BINE__READ && shared && !tested)
        may_take_back(self, mine, at, size);
    bool blind = kind == BINE__WRITE && !(mine->kind == BINE__READ && bine__race_answered(self, mine, mask));
    mine->place = (uint16_t)at;
    mine->kind = (uint8_t)kind;
    mine->slice = bine__race_slice;
    mine->time = bine__race_now;
    mine->pc = read_pc ? read_pc : short_pc;
    mine->context = read_pc ? read_context : context;
    mine->mask |= mask;
    mine->flags &= BINE__KEPT_FLAGS;
    if (kind == BINE__READ) {
        read_now(self, mine, at, size);
        if (tested)
            mine->flags |= BINE__CHECKED_READ;
        if (bine__race_options.predict)
            asked_at_once(self, mine, tested, short_pc);
    } else {
        written_now(self, mine, short_pc, context, at, size, blind);
        if (bine__race_options.predict)
            bine__predict_write(self, mine, at, mask, short_pc, context);
    }
    if (group && bine__race_options.predict)
        bine__predict_touch(self, cell, at, kind != BINE__READ, short_pc, context);
}
