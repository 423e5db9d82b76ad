/* SPDX-License-Identifier: MIT
 *
 * Strands: what the detector knows of a task.  A part of race.h.
 *
 * What the hooks need of one stands in front, close together; the rest is what rules keep between an access and the
 * one that tells what it was. */
#ifndef BINE_CHECK_RACE_STRAND_H
#define BINE_CHECK_RACE_STRAND_H

#pragma GCC visibility push(hidden)

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
    bool clashed; /* two have one hint */
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
    uint32_t parent;        /* the calling context that this one was found for */
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

enum { BINE__LEFT = 16, BINE__HELD = 16, BINE__NAMES = 24, BINE__UNDO = 8, BINE__LOOKS = 4 };
enum { BINE__COMPARED = 3 };
enum { BINE__TAKES = 8, BINE__QUESTIONS = 64, BINE__FILLS = 4, BINE__LOGS = 8 };

struct bine__undo { /* a read that may turn out to be half of an update */
    uintptr_t at;           /* 0: of none any more */
    uint64_t entry;         /* of the activation */
    uint32_t record, slice, pc;
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
        BINE__PASSES,   /* what it has not looked at */
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
    bool predicts;      /* bine__race_options.predict */
    struct bine__look look[BINE__LOOKS]; /* the last of them */
    unsigned returned_looks; /* how many there were when a function returned to ... */
    uint32_t returned_from;
    uintptr_t returned_to;
    /* And the rest. */
    uint64_t task; /* its id */
    uint32_t parent;
    char name[BINE__NAMES];
    const char *site;
    unsigned floor;            /* those below stand on another stack: of who resumed this generator */
    uintptr_t stack, stack_end; /* its own; 0: the loop's */
    uintptr_t called, library; /* where it called the library last, and which function */
    struct bine__undo undo[BINE__UNDO]; /* the last; .undos of them may be of any update */
    unsigned undos_made;
    uint64_t undo_entry; /* of the activation that has read them */
    struct bine__suspect restores; /* the value that another has written over */
    struct bine__suspect returned; /* not written yet */
    struct {
        uint32_t record[BINE__COMPARED], slice;
    } compared; /* with each other */
    struct bine__suspect clobbered; /* what was read, and is another's */
    struct bine__suspect given;     /* an update that may yet prove to be right */
    struct bine__suspect unfound;   /* a pointer that was NULL; .value: where it is kept now */
    struct bine__step step;
    struct bine__left left[BINE__LEFT];
    unsigned lefts;
    struct bine__known *known;
    unsigned known_room;
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
    uint32_t asked_for; /* of callbacks: when the one that runs was, or its timer was started */
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

/* ---- What it has read last ---------------------------------------------------------------------------- */

/* Nobody's, for the last looks at constants: one for each, so that it is known where. */
enum { BINE__OF_CONSTANTS = 1, BINE__RECORDS = BINE__OF_CONSTANTS + BINE__LOOKS };

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

/* Nothing comes of it that a constant is compared; but it was read after others. */
static inline void bine__race_looked_at_constant(struct bine__strand *self, uint32_t pc)
{
    static const uint64_t no_value = 0xa5a5a5a5a5a5a5a5;
    struct bine__record *one = bine__record(BINE__OF_CONSTANTS + self->looks % BINE__LOOKS);
    one->pc = pc;
    bine__race_looked_at(self, one, no_value);
    self->open--;
}

#pragma GCC visibility pop

#endif
