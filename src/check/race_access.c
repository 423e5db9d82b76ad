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

struct access {
    uintptr_t at, pc;
    unsigned size;
    enum bine__access_kind kind;
    uint8_t mask;
    bool group;              /* of a declared group: then the cell is the group's */
    uint32_t *cell;
    uint32_t place, context; /* the program counter, and its calling context */
    uint32_t read_place, read_context; /* of the read that this is an update with; or 0 */
};

/* ---- Records ---------------------------------------------------------------------------------------- */

static void shorten(uint32_t chain)
{
    for (uint32_t i = 1; i < LONGEST_CHAIN; i++)
        chain = bine__record(chain)->next;
    for (uint32_t gone = bine__record(chain)->next, next; gone; gone = next) {
        next = bine__record(gone)->next;
        bine__record_free(gone);
    }
    bine__record(chain)->next = 0;
}

static struct bine__record *new_record(const struct bine__strand *self, const struct access *it, bool longest)
{
    uint32_t number = bine__record_new();
    if (!number)
        return NULL;
    bine__record(number)->strand = self->number;
    bine__record(number)->next = *it->cell;
    if (!*it->cell && !it->group)
        *bine__block(it->at) = 1;
    *it->cell = number;
    if (longest)
        shorten(number);
    return bine__record(number);
}

/* Whether it is of these bytes.  One instruction that goes over neighbours: of an array, which is one thing. */
static inline bool is_of(const struct bine__record *one, const struct access *it)
{
    return (one->mask & it->mask) || !bine__rule(BINE__RULE_MASKS) ||
           (it->size < 8 && one->slice == bine__race_slice && one->kind == it->kind && one->pc == it->place &&
            one->size == it->size);
}

/* The task's own, moved to the chain's front; or a new one. */
static struct bine__record *own_record(const struct bine__strand *self, const struct access *it)
{
    uint32_t number = *it->cell, length = 0;
    struct bine__record *one = bine__record(number), *before = NULL;
    for (; number && (one->strand != self->number || !is_of(one, it)); length++) {
        before = one;
        number = one->next;
        one = bine__record(number);
    }
    if (!number)
        return new_record(self, it, length >= LONGEST_CHAIN);
    if (before) {
        before->next = one->next;
        one->next = *it->cell;
        *it->cell = number;
    }
    return one;
}

static void read_now(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size)
{
    mine->val = bine__value_at(at, size);
    mine->size = (uint8_t)size;
    bine__race_looked(self, mine);
}

static void written_now(struct bine__strand *self, struct bine__record *mine, const struct access *it, bool blind)
{
    const uint64_t value = bine__value_at(it->at, it->size);
    if (mine->w_slice != bine__race_slice) {
        mine->w_old = value;
        mine->flags = (uint8_t)((mine->flags & ~BINE__OF_WRITE) | (blind ? BINE__BLIND : 0));
        if (!blind) /* which way it goes is known later */
            self->step = (struct bine__step){it->at, value, (uint32_t)(mine - bine__records), bine__race_slice,
                                             it->size};
    } else if (value != mine->w_old) {
        mine->flags |= BINE__CHANGED;
    }
    mine->w_slice = bine__race_slice;
    mine->w_pc = it->place;
    mine->w_context = it->context;
    mine->locks = self->locks;
    mine->size = (uint8_t)it->size;
}

/* The last but so many, from 0. */
static struct bine__undo *last_undo(struct bine__strand *self, unsigned n)
{
    return &self->undo[(self->undos_made - 1 - n) % BINE__UNDO];
}

/* A read that began this slice's accesses to it becomes a part of this update: what was there before it
 * counts. */
static void take_back(struct bine__strand *self, struct bine__undo *undo, struct access *it)
{
    struct bine__record *mine = bine__record(undo->record);
    uint32_t next = mine->next;
    it->read_place = mine->pc;
    it->read_context = mine->context;
    it->kind = BINE__UPDATE;
    *mine = undo->before;
    mine->next = next;
    undo->at = 0;
    self->undos = 0;
}

/* Nothing but reads has come since. */
static void may_be_update(struct bine__strand *self, struct access *it)
{
    for (unsigned i = 0; i < self->undos; i++) {
        struct bine__undo *undo = last_undo(self, i);
        if (undo->at == it->at && undo->size == it->size) {
            take_back(self, undo, it);
            return;
        }
    }
}

/* A number that was read in this activation, from where all ways lead to this write, whatever has been done with it
 * meanwhile: `fill(&all[n]); n++`. */
static void may_be_update_at_last(struct bine__strand *self, const struct bine__record *mine, struct access *it)
{
    const uint32_t number = (uint32_t)(mine - bine__records);
    const uint64_t entry = self->frames[self->depth - 1].entry;
    for (unsigned i = 0; i < BINE__UNDO; i++) {
        struct bine__undo *undo = last_undo(self, i);
        if (undo->at == it->at && undo->size == it->size && undo->slice == bine__race_slice &&
            undo->record == number && undo->entry == entry && bine__race_straight(undo->pc, it->place)) {
            take_back(self, undo, it);
            return;
        }
    }
}

