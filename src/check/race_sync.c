/* SPDX-License-Identifier: MIT
 *
 * What tasks know of each other's writes; which locks they hold; deadlocks and the order of locks.
 *
 * Who wakes a task directly, sends it a value, or ends and is joined, hands over: what it wrote before is
 * known to the other.  Knowledge is not passed on to third ones but by spawn, join and group: else a program
 * that talks much would hide what it does wrong.  A lock that goes from hand to hand tells nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/race.h"
#include "runtime/debug.h"

enum { KNOWN_WAYS = 4, KNOWN_LEAST = 8, KNOWN_MOST = 1024 };
enum { SETS = 4096, SET_SIZE = 8, OBJECTS = 1024, PUTS = 32, ORDERS = 4096 };

/* ---- Knowledge: a table by strand ------------------------------------------------------------------- */

/* Its place; or where it may be put: nothing is there, or what is oldest of those that it could replace. */
static struct bine__known *known_of(const struct bine__strand *self, uint32_t strand)
{
    struct bine__known *set = &self->known[strand * KNOWN_WAYS & (self->known_room - 1)], *oldest = set;
    for (unsigned i = 0; i < KNOWN_WAYS; i++) {
        if (set[i].strand == strand)
            return &set[i];
        if (set[i].slice < oldest->slice)
            oldest = &set[i];
    }
    return oldest;
}

bool bine__race_knows(const struct bine__strand *self, uint32_t strand, uint32_t slice)
{
    if (!bine__rule(BINE__RULE_HANDOVER) || !self->known_room)
        return false;
    const struct bine__known *one = known_of(self, strand);
    return one->strand == strand && one->slice >= slice;
}

static bool grow(struct bine__strand *self)
{
    struct bine__known *old = self->known;
    unsigned before = self->known_room, room = before ? before * 2 : KNOWN_LEAST;
    struct bine__known *known = room <= KNOWN_MOST ? calloc(room, sizeof *known) : NULL;
    if (!known)
        return false;
    self->known = known;
    self->known_room = room;
    for (unsigned i = 0; i < before; i++)
        if (old[i].strand)
            *known_of(self, old[i].strand) = old[i];
    free(old);
    return true;
}

/* Of those who know too much, what is known of another one may be lost: it is seen as a race. */
static void learn(struct bine__strand *self, uint32_t strand, uint32_t slice)
{
    if (!self->known_room && !grow(self))
        return;
    struct bine__known *one = known_of(self, strand);
    while (one->strand && one->strand != strand && grow(self))
        one = known_of(self, strand);
    if (one->strand != strand || one->slice < slice)
        *one = (struct bine__known){strand, slice};
}

void bine__race_learn(struct bine__strand *self, uint32_t strand, uint32_t slice)
{
    if (strand == self->number || !slice)
        return;
    if (bine__race_options.predict)
        bine__predict_told(self->number, strand, slice);
    learn(self, strand, slice);
}

static void inherit(struct bine__strand *to, const struct bine__strand *from)
{
    to->known = malloc(from->known_room * sizeof *to->known);
    if (!to->known)
        return;
    memcpy(to->known, from->known, from->known_room * sizeof *to->known);
    to->known_room = from->known_room;
}

/* What the other has heard before is no news: it is found by way of it. */
void bine__race_tell(struct bine__strand *to, const struct bine__strand *from, bool all)
{
    if (all && !to->slice && from->known_room) { /* it begins */
        inherit(to, from);
        all = false;
    }
    bine__race_learn(to, from->number, from->slice);
    for (unsigned i = 0; all && i < from->known_room; i++)
        if (from->known[i].strand && from->known[i].strand != to->number)
            learn(to, from->known[i].strand, from->known[i].slice);
}

/* ---- What lies in objects: an event that is set, values in a channel -------------------------------- */

static struct object {
    const void *at;
    unsigned puts, taken;
    struct bine__known put[PUTS];
} objects[OBJECTS];

