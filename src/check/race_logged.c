/* SPDX-License-Identifier: MIT
 *
 * What was compared only for a text.
 *
 * `log("average %g", n ? sum / n : 0)` compares, and nothing depends on it but what is printed.  So an activation
 * that prints is kept in mind if its caller does not ask what it returns: what it has looked at was logged, once it
 * is over.  And who has seen that there were some, so that it could divide by their number, and adds one more where
 * there still are some, acts as if it had looked again. */
#include "check/race.h"

enum { EQUAL = 2 }; /* a condition */

static bool is_active(const struct bine__strand *self, const struct bine__log *log)
{
    for (unsigned i = self->depth; i-- > 0 && self->frames[i].entry >= log->entry;)
        if (self->frames[i].entry == log->entry && self->frames[i].context == log->context)
            return true;
    return false;
}

/* It prints. */
void bine__race_logs(struct bine__strand *self)
{
    const struct bine__frame_record *frame = &self->frames[self->depth - 1];
    uint32_t context = bine__race_here(self);
    const struct bine__log *last = &self->logs[(self->logged - 1) % BINE__LOGS];
    if (self->depth <= 2 || !bine__rule(BINE__RULE_LOGGED))
        return;
    if (last->entry == frame->entry && last->context == context && last->slice == bine__race_slice)
        return;
    if (!bine__race_result_used(frame->call))
        self->logs[self->logged++ % BINE__LOGS] = (struct bine__log){frame->entry, context, bine__race_slice};
}

/* It looked there in such an activation, which is over. */
bool bine__race_was_logged(const struct bine__strand *self, const struct bine__record *look)
{
    for (unsigned i = 0; i < BINE__LOGS; i++) {
        const struct bine__log *log = &self->logs[i];
        if (log->slice == look->slice && log->context == look->context && log->entry <= look->time &&
            !is_active(self, log))
            return true;
    }
    return false;
}

/* It looked whether there are any, there were, and there are: before the update.  After it there are more. */
bool bine__race_guards(const struct bine__suspect *suspect)
{
    const struct bine__question *question = bine__race_asked(suspect);
    return bine__rule(BINE__RULE_LOGGED) && question && question->constant == 0 && suspect->mine.val != 0 &&
           suspect->value != 0 && !bine__race_is_pointer(suspect->value) &&
           bine__race_condition(question->pc) == EQUAL;
}
