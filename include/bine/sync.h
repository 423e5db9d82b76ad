/* SPDX-License-Identifier: MIT
 *
 * Locks and their friends, between the tasks of one loop.
 *
 * All are first in, first out: who waited longest is served next and is handed the object directly, so nobody
 * can slip in between.  They are the caller's storage, zero-initialised by the _INIT macros or set up by
 * _init(); _destroy() fails with EBUSY while a task waits.  A wait that is cancelled leaves the object sound
 * and passes the turn on; what was handed over wins over a cancellation that came with it.  unlock, post,
 * set, done and the _try forms never switch.
 *
 * Errors: 0, or -1 with errno.  EINVAL for NULL.  What yields, and what takes or gives back a lock, needs a
 * task: EPERM outside of a run, EDEADLK in a callback.  The rest may be called anywhere on the loop's thread,
 * but tasks of another loop are never woken: EPERM.  ECANCELED and ETIMEDOUT by scopes; EAGAIN for a task's
 * 65536th lock. */
#ifndef BINE_SYNC_H
#define BINE_SYNC_H

#include <bine/base.h>
#include <bine/task.h>

BINE_BEGIN_DECLS

/* ---- Mutex: held by a task.  A task that ends holding one is a named abort. ---------------------------- */

typedef struct bine_mutex {
    uint64_t bine__private[6];
} bine_mutex;
#define BINE_MUTEX_INIT {{0}}
BINE_EXPORT int bine_mutex_init(bine_mutex *);
BINE_EXPORT int bine_mutex_destroy(bine_mutex *);  /* EBUSY: held or waited for */
BINE_EXPORT int bine_mutex_lock(bine_mutex *);     /* yields; EDEADLK: one's own already */
BINE_EXPORT int bine_mutex_lock_try(bine_mutex *); /* EBUSY: held */
BINE_EXPORT int bine_mutex_unlock(bine_mutex *);   /* EPERM: another's, or nobody's */

/* ---- Read-write lock: in order of arrival, so neither side starves ------------------------------------- */

typedef struct bine_rwlock {
    uint64_t bine__private[8];
} bine_rwlock;
#define BINE_RWLOCK_INIT {{0}}
BINE_EXPORT int bine_rwlock_init(bine_rwlock *);
BINE_EXPORT int bine_rwlock_destroy(bine_rwlock *);
BINE_EXPORT int bine_rwlock_read(bine_rwlock *);      /* yields; EDEADLK: the task holds it for writing */
BINE_EXPORT int bine_rwlock_read_try(bine_rwlock *);  /* EBUSY: held for writing, or a writer waits */
BINE_EXPORT int bine_rwlock_write(bine_rwlock *);     /* yields; EDEADLK: the task holds it for writing */
BINE_EXPORT int bine_rwlock_write_try(bine_rwlock *); /* EBUSY */
BINE_EXPORT int bine_rwlock_unlock(bine_rwlock *); /* whichever it was; EPERM: not held, or another writes */

/* ---- Condition ----------------------------------------------------------------------------------------- */

typedef struct bine_cond {
    uint64_t bine__private[4];
} bine_cond;
#define BINE_COND_INIT {{0}}
BINE_EXPORT int bine_cond_init(bine_cond *);
BINE_EXPORT int bine_cond_destroy(bine_cond *);
/* Yields.  Always returns holding the mutex, also when it fails: the way back to it is not cancelled.  EPERM:
 * the mutex is not the caller's.  No spurious wake-ups, but look in a loop all the same: others may run
 * first. */
BINE_EXPORT int bine_cond_wait(bine_cond *, bine_mutex *);
BINE_EXPORT int bine_cond_signal(bine_cond *);    /* the one that waited longest, if any */
BINE_EXPORT int bine_cond_broadcast(bine_cond *); /* all that wait now */

/* ---- Semaphore ----------------------------------------------------------------------------------------- */

typedef struct bine_sem {
    uint64_t bine__private[4];
} bine_sem;
#define BINE_SEM_INIT(n) {{(n)}}
BINE_EXPORT int bine_sem_init(bine_sem *, unsigned n);
BINE_EXPORT int bine_sem_destroy(bine_sem *);
BINE_EXPORT int bine_sem_wait(bine_sem *);     /* yields */
BINE_EXPORT int bine_sem_wait_try(bine_sem *); /* EAGAIN */
BINE_EXPORT int bine_sem_post(bine_sem *);     /* EOVERFLOW past UINT_MAX */

