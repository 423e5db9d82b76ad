/* SPDX-License-Identifier: MIT
 *
 * The offload threads: see offload.h for what they promise.
 *
 * A pool is one queue and one condition; one lock guards all pools, since a loop takes its finished jobs back
 * from all of them at once and none of what is done under it takes long.  Threads are started when jobs
 * outnumber the idle ones, up to the pool's limit, and end after IDLE_SECONDS without work, so a program that
 * never touches a disk has none.  A job goes
 *     QUEUED -> RUNNING -> FINISHED -> TAKEN
 * and every step is made under the lock.  A finished job is handed back through its loop's list and
 * an interrupt; both are done under the lock, and the loop takes the lock to detach its jobs before it
 * frees its poller, so no thread touches a loop that is gone.  A job that nobody waits for (.io is NULL) is
 * dropped by the thread that ran it.
 *
 * A pool that has been given up goes with the last of its threads: by then nobody waits for a job of it, so
 * none is queued.
 *
 * fork() takes the lock, so that the child's copy is whole; the child has no threads and starts anew. */
#define _GNU_SOURCE
#include "io/offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/io.h"

/* Enough to keep a disk's queue filled; more threads than this only wait in line inside the kernel. */
enum { THREADS = 16, IDLE_SECONDS = 5 };
/* Threads of a pool beside these, whose jobs have said that they may hang. */
enum { HANGING = 128 };
/* For bine_offload(): what programs call there waits more often than it computes. */
enum { PUBLIC_THREADS = 32 };
enum { NAME_SIZE = 16 /* what Linux keeps of a thread's name */ };

enum state { QUEUED, RUNNING, FINISHED, TAKEN };

struct bine__pool {
    struct bine__list others; /* all pools */
    pthread_cond_t work;
    struct bine__list queue;
    int limit; /* of threads that do not hang */
    int class_limit[BINE__OFFLOAD_CLASSES];
    int queue_limit;
    int queued, threads, idle, hanging;
    int running[BINE__OFFLOAD_CLASSES];
    int awaited; /* jobs that a task waits for */
    bool given_up;
    char name[NAME_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards everything here */
static struct bine__list pools = {&pools, &pools};
static struct bine__pool own = {.limit = THREADS,
                                .class_limit = {[BINE__OFFLOAD_FILE] = THREADS, [BINE__OFFLOAD_NAME] = THREADS / 2},
                                .queue_limit = INT32_MAX,
                                .name = "bine-files"};
static struct bine__pool public = {.limit = PUBLIC_THREADS,
                                   .class_limit = {[BINE__OFFLOAD_FILE] = PUBLIC_THREADS},
                                   .queue_limit = INT32_MAX,
                                   .name = "bine-offload"};

/* ---- Start, and fork() ------------------------------------------------------------- */

static void reset(struct bine__pool *pool)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->work, &attributes);
    pthread_condattr_destroy(&attributes);
    bine__list_init(&pool->queue);
    pool->queued = pool->threads = pool->idle = pool->hanging = pool->awaited = 0;
    for (int i = 0; i < BINE__OFFLOAD_CLASSES; i++)
        pool->running[i] = 0;
}

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void in_child(void)
{
    pthread_mutex_init(&lock, NULL);
    for (struct bine__list *node = pools.next; node != &pools; node = node->next)
        reset(bine__list_entry(node, struct bine__pool, others));
}

static void start(void)
{
    reset(&own);
    reset(&public);
    bine__list_append(&pools, &own.others);
    bine__list_append(&pools, &public.others);
    pthread_atfork(before_fork, after_fork, in_child);
}

/* ---- Pools ------------------------------------------------------------------------- */

struct bine__pool *bine__pool_new(const char *name, unsigned threads, unsigned queue)
{
    struct bine__pool *pool = calloc(1, sizeof *pool);

    if (!pool)
        return NULL;
    pthread_once(&once, start);
    reset(pool);
    pool->limit = pool->class_limit[BINE__OFFLOAD_FILE] = (int)threads;
    pool->queue_limit = queue && queue < INT32_MAX ? (int)queue : INT32_MAX;
    memcpy(pool->name, name, strnlen(name, NAME_SIZE - 1));
    pthread_mutex_lock(&lock);
    bine__list_append(&pools, &pool->others);
    pthread_mutex_unlock(&lock);
    return pool;
}

/* With the lock held. */
static void free_if_over(struct bine__pool *pool)
{
    if (!pool->given_up || pool->threads > 0 || pool->hanging > 0)
        return;
    bine__list_remove(&pool->others);
    pthread_cond_destroy(&pool->work);
    free(pool);
}

