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
#include <stdio.h>
#include <string.h>

#include "check/race.h"

/* ---- Telling it ------------------------------------------------------------------------------------- */

struct triple {
    const char *kind, *looked, *wrote, *acted;
};
struct spot { /* in the program */
    uint32_t pc, context;
};

static struct spot read_of(const struct bine__record *record)
{
    return (struct spot){record->pc, record->context};
}

static struct spot write_of(const struct bine__record *record)
{
    return (struct spot){record->w_pc, record->w_context};
}

static struct spot here(struct bine__strand *self, uintptr_t pc)
{
    return (struct spot){bine__race_short(pc), bine__race_here(self)};
}

static void tell(struct bine__strand *self, const struct triple *triple, struct spot looked, uint32_t other,
                 uint32_t slice, struct spot wrote, uintptr_t at, unsigned size, struct spot acted)
{
    struct bine__finding finding = {.kind = triple->kind};
    char name[64], place[96], how[64];
    const struct bine__left *left = bine__race_left_before(self, slice);
    snprintf(finding.summary, sizeof finding.summary, "%s of %u byte%s at %p%s",
             bine__strand_name(name, self->number), size, size == 1 ? "" : "s", (void *)at,
             bine__place_name(place, at));
    bine__strand_name(name, self->number);
    bine__finding_site(&finding, "looked", looked.pc, looked.context, "%s %s here", name, triple->looked);
    if (left)
        bine__finding_site(&finding, "gave-up", left->pc, left->context, "then gave up the loop in %s",
                           bine__left_name(how, left));
    bine__strand_name(name, other);
    bine__finding_site(&finding, "wrote", wrote.pc, wrote.context, "%s %s meanwhile", name, triple->wrote);
    bine__strand_name(name, self->number);
    bine__finding_site(&finding, "acted", acted.pc, acted.context, "%s %s", name, triple->acted);
    bine__finding_tell(&finding);
}

static struct bine__suspect suspect_of(const struct bine__record *mine, const struct bine__record *theirs,
                                       uintptr_t at, unsigned size, uint64_t value, struct spot act)
{
    return (struct bine__suspect){.at = at,
                                  .slice = bine__race_slice,
                                  .record = (uint32_t)(mine - bine__records),
                                  .value = value,
                                  .size = (uint8_t)size,
                                  .mine = *mine,
                                  .theirs = *theirs,
                                  .pc = act.pc,
                                  .context = act.context};
}

static void tell_suspect(struct bine__strand *self, const struct bine__suspect *suspect,
                         const struct triple *triple, bool wrote)
{
    tell(self, triple, wrote ? write_of(&suspect->mine) : read_of(&suspect->mine), suspect->theirs.strand,
         suspect->theirs.w_slice, write_of(&suspect->theirs), suspect->at, suspect->size,
         (struct spot){suspect->pc, suspect->context});
}

/* ---- Who wrote meanwhile ---------------------------------------------------------------------------- */

static bool between(const struct bine__strand *self, const struct bine__record *mine,
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

static bool looks_like_pointer(uint64_t value) { return value == 0 || bine__race_is_pointer(value); }

/* A double between 2^-32 and 2^64, of either sign. */
static bool looks_like_number(uint64_t value)
{
    const unsigned exponent = (unsigned)(value >> 52) & 0x7ff, bias = 1023;
    return exponent >= bias - 32 && exponent <= bias + 64;
}

/* Of these comparisons are not announced.  What was 0 and is a small number now is no pointer. */
static bool of_unannounced(uint64_t before, uint64_t now)
{
    return (looks_like_pointer(before) && looks_like_pointer(now)) ||
           (bine__race_clang && looks_like_number(before));
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
    const struct spot act = here(self, pc);
    struct bine__suspect suspect = suspect_of(mine, theirs, at, size, bine__value_at(at, size), act);
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
    const struct spot act = here(self, pc);
    bool checked = (mine->flags & BINE__CHECKED_READ) || bine__race_condition(bine__race_pc(mine->pc)) >= 0;
    if (!checked || !mine->val || size == 8 || mine->val != theirs->w_old ||
        (theirs->flags & (BINE__BLIND | BINE__CHANGED)) != BINE__BLIND)
        return;
    self->restores = suspect_of(mine, theirs, at, size, mine->val, act);
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
        (!part && (size != mine->size || !bine__race_merged(pc))))
        return false;
    uint64_t before = bine__value_at(read, mine->size);
    self->restores = suspect_of(mine, theirs, read, mine->size, before, here(self, pc));
    self->restores.suspicion = BINE__OF_FIELD;
    self->suspicious |= BINE__SUSPECTS;
    return true;
}

