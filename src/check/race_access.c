/* SPDX-License-Identifier: MIT
 *
 * The rules.  A task comes back to a granule in a later slice than its last access there; the records of
 * others say who wrote meanwhile.
 *
 *   it read, another wrote, it writes       LOST-UPDATE, or STALE-CHECK if what it read was compared
 *   it read, another wrote, it updates      STALE-CHECK: it acts on a check that does not hold any more
 *   it wrote, another wrote, it reads       CLOBBERED
 *   it wrote a part of a declared group, another read or wrote any, it writes another part    TORN-GROUP
 *
 * What makes such a thing harmless: a writer that woke this task directly and so handed over; a value that is
 * what it was; accesses of different turns of a loop, or of different calls of one function. */
#include <stdio.h>
#include <string.h>

#include "check/race.h"

enum { LONGEST_CHAIN = 16 };

static uint64_t value_at(uintptr_t at, unsigned size)
{
    uint64_t value = 0;
    if (size > 8)
        size = 8;
    memcpy(&value, (const void *)at, size);
    return value;
}

/* ---- Telling it ------------------------------------------------------------------------------------- */

struct triple {
    const char *kind, *looked, *wrote, *acted;
};
struct spot { /* in the program */
    uint32_t pc, context;
};

static struct spot read_of(const struct bine__record *record)
{
    return (struct spot){record->pc, record->context};
}

static struct spot write_of(const struct bine__record *record)
{
    return (struct spot){record->w_pc, record->w_context};
}

static struct spot here(struct bine__strand *self, uintptr_t pc)
{
    return (struct spot){bine__race_short(pc), bine__race_here(self)};
}

static void tell(struct bine__strand *self, const struct triple *triple, struct spot looked, uint32_t other,
                 uint32_t slice, struct spot wrote, uintptr_t at, unsigned size, struct spot acted)
{
    struct bine__finding finding = {.kind = triple->kind};
    char name[64], place[96], how[64];
    const struct bine__left *left = bine__race_left_before(self, slice);
    snprintf(finding.summary, sizeof finding.summary, "%s of %u byte%s at %p%s",
             bine__strand_name(name, self->number), size, size == 1 ? "" : "s", (void *)at,
             bine__place_name(place, at));
    bine__strand_name(name, self->number);
    bine__finding_site(&finding, "looked", looked.pc, looked.context, "%s %s here", name, triple->looked);
    if (left)
        bine__finding_site(&finding, "gave-up", left->pc, left->context, "then gave up the loop in %s",
                           bine__left_name(how, left));
    bine__strand_name(name, other);
    bine__finding_site(&finding, "wrote", wrote.pc, wrote.context, "%s %s meanwhile", name, triple->wrote);
    bine__strand_name(name, self->number);
    bine__finding_site(&finding, "acted", acted.pc, acted.context, "%s %s", name, triple->acted);
    bine__finding_tell(&finding);
}

/* ---- Who wrote meanwhile ---------------------------------------------------------------------------- */

static bool between(const struct bine__strand *self, const struct bine__record *mine,
                    const struct bine__record *theirs, uint8_t mask, uint32_t slice)
{
    return theirs->strand != self->number && (theirs->mask & mask) && slice > mine->slice &&
           slice < bine__race_slice && !bine__race_knows(self, theirs->strand, slice);
}

static bool written_later(const struct bine__record *theirs, uint32_t chain)
{
    for (; chain; chain = bine__record(chain)->next)
        if ((bine__record(chain)->mask & theirs->mask) && bine__record(chain)->w_slice > theirs->w_slice)
            return true;
    return false;
}

static bool looks_like_pointer(uint64_t value)
{
    return value == 0 || (value > 0x10000 && value < (uint64_t)1 << 47);
}

/* A double between 2^-32 and 2^64, of either sign. */
static bool looks_like_number(uint64_t value)
{
    const unsigned exponent = (unsigned)(value >> 52) & 0x7ff, bias = 1023;
    return exponent >= bias - 32 && exponent <= bias + 64;
}

