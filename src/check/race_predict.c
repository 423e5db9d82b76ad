/* SPDX-License-Identifier: MIT
 *
 * Interference that did not happen in this run, but could have.
 *
 * A stretch that nobody disturbed is kept: a look and an act at one place with a switch between, a write of its
 * own and a read of that; parts of groups in race_torn.c, uses of a thing in race_uses.c.  An access by another
 * task, before or after it, that nothing orders against it, no common lock keeps out of it, and neither of the two
 * asks about (race_guards.c), could fall into it with another schedule.  What orders: a spawn, a join, a message
 * (race_sync.c).
 *
 * And who looks where a stretch has looked, at the same line, and goes another way because the stretch has acted
 * since, would with another schedule have gone the stretch's way: what is made by whoever needs it first.
 *
 * What the other writes, and what it writes along with it, is known at the end of its slice; what it would do is
 * kept until then.
 *
 * Bounds: STRETCHES of them, of which one place and pair of lines has ALIKE at most, the last ones; PENDING things
 * that are not known yet.  What is over that is not predicted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/race_rules.h"
#include "check/race_stretch.h"

enum { HEADS = 1 << 12, STRETCHES = 20000, ALIKE = 4, PENDING = 32, FIELDS = 8 };

static struct bine__kept *heads[HEADS];
static unsigned count;
static struct bine__kept *of_fields[FIELDS]; /* of this slice: what they change is not known yet */
static unsigned field_count;

static struct bine__kept **head_of(uintptr_t at) { return &heads[(at >> 3) * 2654435761U >> 8 & (HEADS - 1)]; }

const struct bine__kept *bine__stretches(uintptr_t at) { return *head_of(at); }

/* ---- Telling it ------------------------------------------------------------------------------------- */

static const struct words {
    const char *looked, *acted;
} words[] = {[BINE__PREDICTED_CHECK] = {"read it", "overwrites it without looking again"},
             [BINE__PREDICTED_OWN] = {"wrote it", "takes what is there for its own"},
             [BINE__PREDICTED_GROUP] = {"updated a part of it", "updates the rest"},
             [BINE__PREDICTED_VIEW] = {"read a part of it", "reads the rest"},
             [BINE__PREDICTED_USE] = {"has its address, or used it", "uses it"}};

void bine__predict_tell(const struct bine__stretch *stretch, const struct bine__guest *guest,
                        const char *kind, const char *theirs)
{
    struct bine__finding finding = {.kind = kind};
    char name[64], place[96], how[64];
    const struct words *say = &words[stretch->what];
    snprintf(finding.summary, sizeof finding.summary,
             "%s at %p%s: nobody came between in this run, but nothing prevents it",
             bine__strand_name(name, stretch->strand), (void *)stretch->shown,
             bine__place_name(place, stretch->shown));
    bine__strand_name(name, stretch->strand);
    bine__finding_site(&finding, "looked", stretch->look_pc, stretch->look_context, "%s %s here", name,
                       stretch->checked ? "checked it" : say->looked);
    bine__finding_site(&finding, "gave-up", stretch->left.pc, stretch->left.context,
                       "then gave up the loop in %s", bine__left_name(how, &stretch->left));
    bine__strand_name(name, guest->strand);
    bine__finding_site(&finding, "wrote", guest->pc, guest->context, "%s %s", name, theirs);
    bine__strand_name(name, stretch->strand);
    bine__finding_site(&finding, "acted", stretch->act_pc, stretch->act_context, "%s %s", name,
                       stretch->update ? "updates it without looking again" : say->acted);
    bine__finding_tell(&finding);
}

const char *bine__stretch_kind(const struct bine__stretch *stretch)
{
    switch (stretch->what) {
    case BINE__PREDICTED_OWN: return "PREDICTED-CLOBBERED";
    case BINE__PREDICTED_GROUP:
    case BINE__PREDICTED_VIEW: return "PREDICTED-TORN-GROUP";
    default: return stretch->update || stretch->checked ? "PREDICTED-STALE-CHECK" : "PREDICTED-LOST-UPDATE";
    }
}

/* ---- What is known later ---------------------------------------------------------------------------- */

static struct pending {
    struct bine__stretch stretch;
    const char *kind, *theirs;
    uint64_t before;
    struct bine__guest guest;
    bool same_value; /* it disturbs nothing if it writes what stands there, and has stood there */
} pending[PENDING];
static unsigned waiting;

void bine__predict_pend(const struct bine__stretch *stretch, const struct bine__guest *guest,
                        const char *kind, const char *theirs, bool writes)
{
    uint64_t before = writes ? bine__value_at(stretch->at, stretch->size) : 0;
    if (waiting < PENDING)
        pending[waiting++] = (struct pending){*stretch, kind, theirs, before, *guest, writes};
}