/* Other bits than others have changed since it read them are another field's. */
static void tell_field(struct bine__strand *self, const struct bine__suspect *suspect)
{
    bool checked = suspect->mine.flags & BINE__CHECKED_READ;
    const struct triple triple = {checked ? "STALE-CHECK" : "LOST-UPDATE", checked ? "checked it" : "read it",
                                  "wrote it", "overwrites it without looking again"};
    uint64_t theirs = suspect->value ^ suspect->mine.val;
    uint64_t mine = suspect->value ^ bine__value_at(suspect->at, suspect->size);
    if (mine == 0 || (mine & theirs) != 0)
        tell_suspect(self, suspect, &triple, false);
}

/* It read in an earlier slice, and writes. */
static void stale(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                  enum bine__access_kind kind, uint8_t mask, uintptr_t pc, bool group)
{
    bool checked = (mine->flags & BINE__CHECKED_READ) || !bine__rule(BINE__RULE_CHECKS) ||
                   (size == 8 && of_unannounced(mine->val, bine__value_at(at, size)));
    if (kind == BINE__UPDATE && (!checked || (mine->flags & BINE__OWN_READ)))
        return;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!between(self, mine, theirs, mask, theirs->w_slice))
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
        if (!group && may_be_field(self, mine, theirs, at, size, pc))
            return;
        bool was_checked = (mine->flags & BINE__CHECKED_READ) != 0;
        if (kind == BINE__UPDATE && !group && may_be_right(self, mine, theirs, at, size, pc))
            return;
        const struct triple triple = {kind == BINE__UPDATE || was_checked ? "STALE-CHECK" : "LOST-UPDATE",
                                      was_checked ? "checked it" : "read it", "wrote it",
                                      kind == BINE__UPDATE ? "updates it without looking again"
                                                           : "overwrites it without looking again"};
        tell(self, &triple, read_of(mine), theirs->strand, theirs->w_slice, write_of(theirs), at, size,
             here(self, pc));
        return;
    }
    bool field = bine__rule(BINE__RULE_FIELDS) && (size > mine->size || bine__race_merged(pc));
    if (kind == BINE__UPDATE && !(mine->flags & BINE__CHECKED_READ) && !mine->val)
        return; /* no pointer: a counter, from its beginning */
    if (bine__race_options.predict && !field && !bine__race_spent(self, mine) &&
        (kind == BINE__WRITE || (checked && !may_give_back(self, mine)))) {
        bine__predict_span(self, at, mine, mask, bine__race_here(self), kind, pc, mine->next);
        mine->flags |= BINE__IN_SPAN;
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
    return size == 8 && bine__rule(BINE__RULE_ASKED) && looks_like_pointer(bine__value_at(at, size)) &&
           bine__race_tested(bine__race_short(pc), true);
}

/* It wrote in an earlier slice, and reads.  It may be that it only asks whether what it wrote still stands, or
 * that the read is half of an update: that is known a moment later. */
static void clobbered(struct bine__strand *self, const struct bine__record *mine, uintptr_t at, unsigned size,
                      uint8_t mask, uintptr_t pc, bool group)
{
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!between(self, mine, theirs, mask, theirs->w_slice))
            continue;
        if (bine__rule(BINE__RULE_VALUES) && !group && bine__value_at(at, size) == theirs->w_old)
            continue;
        if (!group && bine__race_left_alone(mine, theirs, at, size))
            continue;
        if (bine__rule(BINE__RULE_BLIND) && !group && !(theirs->flags & BINE__BLIND))
            continue;
        if (own_place(self, at) || asks_pointer(at, size, pc) || bine__race_taken(self, mine, at))
            return;
        if (!group && bine__race_delivered(self, mine, theirs, at, mask))
            return;
        const struct spot act = here(self, pc);
        self->clobbered = suspect_of(mine, theirs, at, size, theirs->w_old, act);
        self->suspicious |= BINE__SUSPECTS;
        return;
    }
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