/* It read in an earlier slice, and writes. */
static void stale(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                  enum bine__access_kind kind, uint8_t mask, uintptr_t pc, bool group)
{
    bool checked =
        (mine->flags & BINE__CHECKED_READ) || !bine__rule(BINE__RULE_CHECKS) ||
        (size == 8 && (looks_like_pointer(mine->val) || (bine__race_clang && looks_like_number(mine->val))));
    if (kind == BINE__UPDATE && (!checked || (mine->flags & BINE__OWN_READ)))
        return;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!between(self, mine, theirs, mask, theirs->w_slice))
            continue;
        uint64_t value = value_at(at, size);
        if (bine__rule(BINE__RULE_VALUES) && !group && size == mine->size && value == mine->val &&
            (value == theirs->w_old || written_later(theirs, mine->next)))
            continue;
        bool was_checked = (mine->flags & BINE__CHECKED_READ) != 0;
        const struct triple triple = {kind == BINE__UPDATE || was_checked ? "STALE-CHECK" : "LOST-UPDATE",
                                      was_checked ? "checked it" : "read it", "wrote it",
                                      kind == BINE__UPDATE ? "updates it without looking again"
                                                           : "overwrites it without looking again"};
        tell(self, &triple, read_of(mine), theirs->strand, theirs->w_slice, write_of(theirs), at, size,
             here(self, pc));
        return;
    }
    if (bine__race_options.predict && (kind == BINE__WRITE || checked)) {
        bine__predict_span(self, at, mine, bine__race_here(self), kind, pc, mine->next);
        mine->flags |= BINE__IN_SPAN;
    }
}

/* It wrote in an earlier slice, and reads. */
static void clobbered(struct bine__strand *self, const struct bine__record *mine, uintptr_t at, unsigned size,
                      uint8_t mask, uintptr_t pc, bool group)
{
    static const struct triple triple = {"CLOBBERED", "wrote it", "overwrote it",
                                         "reads what the other wrote"};
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!between(self, mine, theirs, mask, theirs->w_slice))
            continue;
        if (bine__rule(BINE__RULE_VALUES) && !group && value_at(at, size) == theirs->w_old)
            continue;
        tell(self, &triple, write_of(mine), theirs->strand, theirs->w_slice, write_of(theirs), at, size,
             here(self, pc));
        return;
    }
}

/* It wrote a part of a group in an earlier slice, and writes another. */
static void torn(struct bine__strand *self, const struct bine__record *mine, uintptr_t at, unsigned size,
                 uintptr_t pc)
{
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        uint32_t slice = theirs->slice > theirs->w_slice ? theirs->slice : theirs->w_slice;
        if (!between(self, mine, theirs, 0xff, slice))
            continue;
        const struct triple triple = {"TORN-GROUP", "updated a part of it",
                                      theirs->kind == BINE__READ ? "saw it half updated" : "changed it",
                                      "updates the rest"};
        tell(self, &triple, write_of(mine), theirs->strand, slice,
             theirs->w_slice == slice ? write_of(theirs) : read_of(theirs), at, size, here(self, pc));
        return;
    }
}

/* It read a part of a group in an earlier slice, and reads another. */
static void torn_read(struct bine__strand *self, const struct bine__record *mine, uintptr_t at, unsigned size,
                      uintptr_t pc)
{
    static const struct triple triple = {"TORN-GROUP", "read a part of it", "changed it", "reads the rest"};
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!between(self, mine, theirs, 0xff, theirs->w_slice))
            continue;
        tell(self, &triple, read_of(mine), theirs->strand, theirs->w_slice, write_of(theirs), at, size,
             here(self, pc));
        return;
    }
}

/* ---- What is known only later ----------------------------------------------------------------------- */

/* It read and wrote in an earlier slice, and writes: if that puts back what was there first, what others have
 * written since is lost.  The value is known when it is written. */
static void may_restore(struct bine__strand *self, const struct bine__record *mine, uintptr_t at,
                        unsigned size, uint8_t mask, uintptr_t pc)
{
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!between(self, mine, theirs, mask, theirs->w_slice) || value_at(at, size) == mine->w_old)
            continue;
        if (mine->w_old == 0)
            return; /* not put back, but reset */
        const struct spot act = here(self, pc);
        self->restores = (struct bine__suspect){.at = at,
                                                .slice = bine__race_slice,
                                                .value = mine->w_old,
                                                .size = (uint8_t)size,
                                                .mine = *mine,
                                                .theirs = *theirs,
                                                .pc = act.pc,
                                                .context = act.context};
        return;
    }
}

/* It reads a pointer again, which is what it was though others have written there: what it pointed to may not
 * be. */
