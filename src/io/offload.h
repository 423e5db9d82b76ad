/* SPDX-License-Identifier: MIT
 *
 * Work that can only be done by blocking, on pools of threads that all loops of the process share: one of
 * the library's own, for files and names; one for bine_offload(); and those that programs make (pool.c).
 *
 * A job is the submitter's storage.  Its run() is called once on one of the threads, with all signals
 * blocked, and leaves what it found in the job.  Two forms:
 *  - without drop(): the wait ends when run() has returned, whatever happens to the task meanwhile, so
 *    the job and all it points to may lie on the task's stack.
 *  - with drop(): the wait may be cut short.  The job and all it points to must be the heap's; if the wait
 *    fails they belong to drop(), which is called on any thread, whether or not run() has been. */
#ifndef BINE_IO_OFFLOAD_H
#define BINE_IO_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/list.h"

struct bine_loop;
struct bine_task;
struct bine__io;

/* What a job may wait for.  Each class has its own limit of threads, so that work which may take minutes (a
 * dead name server) never holds up what only waits for a disk. */
enum bine__offload_class { BINE__OFFLOAD_FILE, BINE__OFFLOAD_NAME, BINE__OFFLOAD_CLASSES };

struct bine__pool;

struct bine__job {
    void (*run)(struct bine__job *);
    void (*drop)(struct bine__job *); /* or NULL: see above */
    struct bine__pool *pool;
    /* The pools', under their lock: */
    struct bine__list link;  /* in the queue, or among the finished */
    struct bine__list owned; /* by a loop */
    struct bine__io *io;     /* NULL: nobody waits any more */
    struct bine_task *task;
    uint8_t class, state;
    bool hangs; /* counts among the hanging */
    bool taken; /* the loop's own: state is TAKEN, without the lock */
};

/* 0: run() has returned and the job is the caller's.  -1 with errno: EAGAIN, ENOMEM: no thread could be
 * had; ECANCELED, ETIMEDOUT: only with drop(), to which the job belongs after any failure. */
int bine__offload(struct bine_loop *, struct bine_task *self, struct bine__job *, enum bine__offload_class);

/* The same on a pool; NULL: the one for bine_offload().  EAGAIN also: its queue is full. */
int bine__offload_to(struct bine__pool *, struct bine_loop *, struct bine_task *self, struct bine__job *);

/* threads: at the most; queue: jobs that may wait for one, 0: any number; name: of its threads, copied.
 * NULL/ENOMEM. */
struct bine__pool *bine__pool_new(const char *name, unsigned threads, unsigned queue);
/* Its threads end when they have done what they are at.  False: a task waits for a job of it. */
bool bine__pool_free(struct bine__pool *);

/* Called by run() before it does what may take for ever (a FIFO that nobody opens): from here on its thread
 * does not count against the limits.  False: it does, for too many hang already. */
bool bine__offload_may_hang(struct bine__job *);

/* For the poller: wakes the tasks whose jobs are done and returns how many; and gives up what is left. */
unsigned bine__offload_reap(struct bine__io *);
void bine__offload_orphan(struct bine__io *);

#endif