bool bine__pool_free(struct bine__pool *pool)
{
    bool free_now;

    pthread_mutex_lock(&lock);
    free_now = pool->awaited == 0;
    if (free_now) {
        pool->given_up = true;
        pthread_cond_broadcast(&pool->work);
        free_if_over(pool);
    }
    pthread_mutex_unlock(&lock);
    return free_now;
}

/* ---- The threads ------------------------------------------------------------------- */

static int start_thread(struct bine__pool *);

/* The first job whose class has a thread to spare. */
static struct bine__job *take(struct bine__pool *pool)
{
    for (struct bine__list *node = pool->queue.next; node != &pool->queue; node = node->next) {
        struct bine__job *job = bine__list_entry(node, struct bine__job, link);
        if (pool->running[job->class] >= pool->class_limit[job->class])
            continue;
        bine__list_remove(node);
        pool->queued--;
        job->state = RUNNING;
        return job;
    }
    return NULL;
}

/* With the lock held: it has run. */
static void hand_back(struct bine__pool *pool, struct bine__job *job)
{
    if (job->hangs) {
        pool->hanging--;
        pool->threads++;
    } else {
        pool->running[job->class]--;
    }
    if (!job->io) {
        if (!job->drop)
            return; /* on a stack that its loop has leaked */
        pthread_mutex_unlock(&lock);
        job->drop(job);
        pthread_mutex_lock(&lock);
        return;
    }
    job->state = FINISHED;
    bine__list_append(&job->io->finished, &job->link);
    atomic_store_explicit(&job->io->reap, true, memory_order_release); /* partner: bine__offload_reap() */
    job->io->reactor->interrupt(job->io);
}

/* The job has ended its thread, by pthread_exit(3): its task must not wait for ever. */
static void end_thread(void *arg)
{
    struct bine__job *job = arg;
    struct bine__pool *pool = job->pool;

    pthread_mutex_lock(&lock);
    hand_back(pool, job);
    pool->threads--;
    if (pool->queued > pool->idle && pool->threads < pool->limit)
        (void)start_thread(pool); /* else the next job that comes sees to it */
    free_if_over(pool);
    pthread_mutex_unlock(&lock);
}

/* With the lock held; gives it up while the job runs. */
static void work(struct bine__pool *pool, struct bine__job *job)
{
    pool->running[job->class]++;
    pthread_mutex_unlock(&lock);
    pthread_cleanup_push(end_thread, job);
    job->run(job);
    pthread_cleanup_pop(0);
    pthread_mutex_lock(&lock);
    hand_back(pool, job);
}

/* False: nothing came for IDLE_SECONDS, or nothing will any more. */
static bool wait_for_work(struct bine__pool *pool)
{
    struct timespec until;
    int error;

    if (pool->given_up)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    pool->idle++;
    error = pthread_cond_timedwait(&pool->work, &lock, &until);
    pool->idle--;
    return error == 0;
}

static void name_thread(const char *name)
{
#ifdef __linux__
    pthread_setname_np(pthread_self(), name);
#else
    (void)name;
#endif
}

static void *thread_main(void *arg)
{
    struct bine__pool *pool = arg;
    struct bine__job *job;
    bool stay = true;

    pthread_mutex_lock(&lock);
    name_thread(pool->name);
    while (pool->threads <= pool->limit && ((job = take(pool)) || stay)) {
        if (job)
            work(pool, job);
        stay = job ? true : wait_for_work(pool);
    }
    pool->threads--;
    free_if_over(pool);
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* With the lock held, so that the thread's first act is to wait for us.  An errno value. */
static int start_thread(struct bine__pool *pool)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;
    int error = pthread_attr_init(&attributes);

    if (error)
        return error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, thread_main, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!error)
        pool->threads++;
    return error;
}

bool bine__offload_may_hang(struct bine__job *job)
{
    if (bine__loop && bine__explored(bine__loop))
        return true; /* it runs on the loop: see at_once() */
    struct bine__pool *pool = job->pool;
    bool may;

    pthread_mutex_lock(&lock);
    may = pool->hanging < HANGING;
    if (may) {
        job->hangs = true;
        pool->hanging++;
        pool->threads--;
        pool->running[job->class]--;
        if (pool->queued > pool->idle)
            (void)start_thread(pool); /* else the next job that comes, or a thread that gets free, sees to it */
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&lock);
    return may;
}

/* ---- The loops' side --------------------------------------------------------------- */

/* Besides the jobs that free threads are about to take, as many are queued as may be. */
static bool full(const struct bine__pool *pool)
{
    int spare = pool->threads;

    for (int i = 0; i < BINE__OFFLOAD_CLASSES; i++)
        spare -= pool->running[i];
    return pool->queued - spare >= pool->queue_limit;
}

