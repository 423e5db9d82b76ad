/* SPDX-License-Identifier: MIT
 *
 * The rules.  A task comes back to a granule in a later slice than its last access there; the records of
 * others say who wrote meanwhile.
 *
 *   it read, another wrote, it writes       LOST-UPDATE, or STALE-CHECK if what it read was compared
 *   it read, another wrote, it updates      STALE-CHECK: it acts on a check that does not hold any more
 *   it wrote, another wrote, it reads       CLOBBERED
 *   it wrote a part of a declared group, another read or wrote any, it writes another part    TORN-GROUP
 *
 * What makes such a thing harmless: a writer that woke this task directly and so handed over; a value that is
 * what it was; accesses of different turns of a loop, or of different calls of one function. */
#include "check/race_rules.h"

/* ---- Who wrote meanwhile ---------------------------------------------------------------------------- */

bool bine__race_between(const struct bine__strand *self, const struct bine__record *mine,
                        const struct bine__record *theirs, uint8_t mask, uint32_t slice)
{
    return theirs->strand != self->number && (theirs->mask & mask) && slice > mine->slice &&
           slice < bine__race_slice && !bine__race_knows(self, theirs->strand, slice);
}

static bool written_later(const struct bine__record *theirs, uint32_t chain)
{
    for (; chain; chain = bine__record(chain)->next)
        if ((bine__record(chain)->mask & theirs->mask) && bine__record(chain)->w_slice > theirs->w_slice)
            return true;
    return false;
}

/* It was tested where it was read: not asked then where nobody else had been. */
static bool was_tested(const struct bine__record *mine)
{
    return mine->size >= 4 && bine__rule(BINE__RULE_TESTS) && bine__race_tested(mine->pc, mine->size == 8);
}

/* Of pointers comparisons are not announced.  What was 0 and is a small number now is none. */
static bool of_pointer(uint64_t before, uint64_t now)
{
    return bine__race_like_pointer(before) && bine__race_like_pointer(now);
}

/* It has added to it, or taken from it, in this turn, and may now undo that. */
static bool may_give_back(const struct bine__strand *self, const struct bine__record *mine)
{
    return bine__rule(BINE__RULE_RETURNS) && (mine->flags & (BINE__RAISED | BINE__LOWERED)) &&
           mine->w_slice < mine->slice && bine__race_same_turn(self, mine->time, mine->w_slice);
}

/* It may, or it may look at once at what has come of it. */
static bool may_be_right(struct bine__strand *self, const struct bine__record *mine,
                         const struct bine__record *theirs, uintptr_t at, unsigned size, uintptr_t pc)
{
    const struct spot act = bine__race_spot(self, pc);
    struct bine__suspect suspect = bine__race_suspect(mine, theirs, at, size, bine__value_at(at, size), act);
    suspect.may_give_back = may_give_back(self, mine);
    if (!suspect.may_give_back && !bine__race_asked(&suspect))
        return false;
    if (self->given.at)
        bine__race_settle(self);
    self->given = suspect;
    self->suspicious |= BINE__SUSPECTS;
    return true;
}

/* It saw that a flag was set, another has set it again, and if it clears it now, that is lost.  (Of a truth
 * value clang announces no comparison.) */
static void may_clear(struct bine__strand *self, const struct bine__record *mine,
                      const struct bine__record *theirs, uintptr_t at, unsigned size, uintptr_t pc)
{
    const struct spot act = bine__race_spot(self, pc);
    bool checked = (mine->flags & BINE__CHECKED_READ) || bine__race_condition(bine__race_pc(mine->pc)) >= 0;
    if (!checked || !mine->val || size == 8 || mine->val != theirs->w_old ||
        (theirs->flags & (BINE__BLIND | BINE__CHANGED)) != BINE__BLIND)
        return;
    self->restores = bine__race_suspect(mine, theirs, at, size, mine->val, act);
    self->suspicious |= BINE__SUSPECTS;
    self->restores.suspicion = BINE__CLEARS;
}

