/* SPDX-License-Identifier: MIT
 *
 * Between race_rules.c, which judges an access when it is made, and race_later.c, which knows a moment later what
 * it was.  Both tell what they find with the same four sites. */
#ifndef BINE_CHECK_RACE_RULES_H
#define BINE_CHECK_RACE_RULES_H

#include "check/race.h"

#pragma GCC visibility push(hidden)

struct triple {
    const char *kind, *looked, *wrote, *acted;
};
struct spot { /* in the program */
    uint32_t pc, context;
};

static inline struct spot read_of(const struct bine__record *record)
{
    return (struct spot){record->pc, record->context};
}

static inline struct spot write_of(const struct bine__record *record)
{
    return (struct spot){record->w_pc, record->w_context};
}

static inline bool bine__race_like_pointer(uint64_t value)
{
    return value == 0 || bine__race_is_pointer(value);
}


/* race_rules.c */
bool bine__race_between(const struct bine__strand *self, const struct bine__record *mine,
                        const struct bine__record *theirs, uint8_t mask, uint32_t slice);

/* race_later.c */
struct spot bine__race_spot(struct bine__strand *, uintptr_t pc);
void bine__race_tell_all(struct bine__strand *, const struct triple *, struct spot looked, uint32_t other,
                         uint32_t slice, struct spot wrote, uintptr_t at, unsigned size, struct spot acted);
struct bine__suspect bine__race_suspect(const struct bine__record *mine, const struct bine__record *theirs,
                                        uintptr_t at, unsigned size, uint64_t value, struct spot act);
void bine__race_tell_suspect(struct bine__strand *, const struct bine__suspect *, const struct triple *,
                             bool wrote);
void bine__race_tell_torn(struct bine__strand *, const struct bine__suspect *);
void bine__race_settle_clobbered(struct bine__strand *);

#pragma GCC visibility pop

#endif
