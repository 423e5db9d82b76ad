/* SPDX-License-Identifier: MIT
 *
 * What predictive mode is told, and when.  A part of race.h.
 *
 * All of this is called in predictive mode alone: whoever calls asks for that.  What the files that predict share
 * stands in race_stretch.h. */
#ifndef BINE_CHECK_RACE_PREDICT_H
#define BINE_CHECK_RACE_PREDICT_H

#pragma GCC visibility push(hidden)

/* race_guards.c: a record's place; what was compared there, with what. */
enum bine__asking {
    BINE__ASKED_CONSTANT,
    BINE__ASKED_OTHER, /* another value */
    BINE__ASKED_SWITCH,
    BINE__ASKED_POINTER, /* is it NULL */
    BINE__ASKED_NOTHING_KNOWN, /* of something made of it */
    BINE__ASKED_BY_UPDATE /* it was updated: of a count */
};
void bine__predict_place(const struct bine__record *, uintptr_t at);
void bine__predict_asked(struct bine__strand *, const struct bine__record *, uint64_t value, uint64_t with,
                         unsigned size, enum bine__asking, uintptr_t pc);
void bine__predict_compared(struct bine__strand *, uint64_t a, uint64_t b, unsigned size, bool constant,
                            uintptr_t pc);
void bine__predict_switched(uintptr_t pc);
void bine__predict_told(uint32_t who, uint32_t strand, uint32_t slice); /* of what that one did up to there */

/* race_predict.c */
void bine__predict_span(struct bine__strand *, uintptr_t at, unsigned size, struct bine__record *look,
                        enum bine__access_kind, uintptr_t pc);
void bine__predict_update(struct bine__strand *, uintptr_t at, unsigned size, struct bine__record *look,
                          uintptr_t pc); /* known later: bine__predict_given() */
void bine__predict_given(struct bine__strand *, const struct bine__suspect *);
void bine__predict_own(struct bine__strand *, struct bine__record *mine, uintptr_t at, unsigned size,
                       uint8_t mask, uintptr_t pc);
void bine__predict_taken(struct bine__strand *, const struct bine__suspect *);
void bine__predict_write(struct bine__strand *, const struct bine__record *mine, uintptr_t at, uint8_t mask,
                         uint32_t pc, uint32_t context);
void bine__predict_same_look(struct bine__strand *, const struct bine__record *look, uintptr_t at);
void bine__predict_touch(struct bine__strand *, const uint32_t *cell, uintptr_t at, bool wrote, uint32_t pc,
                         uint32_t context);
void bine__predict_group(struct bine__strand *, const uint32_t *cell, const struct bine__record *first,
                         uintptr_t at, bool wrote, uint32_t pc, uint32_t context);
void bine__predict_settle(void); /* the slice is over */
void bine__predict_forget(uintptr_t at);

/* race_uses.c */
void bine__predict_pointer(struct bine__strand *, uintptr_t from, uint64_t value, uint32_t pc,
                           uint32_t context);
void bine__predict_use(struct bine__strand *, uintptr_t at, uint32_t pc, uint32_t context);
void bine__predict_free(struct bine__strand *, uintptr_t block, size_t size, uintptr_t pc);

#pragma GCC visibility pop

#endif