static struct object *object_of(const void *at, bool make)
{
    struct object *one = &objects[((uintptr_t)at * 0x9e3779b97f4a7c15U >> 48) % OBJECTS];
    if (one->at == at)
        return one;
    if (!make)
        return NULL;
    *one = (struct object){
        .at = at}; /* another one's may be lost: what it would have ordered is seen as a race */
    return one;
}

void bine__check_put(const void *at)
{
    const struct bine__strand *self = bine__race_self;
    if (!self)
        return;
    struct object *one = object_of(at, true);
    one->put[one->puts++ % PUTS] = (struct bine__known){self->number, self->slice};
}

void bine__check_found(const void *at, bool one_of_them)
{
    struct bine__strand *self = bine__race_self;
    struct object *one = self ? object_of(at, false) : NULL;
    if (!one)
        return;
    if (one_of_them) {
        if (one->taken + PUTS < one->puts)
            one->taken = one->puts - PUTS;
        if (one->taken < one->puts) {
            bine__race_learn(self, one->put[one->taken % PUTS].strand, one->put[one->taken % PUTS].slice);
            one->taken++;
        }
        return;
    }
    self->asked_for = one->put[(one->puts - 1) % PUTS].slice;
    for (unsigned i = 0; i < PUTS && i < one->puts; i++)
        bine__race_learn(self, one->put[i].strand, one->put[i].slice);
}

/* ---- Sets of locks ---------------------------------------------------------------------------------- */

static const void *sets[SETS][SET_SIZE];
static unsigned set_count = 1;

static uint16_t set_of(const struct bine__strand *self)
{
    const void *want[SET_SIZE] = {NULL};
    unsigned n = 0;
    for (unsigned i = 0; i < self->holds && n < SET_SIZE; i++)
        if (!self->held[i].shared)
            want[n++] = self->held[i].lock;
    if (!n)
        return 0;
    for (unsigned i = 1; i < set_count; i++)
        if (memcmp(sets[i], want, sizeof want) == 0)
            return (uint16_t)i;
    if (set_count == SETS)
        return 0;
    memcpy(sets[set_count], want, sizeof want);
    return (uint16_t)set_count++;
}

bool bine__race_set_has(uint16_t set, const void *lock)
{
    for (unsigned i = 0; set && i < SET_SIZE; i++)
        if (sets[set][i] == lock)
            return true;
    return false;
}

/* ---- Order, and deadlock ---------------------------------------------------------------------------- */

static struct order { /* the second was taken while the first was held */
    const void *first, *second;
    uint32_t strand, first_pc, first_context, second_pc, second_context;
} orders[ORDERS];
static unsigned order_count;

static const struct order *order_of(const void *first, const void *second)
{
    for (unsigned i = 0; i < order_count; i++)
        if (orders[i].first == first && orders[i].second == second)
            return &orders[i];
    return NULL;
}

static void tell_order(const struct order *mine, const struct order *theirs)
{
    struct bine__finding finding = {.kind = "LOCK-ORDER"};
    char name[64], other[64];
    bine__strand_name(name, mine->strand);
    bine__strand_name(other, theirs->strand);
    snprintf(finding.summary, sizeof finding.summary,
             "locks %p and %p are taken in both orders: with another schedule %s and %s wait for each other",
             mine->first, mine->second, other, name);
    bine__finding_site(&finding, "looked", theirs->first_pc, theirs->first_context, "%s took %p", other,
                       theirs->first);
    bine__finding_site(&finding, "gave-up", theirs->second_pc, theirs->second_context, "and then %p",
                       theirs->second);
    bine__finding_site(&finding, "wrote", mine->first_pc, mine->first_context, "%s took %p", name,
                       mine->first);
    bine__finding_site(&finding, "acted", mine->second_pc, mine->second_context, "and then %p", mine->second);
    bine__finding_tell(&finding);
}