static void may_have_returned(struct bine__strand *self, const struct bine__record *mine, uintptr_t at,
                              unsigned size)
{
    uint64_t value = value_at(at, size);
    if (size != 8 || !value || !looks_like_pointer(value) || value != mine->val)
        return;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if (!between(self, mine, theirs, 0xff, theirs->w_slice) ||
            (theirs->w_old == value && !(theirs->flags & BINE__CHANGED)))
            continue;
        self->returned = (struct bine__suspect){.at = at,
                                                .slice = bine__race_slice,
                                                .size = (uint8_t)size,
                                                .mine = *mine,
                                                .theirs = *theirs,
                                                .returned = true};
        return;
    }
}

/* What it wrote there is what it had read from the thing pointed to, in the slice of its first look, and what is
 * there no more. */
static bool is_from_behind(const struct bine__strand *self, const struct bine__suspect *suspect)
{
    enum { REACH = 256 };
    uint64_t written = value_at(suspect->at, 8);
    for (uintptr_t at = suspect->mine.val & ~(uintptr_t)7, end = at + REACH; at < end; at += 8) {
        const uint32_t *cell = bine__cell(at);
        for (uint32_t i = cell ? *cell : 0; i; i = bine__record(i)->next) {
            const struct bine__record *read = bine__record(i);
            if (read->strand == self->number && read->kind == BINE__READ && read->size == 8 &&
                read->slice == suspect->mine.slice && read->val == written && value_at(at, 8) != written)
                return true;
        }
    }
    return false;
}

static void tell_returned(struct bine__strand *self, const struct bine__suspect *suspect)
{
    static const struct triple triple = {"ABA", "read it", "changed it and changed it back",
                                         "found it equal, and replaces it by what it had read behind it"};
    if (is_from_behind(self, suspect))
        tell(self, &triple, read_of(&suspect->mine), suspect->theirs.strand, suspect->theirs.w_slice,
             write_of(&suspect->theirs), suspect->at, suspect->size,
             (struct spot){suspect->pc, suspect->context});
}

/* It is written now. */
static void replaced(struct bine__strand *self, uintptr_t at, uintptr_t pc)
{
    if (self->returned.at != at || self->returned.slice != bine__race_slice)
        return;
    const struct spot act = here(self, pc);
    self->restores = self->returned;
    self->restores.pc = act.pc;
    self->restores.context = act.context;
    self->returned.at = 0;
}

void bine__race_settle(struct bine__strand *self)
{
    static const struct triple triple = {"LOST-UPDATE", "read it", "wrote it", "puts back what it had read"};
    const struct bine__suspect suspect = self->restores;
    self->restores.at = 0;
    if (!suspect.at || suspect.slice != self->slice)
        return;
    if (suspect.returned)
        tell_returned(self, &suspect);
    else if (value_at(suspect.at, suspect.size) == suspect.value)
        tell(self, &triple, read_of(&suspect.mine), suspect.theirs.strand, suspect.theirs.w_slice,
         write_of(&suspect.theirs), suspect.at, suspect.size, (struct spot){suspect.pc, suspect.context});
}

/* ---- Records ---------------------------------------------------------------------------------------- */

/* The task's own for these bytes, moved to the chain's front; or a new one. */
static struct bine__record *own_record(struct bine__strand *self, uint32_t *cell, uint8_t mask, unsigned size,
                                       enum bine__access_kind kind, uint32_t pc)
{
    uint32_t number = *cell, before = 0, length = 0;
    for (; number; before = number, number = bine__record(number)->next, length++) {
        const struct bine__record *one = bine__record(number);
        if (one->strand != self->number)
            continue;
        if ((one->mask & mask) || !bine__rule(BINE__RULE_MASKS))
            break;
        /* One instruction that goes over neighbours: of an array, which is one thing. */
        if (size < 8 && one->slice == bine__race_slice && one->kind == kind && one->pc == pc &&
            one->size == size)
            break;
    }
    if (!number) {
        number = bine__record_new();
        if (!number)
            return NULL;
        bine__record(number)->strand = self->number;
        bine__record(number)->next = *cell;
        *cell = number;
        if (length >= LONGEST_CHAIN) {
            uint32_t last = number;
            for (uint32_t i = 1; i < LONGEST_CHAIN; i++)
                last = bine__record(last)->next;
            for (uint32_t gone = bine__record(last)->next, next; gone; gone = next) {
                next = bine__record(gone)->next;
                bine__record_free(gone);
            }
            bine__record(last)->next = 0;
        }
    } else if (before) {
        bine__record(before)->next = bine__record(number)->next;
        bine__record(number)->next = *cell;
        *cell = number;
    }
    return bine__record(number);
}