/* Both write the word, and each changes other bits of it.  (The same line, which finds bits that are free, would have
 * found the same ones.) */
static bool other_field(const struct pending *one, uint64_t now)
{
    const struct bine__stretch *stretch = &one->stretch;
    bool later = one->guest.slice > stretch->to;
    uint64_t mine = later ? stretch->changed : stretch->value ^ now;
    uint64_t theirs = one->before ^ (later ? now : stretch->value);
    return stretch->field && !one->guest.looks && one->guest.pc != stretch->act_pc && mine && theirs &&
           !(mine & theirs);
}

/* The slice is over. */
void bine__predict_settle(void)
{
    unsigned n = waiting;
    for (; field_count; field_count--) {
        struct bine__stretch *stretch = &of_fields[field_count - 1]->stretch;
        stretch->changed = stretch->value ^ bine__value_at(stretch->at, stretch->size);
    }
    waiting = 0; /* what is told is not the program's doing, and adds nothing */
    for (unsigned i = 0; i < n; i++) {
        const struct pending *one = &pending[i];
        bool looks = one->same_value || one->stretch.field;
        uint64_t now = looks ? bine__value_at(one->stretch.at, one->stretch.size) : 0;
        bool same = one->same_value && now == one->stretch.value &&
                    (one->stretch.what == BINE__PREDICTED_OWN || now == one->before);
        if (!same && !other_field(one, now) && !bine__stretch_notices(&one->stretch, &one->guest))
            bine__predict_tell(&one->stretch, &one->guest, one->kind, one->theirs);
    }
}

/* ---- Stretches -------------------------------------------------------------------------------------- */

/* Its own place among those kept, or that of the oldest that is alike; NULL: there are too many. */
static struct bine__kept *place_for(const struct bine__stretch *stretch)
{
    struct bine__kept **head = head_of(stretch->at), *alike = NULL;
    unsigned same = 0;
    for (struct bine__kept *one = *head; one; one = one->next) {
        const struct bine__stretch *its = &one->stretch;
        if (its->at != stretch->at || its->what != stretch->what || its->look_pc != stretch->look_pc ||
            its->act_pc != stretch->act_pc)
            continue;
        if (its->strand == stretch->strand)
            return one;
        if (!alike || its->to < alike->stretch.to)
            alike = one;
        same++;
    }
    if (same >= ALIKE)
        return alike;
    struct bine__kept *fresh = count < STRETCHES ? malloc(sizeof *fresh) : NULL;
    if (!fresh)
        return NULL;
    count++;
    fresh->next = *head;
    *head = fresh;
    return fresh;
}

bool bine__stretch_keep(const struct bine__stretch *stretch)
{
    struct bine__kept *place = place_for(stretch);
    if (place)
        place->stretch = *stretch;
    if (place && stretch->field && field_count < FIELDS)
        of_fields[field_count++] = place;
    return place != NULL;
}

/* A scratch place, which who writes there reads again; and not a word to this task. */
static bool is_scratch(const struct bine__stretch *stretch, const struct bine__record *mine,
                       const struct bine__record *theirs)
{
    bool read_back = theirs->kind == BINE__READ && ((theirs->flags & BINE__OWN_READ) ||
                                                    theirs->slice > theirs->w_slice);
    return (theirs->flags & BINE__BLIND) && mine->w_old != stretch->value &&
           (theirs->w_pc == mine->w_pc || read_back);
}

static bool own_place(const struct bine__stretch *stretch)
{
    const struct bine__strand *owner = bine__race_strand(stretch->strand);
    return bine__rule(BINE__RULE_OWN_PLACES) &&
           ((owner && stretch->at - owner->stack < owner->stack_end - owner->stack) ||
            bine__heap_made(stretch->at, stretch->strand));
}

static const char writes_too[] = "writes it too, and could meanwhile";

/* It wrote there what stood there already, and has stood there since. */
static bool wrote_the_same(const struct bine__stretch *stretch, const struct bine__record *theirs)
{
    if (!bine__rule(BINE__RULE_VALUES) || theirs->w_old != stretch->value || theirs->size != stretch->size)
        return false;
    const uint32_t *cell = bine__cell(stretch->at);
    for (uint32_t i = cell ? *cell : 0; i; i = bine__record(i)->next)
        if ((bine__record(i)->mask & stretch->mask) && bine__record(i)->w_slice > theirs->w_slice &&
            bine__record(i)->w_slice < stretch->to && bine__record(i)->w_old != stretch->value)
            return false;
    return true;
}

