/* SPDX-License-Identifier: MIT
 *
 * What keeps a guest out of a stretch, where no lock does and no message.
 *
 * Either the guest asks: it has compared, before it did what would disturb, a place that held something else
 * during the stretch, a flag, a state, a count of users, and would not have come so far.  Or the stretch asks: it
 * compares, after the switch, a version that the guest changes along with the rest, and would not have acted.
 *
 * So the comparisons of the last slices are kept, with the values and what these were compared with: a ring of
 * ASKED of them, of predictive mode alone, which is all the memory that this takes.  Slices grow along the ring, and
 * what is sought is sought from its end up to WINDOW slices of the task: comparisons that have fallen out guard
 * nothing.  What a comparison would say of another value is told from its operands, and where these do not decide
 * it, as in `a < b` with one of them equal, from the jump that follows it.
 *
 * Or one has told another, and so on: a ring of TOLD such messages. */
#include <string.h>

#include "check/race_stretch.h"

enum { ASKED = 1 << 13, PLACES = 1 << 8, WINDOW = 4 };

static struct asked {
    uintptr_t at;
    uint64_t value, with;
    uint32_t strand, slice;
    uintptr_t pc;
    uint64_t entry; /* of the activation that has asked */
    uint8_t size;
    enum bine__asking how;
} ring[ASKED];
static unsigned made;

static struct {
    uint32_t record;
    uintptr_t at;
} places[PLACES];

static int relation(uint64_t a, uint64_t b, unsigned size, bool with_sign)
{
    unsigned unused = 64 - size * 8;
    a <<= unused, b <<= unused;
    if (with_sign)
        a ^= (uint64_t)1 << 63, b ^= (uint64_t)1 << 63;
    return (a > b) - (a < b);
}

/* ---- What was told ---------------------------------------------------------------------------------- */

enum { TOLD = 1 << 11, BETWEEN = 8, STEPS = 1 << 14 };

static struct told {
    uint32_t who, strand, slice, since;
} news[TOLD];
static unsigned news_made;

void bine__predict_told(uint32_t who, uint32_t strand, uint32_t slice)
{
    news[news_made++ % TOLD] = (struct told){who, strand, slice, bine__race_slice};
}

/* It has reached that one by that slice, by way of others.  Of each of these the last news count: they tell the
 * most. */
static bool has_reached(uint32_t who, uint32_t by, uint32_t strand, uint32_t slice, unsigned depth,
                        unsigned *steps)
{
    uint32_t asked[BETWEEN];
    unsigned n = 0;
    for (unsigned i = news_made; i && news_made - i < TOLD - 1 && *steps < STEPS; i--, ++*steps) {
        const struct told *one = &news[(i - 1) % TOLD];
        bool again = false;
        if (one->since < slice)
            break;
        if (one->who != who || one->since > by || one->slice < slice)
            continue;
        if (one->strand == strand)
            return true;
        for (unsigned k = 0; k < n; k++)
            again |= asked[k] == one->strand;
        if (again || n == BETWEEN || depth == 0)
            continue;
        asked[n++] = one->strand;
        if (has_reached(one->strand, one->slice, strand, slice, depth - 1, steps))
            return true;
    }
    return false;
}

/* What that one did up to there came before what this one does now, in every schedule: a message has told it, or one
 * has led to another.  (What is judged, and not predicted, takes the last one alone: race_sync.c.) */
bool bine__predict_ordered(const struct bine__strand *self, uint32_t strand, uint32_t slice)
{
    enum { FARTHEST = 4 };
    unsigned steps = 0;
    return bine__rule(BINE__RULE_ORDER) &&
           (bine__race_knows(self, strand, slice) ||
            has_reached(self->number, bine__race_slice, strand, slice, FARTHEST, &steps));
}

/* ---- What was asked --------------------------------------------------------------------------------- */

void bine__predict_place(const struct bine__record *record, uintptr_t at)
{
    uint32_t number = (uint32_t)(record - bine__records);
    places[number % PLACES].record = number;
    places[number % PLACES].at = at;
}

