/* SPDX-License-Identifier: MIT
 *
 * Activations, calling contexts, and turns of loops.
 *
 * Two accesses belong together only if they were made in the same activation of the deepest function that was
 * there for both, and in the same turn of its loops.  Loops are not known; but what happens twice in an
 * activation happens in a loop.  So each activation keeps what happened in it, in order: when something
 * happens again, all that came after its last time belongs to a turn that is over.
 *
 * Only what may matter is an event: the first access to a granule in a slice, a call of the library, and the
 * calls that lead to these; the rest cannot lie on both sides of a switch. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "check/race.h"
#include "runtime/explore.h"

enum { CONTEXTS = 1 << 20, CONTEXT_HEADS = 1 << 16, MOST_DEPTH = 1 << 16 };

static struct context {
    uintptr_t call;
    uint32_t parent, next;
} * contexts;
static uint32_t contexts_made, *context_heads;

uint64_t bine__race_now = 1;

/* ---- Calling contexts: a tree ----------------------------------------------------------------------- */

static bool open_contexts(void)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *table = mmap(NULL, CONTEXTS * sizeof *contexts, PROT_READ | PROT_WRITE, flags, -1, 0);
    void *heads = mmap(NULL, CONTEXT_HEADS * sizeof *context_heads, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (table == MAP_FAILED || heads == MAP_FAILED)
        return false;
    contexts = table;
    context_heads = heads;
    contexts_made = 1;
    return true;
}

uint32_t bine__race_context(uint32_t parent, uintptr_t call)
{
    if (!contexts && !open_contexts())
        return 0;
    uint32_t *head =
        &context_heads[((call * 0x9e3779b97f4a7c15U >> 40) ^ (parent * 2654435761U)) % CONTEXT_HEADS];
    for (uint32_t i = *head; i; i = contexts[i].next)
        if (contexts[i].call == call && contexts[i].parent == parent)
            return i;
    if (contexts_made == CONTEXTS)
        return parent;
    contexts[contexts_made] = (struct context){call, parent, *head};
    *head = contexts_made;
    return contexts_made++;
}

uintptr_t bine__race_context_call(uint32_t context, uint32_t *parent)
{
    *parent = contexts[context].parent;
    return contexts[context].call;
}

uint32_t bine__race_ask(struct bine__strand *self)
{
    unsigned known = self->depth - 1;
    while (known > 0 && !self->frames[known].context)
        known--;
    uint32_t context = self->frames[known].context;
    for (unsigned i = known + 1; i < self->depth; i++) {
        self->frames[i].parent = context;
        context = self->frames[i].context = bine__race_context(context, self->frames[i].call);
    }
    return context;
}

/* ---- Activations ------------------------------------------------------------------------------------ */

bool bine__race_deeper(struct bine__strand *self)
{
    unsigned room = self->room ? self->room * 2 : 16;
    if (room > MOST_DEPTH)
        return false;
    struct bine__frame_record *frames = realloc(self->frames, room * sizeof *frames);
    if (!frames)
        return false;
    self->frames = frames;
    memset(frames + self->room, 0, (room - self->room) * sizeof *frames);
    struct bine__events **events = realloc(self->events, room * sizeof *events);
    if (!events)
        return false;
    memset(events + self->room, 0, (room - self->room) * sizeof *events);
    self->events = events;
    self->room = room;
    return true;
}

bool bine__race_outermost(struct bine__strand *self)
{
    if (!bine__race_deeper(self))
        return false;
    self->frames[0] = (struct bine__frame_record){.sp = UINTPTR_MAX, .entry = ++bine__race_now};
    self->frames[0].told = true; /* it has no caller */
    self->depth = 1;
    return true;
}

void bine__race_frames_free(struct bine__strand *self)
{
    for (unsigned i = 0; i < self->room; i++)
        free(self->events[i]);
    free(self->events);
    free(self->frames);
    self->events = NULL;
    self->frames = NULL;
    self->depth = self->room = 0;
}

/* ---- Generators -------------------------------------------------------------------------------------

 * A body's activations stand on those of whoever resumes it, and are taken off when it gives way. */

struct bine__stash {
    unsigned base, depth, room, floor; /* floor: of who resumed it */
    struct bine__frame_record *frames;
    struct bine__events **events;
};

