/* SPDX-License-Identifier: MIT
 *
 * Inside the runtime: what a task and a loop are made of, and the calls that the other rooms build on.
 *
 * Of a task's fields only .held (src/sync) and .checked (src/check) are written outside src/runtime. */
#ifndef BINE_RUNTIME_RUNTIME_H
#define BINE_RUNTIME_RUNTIME_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bine/debug.h>
#include <bine/scope.h>
#include <bine/task.h>

#include "arch/context.h"
#include "runtime/check.h"
#include "runtime/list.h"
#include "runtime/notes.h"
#include "runtime/poller.h"
#include "runtime/spin.h"
#include "runtime/stack.h"
#include "runtime/timer.h"

#define bine__likely(x) __builtin_expect(!!(x), 1)
#define bine__unlikely(x) __builtin_expect(!!(x), 0)

/* ---- Scopes ------------------------------------------------------------------------------------ */

struct bine__scope { /* what a public bine_scope holds */
    struct bine__timer timer;
    struct bine__scope *outer;
    struct bine_task *task;
    uint32_t magic;
    bool shield;    /* nothing outside is seen inside */
    bool cancelled; /* somebody cancelled it */
    bool expired;   /* its deadline has passed */
    bool hit;       /* a call failed because of it */
} __attribute__((may_alias));

/* ---- Tasks ------------------------------------------------------------------------------------- */

enum bine__state {
    BINE__RUNNABLE = 1, /* in the run queue; or it runs, then it is loop->current */
    BINE__PARKED, /* someone else has to wake it */
    BINE__ENDED   /* its result stands; its stack lives until the handle is released */
};

enum bine__task_flag {
    BINE__TASK_STARTED = 1 << 0,
    BINE__TASK_DETACHED = 1 << 1,
    BINE__TASK_FIRST = 1 << 2,       /* the run's own: bine_run() takes its result */
    BINE__TASK_PERMIT = 1 << 3,      /* a bine_wake() that came before the bine_park() */
    BINE__TASK_DEAF = 1 << 4,        /* parked so that scopes do not wake it */
    BINE__TASK_WOKEN = 1 << 5,       /* woken before it parked */
    BINE__TASK_EXPLICIT = 1 << 6,
    BINE__TASK_CANCELLED = 1 << 7,   /* by bine_cancel(): outside all its scopes */
    BINE__TASK_NAMED = 1 << 8,
    BINE__TASK_IGNORING = 1 << 9,    /* .ignored counts */
    BINE__TASK_OWNED = 1 << 10,      /* .owner and .siblings are set */
    BINE__TASK_VALUES = 1 << 11,     /* .values is set */
    BINE__TASK_ENTERED = 1 << 12,    /* .frame is set: it is inside bine_context_run() */
    BINE__TASK_LOCALS = 1 << 13,     /* .locals is set */
    BINE__TASK_GIVES_WAY = 1 << 14,  /* when it is back the door is not to look at its scopes */
    BINE__TASK_TAKEN = BINE__TASK_DETACHED | BINE__TASK_OWNED | BINE__TASK_FIRST /* the handle is nobody's to join */
};

enum bine__alert {
    BINE__ALERT_FIRED = 1 << 0,   /* .failing is set */
    BINE__ALERT_DEADLINE = 1 << 1 /* there is a deadline: it may have passed since the loop last looked */
};

/* What a task waits for; bine__wait_names[] has the names for people. */
enum bine__wait {
    BINE__WAIT_NONE,
    BINE__WAIT_PARK,
    BINE__WAIT_SLEEP,
    BINE__WAIT_JOIN,    /* object: the task */
    BINE__WAIT_READ,    /* object: the descriptor */
    BINE__WAIT_WRITE,   /* object: the descriptor */
    BINE__WAIT_POLL,    /* object: the descriptor, or -1 for several */
    BINE__WAIT_OFFLOAD,
    BINE__WAIT_GROUP,   /* object, of this and of all below: the group, future, mutex ... */
    BINE__WAIT_FUTURE,  /* NULL for several */
    BINE__WAIT_MUTEX,
    BINE__WAIT_RWLOCK,
    BINE__WAIT_COND,
    BINE__WAIT_SEM,
    BINE__WAIT_EVENT,
    BINE__WAIT_BARRIER,
    BINE__WAIT_LATCH,
    BINE__WAIT_ONCE,
    BINE__WAIT_QUEUE,
    BINE__WAIT_SEND,    /* on a channel */
    BINE__WAIT_RECEIVE, /* on a channel */
    BINE__WAIT_SELECT,
    BINE__WAIT_COUNT
};
extern const char *const bine__wait_names[BINE__WAIT_COUNT];