static void read_now(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size)
{
    mine->val = value_at(at, size);
    mine->size = (uint8_t)size;
    bine__race_looked(self, mine);
}

static void written_now(struct bine__strand *self, struct bine__record *mine, uint32_t pc, uint32_t context,
                        uintptr_t at, unsigned size)
{
    if (mine->w_slice != bine__race_slice) {
        mine->w_old = value_at(at, size);
        mine->flags &= (uint8_t)~BINE__CHANGED;
    } else if (value_at(at, size) != mine->w_old) {
        mine->flags |= BINE__CHANGED;
    }
    mine->w_slice = bine__race_slice;
    mine->w_pc = pc;
    mine->w_context = context;
    mine->locks = self->locks;
    mine->size = (uint8_t)size;
}

/* A read that began this slice's accesses to it becomes a part of this update: what was there before it
 * counts. */
static bool take_back(struct bine__strand *self, uintptr_t at, unsigned size)
{
    for (unsigned i = 0; i < self->undos; i++) {
        struct bine__undo *undo = &self->undo[i];
        if (undo->at != at || undo->size != size)
            continue;
        struct bine__record *mine = bine__record(undo->record);
        uint32_t next = mine->next;
        *mine = undo->before;
        mine->next = next;
        self->undos = 0;
        return true;
    }
    return false;
}

static void may_take_back(struct bine__strand *self, const struct bine__record *mine, uintptr_t at,
                          unsigned size)
{
    struct bine__undo *undo = &self->undo[self->undos < BINE__UNDO ? self->undos : BINE__UNDO - 1];
    if (self->undos < BINE__UNDO)
        self->undos++;
    *undo = (struct bine__undo){at, (uint32_t)(mine - bine__records), (uint8_t)size, *mine};
}

static bool is_special(enum bine__access_kind kind)
{
    return kind == BINE__FREED || kind == BINE__MEMBER || kind == BINE__BENIGN;
}

static bool may_matter(const struct bine__record *mine, enum bine__access_kind kind, unsigned size,
                       bool group)
{
    return group || size == 8 || mine->kind != BINE__READ || kind != BINE__READ;
}

/* The task's last access there was in an earlier slice, of this turn. */
static void compare(struct bine__strand *self, struct bine__record *mine, uintptr_t at, unsigned size,
                    enum bine__access_kind kind, uint8_t mask, uintptr_t pc, bool group)
{
    if (mine->kind == BINE__READ && kind != BINE__READ)
        stale(self, mine, at, size, kind, mask, pc, group);
    if (mine->kind == BINE__READ && kind == BINE__UPDATE && !group && size == mine->size) {
        may_have_returned(self, mine, at, size); /* compared and exchanged in one */
        replaced(self, at, pc);
    }
    else if (mine->kind == BINE__WRITE && kind == BINE__READ)
        clobbered(self, mine, at, size, mask, pc, group);
    else if (mine->kind == BINE__UPDATE && kind == BINE__WRITE && !group && size == mine->size)
        may_restore(self, mine, at, size, mask, pc);
    else if (mine->kind == BINE__READ && kind == BINE__READ && !group && size == mine->size)
        may_have_returned(self, mine, at, size);
    if (group && mine->kind == BINE__READ && kind == BINE__READ && mine->place != (uint16_t)at)
        torn_read(self, mine, at, size, pc);
    if (group && mine->kind != BINE__READ && kind != BINE__READ)
        torn(self, mine, at, size, pc);
}

/* It looked, and looks again with the same instruction, until another has changed it: that comes before. */
static void polled(struct bine__strand *self, const struct bine__record *mine, uintptr_t at, unsigned size,
                   uint8_t mask)
{
    if (!(mine->flags & BINE__CHECKED_READ) || value_at(at, size) == mine->val)
        return;
    for (uint32_t i = mine->next; i; i = bine__record(i)->next) {
        const struct bine__record *theirs = bine__record(i);
        if ((theirs->mask & mask) && theirs->w_slice > mine->slice)
            bine__race_learn(self, theirs->strand, theirs->w_slice);
    }
}

