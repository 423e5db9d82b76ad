/* SPDX-License-Identifier: MIT
 *
 * Who looks again, and does not seem to.
 *
 * `if (failures < 3) { call(); if (++failures >= 3) open(); }` asks the same of the new value as it did of
 * the old one: the same comparison, with the same constant.  So what a value was asked is kept for a while.
 *
 * What was given away and is taken anew, an object from a pool, stands at the same address and is another
 * thing: a pointer to it was read where others have written since.  Such pointers are kept, too, the last of
 * them.
 *
 * Queues that are made by hand: who finds no room puts itself there and parks, is handed what it waits for,
 * and goes on.  Its place in the queue was read by the one who has woken it, and may be another's since; and
 * what it saw before it parked has led to that, and to nothing else.
 *
 * Of bit fields gcc announces the read of the bytes that they are in, and the write of their whole word. */
#include "check/race.h"

enum { REACH = 256 }; /* bytes of a thing, behind the pointer to it */

struct bine__question bine__race_questions[BINE__QUESTIONS];

/* ---- Questions -------------------------------------------------------------------------------------- */

/* What was asked at the look that the suspicion begins with; NULL: nothing that could be asked again. */
const struct bine__question *bine__race_asked(const struct bine__suspect *suspect)
{
    const struct bine__question *question = bine__race_question(bine__record(suspect->record));
    bool known = bine__rule(BINE__RULE_AGAIN) && question->of == bine__record(suspect->record) &&
                 question->slice == suspect->mine.slice;
    return known ? question : NULL;
}

/* A comparison with a constant, while there is a suspicion: of what the update has made, and not of what was
 * read there after it. */
void bine__race_ask_again(struct bine__strand *self, uint64_t constant, uint64_t value, uintptr_t pc)
{
    struct bine__suspect *given = &self->given;
    int condition = bine__race_condition(pc);
    const struct bine__look *last = &self->look[(self->looks - 1) % BINE__LOOKS];
    if (self->clobbered.at && condition >= 0)
        bine__race_same_value(self, last->of, constant);
    const struct bine__question *question = given->at ? bine__race_asked(given) : NULL;
    if (!question || bine__record(given->record)->kind != BINE__UPDATE || condition < 0 ||
        bine__race_condition(question->pc) != condition)
        return;
    unsigned unused = 64 - given->size * 8U;
    uint64_t now = bine__value_at(given->at, given->size);
    /* clang asks the same of the old value, with another constant. */
    uint64_t step = value == given->value ? now - value : 0;
    if (value + step == now && ((constant + step - question->constant) << unused) == 0)
        given->at = 0;
}

/* The record is of a variable on the task's stack: of its place so much is kept. */
static bool is_of_stack(const struct bine__strand *self, const struct bine__record *record)
{
    const uintptr_t kept = 0xffff, place = record ? record->place : 0;
    for (uintptr_t at = (self->stack & ~kept) | place; at < self->stack_end; at += kept + 1) {
        const uint32_t *cell = at >= self->stack ? bine__cell(at) : NULL;
        for (uint32_t i = cell ? *cell : 0; i; i = bine__record(i)->next)
            if (bine__record(i) == record)
                return true;
    }
    return false;
}

/* A comparison of two values: of what stands there now with what it wrote itself?  Not of a text's bytes; nor with
 * a variable that others write to, as an answer that has come. */
void bine__race_ask_own(struct bine__strand *self, uint64_t a, uint64_t b, unsigned size)
{
    const struct bine__suspect *suspect = &self->clobbered;
    if (!suspect->at || !bine__rule(BINE__RULE_ASKED) || size == 1 || size != suspect->size)
        return;
    uint64_t now = bine__value_at(suspect->at, size), other = a == now ? b : b == now ? a : now;
    if (other == now || other != suspect->value)
        return;
    for (unsigned i = 0; i < BINE__LOOKS; i++)
        if (self->look[i].value == other && is_of_stack(self, self->look[i].of))
            return;
    self->clobbered.at = 0;
}

/* ---- Taken anew ------------------------------------------------------------------------------------- */

