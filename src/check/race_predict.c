/* SPDX-License-Identifier: MIT
 *
 * Interference that did not happen in this run, but could have.
 *
 * A span is a look and an act at one place with a switch between, where nobody wrote meanwhile.  A write by
 * another task, before or after it, that nothing orders against the span and no common lock keeps out of it,
 * could fall into it with another schedule.  What orders: a spawn, a join, a message (race_sync.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/race.h"

enum { HEADS = 1 << 12, SPANS = 20000, HOLDS = 4 };

struct span {
    struct span *next;
    uintptr_t at;
    uint32_t strand;
    uint8_t kind, mask;
    bool checked;
    uint32_t from, to; /* slices */
    uint32_t look_pc, look_context, act_pc, act_context;
    struct bine__left left;
    const void *held[HOLDS]; /* from the look to the act */
    unsigned holds;
};

static struct span *heads[HEADS];
static unsigned count;

static struct span **head_of(uintptr_t at) { return &heads[(at >> 3) * 2654435761U >> 8 & (HEADS - 1)]; }

static void tell(const struct span *span, uintptr_t at, uint32_t strand, uint32_t pc, uint32_t context)
{
    struct bine__finding finding = {.kind = span->kind == BINE__UPDATE || span->checked
                                                ? "PREDICTED-STALE-CHECK"
                                                : "PREDICTED-LOST-UPDATE"};
    char name[64], place[96], how[64];
    snprintf(finding.summary, sizeof finding.summary,
             "%s at %p%s: nobody came between in this run, but nothing prevents it",
             bine__strand_name(name, span->strand), (void *)at, bine__place_name(place, at));
    bine__finding_site(&finding, "looked", span->look_pc, span->look_context, "%s %s here",
                       bine__strand_name(name, span->strand), span->checked ? "checked it" : "read it");
    bine__finding_site(&finding, "gave-up", span->left.pc, span->left.context, "then gave up the loop in %s",
                       bine__left_name(how, &span->left));
    bine__finding_site(&finding, "wrote", pc, context, "%s writes it too, and could meanwhile",
                       bine__strand_name(name, strand));
    bine__finding_site(&finding, "acted", span->act_pc, span->act_context, "%s %s it without looking again",
                       bine__strand_name(name, span->strand),
                       span->kind == BINE__UPDATE ? "updates" : "overwrites");
    bine__finding_tell(&finding);
}

static bool kept_out(const struct span *span, uint16_t locks)
{
    for (unsigned i = 0; bine__rule(BINE__RULE_LOCKS) && i < span->holds; i++)
        if (bine__race_set_has(locks, span->held[i]))
            return true;
    return false;
}

static bool ordered(const struct bine__strand *self, uint32_t strand, uint32_t slice)
{
    return bine__rule(BINE__RULE_ORDER) && bine__race_knows(self, strand, slice);
}

void bine__predict_span(struct bine__strand *self, uintptr_t at, const struct bine__record *look,
                        uint8_t mask, uint32_t w_context, enum bine__access_kind kind, uintptr_t pc,
                        uint32_t others)
{
    const struct bine__left *left = bine__race_left_before(self, bine__race_slice);
    struct span **head = head_of(at), *span = *head;
    uint32_t act = bine__race_short(pc);
    if (!left || left->slice < look->slice)
        return;
    while (span && !(span->at == at && span->look_pc == look->pc && span->act_pc == act &&
                     span->strand == self->number))
        span = span->next;
    if (!span) {
        if (count == SPANS || !(span = malloc(sizeof *span)))
            return;
        count++;
        span->next = *head;
        *head = span;
    }
    *span = (struct span){span->next,
                          at,
                          self->number,
                          (uint8_t)kind,
                          look->mask & mask, /* a record may be of neighbours too */
                          (look->flags & BINE__CHECKED_READ) != 0,
                          look->slice,
                          bine__race_slice,
                          look->pc,
                          look->context,
                          act,
                          w_context,
                          *left,
                          {NULL},
                          0};
    for (unsigned i = 0; i < self->holds; i++)
        if (self->held[i].since <= look->time && !self->held[i].shared && span->holds < HOLDS)
            span->held[span->holds++] = self->held[i].lock;
    for (; others; others = bine__record(others)->next) {
        const struct bine__record *theirs = bine__record(others);
        if (theirs->w_slice > look->slice) /* it did come between, and was judged */
            continue;
        if (theirs->w_slice && (theirs->mask & span->mask) && theirs->strand != self->number &&
            !ordered(self, theirs->strand, theirs->w_slice) && !kept_out(span, theirs->locks))
            tell(span, at, theirs->strand, theirs->w_pc, theirs->w_context);
    }
}

void bine__predict_write(struct bine__strand *self, uintptr_t at, uint8_t mask, uintptr_t pc,
                         uint32_t context)
{
    for (const struct span *span = *head_of(at); span; span = span->next)
        if (span->at >> 3 == at >> 3 && span->strand != self->number && (span->mask & mask) &&
            !ordered(self, span->strand, span->to) && !kept_out(span, self->locks))
            tell(span, at, self->number, bine__race_short(pc), context);
}

void bine__predict_forget(uintptr_t at)
{
    struct span **link = head_of(at);
    while (*link) {
        struct span *span = *link;
        if (span->at >> 3 == at >> 3) {
            *link = span->next;
            free(span);
            count--;
        } else {
            link = &span->next;
        }
    }
}
