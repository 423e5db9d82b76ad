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

/* ---- Where: program counters and calling contexts --------------------------------------------------- */

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

uint32_t bine__race_context(uint32_t parent, uintptr_t call); /* 0: the outermost */
uintptr_t bine__race_context_call(uint32_t context, uint32_t *parent);

/* ---- Records ---------------------------------------------------------------------------------------- */

enum bine__access_kind {
    BINE__NOTHING,
    BINE__READ,
    BINE__WRITE,
    BINE__UPDATE,
    BINE__FREED,  /* the whole block is: see .val, .w_pc */
    BINE__MEMBER, /* of a declared group: .val is its number */
    BINE__BENIGN
};
enum {
    BINE__CHECKED_READ = 1,
    BINE__OWN_READ = 2,
    BINE__IN_SPAN = 4,
    BINE__CHANGED = 8,
    BINE__SEVERAL = 16, /* members of its group were written in its slice, and .place is the first of them */
    BINE__BLIND = 32,  /* its slice's first write came before any read */
    BINE__RAISED = 64, /* an update made it more, or less */
    BINE__LOWERED = 128
};
enum {
    BINE__OF_WRITE = BINE__CHANGED | BINE__SEVERAL | BINE__BLIND | BINE__RAISED | BINE__LOWERED,
    BINE__KEPT_FLAGS = BINE__IN_SPAN | BINE__OF_WRITE
};

struct bine__record {
    uint32_t next; /* of the granule; of the free ones */
    uint32_t strand, slice, w_slice;
    uint64_t time;
    uint64_t val, w_old;  /* what was read; what was overwritten */
    uint32_t pc, context; /* of the last read, if there was one in its slice; else of the last write */
    uint32_t w_pc, w_context;
    uint8_t kind, mask, flags, size;
    uint16_t locks;
    uint16_t place; /* of a group's record: which member */
};
_Static_assert(sizeof(struct bine__record) == 64, "a record is a cache line");

/* ---- Strands: what the detector knows of a task ----------------------------------------------------- */

/* Something happened in an activation: an access, a call.  When it happens again, what came after it belongs
 * to an earlier turn of a loop. */
struct bine__event {
    uint32_t pc;
    uint64_t time, first;
    uint64_t ever; /* in this activation, as far as is known */
};
/* Different functions that were called one after the other from one place, which is a loop over them. */
enum { BINE__STEPS = 8 };
struct bine__steps {
    uint64_t entry; /* of the activation that calls them */
    uint32_t call, count;
    struct {
        uint64_t entry;
        uint16_t function;
    } at[BINE__STEPS];
};

enum { BINE__EVENTS = 48, BINE__EVENT_HINTS = 256 };
struct bine__events {
    struct bine__event at[BINE__EVENTS + 1]; /* behind this turn's those of earlier ones; then a .pc of 0 */
    uint8_t hint[BINE__EVENT_HINTS];
    uint8_t used;
    struct bine__steps steps;
};

static inline uint8_t *bine__event_hint(struct bine__events *events, uint32_t pc)
{
    return &events->hint[pc * 2654435761U >> 24];
}

struct bine__frame_record { /* an activation of an instrumented function */
    uintptr_t call;         /* where it was called */
    uintptr_t sp;           /* below its caller's frame */
    uint64_t entry;         /* when */
    uint32_t context;       /* 0: not asked for yet */
    uint16_t function;      /* the end of its address */
    uint8_t events;
    bool told; /* its call is an event of its caller's */
};

struct bine__left { /* the loop was given up here */
    uint64_t time;
    uint32_t slice;
    uint32_t context;
    uint32_t pc;
    uint8_t wait;      /* enum bine__wait */
    uintptr_t library; /* the innermost public function */
};

struct bine__known { /* what others wrote up to here is known */
    uint32_t strand, slice;
};

struct bine__held {
    const void *lock;
    uint64_t since;
    uint32_t pc, context;
    bool shared;
    bool sem;
};

