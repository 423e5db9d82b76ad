/* SPDX-License-Identifier: MIT
 *
 * Predictions of declared groups: one part is written, or read, before a switch and another behind it.
 *
 * What disturbs that is an access to several parts in one slice by another task: who reads but one part sees nothing
 * torn.  For the stretches that come later TOUCHES such accesses are kept, the last of each task and group; a stretch
 * is known by the cell that the group's members share (race_declared.c). */
#include "check/race_stretch.h"

enum { TOUCHES = 256 };

static struct touch { /* more than one part of a group, in one slice */
    const void *cell;
    struct bine__guest guest;
    bool wrote;
} touches[TOUCHES];
static unsigned touched;

static bool disturbs(const struct bine__stretch *stretch, bool wrote)
{
    return stretch->what == BINE__PREDICTED_GROUP || (stretch->what == BINE__PREDICTED_VIEW && wrote);
}

static const char *touch_words(bool wrote)
{
    return wrote ? "changes it too, and could meanwhile" : "reads it, and could meanwhile: half updated";
}

static void note_touch(const void *cell, const struct bine__guest *guest, bool wrote)
{
    struct touch *place = NULL;
    for (unsigned i = 0; i < TOUCHES && !place; i++)
        if (touches[i].cell == cell && touches[i].guest.strand == guest->strand && touches[i].wrote == wrote)
            place = &touches[i];
    if (!place)
        place = &touches[touched++ % TOUCHES];
    *place = (struct touch){cell, *guest, wrote};
}

static struct { /* the group that was touched last */
    const void *cell;
    uintptr_t at;
    uint32_t slice; /* which is that of one task */
    bool wrote;
} last;

/* A task's access to a group. */
void bine__predict_touch(struct bine__strand *self, const uint32_t *cell, uintptr_t at, bool wrote,
                         uint32_t pc, uint32_t context)
{
    const struct bine__guest guest = {self->number, bine__race_slice, pc, context, self->locks, false};
    if (last.cell != cell || last.slice != bine__race_slice) {
        last.cell = cell;
        last.at = at;
        last.slice = bine__race_slice;
        last.wrote = wrote;
        return;
    }
    last.wrote |= wrote;
    if (last.at == at)
        return;
    note_touch(cell, &guest, last.wrote);
    for (const struct bine__kept *one = bine__stretches((uintptr_t)cell); one; one = one->next) {
        const struct bine__stretch *stretch = &one->stretch;
        if (stretch->at == (uintptr_t)cell && stretch->strand != self->number &&
            disturbs(stretch, last.wrote) && !bine__predict_ordered(self, stretch->strand, stretch->to) &&
            !bine__stretch_apart(stretch, &guest))
            bine__predict_pend(stretch, &guest, bine__stretch_kind(stretch), touch_words(last.wrote),
                               false);
    }
}

/* It writes another part of a group than before the switch, or reads one: nobody has come between. */
void bine__predict_group(struct bine__strand *self, const uint32_t *cell, const struct bine__record *first,
                         uintptr_t at, bool wrote, uint32_t pc, uint32_t context)
{
    struct bine__stretch stretch = {.what = wrote ? BINE__PREDICTED_GROUP : BINE__PREDICTED_VIEW,
                                    .at = (uintptr_t)cell,
                                    .shown = at,
                                    .look_pc = wrote ? first->w_pc : first->pc,
                                    .look_context = wrote ? first->w_context : first->context,
                                    .act_pc = pc,
                                    .act_context = context};
    if (!bine__stretch_begin(&stretch, self, wrote ? first->w_slice : first->slice, first->time) ||
        !bine__stretch_keep(&stretch))
        return;
    for (unsigned i = 0; i < TOUCHES; i++) {
        const struct touch *touch = &touches[i];
        if (touch->cell == cell && touch->guest.strand != self->number && touch->guest.slice < stretch.from &&
            disturbs(&stretch, touch->wrote) && !bine__predict_ordered(self, touch->guest.strand, touch->guest.slice) &&
            !bine__stretch_apart(&stretch, &touch->guest) && !bine__stretch_notices(&stretch, &touch->guest))
            bine__predict_tell(&stretch, &touch->guest, bine__stretch_kind(&stretch),
                               touch_words(touch->wrote));
    }
}