/* It reads a pointer that it has used before. */
void bine__race_took(struct bine__strand *self, const struct bine__record *mine, uintptr_t at)
{
    uint64_t value = bine__value_at(at, 8);
    uint32_t slice = 0;
    if (!bine__race_is_pointer(value))
        return;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next)
        if (bine__record(i)->w_slice > slice)
            slice = bine__record(i)->w_slice;
    if (slice > mine->slice)
        self->took[self->takes++ % BINE__TAKES] = (struct bine__took){value, slice};
}

/* Others had written that pointer after the look. */
bool bine__race_taken(const struct bine__strand *self, const struct bine__record *look, uintptr_t at)
{
    for (unsigned i = 0; bine__rule(BINE__RULE_TAKEN) && i < BINE__TAKES; i++)
        if (at - self->took[i].at < REACH && self->took[i].slice > look->slice)
            return true;
    return false;
}

/* An index, which it has just read, and others have moved since it looked. */
static bool was_moved(const struct bine__strand *self, const struct bine__record *index,
                      const struct bine__record *look)
{
    if (index == look || index->strand != self->number || index->slice != bine__race_slice)
        return false;
    for (uint32_t i = index->next; i; i = bine__record(i)->next)
        if ((bine__record(i)->mask & index->mask) && bine__record(i)->w_slice > look->slice)
            return true;
    return false;
}

/* It has set the index itself when it looked, or since. */
static bool emptied(const struct bine__strand *self, const struct bine__record *index,
                    const struct bine__record *look)
{
    return index != look && index->strand == self->number && index->slice == bine__race_slice &&
           index->w_slice >= look->slice && index->w_slice < bine__race_slice;
}

/* Where it writes it has found by an index that others have moved meanwhile: it takes a thing out, works, and
 * puts it back where there is room now. */
bool bine__race_found_anew(const struct bine__strand *self, const struct bine__record *mine)
{
    const struct bine__look *last = &self->look[(self->looks - 1) % BINE__LOOKS];
    return bine__rule(BINE__RULE_TAKEN) && last->of && was_moved(self, last->of, mine);
}

/* `if (head != tail) head++;` It has acted on the check, of the other ones too. */
void bine__race_acted(const struct bine__strand *self, const struct bine__record *mine)
{
    const uint32_t *all = self->compared.record, number = (uint32_t)(mine - bine__records);
    if (self->compared.slice != bine__race_slice || !bine__rule(BINE__RULE_TAKEN) ||
        (all[0] != number && all[1] != number && all[2] != number))
        return;
    for (unsigned i = 0; i < BINE__COMPARED; i++) {
        struct bine__record *other = bine__record(all[i]);
        if (all[i] != number && other->kind == BINE__READ && other->strand == self->number &&
            other->slice == bine__race_slice)
            other->flags &= (uint8_t)~BINE__CHECKED_READ;
    }
}

/* When this task touched last what it is about to copy; 1: never.  0: not all writes to its stack are told. */
static uint64_t touched_last(const struct bine__strand *self, uintptr_t from, size_t size)
{
    uint64_t last = 1;
    if (size == 0 || from - self->stack < self->stack_end - self->stack)
        return 0;
    for (uintptr_t at = from & ~(uintptr_t)7, end = from + (size < REACH ? size : REACH); at < end; at += 8) {
        const struct bine__record *own = bine__race_own(self, at);
        if (own && own->time > last)
            last = own->time;
    }
    return last;
}

void bine__race_copies(struct bine__strand *self, uintptr_t from, size_t size)
{
    self->copying.source = touched_last(self, from, size);
    const struct bine__look *last = &self->look[(self->looks - 1) % BINE__LOOKS];
    self->copying.index = last->of ? (uint32_t)(last->of - bine__records) : 0;
}

/* What it copies there has been as it is since before it looked: it comes not from what it saw.  Or it copies it
 * to where others have come with an index: into a buffer that was emptied and is filled anew. */
bool bine__race_of_elsewhere(const struct bine__strand *self, const struct bine__record *look)
{
    const struct bine__record *index = bine__record(self->copying.index);
    if (!bine__rule(BINE__RULE_COPIES))
        return false;
    if (self->copying.source && self->copying.source < look->time)
        return true;
    return self->copying.index && (was_moved(self, index, look) || emptied(self, index, look));
}

