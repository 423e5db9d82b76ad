/* SPDX-License-Identifier: MIT
 *
 * Running a loop; spawning, joining and cancelling tasks; sleeping; parking by hand; callbacks.
 *
 * bine_run() turns the calling OS thread into a loop and runs a function in its first task.  Tasks
 * run one at a time, each on its own stack, in the order in which they became runnable, and switch
 * only inside calls that yield.  A task never moves to another OS thread. */
#ifndef BINE_TASK_H
#define BINE_TASK_H

#include <bine/base.h>

BINE_BEGIN_DECLS

typedef struct bine_task bine_task;
typedef struct bine_loop bine_loop;

typedef void *bine_fn(void *arg);
typedef void bine_drop_fn(void *); /* what becomes of a value that nobody will ever claim */

/* How a task ended: its value, or the errno value that it failed with (then value is NULL). */
typedef struct bine_result {
    void *value;
    int error; /* 0: it succeeded */
} bine_result;

/* ---- Running a loop ---------------------------------------------------------------------- */

/* Zero-initialise, or start from BINE_OPTIONS_INIT, and fill in what differs. */
typedef struct bine_options {
    const char *reactor; /* "epoll", "kqueue", "poll", "io_uring"; NULL: $BINE_REACTOR, else the best there is */
    size_t stack_size;   /* bytes for a task that asks for none; 0: 64 KiB */
    bool virtual_clock;  /* time jumps to the next timer when nothing can run */
    uint64_t seed;       /* 0: first in, first out; else a schedule drawn from this seed */
    bine_ns grace;       /* how long the end waits for tasks that ignore cancellation; 0: for ever */
} bine_options;
#define BINE_OPTIONS_INIT {NULL, 0, false, 0, 0}

/* Runs fn(arg) in a task with an 8 MiB stack until it returns, then cancels and awaits what is left.
 * 0, and how fn ended in *result (may be NULL); -1: EDEADLK inside a run, EINVAL, ENOMEM, EMFILE ... */
BINE_EXPORT int bine_run(bine_fn *fn, void *arg, bine_result *result);

/* The same with options (NULL: defaults).  -1/EBUSY if .grace passed with tasks still alive: their
 * stacks are never freed. */
#define bine_run_with(options, fn, arg, result) \
    bine_run_sized((options), sizeof(bine_options), (fn), (arg), (result))
BINE_EXPORT int bine_run_sized(const bine_options *, size_t size, bine_fn *, void *, bine_result *);

/* ---- Spawning ----------------------------------------------------------------------------- */

/* Zero-initialise, or start from BINE_ATTR_INIT, and fill in what differs. */
typedef struct bine_attr {
    const char *name;          /* copied, cut to 31 bytes; NULL: none */
    size_t stack_size;         /* bytes, rounded up to a size class, 16 KiB to 8 MiB; 0: the loop's default */
    bine_drop_fn *drop_result; /* gets a result that nobody claims; NULL: it is forgotten */
    int style;                 /* BINE_IMPLICIT or BINE_EXPLICIT (bine/check.h) */
    bool detached;             /* nobody will join it */
} bine_attr;
#define BINE_ATTR_INIT {NULL, 0, NULL, BINE_IMPLICIT, false}
enum { BINE_IMPLICIT = 0, BINE_EXPLICIT = 1 };

/* A new task that will call fn(arg).  Never switches: the child starts later, in order.  NULL/ENOMEM.
 * The caller joins, stops or detaches it. */
#define bine_spawn(fn, arg) bine_spawn_at((fn), (arg), BINE__SITE)
BINE_EXPORT bine_task *bine_spawn_at(bine_fn *fn, void *arg, const char *site);

/* The same; the argument is copied onto the child's stack, aligned to 16 bytes.  size: at most a
 * quarter of the stack, else EINVAL. */
#define bine_spawn_copy(fn, arg, size) bine_spawn_copy_at((fn), (arg), (size), BINE__SITE)
BINE_EXPORT bine_task *bine_spawn_copy_at(bine_fn *fn, const void *arg, size_t size, const char *site);

/* The same with attributes (NULL: defaults). */
#define bine_spawn_with(attr, fn, arg) \
    bine_spawn_with_at((attr), sizeof(bine_attr), (fn), (arg), BINE__SITE)
BINE_EXPORT bine_task *bine_spawn_with_at(const bine_attr *, size_t size, bine_fn *, void *arg, const char *site);

/* `return bine_fail(EIO);` ends a task as failed.  Stateless, callable from anywhere; an error outside
 * 1..4095 becomes EINVAL. */
BINE_EXPORT void *bine_fail(int error);

/* ---- Ending ------------------------------------------------------------------------------- */

/* Yields until the task has ended.  0: it ended, the handle is released, *result (may be NULL) says how;
 * -1: the wait failed and the handle is still good.  EDEADLK: oneself.  EINVAL: detached, or another
 * joins. */
BINE_EXPORT int bine_join(bine_task *, bine_result *result);

/* Yields.  Cancels the task and joins it, whatever happens to the caller meanwhile. */
BINE_EXPORT int bine_stop(bine_task *, bine_result *result);

/* Gives the handle up: the task is freed when it ends.  Its failure goes to the report hook. */
BINE_EXPORT int bine_detach(bine_task *);

/* Cancels the task's outermost scope: every yielding call it makes from now on fails with ECANCELED.
 * One that has not started still starts.  Fine on a task that has ended. */
BINE_EXPORT int bine_cancel(bine_task *);