/* Who has written there before. */
static void ask_others(struct bine__strand *self, const struct bine__stretch *stretch,
                       const struct bine__record *look, uint32_t others)
{
    bool own = stretch->what == BINE__PREDICTED_OWN;
    for (; others; others = bine__record(others)->next) {
        const struct bine__record *theirs = bine__record(others);
        const struct bine__guest guest = {theirs->strand, theirs->w_slice, theirs->w_pc, theirs->w_context,
                                          theirs->locks, false};
        if (theirs->w_slice > stretch->from) /* it did come between, and was judged */
            continue;
        if (!theirs->w_slice || !(theirs->mask & stretch->mask) || theirs->strand == self->number ||
            bine__predict_ordered(self, theirs->strand, theirs->w_slice) ||
            (own ? !is_scratch(stretch, look, theirs) || own_place(stretch) : wrote_the_same(stretch, theirs)) ||
            bine__stretch_apart(stretch, &guest) ||
            bine__stretch_notices(stretch, &guest))
            continue;
        const char *kind = bine__stretch_kind(stretch);
        if (!stretch->field)
            bine__predict_tell(stretch, &guest, kind, writes_too);
        else if (waiting < PENDING)
            pending[waiting++] =
                (struct pending){*stretch, kind, writes_too, theirs->w_old, guest, false};
    }
}

/* A truth value, of which clang announces no comparison. */
static bool asked_truth(const struct bine__record *look)
{
    return look->size == 1 && look->val <= 1 && bine__race_clang &&
           bine__race_condition(bine__race_pc(look->pc)) >= 0;
}

/* It acts at a place where it looked: nobody has come between. */
static bool make_span(struct bine__stretch *stretch, struct bine__strand *self, uintptr_t at, unsigned size,
                      const struct bine__record *look, enum bine__access_kind kind, uintptr_t pc)
{
    *stretch = (struct bine__stretch){.what = BINE__PREDICTED_CHECK,
                                      .at = at,
                                      .shown = at,
                                      .size = (uint8_t)size,
                                      .value = bine__value_at(at, size),
                                      .mask = look->mask & bine__mask(at, size),
                                      .checked = (look->flags & BINE__CHECKED_READ) || asked_truth(look),
                                      .update = kind == BINE__UPDATE,
                                      .look_pc = look->pc,
                                      .look_context = look->context,
                                      .act_pc = bine__race_short(pc),
                                      .act_context = bine__race_here(self)};
    stretch->field = bine__rule(BINE__RULE_FIELDS) && size <= 4 && bine__race_merged(pc, true);
    return bine__stretch_begin(stretch, self, look->slice, look->time);
}

void bine__predict_span(struct bine__strand *self, uintptr_t at, unsigned size, struct bine__record *look,
                        enum bine__access_kind kind, uintptr_t pc)
{
    struct bine__stretch stretch;
    if (!make_span(&stretch, self, at, size, look, kind, pc))
        return;
    look->flags |= BINE__IN_SPAN;
    bine__stretch_keep(&stretch);
    ask_others(self, &stretch, look, look->next);
}

/* What the suspicions of the running task are about: of an update, that it does not look at once at what it has
 * made; of a read of its own write, that it neither asks whether that still stands, nor makes it more.  They are
 * settled within the slice, but after a lock may have been given back. */
static struct bine__stretch update, own_write;
static bool update_made, own_made;

void bine__predict_update(struct bine__strand *self, uintptr_t at, unsigned size, struct bine__record *look,
                          uintptr_t pc)
{
    self->given.suspicion = BINE__NOBODY_CAME;
    update_made = make_span(&update, self, at, size, look, BINE__UPDATE, pc);
    look->flags |= BINE__IN_SPAN;
}

void bine__predict_given(struct bine__strand *self, const struct bine__suspect *given)
{
    if (!update_made || bine__record(given->record)->strand != self->number)
        return;
    bine__stretch_keep(&update);
    ask_others(self, &update, &given->mine, bine__record(given->record)->next);
}

/* It reads what it wrote, and nobody has written since. */
void bine__predict_own(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                       uint8_t mask, uintptr_t pc)
{
    for (uint32_t i = mine->next; i; i = bine__record(i)->next)
        if ((bine__record(i)->mask & mask) && bine__record(i)->w_slice > mine->w_slice)
            return;
    if (self->clobbered.at && size > 1) /* a text's next word; a byte of many says nothing */
        bine__race_settle_clobbered(self);
    own_write = (struct bine__stretch){.what = BINE__PREDICTED_OWN,
                                 .at = at,
                                 .shown = at,
                                 .size = (uint8_t)size,
                                 .value = bine__value_at(at, size),
                                 .mask = mask,
                                 .look_pc = mine->w_pc,
                                 .look_context = mine->w_context,
                                 .act_pc = bine__race_short(pc),
                                 .act_context = bine__race_here(self)};
    own_made = bine__stretch_begin(&own_write, self, mine->w_slice, mine->time);
    self->clobbered = (struct bine__suspect){.at = at,
                                             .slice = bine__race_slice,
                                             .record = (uint32_t)(mine - bine__records),
                                             .value = own_write.value,
                                             .size = (uint8_t)size,
                                             .mine = *mine,
                                             .suspicion = BINE__NOBODY_CAME};
    self->suspicious |= BINE__SUSPECTS;
    mine->flags |= BINE__IN_SPAN;
}