/* ---- Event: stays set until cleared -------------------------------------------------------------------- */

typedef struct bine_event {
    uint64_t bine__private[4];
} bine_event;
#define BINE_EVENT_INIT {{0}}
BINE_EXPORT int bine_event_init(bine_event *);
BINE_EXPORT int bine_event_destroy(bine_event *);
BINE_EXPORT int bine_event_wait(bine_event *); /* yields if it is not set */
BINE_EXPORT int bine_event_set(bine_event *);  /* wakes all that wait */
BINE_EXPORT int bine_event_clear(bine_event *);
BINE_EXPORT bool bine_event_is_set(const bine_event *);

/* ---- Barrier ------------------------------------------------------------------------------------------- */

typedef struct bine_barrier {
    uint64_t bine__private[4];
} bine_barrier;
BINE_EXPORT int bine_barrier_init(bine_barrier *, unsigned n); /* EINVAL: 0 */
BINE_EXPORT int bine_barrier_destroy(bine_barrier *);
/* Yields until n tasks wait.  1 in the one that came last, 0 in the others.  One that is cancelled leaves the
 * count. */
BINE_EXPORT int bine_barrier_wait(bine_barrier *);

/* ---- Latch: a count that is waited for until it is zero (Go's WaitGroup) ------------------------------- */

typedef struct bine_latch {
    uint64_t bine__private[4];
} bine_latch;
#define BINE_LATCH_INIT(n) {{(n)}}
BINE_EXPORT int bine_latch_init(bine_latch *, unsigned n);
BINE_EXPORT int bine_latch_destroy(bine_latch *);
BINE_EXPORT int bine_latch_add(bine_latch *, unsigned n); /* EOVERFLOW */
BINE_EXPORT int bine_latch_done(bine_latch *);            /* one less; EINVAL: it is zero */
BINE_EXPORT int bine_latch_wait(bine_latch *);            /* yields until it is zero */

/* ---- Once ---------------------------------------------------------------------------------------------- */

typedef struct bine_once_flag {
    uint64_t bine__private[4];
} bine_once_flag;
#define BINE_ONCE_INIT {{0}}
BINE_EXPORT int bine_once_init(bine_once_flag *);
BINE_EXPORT int bine_once_destroy(bine_once_flag *);
/* Yields while another task is in fn.  Runs fn(arg) if nobody has: 0 when it has been run.  EDEADLK: called
 * from fn. */
BINE_EXPORT int bine_once(bine_once_flag *, void (*fn)(void *), void *arg);

/* ---- Queues of pointers, after asyncio's --------------------------------------------------------------- */

typedef struct bine_queue bine_queue;
typedef enum bine_queue_order { BINE_QUEUE_FIFO, BINE_QUEUE_LIFO, BINE_QUEUE_PRIORITY } bine_queue_order;

/* capacity 0: no bound.  drop (may be NULL) gets what is left in it when it is freed or shut down at once. */
BINE_EXPORT bine_queue *bine_queue_new(bine_queue_order, size_t capacity, bine_drop_fn *drop);
BINE_EXPORT int bine_queue_free(bine_queue *); /* EBUSY while a task waits */
BINE_EXPORT int bine_queue_put(bine_queue *, void *item);     /* yields while full; EPIPE: shut down */
BINE_EXPORT int bine_queue_put_try(bine_queue *, void *item); /* EAGAIN: full; ENOMEM */
/* In a priority queue the least comes first, equals in order of arrival; plain put means 0. */
BINE_EXPORT int bine_queue_put_priority(bine_queue *, void *item, int64_t priority); /* yields while full */
/* Yields while empty.  EPIPE: shut down and empty. */
BINE_EXPORT int bine_queue_get(bine_queue *, void **item);
BINE_EXPORT int bine_queue_get_try(bine_queue *, void **item); /* EAGAIN: empty */
/* An item that was got is dealt with.  EINVAL: too often. */
BINE_EXPORT int bine_queue_task_done(bine_queue *);
BINE_EXPORT int bine_queue_join(bine_queue *); /* yields until all that was put is dealt with */
/* No more puts; who waits to put or to get fails with EPIPE.  now: what is in it is dropped and counts as
 * dealt with; else it can still be got.  May be called again. */
BINE_EXPORT int bine_queue_shutdown(bine_queue *, bool now);
BINE_EXPORT size_t bine_queue_length(const bine_queue *);

BINE_END_DECLS
#endif