static void tell_torn(struct bine__strand *self, const struct bine__suspect *suspect)
{
    const struct triple triple = {"TORN-GROUP", "updated a part of it",
                                  suspect->theirs.kind == BINE__READ ? "saw it half updated" : "changed it",
                                  "updates the rest"};
    tell_suspect(self, suspect, &triple, true);
}

/* A group's member alone: it may take away what it has added. */
static bool gives_back_alone(const struct bine__record *mine, uintptr_t at)
{
    return bine__rule(BINE__RULE_RETURNS) && (mine->flags & (BINE__RAISED | BINE__LOWERED)) &&
           !(mine->flags & BINE__SEVERAL) && mine->place == (uint16_t)at;
}

/* It wrote a part of a group in an earlier slice, and writes another. */
static void torn(struct bine__strand *self, const struct bine__record *mine, uintptr_t at, unsigned size,
                 uintptr_t pc)
{
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        uint32_t slice = theirs->slice > theirs->w_slice ? theirs->slice : theirs->w_slice;
        if (!between(self, mine, theirs, 0xff, slice))
            continue;
        struct bine__suspect suspect =
            suspect_of(mine, theirs, at, size, bine__value_at(at, size), here(self, pc));
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
            tell_torn(self, &suspect);
        }
        return;
    }
}

/* It read a part of a group in an earlier slice, and reads another. */
static void torn_read(struct bine__strand *self, const struct bine__record *mine, uintptr_t at, unsigned size,
                      uintptr_t pc)
{
    static const struct triple triple = {"TORN-GROUP", "read a part of it", "changed it", "reads the rest"};
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!between(self, mine, theirs, 0xff, theirs->w_slice))
            continue;
        tell(self, &triple, read_of(mine), theirs->strand, theirs->w_slice, write_of(theirs), at, size,
             here(self, pc));
        return;
    }
}

/* ---- What is known only later ----------------------------------------------------------------------- */

/* It read and wrote in an earlier slice, and writes: if that puts back what was there first, what others have
 * written since is lost.  The value is known when it is written. */
static void may_restore(struct bine__strand *self, const struct bine__record *mine, uintptr_t at,
                        unsigned size, uint8_t mask, uintptr_t pc)
{
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!between(self, mine, theirs, mask, theirs->w_slice) || bine__value_at(at, size) == mine->w_old)
            continue;
        if (mine->w_old == 0 || bine__race_found_anew(self, mine))
            return; /* not put back, but reset; or put where there is room now */
        const struct spot act = here(self, pc);
        self->restores = suspect_of(mine, theirs, at, size, mine->w_old, act);
        self->suspicious |= BINE__SUSPECTS;
        return;
    }
}

/* Whether an update made it more or less is seen once it is done. */
static int direction(uint64_t before, uint64_t after, unsigned size)
{
    unsigned unused = 64 - size * 8;
    int64_t step = (int64_t)((after - before) << unused);
    return step > 0 ? BINE__RAISED : step < 0 ? BINE__LOWERED : 0;
}

static void settle_step(struct bine__strand *self)
{
    const struct bine__step *one = &self->step;
    struct bine__record *record = bine__record(one->record);
    if (one->slice == self->slice && record->strand == self->number && record->w_slice == one->slice)
        record->flags |= (uint8_t)direction(one->before, bine__value_at(one->at, one->size), one->size);
    self->step.at = 0;
}

static void settle_given(struct bine__strand *self)
{
    static const struct triple triple = {"STALE-CHECK", "checked it", "wrote it",
                                         "updates it without looking again"};
    const struct bine__suspect suspect = self->given;
    int back = suspect.mine.flags & BINE__RAISED ? BINE__LOWERED : BINE__RAISED;
    bool right = suspect.slice != self->slice ||
                 (suspect.may_give_back &&
                  direction(suspect.value, bine__value_at(suspect.at, suspect.size), suspect.size) == back);
    self->given.at = 0;
    if (!right && suspect.of_group)
        tell_torn(self, &suspect);
    else if (!right)
        tell_suspect(self, &suspect, &triple, false);
}