enum {
    BINE__PARK_DEAF = 1 << 8 /* or-ed to a bine__wait: neither cancellation nor deadlines end this wait */
};

enum { BINE__NAME_SIZE = 32, BINE__TASK_MAGIC = 0x62696e65, BINE__SCOPE_MAGIC = 0x73636f70 };

struct bine_task {
    /* The first cache line is all that a switch touches; a task that is only spawned, run and joined touches
     * three.  Of the fourth, nothing is set until it is needed. */
    struct bine__context context;
    uint8_t state; /* enum bine__state */
    uint8_t wait;  /* enum bine__wait */
    uint16_t flags;
    bool interrupted;          /* a scope made it runnable, and no waker came since */
    uint8_t alert;             /* enum bine__alert: what a call must look at before it goes on */
    int16_t failing;           /* what yielding calls fail with here: 0, ECANCELED, ETIMEDOUT */
    struct bine__scope *cause; /* the scope that makes yielding calls fail here; NULL: bine_cancel() */
    bine_ns deadline;          /* the nearest that holds here; BINE_FOREVER: none */
    int error;                 /* its errno, while another runs */
    uint32_t magic;

    struct bine__scope *scope; /* the innermost; NULL: none is open */
    intptr_t object;           /* of the wait */
    bine_ns since;             /* when it parked, by the loop's cached clock */
    struct bine_loop *loop;
    union {
        struct bine_task *joiner;
        struct bine__owner *owner; /* if OWNED: who takes the result, in place of a joiner */
    };
    union {
        struct { /* until it starts */
            bine_fn *fn;
            void *arg;
        };
        bine_result result; /* once it has ended */
    };
    bine_drop_fn *drop;

    struct bine__list siblings; /* if OWNED: the owner's */
    uint64_t id;
    uint64_t parent;
    const char *site;
    struct bine__stack stack;
    struct bine__notes notes;
    uint16_t held; /* locks; a task that ends with any is a named abort */

    uint32_t ignored;             /* calls that failed in a fired scope, since one did not; set by the first */
    char name_[BINE__NAME_SIZE];  /* if NAMED; see bine__task_name() */
    struct bine__values *values;  /* if VALUES: of its context variables */

#ifdef BINE_CHECKED
    struct bine__strand *checked; /* src/check's own */
#endif
    struct bine__frame *frame;    /* if ENTERED: of the context that it is in */
    struct bine__locals *locals;  /* if LOCALS: its own values */
};

/* What a group, or a future, is to the tasks that it owns: their handles are not for bine_join(). */
struct bine__owner {
    /* The task has ended, its result stands; runs on its stack, must not switch.  Afterwards it is
     * released. */
    void (*ended)(struct bine__owner *, struct bine_task *);
};

static inline const char *bine__task_name(const struct bine_task *task)
{
    return task->flags & BINE__TASK_NAMED ? task->name_ : "";
}

/* ---- Loops ------------------------------------------------------------------------------------- */

/* How many switches may pass before the poller is consulted, and how many I/O calls a task may make without
 * parking before it is made to yield.  See the measurements in src/runtime/park.c. */
enum { BINE__SWITCHES_PER_POLL = 128, BINE__IO_BUDGET = 64 };
enum { BINE__CACHE_LINE = 64 };

struct bine__io; /* src/io's own */

/* Why the door takes its slow way. */
enum bine__watch {
    BINE__WATCH_SEED = 1 << 0, /* the schedule is drawn, not first in first out */
    BINE__WATCH_CXX = 1 << 1,  /* C++ is linked: its exception state is kept per task */
    BINE__WATCH_TIMERS = 1 << 2, /* timers were started: their deadlines are worked out at the next switch */
    BINE__WATCH_INVARIANTS = 1 << 3 /* there are some: they are looked at before each switch */
};

/* What __cxa_get_globals() points to (Itanium C++ ABI, exception handling, 2.2.2). */
struct bine__cxa {
    void *caught;
    unsigned uncaught;
};

struct bine_loop {
    struct bine_task *current; /* the running task, or &root on the loop's own stack */
    struct bine_task **queue;  /* the run queue: a ring with room for every task */
    uint32_t head, tail, mask; /* free-running; index & mask */
    _Atomic int32_t switches_left; /* before the poller must be consulted; read by the watchdog */
    int64_t budget;            /* of I/O that did not park, for the running task; in a section: see section.h */
    uint32_t watched;          /* enum bine__watch: what the door must do besides switching */
    int *error;                /* this thread's errno: a task stays on its thread */
    struct bine__cxa *cxa;     /* this thread's C++ exception state; NULL without C++ */
    uint64_t switches, unswitched; /* see bine__switches() */
    bine_ns now;               /* the clock as last read; on the virtual clock, the time */

