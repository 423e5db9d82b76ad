/* SPDX-License-Identifier: MIT
 *
 * What is known only later.
 *
 * The hooks announce a write before it is made, and a read before what is made of it.  So some accesses are but
 * suspicious when they are judged (race_rules.c): what was written, and whether a value was compared, is seen at
 * the task's next access, or when it gives up the loop.  Then a suspicion is told, or dropped. */
#include <stdio.h>

#include "check/race_rules.h"

/* ---- Telling it ------------------------------------------------------------------------------------- */

struct spot bine__race_spot(struct bine__strand *self, uintptr_t pc)
{
    return (struct spot){bine__race_short(pc), bine__race_here(self)};
}

void bine__race_tell_all(struct bine__strand *self, const struct triple *triple, struct spot looked,
                         uint32_t other, uint32_t slice, struct spot wrote, uintptr_t at, unsigned size,
                         struct spot acted)
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

struct bine__suspect bine__race_suspect(const struct bine__record *mine, const struct bine__record *theirs,
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

void bine__race_tell_suspect(struct bine__strand *self, const struct bine__suspect *suspect,
                         const struct triple *triple, bool wrote)
{
    const struct spot looked = wrote ? write_of(&suspect->mine) : read_of(&suspect->mine);
    bine__race_tell_all(self, triple, looked, suspect->theirs.strand, suspect->theirs.w_slice,
                        write_of(&suspect->theirs), suspect->at, suspect->size,
                        (struct spot){suspect->pc, suspect->context});
}

/* ---- A moment later --------------------------------------------------------------------------------- */

/* Other bits than others have changed since it read them are another field's. */
static void tell_field(struct bine__strand *self, const struct bine__suspect *suspect)
{
    bool checked = suspect->mine.flags & BINE__CHECKED_READ;
    const struct triple triple = {checked ? "STALE-CHECK" : "LOST-UPDATE", checked ? "checked it" : "read it",
                                  "wrote it", "overwrites it without looking again"};
    uint64_t theirs = suspect->value ^ suspect->mine.val;
    uint64_t mine = suspect->value ^ bine__value_at(suspect->at, suspect->size);
    if (self->returned.at == BINE__NOWHERE)
        self->returned.at = 0;
    if (mine == 0 || (mine & theirs) != 0)
        bine__race_tell_suspect(self, suspect, &triple, false);
}

void bine__race_settle_clobbered(struct bine__strand *self)
{
    static const struct triple triple = {"CLOBBERED", "wrote it", "overwrote it",
                                         "reads what the other wrote"};
    const struct bine__suspect suspect = self->clobbered;
    self->clobbered.at = 0;
    if (suspect.slice == self->slice && suspect.suspicion == BINE__NOBODY_CAME)
        bine__predict_taken(self, &suspect);
    else if (suspect.slice == self->slice)
        bine__race_tell_suspect(self, &suspect, &triple, true);
}

void bine__race_tell_torn(struct bine__strand *self, const struct bine__suspect *suspect)
{
    const struct triple triple = {"TORN-GROUP", "updated a part of it",
                                  suspect->theirs.kind == BINE__READ ? "saw it half updated" : "changed it",
                                  "updates the rest"};
    bine__race_tell_suspect(self, suspect, &triple, true);
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
    int way = direction(suspect.value, bine__value_at(suspect.at, suspect.size), suspect.size);
    bool right = suspect.slice != self->slice || (suspect.may_give_back && way == back) ||
                 (!suspect.of_group && way == BINE__RAISED && bine__race_guards(&suspect));
    self->given.at = 0;
    if (!right && suspect.of_group)
        bine__race_tell_torn(self, &suspect);
    else if (!right && suspect.suspicion == BINE__NOBODY_CAME)
        bine__predict_given(self, &suspect);
    else if (!right)
        bine__race_tell_suspect(self, &suspect, &triple, false);
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
        bine__race_tell_suspect(self, suspect, &triple, false);
}

/* It is written now. */
void bine__race_replaced(struct bine__strand *self, uintptr_t at, uintptr_t pc)
{
    if (self->returned.at != at || self->returned.slice != bine__race_slice)
        return;
    const struct spot act = bine__race_spot(self, pc);
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
        if (!bine__race_between(self, &unfound.mine, theirs, 0xff, theirs->w_slice))
            continue;
        const struct spot act = bine__race_spot(self, pc);
        self->restores = bine__race_suspect(mine, theirs, at, 8, unfound.value, act);
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
        bine__race_tell_suspect(self, suspect, &replaced, false);
    if (suspect->value - mine >= REACH || !cell || !other || !*other)
        return;
    for (uint32_t i = *cell; i; i = bine__record(i)->next) {
        const struct bine__record *one = bine__record(i);
        unsigned size = one->size < 8 ? one->size : 8;
        uint64_t value = bine__value_at(mine + first, size);
        if (one->strand == self->number && one->w_slice == bine__race_slice && value != 0 &&
            value == bine__value_at(theirs + first, size)) {
            bine__race_tell_suspect(self, suspect, &added, false);
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
    static const struct triple passed = {"STALE-CHECK", "looked at the first", "took it away",
                                         "takes away the next, at which it has not looked"};
    if (bine__race_has_filled(self, suspect))
        bine__race_tell_suspect(self, suspect,
                                suspect->suspicion == BINE__RELEASES ? &released
                                : suspect->suspicion == BINE__PASSES ? &passed
                                                                     : &filled,
                                false);
}

static void tell_cleared(struct bine__strand *self, const struct bine__suspect *suspect)
{
    static const struct triple triple = {"STALE-CHECK", "saw it set", "set it again",
                                         "clears it without looking again"};
    if (bine__value_at(suspect->at, suspect->size) == 0)
        bine__race_tell_suspect(self, suspect, &triple, false);
}

void bine__race_settle_all(struct bine__strand *self)
{
    static const struct triple triple = {"LOST-UPDATE", "read it", "wrote it", "puts back what it had read"};
    if (self->step.at)
        settle_step(self);
    if (!self->suspicious)
        return;
    const struct bine__suspect suspect = self->restores;
    if (self->clobbered.at)
        bine__race_settle_clobbered(self);
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
        bine__race_tell_suspect(self, &suspect, &triple, false);
}

/* What it has read, and is another's, may be compared with what it reads next. */
void bine__race_settle_before(struct bine__strand *self, enum bine__access_kind next)
{
    const struct bine__suspect suspect = self->clobbered;
    bool waits = next == BINE__READ && suspect.at && !suspect.waited && suspect.slice == self->slice;
    if (waits)
        self->clobbered.at = 0;
    bine__race_settle(self);
    if (waits) {
        self->clobbered = suspect;
        self->clobbered.waited = true;
        self->suspicious |= BINE__SUSPECTS;
    }
}