void bine__predict_taken(struct bine__strand *self, const struct bine__suspect *taken)
{
    if (!own_made || bine__record(taken->record)->strand != self->number)
        return;
    bine__stretch_keep(&own_write);
    ask_others(self, &own_write, &taken->mine, bine__record(taken->record)->next);
}

void bine__predict_write(struct bine__strand *self, const struct bine__record *mine, uintptr_t at,
                         uint8_t mask, uint32_t pc, uint32_t context)
{
    const struct bine__guest guest = {self->number, bine__race_slice, pc, context, self->locks, false};
    for (const struct bine__kept *one = *head_of(at); one; one = one->next) {
        const struct bine__stretch *stretch = &one->stretch;
        bool own = stretch->what == BINE__PREDICTED_OWN;
        if (stretch->at >> 3 != at >> 3 || stretch->strand == self->number || !(stretch->mask & mask) ||
            bine__predict_ordered(self, stretch->strand, stretch->to) || stretch->what >= BINE__PREDICTED_GROUP)
            continue;
        if (own && (!(mine->flags & BINE__BLIND) || pc != stretch->look_pc || own_place(stretch)))
            continue;
        if (!bine__stretch_apart(stretch, &guest))
            bine__predict_pend(stretch, &guest, bine__stretch_kind(stretch), writes_too, true);
    }
}

/* Called from the same place. */
static bool same_caller(uint32_t context, uint32_t other)
{
    uint32_t unused;
    return context == other || (context && other && bine__race_context_call(context, &unused) ==
                                                        bine__race_context_call(other, &unused));
}

/* It shares a lock now that the stretch has for itself. */
static bool shares_lock(const struct bine__strand *self, const struct bine__stretch *stretch)
{
    for (unsigned i = 0; bine__rule(BINE__RULE_LOCKS) && i < stretch->holds; i++)
        for (unsigned k = 0; k < self->holds; k++)
            if (self->held[k].lock == stretch->held[i].lock && !stretch->held[i].shared)
                return true;
    return false;
}

/* It looks where a stretch has looked, and would have gone the stretch's way but for what that has done. */
void bine__predict_same_look(struct bine__strand *self, const struct bine__record *look, uintptr_t at)
{
    if (!bine__rule(BINE__RULE_SAME_LOOK) || look->slice != bine__race_slice)
        return;
    for (const struct bine__kept *one = *head_of(at); one; one = one->next) {
        const struct bine__stretch *stretch = &one->stretch;
        const struct bine__guest guest = {self->number, bine__race_slice, stretch->act_pc,
                                          stretch->act_context, self->locks, true};
        if (stretch->at == at && stretch->strand != self->number && stretch->look_pc == look->pc &&
            same_caller(stretch->look_context, look->context) && !shares_lock(self, stretch) &&
            stretch->what == BINE__PREDICTED_CHECK && stretch->checked && !stretch->claimed &&
            !bine__predict_ordered(self, stretch->strand, stretch->to) && bine__asked_otherwise(stretch->value) &&
            !bine__stretch_apart(stretch, &guest))
            bine__predict_pend(stretch, &guest, bine__stretch_kind(stretch),
                               "checks it too, and would write it, could it come meanwhile", false);
    }
}

/* ---- Memory that goes ------------------------------------------------------------------------------- */

void bine__predict_forget(uintptr_t at)
{
    struct bine__kept **link = head_of(at);
    unsigned left = 0;
    while (*link) {
        struct bine__kept *one = *link;
        if (one->stretch.at >> 3 == at >> 3) {
            *link = one->next;
            for (unsigned i = 0; i < field_count; i++)
                if (of_fields[i] == one)
                    of_fields[i] = of_fields[--field_count];
            free(one);
            count--;
        } else {
            link = &one->next;
        }
    }
    for (unsigned i = 0; i < waiting; i++)
        if (pending[i].stretch.at >> 3 != at >> 3 || pending[i].stretch.what == BINE__PREDICTED_USE)
            pending[left++] = pending[i];
    waiting = left;
}