static void settle_clobbered(struct bine__strand *self)
{
    static const struct triple triple = {"CLOBBERED", "wrote it", "overwrote it",
                                         "reads what the other wrote"};
    const struct bine__suspect suspect = self->clobbered;
    self->clobbered.at = 0;
    if (suspect.slice == self->slice)
        tell_suspect(self, &suspect, &triple, true);
}

/* It reads a pointer again, which is what it was though others have written there: what it pointed to may not
 * be. */
static void may_have_returned(struct bine__strand *self, const struct bine__record *mine, uintptr_t at,
                              unsigned size)
{
    uint64_t value = bine__value_at(at, size);
    if (size != 8 || !value || !looks_like_pointer(value) || value != mine->val)
        return;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!between(self, mine, theirs, 0xff, theirs->w_slice) ||
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

/* What it wrote there is what it had read from the thing pointed to, in the slice of its first look, and what is
 * there no more. */
static bool is_from_behind(const struct bine__strand *self, const struct bine__suspect *suspect)
{
    enum { REACH = 256 };
    uint64_t written = bine__value_at(suspect->at, 8);
    for (uintptr_t at = suspect->mine.val & ~(uintptr_t)7, end = at + REACH; at < end; at += 8) {
        const uint32_t *cell = bine__cell(at);
        for (uint32_t i = cell ? *cell : 0; i; i = bine__record(i)->next) {
            const struct bine__record *read = bine__record(i);
            if (read->strand == self->number && read->kind == BINE__READ && read->size == 8 &&
                read->slice == suspect->mine.slice && read->val == written && bine__value_at(at, 8) != written)
                return true;
        }
    }
    return false;
}

static void tell_returned(struct bine__strand *self, const struct bine__suspect *suspect)
{
    static const struct triple triple = {"ABA", "read it", "changed it and changed it back",
                                         "found it equal, and replaces it by what it had read behind it"};
    if (is_from_behind(self, suspect))
        tell(self, &triple, read_of(&suspect->mine), suspect->theirs.strand, suspect->theirs.w_slice,
             write_of(&suspect->theirs), suspect->at, suspect->size,
             (struct spot){suspect->pc, suspect->context});
}

/* It is written now. */
void bine__race_replaced(struct bine__strand *self, uintptr_t at, uintptr_t pc)
{
    if (self->returned.at != at || self->returned.slice != bine__race_slice)
        return;
    const struct spot act = here(self, pc);
    self->restores = self->returned;
    self->suspicious |= BINE__SUSPECTS;
    self->restores.pc = act.pc;
    self->restores.context = act.context;
    self->returned.at = 0;
}

/* There was nothing, and what it puts there takes the place of what has come since, or stands in front of
 * it. */
void bine__race_unfound(struct bine__strand *self, struct bine__record *mine, uintptr_t at, uintptr_t pc)
{
    const struct bine__suspect unfound = self->unfound;
    self->unfound.at = 0;
    if (unfound.slice != bine__race_slice || bine__value_at(unfound.value, 8) != bine__value_at(at, 8) ||
        !bine__race_same_turn(self, unfound.mine.time, unfound.mine.slice))
        return;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!between(self, &unfound.mine, theirs, 0xff, theirs->w_slice))
            continue;
        const struct spot act = here(self, pc);
        self->restores = suspect_of(mine, theirs, at, 8, unfound.value, act);
        self->suspicious |= BINE__SUSPECTS;
        self->restores.mine = unfound.mine;
        self->restores.suspicion = BINE__UNFOUND;
        return;
    }
}

/* A list's new element is linked to the one that was first: it may be for something else.  Not if the two
 * begin with the same: what this task has just written there, and another had. */
