/* SPDX-License-Identifier: MIT
 *
 * Between the files of the detector of races across yield points.
 *
 * Compilers, asked for -fsanitize=thread, announce each access of a program to memory.  Tasks of one loop
 * never run at once, so there are no data races to look for; what is looked for is a task that looks at a
 * place, gives up the loop, and acts on what it saw although another has written there meanwhile.
 *
 * Time is cut into slices: one for each stretch that a task runs without a switch.  Each 8-byte granule of
 * memory that was touched has a chain of records, one for each task that touched it, the last one first: its
 * last access and its last write.  A task that comes back to a granule in a later slice compares its own
 * record with those of others.  The rules that tell harm from harmlessness stand in race_rules.c.
 *
 * One thread is watched: that of the first loop.  All state is its own; what other threads free is noted
 * under a lock (race_heap.c).  Nothing here may call what switches, and none of it is compiled with the
 * instrumentation. */
#ifndef BINE_CHECK_RACE_H
#define BINE_CHECK_RACE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/runtime.h"

#pragma GCC visibility push(hidden) /* declarations too: variables are reached directly */

enum { BINE__RACE_EXIT = 66 }; /* the status of a process that has something to tell */

/* ---- Options ---------------------------------------------------------------------------------------- */

/* The rules, each of which can be switched off: BINE_RACE=no-loops,no-checks,... */
enum bine__race_rule {
    BINE__RULE_LOOPS = 1 << 0,     /* both accesses in one activation and one turn of its loops */
    BINE__RULE_CHECKS = 1 << 1,    /* a value that was compared was looked at; one that was not was logged */
    BINE__RULE_VALUES = 1 << 2,    /* a place that holds what it held is as it was */
    BINE__RULE_HANDOVER = 1 << 3,  /* who wakes a task directly tells it of what it wrote */
    BINE__RULE_UPDATES = 1 << 4,   /* the read in x -= n is no second look */
    BINE__RULE_OWN_READS = 1 << 5, /* a read after one's own write is no check */
    BINE__RULE_MASKS = 1 << 6,     /* neighbours in a granule are apart */
    BINE__RULE_LOCKS = 1 << 7,     /* predictions: what a common lock keeps apart cannot happen */
    BINE__RULE_ORDER = 1 << 8,     /* predictions: what a spawn, a join or a message orders cannot happen */
    BINE__RULE_CALLS = 1 << 9,     /* a call that may yield marks a turn of its loop though it does not */
    BINE__RULE_DERIVED = 1 << 10,  /* a comparison looks at what was read just before it */
    BINE__RULE_TESTS = 1 << 11,    /* a pointer that is tested where it is read was looked at */
    BINE__RULE_PHASES = 1 << 12,   /* turns that were over before the switch keep nothing apart */
    BINE__RULE_BLIND = 1 << 13,    /* who read a place before writing it has seen what stood there */
    BINE__RULE_OWN_PLACES = 1 << 14, /* to one's own stack and blocks others write on purpose */
    BINE__RULE_ASKED = 1 << 15,    /* who compares with what it wrote itself asks whether it stands */
    BINE__RULE_RETURNS = 1 << 16,  /* what one has added oneself one may take away */
    BINE__RULE_AGAIN = 1 << 17,    /* who asks the same of the new value has looked again */
    BINE__RULE_TAKEN = 1 << 18,    /* what was given away and taken anew is another thing */
    BINE__RULE_STEPS = 1 << 19,    /* functions called one after the other from one place are no turns */
    BINE__RULE_UNFOUND = 1 << 20,  /* to keep what was read is no look; nor is to link to it */
    BINE__RULE_FILLED = 1 << 21,   /* a search that is made again, to put something there, is no look */
    BINE__RULE_DELIVERED = 1 << 22, /* what another has read, who then answered, has come where it should */
    BINE__RULE_SPENT = 1 << 23,    /* a look on which it waited its turn has had its effect */
    BINE__RULE_FIELDS = 1 << 24,   /* bit fields of one word are apart */
    BINE__RULE_RELEASED = 1 << 25, /* nor is a test of a pointer in order to release it */
    BINE__RULE_STACKS = 1 << 28,   /* the stack of a task that has ended is freed memory */
    BINE__RULE_LOGGED = 1 << 27,   /* what was compared only for what is printed was logged */
    BINE__RULE_COPIES = 1 << 26,   /* to copy there what was elsewhere before it read puts nothing back */
    BINE__RULE_GUARDS = 1 << 29,   /* predictions: who asks and would be sent away cannot come, who asks sees it */
    BINE__RULE_SAME_LOOK = 1 << 30, /* predictions: who looks at the same line could do the same */
    BINE__RULE_REACHED = INT32_MIN /* predictions: what cannot be found from elsewhere is safe from there */
};