enum { BINE__LEFT = 16, BINE__HELD = 16, BINE__NAMES = 24, BINE__UNDO = 4, BINE__LOOKS = 4 };
enum { BINE__COMPARED = 3 };
enum { BINE__TAKES = 8, BINE__QUESTIONS = 64, BINE__FILLS = 4, BINE__LOGS = 8 };

struct bine__undo { /* a read that may turn out to be half of an update */
    uintptr_t at;
    uint32_t record;
    uint8_t size;
    struct bine__record before;
};

/* What a write may turn out to be, once it is made or what was read before it is known. */
struct bine__suspect {
    uintptr_t at; /* 0: none */
    uint32_t slice, record;
    uint64_t value; /* that it would put back; that was there */
    uint8_t size;
    struct bine__record mine, theirs;
    uint32_t pc, context;
    enum bine__suspicion {
        BINE__OVERWRITES,
        BINE__RETURNED,  /* the place was read again, and holds what it held before others wrote there */
        BINE__UNFOUND,   /* there was nothing when it looked */
        BINE__CLEARS,    /* a flag that another has set once more */
        BINE__OF_FIELD, /* of a word: whether it changes the bits that others have changed */
        BINE__FILLS_AGAIN, /* a place that was empty when it looked */
        BINE__REPLACES, BINE__EXCHANGES, /* what another has put where nothing was */
        BINE__RELEASES, /* a pointer that was tested for that alone */
        BINE__NOBODY_CAME /* of what it wrote: a prediction */
    } suspicion;
    bool may_give_back; /* of an update */
    bool of_group;
    bool waited; /* for what it may be compared with */
};

struct bine__step { /* an update: whether it makes it more or less is seen once it is done */
    uintptr_t at;    /* 0: none */
    uint64_t before;
    uint32_t record, slice;
    unsigned size;
};

struct bine__question { /* that was asked of a value: the comparison with a constant */
    const struct bine__record *of;
    uintptr_t pc;
    uint64_t constant;
    uint32_t slice;
};
struct bine__took { /* a pointer to it was read, where others had written it in that slice */
    uintptr_t at;
    uint32_t slice;
};

struct bine__log { /* an activation that prints, and whose caller asks it nothing */
    uint64_t entry;
    uint32_t context, slice;
};

struct bine__filled { /* a place that it has found by a search, once more, and that another has filled */
    uintptr_t at; /* 0: none */
    uint32_t slice;
    unsigned depth; /* of the activation from which both searches were begun */
    unsigned made;  /* blocks until then */
    uint64_t value;
    struct bine__record mine, theirs;
};
enum { BINE__SUSPECTS = 1, BINE__FILLED = 2 };
enum { BINE__NOWHERE = 1 }; /* for a place */

struct bine__look { /* a value that was read, for the comparison that may follow */
    uint64_t value;
    struct bine__record *of;
};

struct bine__strand {
    /* What the hooks need. */
    struct {
        uintptr_t pc; /* 0: what was done last is not known */
        struct bine__event *event;
        uint32_t short_pc, context;
    } last; /* of the innermost activation, if it comes again at once: a loop's only read */
    uint64_t alone; /* how a record of its own begins that has no other behind it */
    struct bine__frame_record *frames;
    struct bine__events **events; /* of each depth; NULL until there are some */
    unsigned depth, room;
    uint32_t number, slice;
    unsigned undos, looks;
    uint8_t open;       /* which of .look were not compared yet: bit 0 is the last's; higher ones mean nothing */
    uint8_t suspicious; /* BINE__SUSPECTS: some of the suspects are; BINE__FILLED */
    struct bine__look look[BINE__LOOKS]; /* the last of them */
    /* And the rest. */
    uint64_t task; /* its id */
    uint32_t parent;
    char name[BINE__NAMES];
    const char *site;
    unsigned floor;            /* those below stand on another stack: of who resumed this generator */
    uintptr_t stack, stack_end; /* its own; 0: the loop's */
    uintptr_t called, library; /* where it called the library last, and which function */
    struct bine__undo undo[BINE__UNDO];
    uint64_t undo_entry; /* of the activation that has read them */
    struct bine__suspect restores; /* the value that another has written over */
    struct bine__suspect returned; /* not written yet */
    struct {
        uint32_t record[BINE__COMPARED], slice;
    } compared; /* with each other */
    unsigned returned_looks; /* how many there were when a function returned to ... */
    uint32_t returned_from;
    uintptr_t returned_to;
    struct bine__suspect clobbered; /* what was read, and is another's */
    struct bine__suspect given;     /* an update that may yet prove to be right */
    struct bine__suspect unfound;   /* a pointer that was NULL; .value: where it is kept now */
    struct bine__step step;
    struct bine__left left[BINE__LEFT];
    unsigned lefts;
    struct bine__known *known;
    unsigned knows, known_room;
    struct bine__took took[BINE__TAKES];
    unsigned takes;
    struct bine__suspect tested;    /* a pointer that another has written, and that is tested anew */
    struct bine__filled filled[BINE__FILLS];
    unsigned fills;
    struct bine__log logs[BINE__LOGS];
    unsigned logged;
    struct bine__held held[BINE__HELD];
    unsigned holds;
    struct {
        uint64_t source; /* when it touched last what it copies from; 0: that is not known */
        uint32_t index;  /* the record of what it read last before */
        bool within;     /* it moves what is in one buffer */
    } copying;
    uint16_t locks; /* their set's number */
    struct bine__holdings *holdings; /* race_uses.c; NULL: none, or nothing is predicted */
    bool noted;     /* the event that the accesses of one call are */
    bool ended;
};