void bine__check_gen_in(struct bine__stash **place)
{
    struct bine__strand *self = bine__race_self;
    struct bine__stash *stash = *place;
    bine__explore_cross();
    if (!self)
        return;
    self->undos = 0;
    self->last.pc = 0;
    self->called = bine__race_caller(NULL);
    bine__race_call(self, self->called);
    if (!stash)
        *place = stash = calloc(1, sizeof *stash);
    if (!stash)
        return;
    stash->base = self->depth;
    stash->floor = self->floor;
    self->floor = self->depth;
    for (unsigned i = 0; i < stash->depth; i++) {
        unsigned depth = self->depth;
        if (depth == self->room && !bine__race_deeper(self))
            break;
        self->depth++;
        stash->frames[i].context = 0; /* it is called from elsewhere now */
        stash->frames[i].told = false;
        self->frames[depth] = stash->frames[i];
        free(self->events[depth]);
        self->events[depth] = stash->events[i];
    }
    stash->depth = 0;
}

static bool make_room(struct bine__stash *stash, unsigned depth)
{
    if (depth <= stash->room)
        return true;
    struct bine__frame_record *frames = realloc(stash->frames, depth * sizeof *frames);
    if (frames)
        stash->frames = frames;
    struct bine__events **events = realloc(stash->events, depth * sizeof *events);
    if (events)
        stash->events = events;
    if (!frames || !events)
        return false;
    stash->room = depth;
    return true;
}

void bine__check_gen_out(struct bine__stash **place)
{
    struct bine__strand *self = bine__race_self;
    struct bine__stash *stash = *place;
    bine__explore_cross();
    if (!self || !stash || self->depth < stash->base)
        return;
    self->floor = stash->floor;
    self->undos = 0;
    self->last.pc = 0;
    bine__race_call(self, bine__race_caller(NULL));
    if (make_room(stash, self->depth - stash->base))
        for (unsigned i = stash->base; i < self->depth; i++) {
            stash->frames[stash->depth] = self->frames[i];
            stash->events[stash->depth++] = self->events[i];
            self->events[i] = NULL;
        }
    self->depth = stash->base;
}

void bine__check_gen_gone(struct bine__stash **place)
{
    struct bine__stash *stash = *place;
    if (!stash)
        return;
    for (unsigned i = 0; i < stash->depth; i++)
        free(stash->events[i]);
    free(stash->frames);
    free(stash->events);
    free(stash);
    *place = NULL;
}

/* ---- Events ----------------------------------------------------------------------------------------- */

/* The event that stands there is found by its hint, unless two have one. */
static inline void hint_at(struct bine__events *events, unsigned place)
{
    const uint32_t pc = events->at[place].pc;
    uint8_t *hint = bine__event_hint(events, pc);
    const uint32_t other = *hint < events->used ? events->at[*hint].pc : pc;
    if (other != pc && bine__event_hint(events, other) == hint)
        events->clashed = true;
    *hint = (uint8_t)place;
}

/* Where it stands; behind all others, if it does not. */
static inline unsigned place_of(struct bine__events *events, uint32_t pc)
{
    unsigned place = *bine__event_hint(events, pc);
    if (place < events->used && events->at[place].pc == pc)
        return place;
    for (place = events->clashed ? 0 : events->used; place < events->used && events->at[place].pc != pc;)
        place++;
    return place;
}

/* The older half is forgotten: a straight piece of code that is very long. */
static unsigned forget_half(struct bine__events *events)
{
    const unsigned n = BINE__EVENTS / 2;
    memmove(events->at, events->at + n, n * sizeof *events->at);
    events->used = (uint8_t)n;
    events->at[n].pc = 0;
    events->clashed = true;
    return n;
}

/* It comes behind its turn's others; it may stand among those of earlier turns. */
static __attribute__((noinline)) unsigned come_next(struct bine__events *events, unsigned n, unsigned place,
                                                    uint32_t pc)
{
    if (n == BINE__EVENTS)
        n = place = forget_half(events);
    /* One of an earlier turn that stands in its way is kept, where this one was or behind all others. */
    uint64_t ever = place < events->used ? events->at[place].ever : bine__race_now;
    if (place == events->used && events->used < BINE__EVENTS)
        events->at[++events->used].pc = 0;
    if (place < BINE__EVENTS && place != n) {
        events->at[place] = events->at[n];
        hint_at(events, place);
    }
    events->at[n] = (struct bine__event){pc, bine__race_now, bine__race_now, ever};
    hint_at(events, n);
    return n + 1;
}

static __attribute__((noinline)) struct bine__events *new_events(struct bine__strand *self, unsigned depth)
{
    return self->events[depth] = calloc(1, sizeof *self->events[depth]);
}

