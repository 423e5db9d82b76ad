/* SPDX-License-Identifier: MIT
 *
 * Between the files of the explorer's side in the program: explore.c (the tool's server, loops, reports),
 * explore_options.c (what could happen next), explore_choose.c (what does), explore_turn.c (makes it happen),
 * explore_state.c, explore_fds*.c, explore_numbers.c and explore_outside.c (whether it was here before),
 * explore_children.c (they are waited for), explore_say.c (the trace in words).
 *
 * There is one explorer in a process, and it explores one loop at a time, on the thread that began. */
#ifndef BINE_CHECK_EXPLORE_H
#define BINE_CHECK_EXPLORE_H

#include "check/explore_share.h"
#include "runtime/runtime.h"

enum { BINE__OPTIONS = 512, BINE__QUIET_BITS = 32, BINE__PARTIES = 64, BINE__VISITS = 128 };

enum bine__option_kind {
    BINE__OPTION_RUN,  /* a task that is runnable */
    BINE__OPTION_IO,   /* a descriptor is ready */
    BINE__OPTION_TIMER /* a timer fires */
};

struct bine__option {
    enum bine__option_kind kind;
    struct bine_task *task;     /* that runs in consequence; NULL: none, or several */
    struct bine__timer *timer;  /* of TIMER */
    struct bine__timer *second; /* fires, too, before the task runs; NULL: none */
    struct bine__explore_ready io;
    uint64_t party;    /* whose turn it is, for fairness and priorities */
    bool success;      /* a parked task gets what it waits for */
};

/* Somebody that could be chosen: a task, or something without one. */
struct bine__party {
    uint64_t key; /* 0: unused */
    uint32_t chosen, waits_since, seen; /* steps */
    uint64_t place;                     /* where it stands */
    uint64_t priority;                  /* of PCT */
    struct {
        uint32_t step;
        uint64_t place;
    } visits[BINE__VISITS]; /* when it was chosen, and where it stood then: a ring */
    uint32_t visited;
};

struct bine__armed {
    struct bine__timer *timer[BINE__OPTIONS]; /* by deadline */
    unsigned n;
    bool more;
};

struct bine__explore {
    struct bine__explore_share *share;
    struct bine__explore_known *known; /* NULL: states are not compared */
    struct bine__armed armed;
    const char *base;  /* of the thread's own stack, what is the program's */
    bine_ns looked_at; /* the time that it saw last, so many times */
    unsigned looks;
    bool told;         /* something was reported: what follows is not compared */
    bool held_up;      /* somebody had to give way: not all choices are offered */
    struct bine_loop *loop;
    pthread_t thread;
    pid_t process; /* a child of the program's is left alone */
    bine_ns now; /* at which the next loop begins */
    uint32_t next_pick;
    uint32_t hash;
    uint64_t random;
    uint64_t low_priority;
    uint32_t change[32]; /* points at which PCT changes a priority, share->depth - 1 of them */
    struct bine__option option[BINE__OPTIONS];
    unsigned options;
    /* The point that led to what runs now; of its choices, which tasks would have been given what they
     * wait for. */
    struct bine__explore_point *point;
    struct {
        uint64_t task;
        unsigned bit;
    } given[BINE__QUIET_BITS];
    unsigned gifts;
    uint64_t slow[BINE__PARTIES]; /* tasks in the run queue whose operation is under way */
    unsigned slows;
    struct bine__party party[BINE__PARTIES];
};

extern struct bine__explore bine__explorer;

/* explore_options.c: fills in .option; what is first is what would happen anyway. */
void bine__explore_collect(struct bine__explore *);
uint64_t bine__explore_owner(const struct bine__timer *); /* whose timers keep their order: a task's id */

/* explore_choose.c: one of n > 0; records the point if n > 1.  *quiet: which others complete before. */
unsigned bine__explore_choose(struct bine__explore *, unsigned n, uint32_t *quiet);
void bine__explore_choose_begin(struct bine__explore *);
/* Takes out what was passed over too often by somebody who goes in circles; and: that one was chosen. */
void bine__explore_be_fair(struct bine__explore *);
void bine__explore_chosen(struct bine__explore *, const struct bine__option *);
void bine__explore_placed(struct bine__explore *, const struct bine_task *, uint64_t place);

/* explore_state.c: the state was reached before, by any schedule; or else it is noted. */
bool bine__explore_known(struct bine__explore *);
void bine__explore_state_prepare(void);
static inline void bine__explore_need_time(struct bine__explore *explore, enum bine__explore_time time)
{
    if (explore->share->time_needed < time)
        explore->share->time_needed = time;
}

/* explore_fds.c: descriptors as a part of the state. */
enum bine__explore_comparable { BINE__COMPARABLE_YES, BINE__COMPARABLE_NOT_NOW, BINE__COMPARABLE_NEVER };
enum bine__explore_comparable bine__explore_fds_state(uint64_t *hash);
void bine__explore_fds_begin(void); /* those of now are not the run's */
bool bine__explore_inherited(int fd); /* it was one of these; also: not looked into */
long long bine__explore_fds_reads(void); /* calls that read, by the above, since the last time */
/* The next port in this memory that the kernel has chosen, and what is told in its place. */
const char *bine__explore_next_port(const char *from, const char *to, size_t *size, uint64_t *name);
void bine__explore_fds_apart(void (*leave_out)(const void *, size_t));

/* explore_outside.c: the run uses something that its memory does not tell of. */
void bine__explore_outside_begin(void);
void bine__explore_outside_count(void);
void bine__explore_own_read(void); /* a call that reads is about to be made by us */
enum bine__explore_comparable bine__explore_look_outside(struct bine__explore *, uint64_t *descriptors);
void bine__explore_outside_apart(void (*leave_out)(const void *, size_t));

/* explore_children.c: real time is no part of what happens next. */
void bine__explore_settle(struct bine__explore *);

/* explore_say.c */
enum { BINE__EXPLORE_INDENT = 8 };
void bine__explore_say(struct bine__explore *, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool bine__explore_telling(const struct bine__explore *);
void bine__explore_say_option(struct bine__explore *, const struct bine__option *, bool quietly);
void bine__explore_name(char *, size_t, const struct bine_task *);
/* Hash of where the caller's task was called from; said, where that is wanted. */
uint64_t bine__explore_place(struct bine__explore *, bool say);

/* explore.c: no schedule can go on from here. */
_Noreturn void bine__explore_stop(struct bine__explore *, enum bine__explore_outcome);

#endif
