/* SPDX-License-Identifier: MIT
 *
 * Granules whose first record is not a task's: of freed blocks, of declared groups, of places whose races are
 * meant. And what is said of a place.
 *
 * The members of a group share one chain: that of a cell of the group's own. */
#include <stdio.h>
#include <string.h>

#include "check/race.h"

enum { GROUPS = 1024, PLACES = 4096 };

static struct group {
    char name[48];
    uint32_t cell;
} groups[GROUPS];
static unsigned group_count;

/* A name at two times is two groups if its memory was freed meanwhile; so is a name at two addresses when all
 * its members were declared already: an object of each kind has a group of its own. */
static struct member {
    uintptr_t at;
    size_t size;
    unsigned group;
} members[PLACES];
static unsigned member_count;

static bool is_special(const struct bine__record *record)
{
    return record->kind == BINE__MEMBER || record->kind == BINE__BENIGN || record->kind == BINE__FREED;
}

static void mark(uintptr_t at, size_t size, enum bine__access_kind kind, uint64_t value, const char *reason)
{
    for (uintptr_t granule = at & ~(uintptr_t)7; granule < at + size; granule += 8) {
        uint32_t *cell = bine__cell_made(granule);
        if (cell && *cell && !is_special(bine__record(*cell)))
            bine__race_clear(granule, 8);
        uint32_t number = cell ? bine__record_new() : 0;
        if (!number)
            return;
        struct bine__record *record = bine__record(number);
        uintptr_t from = granule > at ? granule : at;
        uintptr_t to = granule + 8 < at + size ? granule + 8 : at + size;
        record->kind = (uint8_t)kind;
        record->mask = bine__mask(from, (unsigned)(to - from));
        record->val = value;
        record->w_old = (uint64_t)(uintptr_t)reason;
        record->next = *cell; /* of others in the same granule */
        bine__cell_fill(cell, granule, number);
    }
}

void bine__check_together(const char *name, const void *place, size_t size)
{
    uintptr_t at = (uintptr_t)place;
    unsigned group = group_count;
    if (!bine__race_owner())
        return;
    for (unsigned i = 0; i < member_count; i++)
        if (members[i].at == at && members[i].size == size &&
            strcmp(groups[members[i].group].name, name) == 0)
            return;
    for (unsigned i = 0; i < group_count; i++)
        if (strncmp(groups[i].name, name, sizeof groups[i].name - 1) == 0)
            group = i;
    if (group == GROUPS || member_count == PLACES)
        return;
    if (group == group_count) {
        snprintf(groups[group].name, sizeof groups[group].name, "%s", name);
        groups[group_count++].cell = 0;
    }
    members[member_count++] = (struct member){at, size, group};
    mark(at, size, BINE__MEMBER, group, NULL);
}

void bine__check_benign(const void *place, size_t size, const char *reason)
{
    if (bine__race_owner())
        mark((uintptr_t)place, size, BINE__BENIGN, 0, reason);
}

const char *bine__place_name(char text[96], uintptr_t at)
{
    const uint32_t *cell = bine__cell(at);
    text[0] = '\0';
    if (cell && *cell && bine__record(*cell)->kind == BINE__MEMBER)
        snprintf(text, 96, " (group '%s')", groups[bine__record(*cell)->val].name);
    return text;
}

/* ---- Freed memory ----------------------------------------------------------------------------------- */

/* Where the task that uses it gave up the loop before that; callbacks do not: then the one that has freed it, when
 * that was done. */
static const struct bine__left *left_meanwhile(const struct bine__strand *self, const struct bine__record *freed,
                                               uint32_t *who)
{
    if (self->stack)
        return bine__race_left_before(self, freed->w_slice);
    const struct bine__strand *other = bine__race_strand(freed->strand);
    const struct bine__left *left = other ? bine__race_left_before(other, freed->w_slice + 1) : NULL;
    *who = freed->strand;
    return left && left->slice == freed->w_slice ? left : NULL;
}

static void used_after_free(struct bine__strand *self, const struct bine__record *freed, uintptr_t at,
                            bool write, uintptr_t pc)
{
    bool across = freed->strand != self->number || freed->w_slice != bine__race_slice;
    struct bine__finding finding = {.kind = across ? "USE-AFTER-FREE-ACROSS-YIELD" : "USE-AFTER-FREE"};
    char name[64], how[64];
    const bool stack = freed->place == BINE__OF_STACK;
    uint32_t yielded = self->number;
    const struct bine__left *left = across ? left_meanwhile(self, freed, &yielded) : NULL;
    snprintf(finding.summary, sizeof finding.summary, "%s %s %s at %p", bine__strand_name(name, self->number),
             write ? "writes" : "reads", stack ? "on the stack of a task that has ended," : "freed memory",
             (void *)at);
    uint32_t use = across ? freed->next : 0;
    while (use && bine__record(use)->strand != self->number)
        use = bine__record(use)->next;
    const struct bine__record *looked =
        use || !across ? bine__record(use) : bine__record_of_pointer(self->number, freed->val, freed->w_old);
    if (looked && looked->pc)
        bine__finding_site(&finding, "looked", looked->pc, looked->context,
                           use ? "%s used it here" : "%s got its address here",
                           bine__strand_name(name, self->number));
    if (left)
        bine__finding_site(&finding, "gave-up", left->pc, left->context, "%s gave up the loop in %s",
                           bine__strand_name(name, yielded), bine__left_name(how, left));
    bine__finding_site(&finding, "wrote", freed->w_pc, freed->w_context, "%s %s%s",
                       bine__strand_name(name, freed->strand), stack ? "ended" : "freed it",
                       left && yielded == self->number ? " meanwhile" : "");
    bine__finding_site(&finding, "acted", bine__race_short(pc), bine__race_here(self), "%s %s it",
                       bine__strand_name(name, self->number), write ? "writes" : "reads");
    bine__finding_tell(&finding);
}

uint32_t *bine__race_special(struct bine__strand *self, uintptr_t at, unsigned size, uint32_t *cell,
                             enum bine__access_kind kind, uintptr_t pc)
{
    struct bine__record *special = bine__record(*cell);
    switch ((enum bine__access_kind)special->kind) {
    case BINE__FREED: used_after_free(self, special, at, kind != BINE__READ, pc); return NULL;
    case BINE__MEMBER:
        for (uint32_t i = *cell; i; i = bine__record(i)->next)
            if ((bine__record(i)->mask & bine__mask(at, size)) && bine__record(i)->kind == BINE__MEMBER)
                return &groups[bine__record(i)->val].cell;
        return NULL; /* a neighbour of the group in its granule, or benign */
    default: return NULL;
    }
}