/* A pointer that was NULL at the look is kept elsewhere: it will be replaced. */
static void may_be_unfound(struct bine__strand *self, uintptr_t link)
{
    for (unsigned i = 0; i < self->undos; i++) {
        const struct bine__undo *undo = last_undo(self, i);
        const struct bine__record *look = &undo->before;
        if (undo->at && undo->size == 8 && undo->at != link && look->kind == BINE__READ && look->val == 0 &&
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
    for (unsigned i = 0; i < self->undos; i++)
        if (last_undo(self, i)->size == 8)
            last_undo(self, i)->at = 0;
}

static void may_take_back(struct bine__strand *self, const struct bine__record *mine, const struct access *it)
{
    self->undos_made++;
    if (self->undos < BINE__UNDO)
        self->undos++;
    self->undo_entry = self->frames[self->depth - 1].entry;
    *last_undo(self, 0) = (struct bine__undo){.at = it->at,
                                              .entry = self->undo_entry,
                                              .record = (uint32_t)(mine - bine__records),
                                              .slice = bine__race_slice,
                                              .pc = it->place,
                                              .size = (uint8_t)it->size,
                                              .before = *mine};
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
static void predicted(struct bine__strand *self, const struct bine__record *mine, const struct access *it)
{
    bine__predict_place(mine, it->at);
    bine__predict_use(self, it->at, it->place, it->context);
    if (it->kind == BINE__READ && it->size == 8)
        bine__predict_pointer(self, it->at, bine__value_at(it->at, 8), it->place, it->context);
    if (it->kind == BINE__UPDATE && it->size >= 4)
        bine__predict_asked(self, mine, bine__value_at(it->at, it->size), 0, it->size, BINE__ASKED_BY_UPDATE,
                            bine__race_pc(it->place));
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

/* ---- What is done ------------------------------------------------------------------------------------ */

/* Where its records are; false: it is dealt with. */
static bool find_cell(struct bine__strand *self, struct access *it)
{
    it->cell = bine__cell(it->at);
    it->mask = bine__mask(it->at, it->size);
    if (!it->cell && !(it->cell = bine__cell_made(it->at)))
        return false;
    if (*it->cell && is_special((enum bine__access_kind)bine__record(*it->cell)->kind)) {
        it->cell = bine__race_special(self, it->at, it->size, it->cell, it->kind, it->pc);
        it->mask = 0xff;
        it->group = true;
    }
    return it->cell != NULL;
}

/* What a write decides of the reads before it. */
static void follow_reads(struct bine__strand *self, struct access *it)
{
    if (self->undo_entry != self->frames[self->depth - 1].entry)
        self->undos = 0;
    else if (it->kind == BINE__WRITE && bine__rule(BINE__RULE_UPDATES))
        may_be_update(self, it);
    if (it->kind == BINE__WRITE && it->size == 8 && self->undos && bine__rule(BINE__RULE_UNFOUND))
        may_be_unfound(self, it->at);
    if (it->kind == BINE__WRITE)
        keep_numbers(self);
    else if (it->kind == BINE__UPDATE)
        self->undos = 0;
}

static void reads_again(struct bine__strand *self, struct bine__record *mine, const struct access *it)
{
    if (!(mine->flags & BINE__CHECKED_READ)) { /* where it looked counts */
        mine->pc = it->place;
        mine->context = it->context;
    }
    if (mine->kind != BINE__READ) {
        mine->kind = BINE__READ;
        mine->flags = (uint8_t)((mine->flags & BINE__KEPT_FLAGS) | bine__race_options.own_read);
        if (it->group && mine->place != (uint16_t)it->at) { /* it reads another part than it has written */
            mine->place = (uint16_t)it->at;
            mine->flags |= BINE__SEVERAL;
        }
    }
    read_now(self, mine, it->at, it->size);
}

static void writes_again(struct bine__strand *self, struct bine__record *mine, const struct access *it)
{
    bool first = mine->w_slice != bine__race_slice;
    if (mine->kind == BINE__WRITE) {
        mine->pc = it->place;
        mine->context = it->context;
    } else if (mine->kind == BINE__READ) {
        bine__race_replaced(self, it->at, it->pc);
        bine__race_acted(self, mine);
    }
    if (it->kind == BINE__WRITE && self->tested.at == it->at)
        bine__race_released(self, mine, it->place, it->context);
    if (it->kind == BINE__WRITE && self->unfound.at == it->at)
        bine__race_unfound(self, mine, it->at, it->pc);
    written_now(self, mine, it, false);
    if (it->group && first)
        mine->place = (uint16_t)it->at;
    else if (it->group && mine->place != (uint16_t)it->at)
        mine->flags |= BINE__SEVERAL;
    mine->kind = mine->kind == BINE__WRITE && it->kind == BINE__WRITE ? BINE__WRITE : BINE__UPDATE;
    mine->flags &= BINE__KEPT_FLAGS;
}

/* In the slice of the last one: nobody can have come between. */
static void again(struct bine__strand *self, struct bine__record *mine, const struct access *it)
{
    mine->time = bine__race_now;
    mine->mask |= it->mask;
    if (it->kind == BINE__READ)
        reads_again(self, mine, it);
    else
        writes_again(self, mine, it);
}

/* Whether another has written there since, or may have for all that is known here. */
static bool disturbed(const struct bine__strand *self, const struct bine__record *mine, const struct access *it)
{
    if (it->group || bine__race_options.predict || self->returned.at == it->at)
        return true;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next)
        if (bine__record(i)->w_slice > mine->slice)
            return true;
    return false;
}

/* Others have been there, or could have. */
static void compare_with_others(struct bine__strand *self, struct bine__record *mine, const struct access *it)
{
    const bool reads = it->kind == BINE__READ, follows_read = mine->kind == BINE__READ;
    if (may_matter(mine, it->kind, it->at, it->size, it->group) && disturbed(self, mine, it) &&
        bine__race_same_turn(self, mine->time, mine->slice))
        bine__race_judge(self, mine, it->at, it->size, it->kind, it->mask, it->pc, it->group ? it->cell : NULL);
    if (!reads || !mine->next)
        return;
    uint64_t value = bine__value_at(it->at, it->size);
    if (follows_read && it->size == mine->size && !it->group && value != mine->val)
        bine__race_looks_again(self, mine, it->at, it->size);
    if (it->size == 8 && bine__race_is_pointer(value))
        bine__race_took(self, mine, it->at);
    if (it->size == 8 && follows_read)
        bine__race_tests_again(self, mine, it->at, it->place);
}

/* In a later slice than the last one, or for the first time. */
static void anew(struct bine__strand *self, struct bine__record *mine, const struct access *it)
{
    bool reads = it->kind == BINE__READ, shared = mine->next || bine__race_options.predict;
    bool tested = reads && it->size >= 4 && bine__rule(BINE__RULE_TESTS) &&
                  bine__race_tested(it->place, it->size == 8);
    if (bine__race_options.predict && reads && mine->kind == BINE__READ && mine->pc == it->place &&
        mine->context == it->context)
        polled(self, mine, it->at, it->size, it->mask);
    if (shared && mine->kind)
        compare_with_others(self, mine, it);
    if (shared && reads && !tested)
        may_take_back(self, mine, it);
    bool blind =
        it->kind == BINE__WRITE && !(mine->kind == BINE__READ && bine__race_answered(self, mine, it->mask));
    mine->place = (uint16_t)it->at;
    mine->kind = (uint8_t)it->kind;
    mine->slice = bine__race_slice;
    mine->time = bine__race_now;
    mine->pc = it->read_place ? it->read_place : it->place;
    mine->context = it->read_place ? it->read_context : it->context;
    mine->mask |= it->mask;
    mine->flags &= BINE__KEPT_FLAGS;
    if (!reads) {
        written_now(self, mine, it, blind);
        return;
    }
    read_now(self, mine, it->at, it->size);
    if (tested)
        mine->flags |= BINE__CHECKED_READ;
    if (bine__race_options.predict)
        asked_at_once(self, mine, tested, it->place);
}

void bine__race_access(struct bine__strand *self, uintptr_t at, unsigned size, enum bine__access_kind kind,
                       uintptr_t pc)
{
    struct access it = {.at = at, .pc = pc, .size = size, .kind = kind};
    if (!find_cell(self, &it))
        return;
    if (self->undos)
        follow_reads(self, &it);
    if (it.kind == BINE__UPDATE && self->clobbered.at == at)
        self->clobbered.at = 0;
    if (self->suspicious)
        bine__race_settle_before(self, it.kind);
    else
        bine__race_settle(self);
    if (!self->noted)
        bine__race_event(self, pc);
    it.place = bine__race_short(pc);
    if (kind == BINE__READ && !it.group && bine__race_constant(at)) {
        bine__race_looked_at_constant(self, it.place);
        return;
    }
    it.context = bine__race_here(self);
    struct bine__record *mine = own_record(self, &it);
    if (!mine)
        return;
    if (bine__race_options.predict)
        predicted(self, mine, &it);
    if (it.kind != BINE__READ && (self->suspicious & BINE__FILLED))
        bine__race_fills(self, mine, at, size, it.kind, it.place, it.context);
    if (it.kind == BINE__WRITE && size < 8 && mine->kind == BINE__READ && mine->slice == bine__race_slice &&
        mine->w_slice != bine__race_slice && bine__rule(BINE__RULE_UPDATES))
        may_be_update_at_last(self, mine, &it);
    if (mine->kind && mine->slice == bine__race_slice)
        again(self, mine, &it);
    else
        anew(self, mine, &it);
    if (bine__race_options.predict && it.kind != BINE__READ)
        bine__predict_write(self, mine, at, it.mask, it.place, it.context);
    if (bine__race_options.predict && it.group)
        bine__predict_touch(self, it.cell, at, it.kind != BINE__READ, it.place, it.context);
}