/* A write of a word, for one of its bit fields; that which was read is another, and as it was. */
static bool of_neighbour(const struct bine__record *mine, const struct bine__record *theirs, uintptr_t at)
{
    uintptr_t read = (at & ~(uintptr_t)7) + (mine->place & 7);
    return mine->size < 8 && (theirs->mask & ~bine__mask(read, mine->size)) &&
           bine__value_at(read, mine->size) == mine->val;
}

/* The read was of one bit field, which others may not have changed: that is known when it has written.  gcc
 * announces the whole word for a field that is written, clang does for both, and merges them. */
static bool may_be_field(struct bine__strand *self, const struct bine__record *mine,
                         const struct bine__record *theirs, uintptr_t at, unsigned size, uintptr_t pc)
{
    uintptr_t read = (at & ~(uintptr_t)7) + (mine->place & 7);
    bool part = size > mine->size && read - at < size;
    if (!bine__rule(BINE__RULE_FIELDS) || size > 4 ||
        (!part && (size != mine->size || !bine__race_merged(pc, false))))
        return false;
    uint64_t before = bine__value_at(read, mine->size);
    self->restores = bine__race_suspect(mine, theirs, read, mine->size, before, bine__race_spot(self, pc));
    self->restores.suspicion = BINE__OF_FIELD;
    self->suspicious |= BINE__SUSPECTS;
    if (!self->returned.at) /* its next write, of another field perhaps, is to be seen */
        self->returned = (struct bine__suspect){.at = BINE__NOWHERE};
    return true;
}

/* It read in an earlier slice, and writes. */
static void stale(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                  enum bine__access_kind kind, uint8_t mask, uintptr_t pc, bool group)
{
    if (!group && bine__race_was_logged(self, mine)) {
        mine->flags &= (uint8_t)~BINE__CHECKED_READ;
        if (kind == BINE__UPDATE)
            return;
    } else if (!group && was_tested(mine)) {
        mine->flags |= BINE__CHECKED_READ;
    }
    bool checked = (mine->flags & BINE__CHECKED_READ) || !bine__rule(BINE__RULE_CHECKS) ||
                   (size == 8 && of_pointer(mine->val, bine__value_at(at, size)));
    if (kind == BINE__UPDATE && (!checked || (mine->flags & BINE__OWN_READ)))
        return;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!bine__race_between(self, mine, theirs, mask, theirs->w_slice))
            continue;
        uint64_t value = bine__value_at(at, size);
        if (bine__rule(BINE__RULE_VALUES) && !group && size > mine->size && of_neighbour(mine, theirs, at))
            continue;
        if (bine__rule(BINE__RULE_VALUES) && !group && size == mine->size && value == mine->val &&
            (value == theirs->w_old || written_later(theirs, mine->next))) {
            if (kind == BINE__WRITE)
                may_clear(self, mine, theirs, at, size, pc);
            continue;
        }
        if (bine__race_taken(self, mine, at) || (!group && bine__race_spent(self, mine)))
            return;
        if (!group && !(mine->flags & BINE__CHECKED_READ) && bine__race_of_elsewhere(self, mine))
            return;
        if (!group && may_be_field(self, mine, theirs, at, size, pc))
            return;
        bool was_checked = (mine->flags & BINE__CHECKED_READ) != 0;
        if (kind == BINE__UPDATE && !group && may_be_right(self, mine, theirs, at, size, pc))
            return;
        const struct triple triple = {kind == BINE__UPDATE || was_checked ? "STALE-CHECK" : "LOST-UPDATE",
                                      was_checked ? "checked it" : "read it", "wrote it",
                                      kind == BINE__UPDATE ? "updates it without looking again"
                                                           : "overwrites it without looking again"};
        bine__race_tell_all(self, &triple, read_of(mine), theirs->strand, theirs->w_slice, write_of(theirs), at,
                            size, bine__race_spot(self, pc));
        return;
    }
    bool field = bine__rule(BINE__RULE_FIELDS) && size > mine->size;
    if (kind == BINE__UPDATE && !(mine->flags & BINE__CHECKED_READ) && !mine->val)
        return; /* no pointer: a counter, from its beginning */
    if (bine__race_options.predict && !field && !bine__race_spent(self, mine) &&
        ((mine->flags & BINE__CHECKED_READ) || !bine__race_of_elsewhere(self, mine)) &&
        (kind == BINE__WRITE || (checked && !may_give_back(self, mine)))) {
        if (kind == BINE__UPDATE && !group && may_be_right(self, mine, mine, at, size, pc))
            bine__predict_update(self, at, size, mine, pc);
        else
            bine__predict_span(self, at, size, mine, kind, pc);
    }
}

