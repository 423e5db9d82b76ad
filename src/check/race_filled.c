/* SPDX-License-Identifier: MIT
 *
 * Who seems to look again, and does not: a search that serves two ends.
 *
 * `if (!find(key)) { load(); put(key, ...); }` where put() searches, too. After
 * the switch it comes to what another has put there meanwhile, and goes on as
 * if it had found room.  So a second look is kept that was made in a function
 * called from where the first one was, and that found a place filled: empty
 * before, or leading to something new.  What is compared in that function is
 * how it searches; if its caller compares nothing, and the task then overwrites
 * what the other has put there, the first look was all there was.
 *
 * What others have put there is what the same task wrote in the same slice:
 * behind the pointer that was found, or beside the place that was empty.  An
 * update, a counter's, or something added to what is there, takes it into
 * account.
 *
 * And a pointer that is tested, released if there is one, and replaced in
 * either case: the test decides of the release alone.  Likewise one to the next
 * of several things: who looked at the first, and then goes past another that
 * it has not looked at, whatever it compares the pointer with, takes away what
 * it has not seen. */
#include "check/race.h"

enum { REACH = 256, BESIDE = 64 }; /* bytes */

static bool fresh(const struct bine__filled *one) { return one->at && one->slice == bine__race_slice; }

/* The innermost of the activations that were there at that time. */
static unsigned common_depth(const struct bine__strand *self, uint64_t time)
{
    unsigned depth = self->depth - 1;
    while (depth > 0 && self->frames[depth].entry > time)
        depth--;
    return depth;
}

/* A record of one who has written since, and has not told of it. */
static const struct bine__record *filler(const struct bine__strand *self, const struct bine__record *mine,
                                         uint32_t chain)
{
    for (; chain; chain = bine__record(chain)->next) {
        const struct bine__record *theirs = bine__record(chain);
        if (theirs->kind <= BINE__UPDATE && theirs->strand != self->number && theirs->w_slice > mine->slice &&
            theirs->w_slice < bine__race_slice && !bine__race_knows(self, theirs->strand, theirs->w_slice))
            return theirs;
    }
    return NULL;
}

/* It read there in an earlier slice, and reads again; the value is another one.
 * A tree's links are written by code that tells nothing, of libstdc++: then by
 * who has written behind the pointer. */
void bine__race_looks_again(struct bine__strand *self, const struct bine__record *mine, uintptr_t at,
                            unsigned size)
{
    uint64_t value = bine__value_at(at, size);
    bool pointer = size == 8 && bine__race_is_pointer(value);
    if (!bine__rule(BINE__RULE_FILLED) || (mine->val && !pointer) ||
        (!pointer && !(mine->flags & BINE__CHECKED_READ)) || (mine->flags & BINE__OWN_READ) ||
        bine__race_was_logged(self, mine))
        return;
    unsigned depth = common_depth(self, mine->time);
    if (depth + 1 >= self->depth || !bine__race_same_turn(self, mine->time, mine->slice) ||
        bine__race_tested(bine__race_short(self->frames[depth + 1].call), true))
        return;
    const struct bine__record *theirs = filler(self, mine, mine->next);
    for (uintptr_t behind = value & ~(uintptr_t)7; pointer && !theirs && behind < value + REACH;
         behind += 8) {
        const uint32_t *cell = bine__cell(behind);
        theirs = cell && *cell ? filler(self, mine, *cell) : NULL;
    }
    if (!theirs)
        return;
    self->filled[self->fills++ % BINE__FILLS] = (struct bine__filled){.at = at,
                                                                      .slice = bine__race_slice,
                                                                      .depth = depth,
                                                                      .made = bine__heap_count(),
                                                                      .value = value,
                                                                      .mine = *mine,
                                                                      .theirs = *theirs};
    self->suspicious |= BINE__FILLED;
}

/* A comparison; in the function that looked first or in one that called it, it
 * looks at what was found. */
void bine__race_asks_found(struct bine__strand *self)
{
    bool left = false;
    for (unsigned i = 0; i < BINE__FILLS; i++)
        if (self->depth - 1 <= self->filled[i].depth)
            self->filled[i].at = 0;
        else if (fresh(&self->filled[i]))
            left = true;
    if (!left)
        self->suspicious &= (uint8_t)~BINE__FILLED;
}

/* What the one who filled the place has written here then; NULL: nothing. */
static const struct bine__record *put_there(const struct bine__filled *one, uint8_t mask, uint32_t chain)
{
    for (; chain; chain = bine__record(chain)->next) {
        const struct bine__record *theirs = bine__record(chain);
        if (theirs->strand == one->theirs.strand && theirs->w_slice == one->theirs.w_slice &&
            (theirs->mask & mask))
            return theirs;
    }
    return NULL;
}

/* It writes.  Whether it overwrites with something else is known once that is
 * done. */