void bine__predict_asked(struct bine__strand *self, const struct bine__record *record, uint64_t value,
                         uint64_t with, unsigned size, enum bine__asking how, uintptr_t pc)
{
    uint32_t number = (uint32_t)(record - bine__records);
    const struct asked *last = &ring[(made - 1) % ASKED];
    uintptr_t at = places[number % PLACES].at;
    if (places[number % PLACES].record != number || !at)
        return;
    if (made && last->at == at && last->slice == bine__race_slice && last->value == value && last->pc == pc)
        return;
    uint64_t entry = self->frames[self->depth - 1].entry;
    bool first = true; /* what the record tells is where it was asked first */
    for (unsigned i = made; i && made - i < ASKED && ring[(i - 1) % ASKED].slice == bine__race_slice; i--)
        if (ring[(i - 1) % ASKED].at == at && ring[(i - 1) % ASKED].entry != entry)
            first = false;
    size = size < record->size || !record->size ? size : record->size; /* 0: it is new */
    ring[made++ % ASKED] = (struct asked){at, value, with, self->number, bine__race_slice, pc, entry,
                                          (uint8_t)size, how};
    if (first)
        bine__predict_same_look(self, record, at);
}

/* Two values; if one is a constant, it is a.  Those that were read last may be these, compared already or not. */
void bine__predict_compared(struct bine__strand *self, uint64_t a, uint64_t b, unsigned size, bool constant,
                            uintptr_t pc)
{
    for (unsigned i = 1; i <= BINE__LOOKS && i <= self->looks; i++) {
        const struct bine__look *look = &self->look[(self->looks - i) % BINE__LOOKS];
        const struct bine__record *record = look->of ? look->of : bine__record(0);
        bool is_b = relation(look->value, b, size, false) == 0;
        if (record->kind != BINE__READ || record->strand != self->number || record->slice != bine__race_slice ||
            record->size != size || (!is_b && (constant || relation(look->value, a, size, false) != 0)))
            continue;
        bine__predict_asked(self, record, look->value, is_b ? a : b, size,
                            constant ? BINE__ASKED_CONSTANT : BINE__ASKED_OTHER, pc);
        if (constant)
            return;
    }
}

/* The last was a switch: any value may have a way of its own. */
void bine__predict_switched(uintptr_t pc)
{
    if (made && ring[(made - 1) % ASKED].pc == pc)
        ring[(made - 1) % ASKED].how = BINE__ASKED_SWITCH;
}

/* ---- What it would have said ------------------------------------------------------------------------ */

enum answer { THE_SAME, ANOTHER, UNKNOWN };

static enum answer of_other(const struct asked *one, uint64_t other)
{
    if (relation(one->value, other, one->size, false) == 0)
        return THE_SAME;
    if (one->how == BINE__ASKED_NOTHING_KNOWN)
        return UNKNOWN;
    if (one->how == BINE__ASKED_POINTER)
        return (one->value == 0) == (other == 0) ? THE_SAME : ANOTHER;
    int was[2], is[2];
    for (unsigned i = 0; i < 2; i++) {
        was[i] = relation(one->value, one->with, one->size, i);
        is[i] = relation(other, one->with, one->size, i);
    }
    if (was[0] == is[0] && was[1] == is[1])
        return THE_SAME;
    enum bine__condition condition = bine__race_condition_kind(one->pc);
    if (condition == BINE__IF_EQUAL)
        return (was[0] == 0) == (is[0] == 0) ? THE_SAME : ANOTHER;
    if (one->how == BINE__ASKED_SWITCH)
        return ANOTHER;
    if (condition == BINE__IF_UNKNOWN) /* a value is made of it, and no way chosen, as far as is seen */
        return UNKNOWN;
    bool with_sign = condition == BINE__IF_LESS || condition == BINE__IF_LESS_OR_EQUAL;
    if (was[with_sign] && is[with_sign])
        return was[with_sign] == is[with_sign] ? THE_SAME : ANOTHER;
    if (one->how == BINE__ASKED_OTHER) /* which of the two stands first is not known */
        return UNKNOWN;
    bool equal_is_less = condition == BINE__IF_LESS_OR_EQUAL || condition == BINE__IF_BELOW_OR_EQUAL;
    int equal = equal_is_less ? -1 : 1;
    return (was[with_sign] ? was[with_sign] : equal) == (is[with_sign] ? is[with_sign] : equal) ? THE_SAME
                                                                                                : ANOTHER;
}