void bine__race_access(struct bine__strand *self, uintptr_t at, unsigned size, enum bine__access_kind kind,
                       uintptr_t pc)
{
    uint32_t *cell = bine__cell(at);
    uint8_t mask = bine__mask(at, size);
    bool group = false;
    if (!cell && !(cell = bine__cell_made(at)))
        return;
    if (*cell && is_special((enum bine__access_kind)bine__record(*cell)->kind)) {
        cell = bine__race_special(self, at, size, cell, kind, pc);
        if (!cell)
            return;
        mask = 0xff;
        group = true;
    }
    if (kind == BINE__WRITE && self->undos && bine__rule(BINE__RULE_UPDATES) && take_back(self, at, size))
        kind = BINE__UPDATE;
    if (kind != BINE__READ)
        self->undos = 0;
    if (self->restores.at)
        bine__race_settle(self);
    if (!self->noted)
        bine__race_event(self, pc);
    uint32_t short_pc = bine__race_short(pc), context = bine__race_here(self);
    struct bine__record *mine = own_record(self, cell, mask, size, kind, short_pc);
    if (!mine)
        return;
    if (mine->kind && mine->slice == bine__race_slice) { /* nobody can have come between */
        mine->time = bine__race_now;
        mine->mask |= mask;
        if (kind == BINE__READ || mine->kind == BINE__WRITE) {
            mine->pc = short_pc;
            mine->context = context;
        }
        if (kind != BINE__READ && mine->kind == BINE__READ)
            replaced(self, at, pc);
        if (kind == BINE__READ) {
            if (mine->kind != BINE__READ) {
                mine->kind = BINE__READ;
                mine->flags = (uint8_t)((mine->flags & BINE__KEPT_FLAGS) |
                                        (bine__rule(BINE__RULE_OWN_READS) ? BINE__OWN_READ : 0));
            }
            read_now(self, mine, at, size);
        } else {
            written_now(self, mine, short_pc, context, at, size);
            mine->kind = mine->kind == BINE__WRITE && kind == BINE__WRITE ? BINE__WRITE : BINE__UPDATE;
            mine->flags &= BINE__KEPT_FLAGS;
            if (bine__race_options.predict)
                bine__predict_write(self, at, mask, pc, context);
        }
        return;
    }
    if (bine__race_options.predict && kind == BINE__READ && mine->kind == BINE__READ &&
        mine->pc == short_pc && mine->context == context)
        polled(self, mine, at, size, mask);
    /* Where nobody else has been there is nothing to compare with. */
    bool shared = mine->next || bine__race_options.predict;
    if (mine->kind && shared && may_matter(mine, kind, size, group) && bine__race_same_turn(self, mine->time))
        compare(self, mine, at, size, kind, mask, pc, group);
    if (kind == BINE__READ && shared)
        may_take_back(self, mine, at, size);
    mine->place = (uint16_t)at;
    mine->kind = (uint8_t)kind;
    mine->slice = bine__race_slice;
    mine->time = bine__race_now;
    mine->pc = short_pc;
    mine->context = context;
    mine->mask |= mask;
    mine->flags &= BINE__KEPT_FLAGS;
    if (kind == BINE__READ) {
        read_now(self, mine, at, size);
    } else {
        written_now(self, mine, short_pc, context, at, size);
        if (bine__race_options.predict)
            bine__predict_write(self, at, mask, pc, context);
    }
}

/* memcpy() and its like: granule by granule, and one event. */
static void go_over(struct bine__strand *self, uintptr_t at, size_t size, bool write, uintptr_t pc)
{
    enum { MOST = 1 << 16 };
    uintptr_t end = at + (size < MOST ? size : MOST);
    while (at < end) {
        unsigned n = 8 - (unsigned)(at & 7);
        if (n > end - at)
            n = (unsigned)(end - at);
        bine__race_access(self, at, n, write ? BINE__WRITE : BINE__READ, pc);
        at += n;
    }
}

void bine__race_range(uintptr_t at, size_t size, bool write, uintptr_t pc)
{
    if (write)
        bine__race_copy((const void *)at, size, NULL, 0, pc);
    else
        bine__race_copy(NULL, 0, (const void *)at, size, pc);
}

void bine__race_copy(const void *to, size_t written, const void *from, size_t read, uintptr_t pc)
{
    struct bine__strand *self = bine__race_self;
    if (!self)
        return;
    bool noted = self->noted;
    if (!noted)
        bine__race_event(self, pc);
    self->noted = true;
    go_over(self, (uintptr_t)from, read, false, pc);
    go_over(self, (uintptr_t)to, written, true, pc);
    self->noted = noted;
}