/* ---- Yielding and sleeping ---------------------------------------------------------------- */

/* Yields exactly once, always; -1 if its scope has fired. */
BINE_EXPORT int bine_yield(void);

/* Yields at least once, always; exactly once if the time is zero or has passed. */
BINE_EXPORT int bine_sleep(bine_ns duration);
BINE_EXPORT int bine_sleep_until(bine_ns deadline);

/* Nanoseconds on CLOCK_MONOTONIC, or on the loop's virtual clock.  Callable from anywhere. */
BINE_EXPORT bine_ns bine_now(void);

/* ---- Who is there -------------------------------------------------------------------------- */

BINE_EXPORT bine_task *bine_self(void);      /* the running task; NULL outside of one */
BINE_EXPORT bine_loop *bine_this_loop(void); /* this thread's loop; NULL outside of a run */

typedef enum bine_task_state {
    BINE_TASK_RUNNABLE, /* has not started, or waits for its turn */
    BINE_TASK_RUNNING,
    BINE_TASK_PARKED, /* waits for .waits_for */
    BINE_TASK_ENDED   /* and not joined yet */
} bine_task_state;

typedef struct bine_task_info {
    uint64_t id;     /* unique in the process, never reused, from 1 */
    uint64_t parent; /* id of the task that spawned it; 0: none */
    char name[32];   /* "" if it has none */
    bine_task_state state;
    const char *waits_for; /* "sleep", "read", "join" ...; NULL unless parked; static */
    int fd;                /* the descriptor it waits for, or -1 */
    uint64_t waits_task;   /* the id of the task that it joins, or that has the lock; 0: none, or not known */
    bine_ns since;         /* when it parked, by the loop's clock as last read; 0 unless parked */
    bine_ns until;         /* its innermost deadline; BINE_FOREVER: none */
    const char *site;      /* "file:line" of the spawn; static */
    size_t stack_size;     /* bytes */
    size_t stack_used;     /* bytes that were ever touched, whole pages */
} bine_task_info;

/* Fills in up to max tasks of this loop (all but callbacks) and returns how many there are: call with
 * (NULL, 0) to count.  0 outside a loop. */
#define bine_tasks(info, max) bine_tasks_sized((info), (max), sizeof(bine_task_info))
BINE_EXPORT size_t bine_tasks_sized(bine_task_info *, size_t max, size_t size);

/* Copied, cut to 31 bytes; NULL takes the name away. */
BINE_EXPORT int bine_task_set_name(bine_task *, const char *name);

/* ---- By hand ------------------------------------------------------------------------------- */

/* Yields until bine_wake() is called on the task; a wake that came earlier is remembered (one, not
 * a count).  bine_wake() never switches and has no effect on a task that waits in another call. */
BINE_EXPORT int bine_park(void);
BINE_EXPORT int bine_wake(bine_task *);

/* From any thread: runs fn(arg) as a task of that loop.  An accepted post (0) always runs; ESRCH: the
 * loop has ended, arg is still the caller's.  Hold a reference to a loop that may end. */
BINE_EXPORT int bine_post(bine_loop *, bine_fn *fn, void *arg);
BINE_EXPORT bine_loop *bine_loop_ref(bine_loop *);  /* from any thread; returns its argument */
BINE_EXPORT void bine_loop_unref(bine_loop *);      /* from any thread */

/* ---- Several loops ------------------------------------------------------------------------- */

/* Runs fn(arg) in so many loops (0: one a core), each on a thread of its own, this one the first; returns when all
 * have ended.  The first failure of fn cancels it in the others: -1 with its errno.  EDEADLK inside a run; EINVAL,
 * EAGAIN, ENOMEM, EMFILE ...: fn has not run.  arg is shared by all. */
BINE_EXPORT int bine_cluster(unsigned loops, bine_fn *fn, void *arg);
/* The same with options (NULL: defaults). */
#define bine_cluster_with(options, loops, fn, arg) \
    bine_cluster_sized((options), sizeof(bine_options), (loops), (fn), (arg))
BINE_EXPORT int bine_cluster_sized(const bine_options *, size_t size, unsigned loops, bine_fn *fn, void *arg);
BINE_EXPORT unsigned bine_loop_index(void);   /* of this loop in its cluster, from 0; 0 outside of one */
BINE_EXPORT unsigned bine_cluster_size(void); /* loops; 0 outside of a cluster */
/* The loops of this one's cluster, to post to, until the cluster ends.  NULL: EINVAL, there is none; EPERM: not in
 * a cluster. */
BINE_EXPORT bine_loop *bine_cluster_loop(unsigned index);

/* ---- Callbacks: run in order, on the loop's own stack; a yielding call in one is EDEADLK -------- */

/* The caller's storage; must stay in place while the timer is started. */
typedef struct bine_timer {
    uint64_t bine__private[12];
} bine_timer;

BINE_EXPORT void bine_timer_init(bine_timer *, void (*fn)(void *), void *arg);
/* Fires once, after the duration; starting it again moves it.  Only inside a loop (else nothing happens
 * and errno is EPERM). */
BINE_EXPORT void bine_timer_start(bine_timer *, bine_ns duration);
/* 1: it was pending and will not fire; 0: it was not pending; -1: EINVAL, EPERM. */
BINE_EXPORT int bine_timer_cancel(bine_timer *);

/* Runs fn(arg) when the running task next switches.  -1/ENOMEM, EPERM outside a loop. */
BINE_EXPORT int bine_call_soon(void (*fn)(void *), void *arg);

BINE_END_DECLS
#endif