/* On its own stack, or in a block that it has allocated: others write there to tell it something. */
static bool own_place(const struct bine__strand *self, uintptr_t at)
{
    return bine__rule(BINE__RULE_OWN_PLACES) &&
           (at - self->stack < self->stack_end - self->stack || bine__heap_made(at, self->number));
}

/* A pointer that is tested where it is read: is it still there, is it still mine? */
static bool asks_pointer(uintptr_t at, unsigned size, uintptr_t pc)
{
    return size == 8 && bine__rule(BINE__RULE_ASKED) && bine__race_like_pointer(bine__value_at(at, size)) &&
           bine__race_tested(bine__race_short(pc), true);
}

/* It wrote in an earlier slice, and reads.  It may be that it only asks whether what it wrote still stands, or
 * that the read is half of an update: that is known a moment later. */
static void clobbered(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                      uint8_t mask, uintptr_t pc, bool group)
{
    if (!group && bine__race_relocked(self, mine))
        return;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!bine__race_between(self, mine, theirs, mask, theirs->w_slice))
            continue;
        if (bine__rule(BINE__RULE_VALUES) && !group && bine__value_at(at, size) == theirs->w_old)
            continue;
        if (!group && bine__race_left_alone(mine, theirs, at, size))
            continue;
        if (bine__rule(BINE__RULE_BLIND) && !group && !(theirs->flags & BINE__BLIND))
            continue;
        if (own_place(self, at) || asks_pointer(at, size, pc) || bine__race_taken(self, mine, at))
            return;
        if (self->copying.within && bine__rule(BINE__RULE_COPIES))
            return;
        if (!group && bine__race_delivered(self, mine, theirs, at, mask))
            return;
        const struct spot act = bine__race_spot(self, pc);
        if (self->clobbered.at)
            bine__race_settle_clobbered(self);
        self->clobbered = bine__race_suspect(mine, theirs, at, size, theirs->w_old, act);
        self->suspicious |= BINE__SUSPECTS;
        return;
    }
    if (bine__race_options.predict && !group && !asks_pointer(at, size, pc))
        bine__predict_own(self, mine, at, size, mask, pc);
}

/* What it has just read there was compared with a constant: is it still what it wrote itself? */
void bine__race_same_value(struct bine__strand *self, const struct bine__record *record, uint64_t with)
{
    const struct bine__suspect *suspect = &self->clobbered;
    bool truth = suspect->size == 1 && suspect->value <= 1 && with <= 1; /* asked for either way */
    if (bine__rule(BINE__RULE_ASKED) && record == bine__record(suspect->record) &&
        (suspect->value == with || truth))
        self->clobbered.at = 0;
}

/* A group's member alone: it may take away what it has added. */
static bool gives_back_alone(const struct bine__record *mine, uintptr_t at)
{
    return bine__rule(BINE__RULE_RETURNS) && (mine->flags & (BINE__RAISED | BINE__LOWERED)) &&
           !(mine->flags & BINE__SEVERAL) && mine->place == (uint16_t)at;
}

/* It wrote a part of a group in an earlier slice, and writes another. */
static void torn(struct bine__strand *self, const struct bine__record *mine, const uint32_t *cell,
                 uintptr_t at, unsigned size, uintptr_t pc)
{
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        uint32_t slice = theirs->slice > theirs->w_slice ? theirs->slice : theirs->w_slice;
        if (!bine__race_between(self, mine, theirs, 0xff, slice))
            continue;
        struct bine__suspect suspect =
            bine__race_suspect(mine, theirs, at, size, bine__value_at(at, size), bine__race_spot(self, pc));
        suspect.of_group = true;
        if (theirs->w_slice != slice) {
            suspect.theirs.w_slice = slice;
            suspect.theirs.w_pc = theirs->pc;
            suspect.theirs.w_context = theirs->context;
        }
        suspect.may_give_back = gives_back_alone(mine, at);
        if (self->given.at)
            bine__race_settle(self);
        if (suspect.may_give_back) {
            self->given = suspect;
            self->suspicious |= BINE__SUSPECTS;
        } else {
            bine__race_tell_torn(self, &suspect);
        }
        return;
    }
    if (bine__race_options.predict && !(mine->flags & BINE__SEVERAL) && mine->place != (uint16_t)at)
        bine__predict_group(self, cell, mine, at, true, bine__race_short(pc), bine__race_here(self));
}