struct bine__race_options {
    unsigned rules;
    bool off; /* of a program under bine-explore without --race */
    bool predict;
    bool stats;
    bool colour;
    const char *log;  /* a file for the findings, for the tool; NULL: standard error, for people */
    unsigned most;    /* findings told */
    uint8_t own_read; /* BINE__OWN_READ; 0 where that rule is off */
};
extern struct bine__race_options bine__race_options;

static inline bool bine__rule(enum bine__race_rule rule) { return bine__race_options.rules & (unsigned)rule; }

/* ---- Where: program counters, constants, calling contexts -------------------------------------------- */

/* A program counter in 32 bits: its distance from the program's own code, or a number from a table for that
 * of other objects. */
extern uintptr_t bine__race_base;
extern uintptr_t bine__race_constants; /* bytes from there that nobody can write */
uint32_t bine__race_intern(uintptr_t pc);
uintptr_t bine__race_pc(uint32_t);

static inline bool bine__race_near(uintptr_t pc) { return pc - bine__race_base < (uintptr_t)1 << 31; }

static inline uint32_t bine__race_short(uintptr_t pc)
{
    return __builtin_expect(bine__race_near(pc), 1) ? (uint32_t)(pc - bine__race_base) : bine__race_intern(pc);
}

extern uintptr_t bine__race_text, bine__race_text_size; /* the library's code */
static inline bool bine__race_is_library(uintptr_t pc) { return pc - bine__race_text < bine__race_text_size; }

static inline bool bine__race_constant(uintptr_t at) { return at - bine__race_base < bine__race_constants; }

uint32_t bine__race_context(uint32_t parent, uintptr_t call); /* 0: the outermost */
uintptr_t bine__race_context_call(uint32_t context, uint32_t *parent);

#include "check/race_record.h"
#include "check/race_strand.h"

/* race_frames.c */
bool bine__race_deeper(struct bine__strand *); /* room for more activations; false: there is none */
bool bine__race_outermost(struct bine__strand *);
void bine__race_event_new(struct bine__strand *, uint32_t pc);
void bine__race_call(struct bine__strand *, uintptr_t pc); /* of the library: an event */
bool bine__race_same_turn(const struct bine__strand *, uint64_t time, uint32_t slice); /* as now */
uint32_t bine__race_ask(struct bine__strand *);
void bine__race_frames_free(struct bine__strand *);

/* There is room.  One that is called from where the last one of its depth was has that one's calling context. */
static inline void bine__race_enter(struct bine__strand *self, uintptr_t call, uintptr_t function, uintptr_t sp)
{
    struct bine__frame_record *frame = &self->frames[self->depth++];
    self->last.pc = 0;
    if (frame->call != call || frame->parent != frame[-1].context)
        frame->context = 0;
    frame->call = call;
    frame->sp = sp;
    frame->entry = ++bine__race_now;
    frame->function = (uint16_t)function;
    frame->events = 0;
    frame->told = false;
}

static inline uint64_t bine__race_beginning(const struct bine__record *record)
{
    uint64_t next_and_strand;
    __builtin_memcpy(&next_and_strand, record, sizeof next_and_strand);
    return next_and_strand;
}

