/* SPDX-License-Identifier: MIT
 *
 * Clusters: several loops, each on a thread of its own, that run the same function.
 *
 * A loop is opened by its own thread.  None runs the function before all are open, so that each finds the others,
 * and if one cannot be opened none runs it at all.  Until then a thread simply blocks: its loop has nothing else to
 * run yet.
 *
 * A member lives until all threads have ended.  Its task is touched only on its own loop and before `done`, which is
 * set there too; so a cancellation that arrives late, as a post, does nothing. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/runtime.h"

enum { MOST_LOOPS = 1024 };

struct member {
    struct bine__cluster *cluster;
    unsigned index;
    pthread_t thread;
    bine_loop *loop;  /* a reference; NULL if it could not be opened */
    bine_task *task;  /* its first */
    struct bine__post *cancel; /* made beforehand, for whoever fails first; NULL: sent */
    bool done;        /* the function has returned; the loop's own */
};

struct bine__cluster {
    bine_fn *fn;
    void *arg;
    const bine_options *options;
    unsigned count;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t all;
    unsigned here;        /* members that are open, or will never be */
    bool incomplete;
    int error;            /* the first */
    struct member members[];
};

/* ---- A member ------------------------------------------------------------------------------------- */

static void *cancel_member(void *arg)
{
    struct member *member = arg;

    if (!member->done)
        bine_cancel(member->task);
    return NULL;
}

/* The first failure cancels the others, with memory or without. */
static void fail(const struct member *self, int error)
{
    struct bine__cluster *cluster = self->cluster;

    pthread_mutex_lock(&cluster->lock);
    bool first = !cluster->error;
    if (first)
        cluster->error = error;
    pthread_mutex_unlock(&cluster->lock);
    for (unsigned i = 0; first && i < cluster->count; i++) {
        struct member *other = &cluster->members[i];
        if (other != self && bine__post_put(other->loop, other->cancel) == 0)
            other->cancel = NULL;
    }
}

/* True: all are open. */
static bool meet(struct bine__cluster *cluster, unsigned arriving)
{
    bool complete;

    pthread_mutex_lock(&cluster->lock);
    cluster->here += arriving;
    if (cluster->here == cluster->count)
        pthread_cond_broadcast(&cluster->all);
    while (cluster->here < cluster->count)
        pthread_cond_wait(&cluster->all, &cluster->lock);
    complete = !cluster->incomplete;
    pthread_mutex_unlock(&cluster->lock);
    return complete;
}

/* So many will never be open. */
static void miss(struct bine__cluster *cluster, unsigned members, int error)
{
    pthread_mutex_lock(&cluster->lock);
    cluster->incomplete = true;
    if (!cluster->error)
        cluster->error = error;
    cluster->here += members;
    if (cluster->here == cluster->count)
        pthread_cond_broadcast(&cluster->all);
    pthread_mutex_unlock(&cluster->lock);
}

static void *first_task(void *arg)
{
    struct member *self = arg;
    struct bine__cluster *cluster = self->cluster;

    self->task = bine_self();
    self->loop = bine_loop_ref(bine__loop);
    bine__loop->cluster = cluster;
    bine__loop->index = self->index;
    if (!meet(cluster, 1))
        return NULL;
    const bine_result result = bine__result_of(cluster->fn(cluster->arg));
    self->done = true;
    if (result.error)
        fail(self, result.error);
    return NULL;
}

static void *run(void *arg)
{
    struct member *self = arg;
    bine_result result;

    if (bine_run_sized(self->cluster->options, sizeof(bine_options), first_task, self, &result) != 0) {
        if (!self->loop)
            miss(self->cluster, 1, errno);
        else
            fail(self, errno); /* its grace has passed */
    }
    return NULL;
}

/* ---- The cluster ------------------------------------------------------------------------------------ */

static void dispose(struct bine__cluster *cluster)
{
    for (unsigned i = 0; i < cluster->count; i++) {
        bine_loop_unref(cluster->members[i].loop);
        free(cluster->members[i].cancel);
    }
    pthread_cond_destroy(&cluster->all);
    pthread_mutex_destroy(&cluster->lock);
    free(cluster);
}

/* NULL with errno. */
static struct bine__cluster *make(const bine_options *options, unsigned loops, bine_fn *fn, void *arg)
{
    struct bine__cluster *cluster = calloc(1, sizeof *cluster + loops * sizeof cluster->members[0]);

    if (!cluster)
        return NULL;
    cluster->fn = fn;
    cluster->arg = arg;
    cluster->options = options;
    cluster->count = loops;
    pthread_mutex_init(&cluster->lock, NULL);
    pthread_cond_init(&cluster->all, NULL);
    for (unsigned i = 0; i < loops; i++) {
        struct member *member = &cluster->members[i];
        member->cluster = cluster;
        member->index = i;
        member->cancel = bine__post_new(cancel_member, member);
        if (!member->cancel) {
            dispose(cluster);
            errno = ENOMEM;
            return NULL;
        }
    }
    return cluster;
}

int bine_cluster_sized(const bine_options *given, size_t size, unsigned loops, bine_fn *fn, void *arg)
{
    bine_options options = BINE_OPTIONS_INIT;
    struct bine__cluster *cluster;
    unsigned started = 1;
    int error = 0;

    if (bine__loop)
        return bine__error(EDEADLK);
    if (!fn || loops > MOST_LOOPS)
        return bine__error(EINVAL);
    if (given)
        memcpy(&options, given, size < sizeof options ? size : sizeof options);
    if (loops == 0)
        loops = bine__cores();
    cluster = make(&options, loops, fn, arg);
    if (!cluster)
        return -1;
    while (!error && started < loops) {
        error = pthread_create(&cluster->members[started].thread, NULL, run, &cluster->members[started]);
        if (!error)
            started++;
    }
    if (error)
        miss(cluster, loops - started, error);
    run(&cluster->members[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(cluster->members[i].thread, NULL);
    error = cluster->error;
    dispose(cluster);
    return error ? bine__error(error) : 0;
}

int bine_cluster(unsigned loops, bine_fn *fn, void *arg)
{
    return bine_cluster_sized(NULL, 0, loops, fn, arg);
}

unsigned bine_loop_index(void)
{
    return bine__loop ? bine__loop->index : 0;
}

unsigned bine_cluster_size(void)
{
    return bine__loop && bine__loop->cluster ? bine__loop->cluster->count : 0;
}

bine_loop *bine_cluster_loop(unsigned index)
{
    if (!bine__loop || !bine__loop->cluster) {
        errno = EPERM;
        return NULL;
    }
    if (index >= bine__loop->cluster->count) {
        errno = EINVAL;
        return NULL;
    }
    return bine__loop->cluster->members[index].loop;
}