/* It read a part of a group in an earlier slice, and reads another. */
static void torn_read(struct bine__strand *self, const struct bine__record *mine, const uint32_t *cell,
                      uintptr_t at, unsigned size, uintptr_t pc)
{
    static const struct triple triple = {"TORN-GROUP", "read a part of it", "changed it", "reads the rest"};
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!bine__race_between(self, mine, theirs, 0xff, theirs->w_slice))
            continue;
        bine__race_tell_all(self, &triple, read_of(mine), theirs->strand, theirs->w_slice, write_of(theirs), at,
                            size, bine__race_spot(self, pc));
        return;
    }
    if (bine__race_options.predict)
        bine__predict_group(self, cell, mine, at, false, bine__race_short(pc), bine__race_here(self));
}

/* It read and wrote in an earlier slice, and writes: if that puts back what was there first, what others have
 * written since is lost.  The value is known when it is written. */
static void may_restore(struct bine__strand *self, const struct bine__record *mine, uintptr_t at,
                        unsigned size, uint8_t mask, uintptr_t pc)
{
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!bine__race_between(self, mine, theirs, mask, theirs->w_slice) ||
            bine__value_at(at, size) == mine->w_old)
            continue;
        if (mine->w_old == 0 || bine__race_found_anew(self, mine))
            return; /* not put back, but reset; or put where there is room now */
        const struct spot act = bine__race_spot(self, pc);
        self->restores = bine__race_suspect(mine, theirs, at, size, mine->w_old, act);
        self->suspicious |= BINE__SUSPECTS;
        return;
    }
}

/* It reads a pointer again, which is what it was though others have written there: what it pointed to may not
 * be. */
static void may_have_returned(struct bine__strand *self, const struct bine__record *mine, uintptr_t at,
                              unsigned size)
{
    uint64_t value = bine__value_at(at, size);
    if (size != 8 || !value || !bine__race_like_pointer(value) || value != mine->val)
        return;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!bine__race_between(self, mine, theirs, 0xff, theirs->w_slice) ||
            (theirs->w_old == value && !(theirs->flags & BINE__CHANGED)))
            continue;
        self->returned = (struct bine__suspect){.at = at,
                                                .slice = bine__race_slice,
                                                .size = (uint8_t)size,
                                                .mine = *mine,
                                                .theirs = *theirs,
                                                .suspicion = BINE__RETURNED};
        return;
    }
}

/* The task's last access there was in an earlier slice, of this turn. */
void bine__race_judge(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                    enum bine__access_kind kind, uint8_t mask, uintptr_t pc, const uint32_t *group)
{
    if (mine->kind == BINE__READ && kind != BINE__READ)
        stale(self, mine, at, size, kind, mask, pc, group != NULL);
    if (mine->kind == BINE__READ && kind == BINE__UPDATE && !group && size == mine->size) {
        may_have_returned(self, mine, at, size); /* compared and exchanged in one */
        bine__race_replaced(self, at, pc);
    } else if (mine->kind == BINE__WRITE && kind == BINE__READ)
        clobbered(self, mine, at, size, mask, pc, group != NULL);
    else if (mine->kind == BINE__UPDATE && kind == BINE__WRITE && !group && size == mine->size)
        may_restore(self, mine, at, size, mask, pc);
    else if (mine->kind == BINE__READ && kind == BINE__READ && !group && size == mine->size)
        may_have_returned(self, mine, at, size);
    if (group && mine->kind == BINE__READ && kind == BINE__READ && mine->place != (uint16_t)at)
        torn_read(self, mine, group, at, size, pc);
    if (group && mine->kind != BINE__READ && kind != BINE__READ)
        torn(self, mine, group, at, size, pc);
}