/* An event that its activation has noted before, and that comes again, or comes next as it did in an earlier
 * turn: what most are.  Does what race_frames.c's note() does. */
static inline bool bine__race_event_again(struct bine__strand *self, uint32_t pc)
{
    struct bine__frame_record *frame = &self->frames[self->depth - 1];
    struct bine__events *events = self->events[self->depth - 1];
    unsigned n = frame->events;
    self->last.pc = 0;
    if (!frame->told || !n)
        return false;
    unsigned place = *bine__event_hint(events, pc);
    if (place > n || events->at[place].pc != pc)
        return false;
    uint64_t now = ++bine__race_now;
    events->at[place].time = now;
    if (place == n)
        events->at[place].first = now;
    frame->events = (uint8_t)(place + 1);
    return true;
}

static inline void bine__race_event(struct bine__strand *self, uintptr_t pc)
{
    uint32_t number = bine__race_short(pc);
    if (!bine__race_event_again(self, number))
        bine__race_event_new(self, number);
}

/* Its calling context. */
static inline uint32_t bine__race_here(struct bine__strand *self)
{
    uint32_t context = self->frames[self->depth - 1].context;
    return bine__likely(context) ? context : bine__race_ask(self);
}

#include "check/race_code.h"

/* race_again.c */
static inline bool bine__race_is_pointer(uint64_t value)
{
    return value > 0x10000 && value < (uint64_t)1 << 47;
}

void bine__race_took(struct bine__strand *, const struct bine__record *mine, uintptr_t at);
bool bine__race_taken(const struct bine__strand *, const struct bine__record *look, uintptr_t at);
bool bine__race_found_anew(const struct bine__strand *, const struct bine__record *mine);
bool bine__race_delivered(const struct bine__strand *, const struct bine__record *mine,
                          const struct bine__record *theirs, uintptr_t at, uint8_t mask);
bool bine__race_relocked(const struct bine__strand *, const struct bine__record *mine);
bool bine__race_answered(const struct bine__strand *, const struct bine__record *read, uint8_t mask);
bool bine__race_left_alone(const struct bine__record *mine, const struct bine__record *theirs, uintptr_t at,
                           unsigned size);
bool bine__race_spent(const struct bine__strand *, const struct bine__record *mine);
void bine__race_acted(const struct bine__strand *, const struct bine__record *mine);
void bine__race_copies(struct bine__strand *, uintptr_t from, size_t size);
bool bine__race_of_elsewhere(const struct bine__strand *, const struct bine__record *look);
extern struct bine__question bine__race_questions[BINE__QUESTIONS];

/* The task's own there; NULL: none. */
static inline struct bine__record *bine__race_own(const struct bine__strand *self, uintptr_t at)
{
    const uint32_t *cell = bine__cell(at);
    uint32_t i = cell ? *cell : 0;
    while (i && bine__record(i)->strand != self->number)
        i = bine__record(i)->next;
    return i ? bine__record(i) : NULL;
}

/* Where what was asked of this record's value is kept for a while. */
static inline struct bine__question *bine__race_question(const struct bine__record *of)
{
    return &bine__race_questions[((uintptr_t)of / sizeof *of) % BINE__QUESTIONS];
}
const struct bine__question *bine__race_asked(const struct bine__suspect *);
void bine__race_ask_again(struct bine__strand *, uint64_t constant, uint64_t value, uintptr_t pc);
void bine__race_ask_own(struct bine__strand *, uint64_t a, uint64_t b, unsigned size);

/* race_heap.c */
void bine__heap_tidy(void);                          /* deals with what other threads have freed */
bool bine__heap_made(uintptr_t at, uint32_t strand); /* the block was allocated by that strand */
unsigned bine__heap_count(void);                     /* of blocks allocated so far */
bool bine__heap_made_before(uintptr_t at, unsigned count);

/* race_logged.c */
void bine__race_logs(struct bine__strand *);
bool bine__race_was_logged(const struct bine__strand *, const struct bine__record *look);
bool bine__race_guards(const struct bine__suspect *);

