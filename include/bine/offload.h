/* SPDX-License-Identifier: MIT
 *
 * Work that blocks, or computes for long, away from the loop: on threads, or in processes.
 *
 * A function that is offloaded runs outside of any task: of bine's calls only those may be made there that
 * say "from any thread".  It ends failed with `return bine_fail(error);`, as a task does. */
#ifndef BINE_OFFLOAD_H
#define BINE_OFFLOAD_H

#include <bine/base.h>
#include <bine/task.h>

BINE_BEGIN_DECLS

/* ---- Threads ------------------------------------------------------------------------------ */

/* Yields until fn(arg) has run on another thread, whatever happens to the caller: arg may lie on its stack.
 * 0, and how fn ended in *result (may be NULL); -1: fn has not run.  EAGAIN: no thread can be had. */
BINE_EXPORT int bine_offload(bine_fn *fn, void *arg, bine_result *result);

/* The same, but -1 at once with ECANCELED or ETIMEDOUT when a scope fires.  After any failure arg belongs to
 * drop (may be NULL), which is called once, on any thread, when fn has ended or will never run. */
BINE_EXPORT int bine_offload_abandon(bine_fn *fn, void *arg, bine_drop_fn *drop, bine_result *result);

/* ---- Pools of threads --------------------------------------------------------------------- */

typedef struct bine_pool bine_pool;

/* Zero-initialise, or start from BINE_POOL_OPTIONS_INIT, and fill in what differs. */
typedef struct bine_pool_options {
    const char *name; /* of its threads, copied, cut to 15 bytes; NULL: "bine-pool" */
    unsigned threads; /* at the most, up to 1024; 0: 32 */
    unsigned queue;   /* jobs that may wait for a thread, further ones fail with EAGAIN; 0: any number */
} bine_pool_options;
#define BINE_POOL_OPTIONS_INIT {NULL, 0, 0}

/* Threads of its own, started as jobs come, and ended when none has come for a while.  From any thread.
 * options may be NULL.  NULL: EINVAL, ENOMEM.  The caller frees it. */
#define bine_pool_new(options) bine_pool_new_sized((options), sizeof(bine_pool_options))
BINE_EXPORT bine_pool *bine_pool_new_sized(const bine_pool_options *, size_t size);

/* bine_offload() and bine_offload_abandon() on its threads, from any loop.  NULL: the pool that these use. */
BINE_EXPORT int bine_pool_offload(bine_pool *, bine_fn *fn, void *arg, bine_result *result);
BINE_EXPORT int bine_pool_offload_abandon(bine_pool *, bine_fn *fn, void *arg, bine_drop_fn *drop, bine_result *result);

/* Never switches.  What was abandoned and still runs goes on.  EBUSY: a task waits for a job of it. */
BINE_EXPORT int bine_pool_free(bine_pool *);

/* ---- Processes: for work that computes ----------------------------------------------------- */

typedef struct bine_workers bine_workers;

/* Runs in a worker, a process of its own.  0, and an answer that malloc(3) made (or NULL) in *output, which is
 * freed there; or an errno value. */
typedef int bine_work_fn(const void *input, size_t size, void **output, size_t *output_size);

/* Yields while the process is forked that the workers will be forked from, as the program is now: call it
 * early.  processes: workers at once, up to 1024; 0: one a core.  NULL with errno. */
BINE_EXPORT bine_workers *bine_workers_new(bine_work_fn *fn, unsigned processes);

/* Yields while fn runs in a worker on a copy of the input.  0: the caller frees *output; -1: what fn returned;
 * ECONNRESET: the worker died.  When a scope fires its worker is killed.  A new one replaces it. */
BINE_EXPORT int bine_workers_call(bine_workers *, const void *input, size_t size, void **output, size_t *output_size);

/* Yields until the workers are gone, whatever happens to the caller.  EBUSY: a call is being made. */
BINE_EXPORT int bine_workers_free(bine_workers *);

BINE_END_DECLS
#endif