    struct bine_task *unreaped; /* who ended last, if nobody joins it: its stack is released from another */
    struct bine_task root; /* stands for the loop's own stack */
    struct bine__wheel wheel;
    struct bine__poller poller;
    struct bine__io *io;
    unsigned outstanding; /* waits that only the poller can end: parked on a descriptor, offloaded */
    unsigned remotes;     /* or another loop: of these, those that are no descriptor's and no thread's */
    unsigned offloading;  /* of these, offloaded: virtual time stands still for them */
    uint64_t random;      /* state of the seeded schedule */
    bool virtual_clock, debug, ending;

    uint64_t alive; /* tasks that have not ended */
    uint64_t next_id, last_id;
    uint64_t spawned, turns, polls, offloaded;
    bine_ns grace;
    int default_class; /* of stacks */
    struct bine__stacks stacks;
    struct bine__callback *soon, **soon_last;
    struct bine__timer post_retry; /* after a post could not be spawned */
    bine_ns ending_since;
    uint64_t chance;      /* src/sync/select.c: what it draws from */
    void *alternate_stack;
    struct bine__list others; /* process.c: all loops of the process */
    struct bine__timer patience; /* wakes the loop when the grace has passed */
    struct bine__timer nag; /* names the tasks that ignore the end of the run */

    struct bine__spin spin;        /* spin.c: before it sleeps */
    struct bine__cluster *cluster; /* that it is one of; NULL: none */
    unsigned index;                /* in it */
    struct bine__debug *debugging; /* src/runtime/debug.c's own; NULL without BINE_DEBUG */

    /* What other threads write, in lines of the cache that nothing else is in; and what they look at before they
     * take the lock, and the loop while it spins, apart from what they write under it. */
    char apart[BINE__CACHE_LINE];
    pthread_mutex_t lock; /* guards what follows */
    struct bine__post *posts, **posts_last;
    uint64_t interrupts;  /* of those that post, or send notes */
    bool ended;
    char apart2[BINE__CACHE_LINE];
    _Atomic bool posted;
    _Atomic bool asleep;                /* it waits, or is about to: what comes must interrupt it */
    _Atomic unsigned from;              /* bine__processor() of the thread that sent last */
    _Atomic(struct bine__remote *) box; /* remote.c: notes from other loops, the last first */
    _Atomic unsigned references;
    char apart3[BINE__CACHE_LINE];
};

extern _Thread_local struct bine_loop *bine__loop __attribute__((tls_model("initial-exec")));

/* ---- The calls that everything else is built on --------------------------------------------------- */

/* The one door (park.c).  Parks the running task until bine__wake(), or until a scope of its fires unless
 * wait carries BINE__PARK_DEAF.  Returns 0, ECANCELED or ETIMEDOUT and keeps errno.  Whoever parks has told
 * somebody how to find the task, and withdraws that itself if the return is not 0. */
int bine__park(struct bine_loop *, struct bine_task *self, unsigned wait, intptr_t object);

/* Makes a parked task runnable; remembered if it has not parked yet.  On a task that a scope made runnable
 * but that has not run yet, the wake-up wins: its bine__park() returns 0.  Never call it on a task that
 * waits for something else: the waker unlinks the waiter first. */
void bine__wake(struct bine_task *);

/* A task that is parked goes on waiting: for something else, and deaf.  False: it is not parked any more. */
static inline bool bine__park_on(struct bine_task *task, enum bine__wait wait, intptr_t object)
{
    if (task->state != BINE__PARKED)
        return false;
    task->wait = (uint8_t)wait;
    task->object = object;
    task->flags |= BINE__TASK_DEAF;
    return true;
}

/* Puts the running task at the end of the run queue and switches.  0, ECANCELED or ETIMEDOUT. */
int bine__yield(struct bine_loop *, struct bine_task *self);
/* The same, whatever scopes say: it tells nobody of them. */
void bine__give_way(struct bine_loop *, struct bine_task *self);

/* Hands an error back: -1 with errno. */
static inline int bine__error(int error)
{
    errno = error;
    return -1;
}

/* The running task whatever its scopes say; NULL with errno EPERM outside a loop, EDEADLK on its own
 * stack. */