bool bine__asked_otherwise(uint64_t other)
{
    return made && of_other(&ring[(made - 1) % ASKED], other) != THE_SAME;
}

/* Or was, and is a part of an update now: then its mask is empty. */
static bool is_access(const struct bine__record *record) { return record->kind <= BINE__UPDATE; }

/* What the stretch's task has made stand there meanwhile; false: it has nothing to do with it. */
static bool stood_there(const struct bine__stretch *stretch, const struct asked *one, uint64_t *value)
{
    const uint32_t *cell = bine__cell(one->at);
    const struct bine__record *owner = NULL, *other = NULL;
    uint8_t mask = bine__mask(one->at, one->size);
    unsigned others = 0;
    for (uint32_t i = cell ? *cell : 0; i && is_access(bine__record(i)); i = bine__record(i)->next) {
        const struct bine__record *record = bine__record(i);
        if (!(record->mask & mask) || !record->w_slice || record->strand != stretch->strand)
            continue;
        if (!owner || owner->w_slice < record->w_slice)
            owner = record;
    }
    if (!owner)
        return false;
    if (owner->w_slice >= stretch->to) { /* it has given it back since */
        *value = owner->w_old;
        return owner->size == one->size;
    }
    for (uint32_t i = *cell; i; i = bine__record(i)->next)
        if (bine__record(i)->w_slice > owner->w_slice && (bine__record(i)->mask & mask)) {
            other = bine__record(i);
            others++;
        }
    if (others > 1 || (other && other->size != one->size))
        return false;
    *value = other ? other->w_old : bine__value_at(one->at, one->size);
    return true;
}

/* It has asked for just what stood there, and would have gone another way, which may lead there, too. */
static bool has_way_for(const struct asked *one, uint64_t value)
{
    return relation(one->with, value, one->size, false) == 0 && one->how == BINE__ASKED_CONSTANT &&
           bine__race_condition_kind(one->pc) == BINE__IF_EQUAL;
}

/* The guest has asked something that would have sent it away. */
static bool sent_away(const struct bine__stretch *stretch, const struct bine__guest *guest)
{
    uint32_t slice = 0;
    unsigned slices = 0;
    bool away = false, way = false;
    for (unsigned i = made; i && made - i < ASKED; i--) {
        const struct asked *one = &ring[(i - 1) % ASKED];
        uint64_t value;
        if (one->strand != guest->strand || one->slice > guest->slice)
            continue;
        if (one->slice != slice && slices++ == WINDOW)
            break;
        slice = one->slice;
        if (one->how == BINE__ASKED_BY_UPDATE)
            continue;
        bool of_place = stretch->what == BINE__PREDICTED_CHECK && one->at - stretch->at < 8;
        if (of_place) {
            if (guest->looks || one->at != stretch->at || one->size != stretch->size)
                continue;
            away |= of_other(one, stretch->value) == ANOTHER;
            way |= has_way_for(one, stretch->value);
        } else if (stood_there(stretch, one, &value) && of_other(one, value) != THE_SAME) {
            return true;
        }
    }
    return away && !way;
}

/* ---- Of a stretch ----------------------------------------------------------------------------------- */

