/* SPDX-License-Identifier: MIT
 *
 * bine_offload() and pools of threads: functions of the program's as jobs of offload.c.
 *
 * What is awaited whatever happens lies on the caller's stack.  What can be left is a block of the heap, which
 * has the argument's drop function, and frees itself with it if nobody waits any more. */
#include <bine/offload.h>

#include <stdlib.h>
#include <string.h>

#include "io/offload.h"
#include "runtime/runtime.h"

enum { DEFAULT_THREADS = 32, MOST_THREADS = 1024, POOL_MAGIC = 0x706f6f6c };

struct bine_pool {
    uint32_t magic;
    struct bine__pool *pool;
};

struct call {
    struct bine__job job; /* first: what the threads hand around */
    bine_fn *fn;
    void *arg;
    bine_drop_fn *drop;
    void *value; /* until it has returned one: that its thread has ended */
};

/* ---- Pools ----------------------------------------------------------------------------------------- */

bine_pool *bine_pool_new_sized(const bine_pool_options *given, size_t size)
{
    bine_pool_options options = BINE_POOL_OPTIONS_INIT;
    bine_pool *pool;

    if (given)
        memcpy(&options, given, size < sizeof options ? size : sizeof options);
    if (options.threads > MOST_THREADS) {
        errno = EINVAL;
        return NULL;
    }
    pool = malloc(sizeof *pool);
    if (!pool)
        return NULL;
    pool->magic = POOL_MAGIC;
    pool->pool = bine__pool_new(options.name ? options.name : "bine-pool",
                                options.threads ? options.threads : DEFAULT_THREADS, options.queue);
    if (!pool->pool) {
        free(pool);
        errno = ENOMEM;
        return NULL;
    }
    return pool;
}

int bine_pool_free(bine_pool *pool)
{
    if (!pool || pool->magic != POOL_MAGIC)
        return bine__error(EINVAL);
    if (!bine__pool_free(pool->pool))
        return bine__error(EBUSY);
    pool->magic = 0;
    free(pool);
    return 0;
}

/* ---- The calls ------------------------------------------------------------------------------------- */

/* On a thread. */
static void run(struct bine__job *job)
{
    struct call *call = (struct call *)(void *)job;

    call->value = call->fn(call->arg);
}

/* Nobody waits any more. */
static void drop(struct bine__job *job)
{
    struct call *call = (struct call *)(void *)job;

    if (call->drop)
        call->drop(call->arg);
    free(call);
}

static void give(struct bine_task *self, void *value, bine_result *result)
{
    const bine_result ended = bine__result_of(value);

    if (result)
        *result = ended;
    else if (ended.error)
        bine__report(BINE_REPORT_LOST_ERROR, self, ended.error, "an offloaded function failed and nobody looked");
}

/* The task that may offload now; NULL with errno. */
static struct bine_task *begin(const bine_pool *pool, bine_fn *fn)
{
    if (!fn || (pool && pool->magic != POOL_MAGIC)) {
        (void)bine__refuse(EINVAL);
        return NULL;
    }
    return bine__begin();
}

int bine_pool_offload(bine_pool *pool, bine_fn *fn, void *arg, bine_result *result)
{
    struct bine_task *self = begin(pool, fn);
    struct call call = {.job.run = run, .fn = fn, .arg = arg, .value = bine_fail(EOWNERDEAD)};

    if (!self || bine__offload_to(pool ? pool->pool : NULL, self->loop, self, &call.job) != 0)
        return -1;
    give(self, call.value, result);
    return 0;
}

int bine_pool_offload_abandon(bine_pool *pool, bine_fn *fn, void *arg, bine_drop_fn *drop_arg, bine_result *result)
{
    struct bine_task *self = begin(pool, fn);
    struct call *call = self ? calloc(1, sizeof *call) : NULL;

    if (!call) {
        int error = errno;
        if (drop_arg)
            drop_arg(arg);
        return bine__error(error);
    }
    *call = (struct call){.job = {.run = run, .drop = drop}, .fn = fn, .arg = arg, .drop = drop_arg,
                          .value = bine_fail(EOWNERDEAD)};
    if (bine__offload_to(pool ? pool->pool : NULL, self->loop, self, &call->job) != 0)
        return -1;
    give(self, call->value, result);
    free(call);
    return 0;
}

int bine_offload(bine_fn *fn, void *arg, bine_result *result)
{
    return bine_pool_offload(NULL, fn, arg, result);
}

int bine_offload_abandon(bine_fn *fn, void *arg, bine_drop_fn *drop_arg, bine_result *result)
{
    return bine_pool_offload_abandon(NULL, fn, arg, drop_arg, result);
}