void bine__race_fills(struct bine__strand *self, const struct bine__record *mine, uintptr_t at, unsigned size,
                      enum bine__access_kind kind, uint32_t pc, uint32_t context)
{
    bool here = mine->slice == bine__race_slice;
    bool read = kind == BINE__UPDATE || (here && mine->kind != BINE__WRITE);
    for (unsigned i = 0; i < BINE__FILLS; i++) {
        const struct bine__filled *one = &self->filled[i];
        if (!fresh(one))
            continue;
        bool same = at == one->at && one->mine.val == 0;
        bool behind = bine__race_is_pointer(one->value) && at - one->value < REACH;
        bool beside = one->mine.val == 0 && at - one->at + BESIDE < 2 * BESIDE;
        if (self->depth <= one->depth || (!same && !behind && !beside) ||
            (!same && mine->kind && !here && mine->slice > one->mine.slice))
            continue;
        const struct bine__record *theirs = put_there(one, bine__mask(at, size), mine->next);
        if (!theirs || (same && kind == BINE__UPDATE))
            continue;
        self->restores = (struct bine__suspect){.at = at,
                                                .slice = bine__race_slice,
                                                .record = one->made,
                                                .value = bine__value_at(at, size),
                                                .size = (uint8_t)size,
                                                .mine = one->mine,
                                                .theirs = *theirs,
                                                .pc = pc,
                                                .context = context,
                                                .suspicion = same   ? BINE__FILLS_AGAIN
                                                             : read ? BINE__EXCHANGES
                                                                    : BINE__REPLACES};
        self->suspicious |= BINE__SUSPECTS;
        return;
    }
}

/* A list's new element, which is linked to the one that it is put in front of: that one is not lost. */
static bool is_link(uintptr_t element, uintptr_t at, uint64_t replaced)
{
    for (uintptr_t i = element & ~(uintptr_t)7, end = i + BESIDE; i < end; i += 8) {
        const uint32_t *cell = bine__cell(i);
        uint64_t value = cell && *cell ? bine__value_at(i, 8) : 0;
        if (value && (value == replaced || value - at + REACH < 2 * REACH))
            return true;
    }
    return false;
}

/* A thing that this task has made before it looked again, and that nobody else has touched. */
static bool is_own(const struct bine__strand *self, uintptr_t thing, unsigned made)
{
    if (!bine__heap_made(thing, self->number) || !bine__heap_made_before(thing, made))
        return false;
    for (uintptr_t i = thing & ~(uintptr_t)7, end = i + BESIDE; i < end; i += 8) {
        const uint32_t *cell = bine__cell(i);
        for (uint32_t n = cell ? *cell : 0; n; n = bine__record(n)->next)
            if (bine__record(n)->strand != self->number)
                return false;
    }
    return true;
}

/* It has put the thing there itself just now: what stood there is linked to it, and not gone past. */
static bool has_made(const struct bine__strand *self, uint64_t thing)
{
    const struct bine__record *own = bine__race_own(self, thing);
    return own && own->w_slice == bine__race_slice;
}

/* It is written.  The same once more where it looked; or a number, blindly; or a pointer to what it has made.
 * Other pointers are links: elements are moved about among those that others have put there. */
bool bine__race_has_filled(const struct bine__strand *self, const struct bine__suspect *suspect)
{
    uint64_t now = bine__value_at(suspect->at, suspect->size);
    if (suspect->suspicion == BINE__PASSES)
        return now != suspect->value && now - suspect->value + BESIDE <= 2 * BESIDE && !has_made(self, now);
    if (suspect->suspicion == BINE__RELEASES)
        return bine__race_is_pointer(now) && now != suspect->value;
    if (suspect->suspicion == BINE__FILLS_AGAIN)
        return now != 0 && now == suspect->value;
    if (suspect->size == 8 && (bine__race_is_pointer(now) || bine__race_is_pointer(suspect->value)))
        return now != suspect->value && bine__race_is_pointer(suspect->value) &&
               is_own(self, now, suspect->record) && !is_link(now, suspect->at, suspect->value);
    return suspect->suspicion == BINE__REPLACES && now != 0 && suspect->value != 0 &&
           (now != suspect->value || (suspect->size >= 4 && now > 1));
}

/* ---- Released, or gone past ----------------------------------------------- */

/* A pointer that it read in an earlier slice, that others have written since, and that is there now. */
void bine__race_tests_again(struct bine__strand *self, const struct bine__record *mine, uintptr_t at,
                             uint32_t pc)
{
    uint64_t value = bine__value_at(at, 8);
    bool pointers = (!mine->val || bine__race_is_pointer(mine->val)) && bine__race_is_pointer(value);
    if (!bine__rule(BINE__RULE_RELEASED) || !pointers || mine->size != 8 || mine->val == value ||
        (mine->flags & BINE__OWN_READ) || !bine__race_same_turn(self, mine->time, mine->slice))
        return;
    const struct bine__record *theirs = filler(self, mine, mine->next);
    if (theirs)
        self->tested = (struct bine__suspect){.at = at,
                                              .slice = bine__race_slice,
                                              .value = value,
                                              .size = 8,
                                              .mine = *mine,
                                              .theirs = *theirs,
                                              .pc = pc,
                                              .suspicion = BINE__RELEASES};
}

static bool has_read(const struct bine__strand *self, uint64_t thing, uint32_t slice)
{
    const struct bine__record *own = bine__race_own(self, thing);
    return own && own->kind == BINE__READ && own->slice == slice;
}

/* It is replaced; by what is known once that is done. */
void bine__race_released(struct bine__strand *self, const struct bine__record *mine, uint32_t pc,
                         uint32_t context)
{
    struct bine__suspect tested = self->tested;
    self->tested.at = 0;
    if (tested.slice != bine__race_slice || mine->w_slice == bine__race_slice)
        return;
    if (!bine__race_regardless(tested.pc, pc)) {
        if (!has_read(self, tested.mine.val, tested.mine.slice) || has_read(self, tested.value, bine__race_slice))
            return;
        tested.suspicion = BINE__PASSES;
    }
    tested.pc = pc;
    tested.context = context;
    self->restores = tested;
    self->suspicious |= BINE__SUSPECTS;
}