extern _Thread_local struct bine__strand *bine__race_self __attribute__((tls_model("initial-exec")));
extern uint32_t bine__race_slice;                        /* that runs */
extern uint64_t bine__race_now;                          /* counts events */
struct bine__strand *bine__race_strand(uint32_t number); /* NULL: it is gone */
uint32_t bine__race_strands(void);                       /* how many there have been */
bool bine__race_owner(void);                             /* this is the thread that is watched, or may be */
bool bine__race_is_owner(void);

struct bine__strand *bine__race_strand_of(const struct bine_task *);
void bine__race_say_unseen(void); /* race_unseen.c: at the end */
extern bool bine__race_hooked; /* some object of the program is instrumented */
extern bool bine__race_clang;  /* by clang, which tells nothing of comparisons of floating point */

/* race_frames.c */
void bine__race_enter(struct bine__strand *, uintptr_t call, uintptr_t function, uintptr_t sp);
void bine__race_event_new(struct bine__strand *, uint32_t pc);
void bine__race_call(struct bine__strand *, uintptr_t pc); /* of the library: an event */
bool bine__race_same_turn(const struct bine__strand *, uint64_t time, uint32_t slice); /* as now */
uint32_t bine__race_ask(struct bine__strand *);
void bine__race_frames_free(struct bine__strand *);

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
bool bine__race_answered(const struct bine__strand *, const struct bine__record *read, uint8_t mask);
bool bine__race_left_alone(const struct bine__record *mine, const struct bine__record *theirs, uintptr_t at,
                           unsigned size);
bool bine__race_spent(const struct bine__strand *, const struct bine__record *mine);
void bine__race_acted(const struct bine__strand *, const struct bine__record *mine);
void bine__race_copies(struct bine__strand *, uintptr_t from, size_t size);
bool bine__race_of_elsewhere(const struct bine__strand *, const struct bine__record *look);
extern struct bine__question bine__race_questions[BINE__QUESTIONS];
const struct bine__question *bine__race_asked(const struct bine__suspect *);
void bine__race_ask_again(struct bine__strand *, uint64_t constant, uint64_t value, uintptr_t pc);
void bine__race_ask_own(struct bine__strand *, uint64_t a, uint64_t b, unsigned size);

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

/* ---- Memory ----------------------------------------------------------------------------------------- */

enum { BINE__WINDOW_BITS = 30, BINE__WINDOWS = 1 << (47 - BINE__WINDOW_BITS) };
extern uint32_t *bine__race_windows[BINE__WINDOWS];
extern struct bine__record *bine__records;

static inline struct bine__record *bine__record(uint32_t number) { return &bine__records[number]; }