static void note_orders(struct bine__strand *self, const void *lock, uint32_t pc, uint32_t context)
{
    for (unsigned i = 0; i < self->holds; i++) {
        const struct bine__held *held = &self->held[i];
        if (held->sem || held->lock == lock || order_of(held->lock, lock) || order_count == ORDERS)
            continue;
        struct order *mine = &orders[order_count++];
        *mine = (struct order){held->lock, lock, self->number, held->pc, held->context, pc, context};
        const struct order *theirs = order_of(lock, held->lock);
        if (theirs && theirs->strand != self->number)
            tell_order(mine, theirs);
    }
}

void bine__check_locked(const void *lock, enum bine__lock_kind kind)
{
    struct bine__strand *self = bine__race_self;
    if (!self || self->holds == BINE__HELD)
        return;
    uint32_t pc = bine__race_short(bine__race_caller(NULL)), context = bine__race_here(self);
    note_orders(self, lock, pc, context);
    self->held[self->holds++] =
        (struct bine__held){lock, bine__race_now, pc, context, kind == BINE__LOCK_SHARED, false};
    self->locks = set_of(self);
}

void bine__check_unlocked(const void *lock, enum bine__lock_kind kind)
{
    struct bine__strand *self = bine__race_self;
    (void)kind;
    for (unsigned i = 0; self && i < self->holds; i++)
        if (self->held[i].lock == lock) {
            memmove(&self->held[i], &self->held[i + 1], (--self->holds - i) * sizeof *self->held);
            self->locks = set_of(self);
            return;
        }
}

/* Who gives back what it took holds it meanwhile, like a lock; who only gives, signals. */
void bine__check_sem_taken(const void *sem, bool last)
{
    struct bine__strand *self = bine__race_self;
    if (!self)
        return;
    if (self->holds == BINE__HELD) /* of those never given back, the oldest */
        memmove(&self->held[0], &self->held[1], --self->holds * sizeof *self->held);
    self->held[self->holds++] = (struct bine__held){
        sem, bine__race_now, bine__race_short(bine__race_caller(NULL)), bine__race_here(self), !last, true};
    self->locks = set_of(self);
}

void bine__check_sem_given(const void *sem) { bine__check_unlocked(sem, BINE__LOCK_EXCLUSIVE); }

/* The tasks that wait for each other's doing, from the one that is about to close the circle. */
void bine__check_lock_wait(const void *lock, struct bine_task *owner)
{
    enum { LONGEST = 64 };
    struct bine__strand *self = bine__race_self;
    const struct bine_task *task = owner;
    struct bine__finding finding = {.kind = "DEADLOCK"};
    char name[64];
    unsigned length = 1;
    (void)lock;
    if (!self)
        return;
    for (; task && task->id != self->task && length < LONGEST; length++)
        task = bine__blocker(task, NULL);
    if (!task || task->id != self->task || length < 2)
        return;
    snprintf(finding.summary, sizeof finding.summary, "%u tasks wait for each other, for ever", length);
    bine__finding_site(&finding, "acted", bine__race_short(bine__race_caller(NULL)), bine__race_here(self),
                       "%s waits for a lock", bine__strand_name(name, self->number));
    for (task = owner; task->id != self->task && finding.sites < BINE__SITES;
         task = bine__blocker(task, NULL)) {
        const struct bine__strand *other = bine__race_strand_of(task);
        const struct bine__left *left = other ? bine__race_left_before(other, UINT32_MAX) : NULL;
        if (left)
            bine__finding_site(&finding, "gave-up", left->pc, left->context,
                               "%s has what it waits for, and waits: %s",
                               bine__strand_name(name, other->number), bine__wait_names[left->wait]);
    }
    for (unsigned i = 0; i < self->holds && finding.sites < BINE__SITES; i++)
        bine__finding_site(&finding, "looked", self->held[i].pc, self->held[i].context,
                           "%s took a lock that it holds", bine__strand_name(name, self->number));
    bine__finding_tell(&finding);
}