static void tell_unfound(struct bine__strand *self, const struct bine__suspect *suspect)
{
    enum { REACH = 256 };
    static const struct triple added = {"STALE-CHECK", "checked that nothing is there", "wrote it",
                                        "adds the same without looking again"};
    static const struct triple replaced = {"STALE-CHECK", "checked that nothing is there", "wrote it",
                                           "replaces it without looking again"};
    uintptr_t mine = bine__value_at(suspect->at, 8), theirs = bine__value_at(suspect->value, 8);
    uintptr_t first = suspect->value == mine ? 8 : 0; /* that is no link */
    const uint32_t *cell = bine__cell(mine + first), *other = bine__cell(theirs + first);
    if (mine && theirs && mine != theirs && suspect->value - mine >= REACH)
        tell_suspect(self, suspect, &replaced, false);
    if (suspect->value - mine >= REACH || !cell || !other || !*other)
        return;
    for (uint32_t i = *cell; i; i = bine__record(i)->next) {
        const struct bine__record *one = bine__record(i);
        unsigned size = one->size < 8 ? one->size : 8;
        uint64_t value = bine__value_at(mine + first, size);
        if (one->strand == self->number && one->w_slice == bine__race_slice && value != 0 &&
            value == bine__value_at(theirs + first, size)) {
            tell_suspect(self, suspect, &added, false);
            return;
        }
    }
}

static void tell_filled(struct bine__strand *self, const struct bine__suspect *suspect)
{
    static const struct triple filled = {"STALE-CHECK", "checked that nothing is there", "put it there",
                                         "searches again only to put there what it has"};
    static const struct triple released = {"STALE-CHECK", "checked it", "wrote it",
                                           "looks again only to release it, and overwrites it"};
    if (bine__race_has_filled(self, suspect))
        tell_suspect(self, suspect, suspect->suspicion == BINE__RELEASES ? &released : &filled, false);
}

static void tell_cleared(struct bine__strand *self, const struct bine__suspect *suspect)
{
    static const struct triple triple = {"STALE-CHECK", "saw it set", "set it again",
                                         "clears it without looking again"};
    if (bine__value_at(suspect->at, suspect->size) == 0)
        tell_suspect(self, suspect, &triple, false);
}

void bine__race_settle(struct bine__strand *self)
{
    static const struct triple triple = {"LOST-UPDATE", "read it", "wrote it", "puts back what it had read"};
    if (self->step.at)
        settle_step(self);
    if (!self->suspicious)
        return;
    const struct bine__suspect suspect = self->restores;
    if (self->clobbered.at)
        settle_clobbered(self);
    if (self->given.at)
        settle_given(self);
    self->restores.at = 0;
    self->suspicious &= (uint8_t)~BINE__SUSPECTS;
    if (!suspect.at || suspect.slice != self->slice)
        return;
    if (suspect.suspicion == BINE__RETURNED)
        tell_returned(self, &suspect);
    else if (suspect.suspicion == BINE__CLEARS)
        tell_cleared(self, &suspect);
    else if (suspect.suspicion == BINE__OF_FIELD)
        tell_field(self, &suspect);
    else if (suspect.suspicion == BINE__UNFOUND)
        tell_unfound(self, &suspect);
    else if (suspect.suspicion >= BINE__FILLS_AGAIN)
        tell_filled(self, &suspect);
    else if (bine__value_at(suspect.at, suspect.size) == suspect.value)
        tell_suspect(self, &suspect, &triple, false);
}

/* The task's last access there was in an earlier slice, of this turn. */
void bine__race_judge(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                    enum bine__access_kind kind, uint8_t mask, uintptr_t pc, bool group)
{
    if (mine->kind == BINE__READ && kind != BINE__READ)
        stale(self, mine, at, size, kind, mask, pc, group);
    if (mine->kind == BINE__READ && kind == BINE__UPDATE && !group && size == mine->size) {
        may_have_returned(self, mine, at, size); /* compared and exchanged in one */
        bine__race_replaced(self, at, pc);
    } else if (mine->kind == BINE__WRITE && kind == BINE__READ)
        clobbered(self, mine, at, size, mask, pc, group);
    else if (mine->kind == BINE__UPDATE && kind == BINE__WRITE && !group && size == mine->size)
        may_restore(self, mine, at, size, mask, pc);
    else if (mine->kind == BINE__READ && kind == BINE__READ && !group && size == mine->size)
        may_have_returned(self, mine, at, size);
    if (group && mine->kind == BINE__READ && kind == BINE__READ && mine->place != (uint16_t)at)
        torn_read(self, mine, at, size, pc);
    if (group && mine->kind != BINE__READ && kind != BINE__READ)
        torn(self, mine, at, size, pc);
}