/* ---- Queues made by hand ----------------------------------------------------------------------------- */

/* It is a variable of that record's task. */
static bool is_local(const struct bine__record *record, uintptr_t at)
{
    const struct bine__strand *owner = bine__race_strand(record->strand);
    return owner && at - owner->stack < owner->stack_end - owner->stack;
}

/* What it wrote there was read before the other wrote, by one who has then told it something; or it was in a
 * variable of one who has set it anew since. */
bool bine__race_delivered(const struct bine__strand *self, const struct bine__record *mine,
                          const struct bine__record *theirs, uintptr_t at, uint8_t mask)
{
    for (uint32_t i = mine->next; bine__rule(BINE__RULE_DELIVERED) && i; i = bine__record(i)->next) {
        const struct bine__record *one = bine__record(i);
        if (one == theirs || !(one->mask & mask))
            continue;
        if (one->kind == BINE__READ && one->slice > mine->w_slice && one->slice < theirs->w_slice &&
            bine__race_knows(self, one->strand, one->slice))
            return true;
        if (one->w_slice > mine->w_slice && one->w_slice < theirs->w_slice && is_local(one, at))
            return true;
    }
    return false;
}

/* It wrote there under a lock which it has given back since, and has taken again: whatever stands there now, this is
 * a fresh look. */
bool bine__race_relocked(const struct bine__strand *self, const struct bine__record *mine)
{
    for (unsigned i = 0; bine__rule(BINE__RULE_DELIVERED) && i < self->holds; i++)
        if (self->held[i].since > mine->time && bine__race_set_has(mine->locks, self->held[i].lock))
            return true;
    return false;
}

/* What it read there it has answered: it writes into a place that is empty again. */
bool bine__race_answered(const struct bine__strand *self, const struct bine__record *read, uint8_t mask)
{
    for (uint32_t i = read->next; bine__rule(BINE__RULE_DELIVERED) && i; i = bine__record(i)->next) {
        const struct bine__record *one = bine__record(i);
        const struct bine__strand *writer = bine__race_strand(one->strand);
        if (writer && (one->mask & mask) && one->w_slice && one->w_slice < read->slice &&
            bine__race_knows(writer, self->number, read->slice))
            return true;
    }
    return false;
}

/* It parked upon that look, somebody told it to go on, and it has given up the loop elsewhere since. */
bool bine__race_spent(const struct bine__strand *self, const struct bine__record *mine)
{
    const struct bine__left *first = bine__race_left_before(self, mine->slice + 1);
    const struct bine__left *last = bine__race_left_before(self, bine__race_slice);
    bool parked = false, told = false;
    if (!bine__rule(BINE__RULE_SPENT) || !first || first->slice != mine->slice || last->pc == first->pc ||
        mine->w_slice == mine->slice)
        return false;
    for (unsigned i = 0; i < BINE__LEFT; i++) { /* predictions count the call by itself */
        const struct bine__left *one = &self->left[i];
        parked |= one->wait == BINE__WAIT_PARK && one->pc == first->pc && one->slice >= mine->slice;
    }
    for (unsigned i = 0; i < self->known_room; i++)
        told |= self->known[i].slice > mine->slice;
    return parked && told;
}

/* ---- Bit fields -------------------------------------------------------------------------------------- */

/* What is read is a part of what both have written there, and was not changed by the other; the rest was. */
bool bine__race_left_alone(const struct bine__record *mine, const struct bine__record *theirs, uintptr_t at,
                           unsigned size)
{
    unsigned word = mine->place & 7U & (0U - mine->size), from = (unsigned)(at & 7) - word;
    uint8_t whole = bine__mask(word, mine->size);
    return bine__rule(BINE__RULE_FIELDS) && size < mine->size && mine->size <= 4 && from < mine->size &&
           from + size <= mine->size && (theirs->mask & whole) == whole &&
           bine__value_at(at - from, mine->size) != theirs->w_old &&
           bine__value_at(at, size) == (theirs->w_old >> from * 8 & (((uint64_t)1 << size * 8) - 1));
}
