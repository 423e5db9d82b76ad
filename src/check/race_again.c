/* SPDX-License-Identifier: MIT
 *
 * Who looks again, and does not seem to.
 *
 * `if (failures < 3) { call(); if (++failures >= 3) open(); }` asks the same of the new value as it did of
 * the old one: the same comparison, with the same constant.  So what a value was asked is kept for a while.
 *
 * What was given away and is taken anew, an object from a pool, stands at the same address and is another
 * thing: a pointer to it was read where others have written since.  Such pointers are kept, too, the last of
 * them. */
#include "check/race.h"

enum { REACH = 256 }; /* bytes of a thing, behind the pointer to it */

struct bine__question bine__race_questions[BINE__QUESTIONS];

/* ---- Questions -------------------------------------------------------------------------------------- */

/* What was asked at the look that the suspicion begins with; NULL: nothing that could be asked again. */
const struct bine__question *bine__race_asked(const struct bine__suspect *suspect)
{
    const struct bine__question *question = &bine__race_questions[suspect->record % BINE__QUESTIONS];
    bool known = bine__rule(BINE__RULE_AGAIN) && question->record == suspect->record &&
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
        bine__race_same_value(self, bine__record(last->record), constant);
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

/* Where it writes it has found by an index that others have moved meanwhile: it takes a thing out, works, and
 * puts it back where there is room now. */
bool bine__race_found_anew(const struct bine__strand *self, const struct bine__record *mine)
{
    const struct bine__look *last = &self->look[(self->looks - 1) % BINE__LOOKS];
    const struct bine__record *index = bine__record(last->record);
    if (!bine__rule(BINE__RULE_TAKEN) || index == mine || index->strand != self->number ||
        index->slice != bine__race_slice)
        return false;
    for (uint32_t i = index->next; i; i = bine__record(i)->next)
        if ((bine__record(i)->mask & index->mask) && bine__record(i)->w_slice > mine->slice)
            return true;
    return false;
}

/* `if (head != tail) head++;` It has acted on the check, of the other one too. */
void bine__race_acted(const struct bine__strand *self, const struct bine__record *mine)
{
    uint32_t number = (uint32_t)(mine - bine__records);
    bool first = self->compared.record[0] == number;
    if (self->compared.slice != bine__race_slice || (!first && self->compared.record[1] != number) ||
        !bine__rule(BINE__RULE_TAKEN))
        return;
    struct bine__record *other = bine__record(self->compared.record[first ? 1 : 0]);
    if (other->kind == BINE__READ && other->strand == self->number && other->slice == bine__race_slice)
        other->flags &= (uint8_t)~BINE__CHECKED_READ;
}