/* Nobody's, for the last looks at constants: one for each, so that it is known where. */
enum { BINE__OF_CONSTANTS = 1, BINE__RECORDS = BINE__OF_CONSTANTS + BINE__LOOKS };

static inline bool bine__race_constant(uintptr_t at) { return at - bine__race_base < bine__race_constants; }

static inline void bine__race_looked_at(struct bine__strand *self, struct bine__record *record,
                                        uint64_t value)
{
    self->look[self->looks++ % BINE__LOOKS] = (struct bine__look){value, record};
    self->open = (uint8_t)(self->open * 2 + 1);
}

static inline void bine__race_looked(struct bine__strand *self, struct bine__record *record)
{
    bine__race_looked_at(self, record, record->val);
}

static inline void bine__race_looked_at_constant(struct bine__strand *self, uint64_t value, uint32_t pc)
{
    struct bine__record *one = bine__record(BINE__OF_CONSTANTS + self->looks % BINE__LOOKS);
    one->pc = pc;
    bine__race_looked_at(self, one, value);
}

/* Where what was asked of this record's value is kept for a while. */
static inline struct bine__question *bine__race_question(const struct bine__record *of)
{
    return &bine__race_questions[((uintptr_t)of / sizeof *of) % BINE__QUESTIONS];
}

/* The granule's chain; NULL: nothing near was ever touched. */
static inline uint32_t *bine__cell(uintptr_t at)
{
    uint32_t *window = bine__race_windows[(at >> BINE__WINDOW_BITS) & (BINE__WINDOWS - 1)];
    return window ? &window[(at & (((uintptr_t)1 << BINE__WINDOW_BITS) - 1)) >> 3] : NULL;
}

/* Behind a window's cells: whether there may be a record in so many bytes of memory. */
enum { BINE__BLOCK = 512 };

static inline uint8_t *bine__block(uintptr_t at)
{
    uint32_t *window = bine__race_windows[(at >> BINE__WINDOW_BITS) & (BINE__WINDOWS - 1)];
    uint8_t *blocks = (uint8_t *)(window + ((size_t)1 << BINE__WINDOW_BITS) / 8);
    return &blocks[(at & (((uintptr_t)1 << BINE__WINDOW_BITS) - 1)) / BINE__BLOCK];
}

/* The first record there. */
static inline void bine__cell_fill(uint32_t *cell, uintptr_t at, uint32_t number)
{
    *bine__block(at) = 1;
    *cell = number;
}

uint32_t *bine__cell_made(uintptr_t at); /* race_shadow.c; NULL: no memory */
bool bine__race_touched(void);           /* anything was */
uint32_t bine__record_new(void);
void bine__record_free(uint32_t);
const struct bine__record *bine__record_of_pointer(uint32_t strand, uintptr_t first, size_t size);
void bine__race_clear(uintptr_t at, size_t size);
void bine__heap_tidy(void); /* race_heap.c: deals with what other threads have freed */
bool bine__heap_made(uintptr_t at, uint32_t strand); /* the block was allocated by that strand */
unsigned bine__heap_count(void);                     /* of blocks allocated so far */
bool bine__heap_made_before(uintptr_t at, unsigned count);

static inline uint8_t bine__mask(uintptr_t at, unsigned size)
{
    return (uint8_t)(((1u << (size > 8 ? 8 : size)) - 1) << (at & 7));
}

static inline uint64_t bine__value_at(uintptr_t at, unsigned size)
{
    uint64_t value = 0;
    if (at == 0)
        __builtin_unreachable(); /* an access there does not get so far */
    switch (size) { /* the others are parts of what memcpy() and its like go over */
    case 1: __builtin_memcpy(&value, (const void *)at, 1); break;
    case 2: __builtin_memcpy(&value, (const void *)at, 2); break;
    case 4: __builtin_memcpy(&value, (const void *)at, 4); break;
    case 8: __builtin_memcpy(&value, (const void *)at, 8); break;
    default: __builtin_memcpy(&value, (const void *)at, size > 8 ? 8 : size); break;
    }
    return value;
}

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
extern uintptr_t bine__race_text[2]; /* from, to: the library's code */

#pragma GCC visibility pop

#endif