/* Both have made it less: a count of those that use it, and it was the last one's turn. */
static bool counted(const struct bine__stretch *stretch, const struct bine__guest *guest)
{
    uint32_t slice = 0;
    unsigned slices = 0;
    for (unsigned i = made; i && made - i < ASKED; i--) {
        const struct asked *one = &ring[(i - 1) % ASKED];
        bool mine = false, theirs = false;
        if (one->strand != guest->strand || one->slice > guest->slice)
            continue;
        if (one->slice != slice && slices++ == WINDOW)
            break;
        slice = one->slice;
        if (one->how != BINE__ASKED_BY_UPDATE)
            continue;
        const uint32_t *cell = bine__cell(one->at);
        for (uint32_t n = cell ? *cell : 0; n && is_access(bine__record(n)); n = bine__record(n)->next) {
            const struct bine__record *record = bine__record(n);
            bool lowered = (record->mask & bine__mask(one->at, one->size)) && record->w_slice &&
                           (record->kind == BINE__UPDATE || (record->flags & BINE__LOWERED));
            mine |= lowered && record->strand == stretch->strand && record->w_slice >= stretch->to;
            theirs |= lowered && record->strand == guest->strand;
        }
        if (mine && theirs)
            return true;
    }
    return false;
}

/* It could not have come in between. */
bool bine__stretch_apart(const struct bine__stretch *stretch, const struct bine__guest *guest)
{
    for (unsigned i = 0; bine__rule(BINE__RULE_LOCKS) && i < stretch->holds; i++)
        if (bine__race_set_has(guest->locks, stretch->held[i].lock))
            return true;
    if (!bine__rule(BINE__RULE_GUARDS))
        return false;
    return sent_away(stretch, guest) || (stretch->what == BINE__PREDICTED_USE && counted(stretch, guest));
}

/* Had it come in between, the stretch would have seen that: it asks after what the guest wrote, too. */
bool bine__stretch_notices(const struct bine__stretch *stretch, const struct bine__guest *guest)
{
    for (unsigned i = 0; bine__rule(BINE__RULE_GUARDS) && i < stretch->asked; i++) {
        const uint32_t *cell = bine__cell(stretch->asks[i].at);
        for (uint32_t n = cell ? *cell : 0; n && is_access(bine__record(n)); n = bine__record(n)->next)
            if (bine__record(n)->strand == guest->strand && bine__record(n)->w_slice >= guest->slice &&
                (bine__record(n)->mask & stretch->asks[i].mask))
                return true;
    }
    return false;
}

/* The task acts now; false: it has not given up the loop since that slice, or has the place for itself. */
bool bine__stretch_begin(struct bine__stretch *stretch, struct bine__strand *self, uint32_t from,
                         uint64_t since)
{
    const struct bine__left *left = bine__race_left_before(self, bine__race_slice);
    if (!left || left->slice < from || bine__predict_owned(self, stretch->at))
        return false;
    stretch->strand = self->number;
    stretch->from = from;
    stretch->to = bine__race_slice;
    stretch->left = *left;
    stretch->holds = stretch->asked = 0;
    stretch->claimed = false;
    for (unsigned i = 0; i < self->holds; i++) {
        const struct bine__held *held = &self->held[i];
        if (held->since > since || (held->shared && held->sem) || stretch->holds == BINE__HOLDS)
            continue;
        stretch->held[stretch->holds].lock = held->lock;
        stretch->held[stretch->holds++].shared = held->shared;
    }
    for (unsigned i = made; i && made - i < ASKED; i--) {
        const struct asked *one = &ring[(i - 1) % ASKED];
        if (one->slice < from)
            break;
        if (one->strand != self->number || one->at - stretch->at < 8 || one->how == BINE__ASKED_BY_UPDATE)
            continue;
        if (one->slice > left->slice) {
            if (stretch->asked < BINE__ASKS) {
                stretch->asks[stretch->asked].at = one->at;
                stretch->asks[stretch->asked++].mask = bine__mask(one->at, one->size);
            }
            continue;
        }
        const uint32_t *cell = bine__cell(one->at);
        for (uint32_t n = cell ? *cell : 0; n && is_access(bine__record(n)); n = bine__record(n)->next)
            stretch->claimed |= bine__record(n)->strand == self->number && bine__record(n)->w_slice >= from &&
                                (bine__record(n)->mask & bine__mask(one->at, one->size));
    }
    return true;
}