static inline struct bine_task *bine__current(void)
{
    struct bine_loop *loop = bine__loop;
    if (bine__likely(loop && loop->current != &loop->root))
        return loop->current;
    errno = loop ? EDEADLK : EPERM;
    return NULL;
}

struct bine_task *bine__begin_slowly(struct bine_loop *, struct bine_task *, const void *from); /* wait.c */

/* Opens every yielding call: the running task, or NULL with errno EPERM outside a loop, EDEADLK on the
 * loop's own stack, ECANCELED or ETIMEDOUT where a scope has fired.  Charges the task, whether the call is going
 * to succeed or not, so that nobody starves; may switch when it has spent its budget. */
static inline __attribute__((always_inline)) struct bine_task *bine__begin(void)
{
    struct bine_task *self = bine__current();
    if (bine__unlikely(!self))
        return NULL;
    bine__check_call(self);
    if (bine__explored(self->loop))
        bine__explore_call(self);
    if (bine__likely(!self->alert && self->loop->budget > 0)) {
        self->loop->budget--;
        return self;
    }
    return bine__begin_slowly(self->loop, self, __builtin_return_address(0));
}

/* What a call costs besides, by the bytes that it moved; or one that begins otherwise. */
static inline void bine__charge(struct bine_loop *loop, int cost)
{
    loop->budget -= cost;
}

/* wait.c: charges a call that cannot begin so and has not parked: for it goes on in a scope that has fired, or
 * fails before it begins.  May switch. */
void bine__charge_call(struct bine_loop *, struct bine_task *self);
/* -1 with errno, of a yielding call that fails before it begins; charged, for who tries again and again. */
int bine__refuse(int error);

/* The running task is where it must not switch: see section.h. */
static inline bool bine__in_section(const struct bine_loop *loop)
{
    const int64_t debt = -((int64_t)1 << 30); /* no call charges as much, and no section's address is as low */
    return loop->budget < debt;
}

/* section.c: a call that may switch begins there; from: where in the program it stands. */
void bine__section_begin(struct bine_loop *, struct bine_task *, const void *from);

/* For the yielding calls that do not begin with bine__begin(), since they go on in a scope that has fired. */
static inline __attribute__((always_inline)) void bine__say_may_yield(struct bine_task *self)
{
    bine__check_call(self);
    if (bine__explored(self->loop))
        bine__explore_call(self);
    if (bine__unlikely(bine__in_section(self->loop)))
        bine__section_begin(self->loop, self, __builtin_return_address(0));
}

/* invariant.c */
bool bine__invariants_any(void);
void bine__invariants_look(struct bine_task *); /* it is about to give up the loop */

/* Absolute deadline for a time-out from now; saturates. */
bine_ns bine__deadline_in(bine_ns timeout);
/* Reads the clock, and sets the timers that wait for that.  NULL: the real one. */
bine_ns bine__clock(struct bine_loop *);
/* The deadline has certainly not passed yet: cheaper than the clock. */
bool bine__far_off(const struct bine_loop *, bine_ns deadline);

/* What every way to spawn ends in.  copy (may be NULL): size bytes that become the argument, on the
 * child's stack. */
struct bine_task *bine__spawn(struct bine_loop *, const bine_attr *, bine_fn *, void *arg, const void *copy,
                              size_t size, const char *site);

/* ---- Between the files of src/runtime ------------------------------------------------------------- */

void bine__first_run(void);                               /* park.c: where a new context begins */
void bine__task_main(struct bine_loop *, struct bine_task *); /* task.c */
bine_result bine__result_of(void *value);                 /* task.c: what a task's function returned */
void bine__task_settle(struct bine_task *);               /* task.c: what becomes of a result nobody claimed */
void bine__task_release(struct bine_task *);              /* task.c: the handle and the stack are gone */
void bine__task_reap_now(struct bine_loop *);             /* task.c: releases .unreaped */
static inline void bine__task_reap(struct bine_loop *loop)
{
    if (bine__unlikely(loop->unreaped && loop->unreaped != loop->current))
        bine__task_reap_now(loop);
}

/* Into the run queue; bine__spawn() made room for every task. */
static inline void bine__make_runnable(struct bine_loop *loop, struct bine_task *task)
{
    task->state = BINE__RUNNABLE;
    loop->queue[loop->tail++ & loop->mask] = task;
}

void bine__exit(struct bine_loop *, struct bine_task *); /* park.c: the last switch away; never returns */
void bine__resume(struct bine_loop *);                    /* park.c: from the loop's own stack to the tasks */

struct bine_task *bine__task_of(struct bine__stack); /* task.c: the control block in it */