/* race_format.c: reads the texts that printf() will. */
void bine__race_formats(const char *format, va_list, uintptr_t pc);

/* race_filled.c */
void bine__race_looks_again(struct bine__strand *, const struct bine__record *mine, uintptr_t at,
                            unsigned size);
void bine__race_asks_found(struct bine__strand *);
void bine__race_fills(struct bine__strand *, const struct bine__record *mine, uintptr_t at, unsigned size,
                      enum bine__access_kind, uint32_t pc, uint32_t context);
bool bine__race_has_filled(const struct bine__strand *, const struct bine__suspect *);
void bine__race_tests_again(struct bine__strand *, const struct bine__record *mine, uintptr_t at,
                            uint32_t pc);
void bine__race_released(struct bine__strand *, const struct bine__record *mine, uint32_t pc,
                         uint32_t context);

/* race_stack.c */
enum { BINE__OF_STACK = 1 }; /* .place of a record of freed memory: of a task that has ended */
void bine__race_stack_gone(struct bine__strand *);
void bine__race_stacks_unmapped(void);

/* race_sync.c */
bool bine__race_knows(const struct bine__strand *, uint32_t strand, uint32_t slice);
void bine__race_tell(struct bine__strand *to, const struct bine__strand *from, bool all);
void bine__race_learn(struct bine__strand *, uint32_t strand, uint32_t slice);
bool bine__race_set_has(uint16_t set, const void *lock);
const struct bine__left *bine__race_left_before(const struct bine__strand *, uint32_t slice);

/* race_rules.c: the task's last access there was in an earlier slice, of this turn. */
void bine__race_judge(struct bine__strand *, struct bine__record *mine, uintptr_t at, unsigned size,
                      enum bine__access_kind, uint8_t mask, uintptr_t pc,
                      const uint32_t *group); /* its cell; NULL: of none */
/* race_later.c */
void bine__race_replaced(struct bine__strand *, uintptr_t at, uintptr_t pc); /* it is written now */
void bine__race_unfound(struct bine__strand *, struct bine__record *mine, uintptr_t at, uintptr_t pc);

/* race_access.c: what the fast path in race_hooks.c leaves. */
void bine__race_access(struct bine__strand *, uintptr_t at, unsigned size, enum bine__access_kind,
                       uintptr_t pc);
void bine__race_settle_all(struct bine__strand *);

/* What its last write was, is known now. */
static inline void bine__race_settle(struct bine__strand *self)
{
    if (self->suspicious || self->step.at)
        bine__race_settle_all(self);
}

/* An update alone; the rest where something is suspicious. */
static inline void bine__race_settle_step(struct bine__strand *self)
{
    if (bine__unlikely(self->step.at) && !self->suspicious)
        bine__race_settle_all(self);
}
void bine__race_settle_before(struct bine__strand *, enum bine__access_kind next);
void bine__race_range(uintptr_t at, size_t size, bool write, uintptr_t pc);
void bine__race_copy(const void *to, size_t written, const void *from, size_t read, uintptr_t pc);
void bine__race_move(const void *to, const void *from, size_t n, uintptr_t pc);
void bine__race_compared(uintptr_t at, size_t size); /* what it has read there, by a function of libc */
void bine__race_same_value(struct bine__strand *, const struct bine__record *, uint64_t with);

/* race_declared.c: a granule that was freed, declared, or is benign.  The cell that counts in its place;
 * NULL: the access is dealt with. */
uint32_t *bine__race_special(struct bine__strand *, uintptr_t at, unsigned size, uint32_t *cell,
                             enum bine__access_kind, uintptr_t pc);

#include "check/race_predict.h"
#include "check/race_finding.h"

/* The innermost return address on the running stack that lies outside the library; *library: the function of
 * the library that it called. */
uintptr_t bine__race_caller(uintptr_t *library);

#pragma GCC visibility pop

#endif