static int submit(struct bine__io *io, struct bine__job *job)
{
    struct bine__pool *pool = job->pool;
    int error = 0;

    pthread_mutex_lock(&lock);
    if (pool->queued >= pool->idle && pool->threads < pool->limit)
        error = start_thread(pool);
    if (!error || pool->threads > 0) /* those that are there will see to it */
        error = full(pool) ? EAGAIN : 0;
    if (error) {
        pthread_mutex_unlock(&lock);
        return error;
    }
    job->state = QUEUED;
    bine__list_append(&pool->queue, &job->link);
    pool->queued++;
    pool->awaited++;
    bine__list_append(&io->jobs, &job->owned);
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&lock);
    return 0;
}

/* The task does not want to wait.  True: too late, the job is done and its result counts; else it belongs
 * to drop(). */
static bool abandon(struct bine__job *job)
{
    bool finished, queued;

    pthread_mutex_lock(&lock);
    finished = job->state >= FINISHED;
    queued = job->state == QUEUED;
    bine__list_remove(&job->owned);
    if (queued)
        job->pool->queued--;
    if (job->state != TAKEN)
        job->pool->awaited--;
    bine__list_remove(&job->link); /* no effect while it runs, or once it was taken */
    job->io = NULL;
    pthread_mutex_unlock(&lock);
    if (queued)
        job->drop(job);
    return finished;
}

/* Under bine-explore(1): on the loop, in one piece, whenever that is chosen. */
static int at_once(struct bine_task *self, struct bine__job *job)
{
    int error = bine__explore_io(self, -1, 0);

    job->hangs = job->taken = false;
    if (error && job->drop) {
        job->drop(job);
        return bine__error(error);
    }
    job->run(job);
    self->loop->offloaded++;
    return 0;
}

static int offload(struct bine__pool *pool, struct bine_loop *loop, struct bine_task *self, struct bine__job *job,
                   enum bine__offload_class class)
{
    const unsigned wait = BINE__WAIT_OFFLOAD | (job->drop ? 0U : (unsigned)BINE__PARK_DEAF);
    int error;

    if (bine__explored(loop))
        return at_once(self, job);
    pthread_once(&once, start);
    job->pool = pool;
    job->io = loop->io;
    job->task = self;
    job->class = (uint8_t)class;
    job->hangs = job->taken = false;
    bine__list_init(&job->link);
    bine__list_init(&job->owned);
    error = submit(loop->io, job);
    if (error) {
        if (job->drop)
            job->drop(job);
        return bine__error(error);
    }
    loop->offloaded++;
    loop->outstanding++;
    loop->offloading++;
    do
        error = bine__park(loop, self, wait, 0);
    while (!error && !job->taken);
    loop->outstanding--;
    loop->offloading--;
    if (error && !abandon(job))
        return bine__error(error);
    return 0;
}

int bine__offload(struct bine_loop *loop, struct bine_task *self, struct bine__job *job,
                  enum bine__offload_class class)
{
    return offload(&own, loop, self, job, class);
}

int bine__offload_to(struct bine__pool *pool, struct bine_loop *loop, struct bine_task *self, struct bine__job *job)
{
    return offload(pool ? pool : &public, loop, self, job, BINE__OFFLOAD_FILE);
}

unsigned bine__offload_reap(struct bine__io *io)
{
    unsigned woken = 0;

    if (!atomic_load_explicit(&io->reap, memory_order_acquire)) /* partner: work() */
        return 0;
    pthread_mutex_lock(&lock);
    atomic_store_explicit(&io->reap, false, memory_order_relaxed);
    while (!bine__list_empty(&io->finished)) {
        struct bine__job *job = bine__list_entry(io->finished.next, struct bine__job, link);
        bine__list_remove(&job->link);
        bine__list_remove(&job->owned);
        job->pool->awaited--;
        job->state = TAKEN;
        job->taken = true;
        bine__wake(job->task);
        woken++;
    }
    pthread_mutex_unlock(&lock);
    return woken;
}

/* What is still here belongs to tasks that were given up with their stacks: no thread may wake them. */
void bine__offload_orphan(struct bine__io *io)
{
    pthread_mutex_lock(&lock);
    while (!bine__list_empty(&io->jobs)) {
        struct bine__job *job = bine__list_entry(io->jobs.next, struct bine__job, owned);
        bine__list_remove(&job->owned);
        bine__list_remove(&job->link);
        if (job->state == QUEUED)
            job->pool->queued--;
        job->pool->awaited--;
        job->io = NULL;
    }
    pthread_mutex_unlock(&lock);
}