/* debug.c: BINE_DEBUG's own; where loop->debugging is NULL they do nothing, or are not called. */
void bine__debug_open(struct bine_loop *);
void bine__debug_close(struct bine_loop *);
void bine__debug_quarantine(struct bine_task *); /* keeps the stack for a while, to tell a stale handle */
void bine__debug_idle(struct bine_loop *, bool idle); /* the loop waits: it is no hog */
void bine__debug_turn(struct bine_loop *, bool stuck); /* before it waits; stuck: nothing can ever run again */
void bine__debug_forked(void); /* debug_signals.c: in the child */

/* context_var.c: a child begins with its parent's context; that of a task that ends; a loop's own, of its
 * root. */
void bine__values_inherit(struct bine_task *child, struct bine_task *parent);
void bine__values_drop(struct bine_task *);
void bine__values_open(struct bine_loop *);

/* local.c: calls the destructors, on the task's stack; they may yield. */
void bine__locals_end(struct bine_task *);

/* process.c: what one loop or many share: SIGPIPE, SIGSEGV, fork. */
int bine__process_enter(struct bine_loop *);
void bine__process_leave(struct bine_loop *);

/* Between the two no thread forks: a child would find half of what is being opened or closed. */
void bine__process_hold_forks(void);
void bine__process_release_forks(void);
unsigned bine__process_loops(void); /* there are, at the moment */
bool bine__pipe_ignored(void); /* SIGPIPE, by us: children are to have the default */

unsigned bine__cores(void); /* cores.c: that this program may use, at least 1 */
unsigned bine__processor(void); /* cores.c: on which this thread runs just now, from 1; 0: the system does not say */

void bine__task_describe(const struct bine_task *, bine_task_info *); /* info.c */

uint64_t bine__switches(const struct bine_loop *); /* park.c: how many there have been */
void bine__turn_soon(struct bine_loop *);          /* park.c: the next switch goes to the loop */

/* callback.c */
struct bine__callback {
    struct bine__callback *next;
    void (*fn)(void *);
    void *arg;
};
/* A chain of them, allocated by malloc(), whose last .next is *last. */
void bine__callbacks_append(struct bine_loop *, struct bine__callback *first, struct bine__callback **last);
void bine__callbacks_run(struct bine_loop *);
void bine__callbacks_free(struct bine_loop *);
/* remote.c */
struct bine__remote { /* the sender's until it is sent, then the loop's until it is open */
    struct bine__remote *next;
    void (*open)(struct bine__remote *); /* on the loop's own stack */
};
/* From any thread; takes a reference to the loop, and gives it back when the note has arrived. */
void bine__remote_send(struct bine_loop *, struct bine__remote *);
void bine__remote_open(struct bine_loop *);
/* spin.c: looks whether something comes from another thread, for a moment, and no longer than the time-out, which
 * is shortened by that.  True: there is something to do. */
bool bine__spin(struct bine_loop *, bine_ns *timeout);
/* post.c */
void bine__posts_run(struct bine_loop *);
/* bine_post() in two steps, of which the second needs no memory.  It frees what it takes; -1/ESRCH: not taken. */
struct bine__post *bine__post_new(bine_fn *, void *arg);
int bine__post_put(struct bine_loop *, struct bine__post *);

/* A handle of this loop's that has not been released; else errno EINVAL or EPERM. */
bool bine__task_valid(const struct bine_task *);

/* scope.c: recomputes what the task's scopes say after one of them has changed. */
void bine__scope_update(struct bine_task *);
/* scope.c: a call of the running task's fails because of its scopes: with the errno value returned; 0 if
 * none has fired. */
int bine__scope_fail(struct bine_task *);

/* scope.c: makes this the innermost scope of the running task, with what is hung under it. */
void bine__scope_attach(struct bine_task *, struct bine__scope *innermost);
/* Where an open scope stands in the task's chain; NULL: not among the innermost ones. */
struct bine__scope **bine__scope_place(struct bine_task *, const struct bine__scope *);

/* scope.c: the running task's scopes whose deadlines have passed fire now, not only when the loop next
 * looks. */
void bine__scope_look(struct bine_task *);

/* report.c */
void bine__report(bine_report_kind, const struct bine_task *, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
_Noreturn void bine__fatal(const struct bine_task *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An invariant: always checked, no side effects. */
#define bine__assert(condition)                                                               \
    do {                                                                                      \
        if (bine__unlikely(!(condition)))                                                     \
            bine__fatal(NULL, "invariant broken at %s: %s", BINE__SITE, #condition);          \
    } while (0)

#endif