static inline void note(struct bine__strand *self, unsigned depth, uint32_t pc)
{
    struct bine__frame_record *frame = &self->frames[depth];
    struct bine__events *events = self->events[depth];
    uint64_t now = ++bine__race_now;
    if (bine__unlikely(!events) && !(events = new_events(self, depth)))
        return;
    unsigned n = frame->events, place;
    if (n == 0) { /* the first of its activation: there are no others */
        events->at[0] = (struct bine__event){pc, now, now, now};
        events->at[events->used = 1].pc = 0;
        events->clashed = false;
        *bine__event_hint(events, pc) = 0;
        frame->events = 1;
        return;
    }
    place = place_of(events, pc);
    if (place < n) {
        events->at[place].time = now;
        frame->events = (uint8_t)(place + 1);
    } else if (place == n && n < BINE__EVENTS) {
        if (n == events->used) { /* new */
            events->at[n] = (struct bine__event){pc, now, now, now};
            events->at[++events->used].pc = 0;
            hint_at(events, n);
        }
        events->at[n].time = events->at[n].first = now;
        frame->events = (uint8_t)(n + 1);
    } else {
        frame->events = (uint8_t)come_next(events, n, place, pc);
    }
}

/* A function that comes again begins its sequence again, and what came after it is over. */
static void note_step(struct bine__strand *self, unsigned depth, uint32_t call, uint16_t function)
{
    if (!self->events[depth])
        return;
    struct bine__steps *steps = &self->events[depth]->steps;
    if (steps->call != call || steps->entry != self->frames[depth].entry)
        steps->count = 0;
    for (unsigned i = 0; i < steps->count; i++)
        if (steps->at[i].function == function)
            steps->count = i;
    if (steps->count == BINE__STEPS)
        memmove(steps->at, steps->at + 1, --steps->count * sizeof *steps->at);
    steps->call = call;
    steps->entry = self->frames[depth].entry;
    steps->at[steps->count].function = function;
    steps->at[steps->count++].entry = self->frames[depth + 1].entry;
}

/* Its call, and the calls that have led to that, are events of those who have called. */
void bine__race_event_new(struct bine__strand *self, uint32_t pc)
{
    unsigned depth = self->depth - 1;
    self->last.pc = 0;
    while (depth > 0 && !self->frames[depth].told)
        depth--;
    for (;; depth++) {
        struct bine__frame_record *next = depth + 1 < self->depth ? &self->frames[depth + 1] : NULL;
        uint32_t place = next ? bine__race_short(next->call) : pc;
        note(self, depth, place);
        if (!next)
            break;
        note_step(self, depth, place, next->function);
        next->told = true;
    }
    bine__race_here(self); /* the hooks rely on it where there are events */
}

/* A loop that calls the library itself waits for what it deals with next: no sequence of steps. */
void bine__race_call(struct bine__strand *self, uintptr_t pc)
{
    bine__race_event(self, pc);
    if (self->events[self->depth - 1])
        self->events[self->depth - 1]->steps.count = 0;
}

/* It was in one of the functions that are called one after the other, and this is another of them. */
static bool same_sequence(const struct bine__strand *self, unsigned depth, uint64_t time)
{
    const struct bine__steps *steps = self->events[depth] ? &self->events[depth]->steps : NULL;
    if (!bine__rule(BINE__RULE_STEPS) || !steps || depth + 1 >= self->depth || steps->count < 2 ||
        steps->entry != self->frames[depth].entry ||
        steps->call != bine__race_short(self->frames[depth + 1].call))
        return false;
    return steps->at[0].entry <= time && time < steps->at[steps->count - 1].entry &&
           steps->at[steps->count - 1].entry == self->frames[depth + 1].entry;
}

/* When it gave up the loop at the end of that slice; 0: that is not known any more. */
static uint64_t left_at(const struct bine__strand *self, uint32_t slice)
{
    const struct bine__left *left = bine__race_left_before(self, slice + 1);
    return left && left->slice == slice ? left->time : 0;
}

/* An event's .first is when its turn of the loop began for what came after: what lies before is of an earlier
 * one.  Loops that were left before the loop was given up do not count: what was looked for in one is acted
 * on behind it.  Of the events before that, the last led to the switch; had it come before, all of this would
 * be in a loop. */
bool bine__race_same_turn(const struct bine__strand *self, uint64_t time, uint32_t slice)
{
    if (!bine__rule(BINE__RULE_LOOPS))
        return true;
    unsigned depth = self->depth - 1;
    while (depth > 0 && self->frames[depth].entry > time)
        depth--;
    if (self->frames[depth].entry > time)
        return false;
    const struct bine__frame_record *frame = &self->frames[depth];
    const struct bine__events *events = self->events[depth];
    unsigned next = 0;
    if (events)
        for (next = frame->events; next > 0 && events->at[next - 1].time > time;)
            next--;
    if (next + 1 < frame->events && bine__rule(BINE__RULE_PHASES)) {
        uint64_t left = left_at(self, slice);
        unsigned last = next;
        while (last + 1 < frame->events && events->at[last + 1].time <= left)
            last++;
        if (last > next && events->at[last].ever > time)
            next = last;
    }
    return next >= frame->events || time < events->at[next].first || same_sequence(self, depth, time);
}
