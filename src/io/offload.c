/* SPDX-License-Identifier: MIT
 *
 * The offload threads: see offload.h for what they promise.
 *
 * One queue, one lock, one condition.  Threads are started when jobs outnumber the idle ones, up to
 * THREADS, and end after IDLE_SECONDS without work, so a program that never touches a disk has none.  A job
 * goes
 *     QUEUED -> RUNNING -> FINISHED -> TAKEN
 * and every step is made under the lock.  A finished job is handed back through its loop's list and
 * an interrupt; both are done under the lock, and the loop takes the lock to detach its jobs before it
 * frees its poller, so no thread touches a loop that is gone.  A job that nobody waits for (.io is NULL) is
 * dropped by the thread that ran it.
 *
 * fork() takes the lock, so that the child's copy is whole; the child has no threads and starts anew. */
#include "io/offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "io/io.h"

/* Enough to keep a disk's queue filled; more threads than this only wait in line inside the kernel. */
enum { THREADS = 16, IDLE_SECONDS = 5 };
/* Threads beside these, whose jobs have said that they may hang.  Further ones count as the others do. */
enum { HANGING = 64 };
static const int class_limit[BINE__OFFLOAD_CLASSES] = {
    [BINE__OFFLOAD_FILE] = THREADS,
    [BINE__OFFLOAD_NAME] = THREADS / 2,
};

enum state { QUEUED, RUNNING, FINISHED, TAKEN };

static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct bine__list queue;
    int queued, threads, idle, hanging;
    int running[BINE__OFFLOAD_CLASSES];
} pool = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- Start, and fork() ------------------------------------------------------------- */

static void reset(void)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool.work, &attributes);
    pthread_condattr_destroy(&attributes);
    bine__list_init(&pool.queue);
    pool.queued = pool.threads = pool.idle = pool.hanging = 0;
    for (int i = 0; i < BINE__OFFLOAD_CLASSES; i++)
        pool.running[i] = 0;
}

static void before_fork(void)
{
    pthread_mutex_lock(&pool.lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&pool.lock);
}

static void in_child(void)
{
    pthread_mutex_init(&pool.lock, NULL);
    reset();
}

static void start(void)
{
    reset();
    pthread_atfork(before_fork, after_fork, in_child);
}

/* ---- The threads ------------------------------------------------------------------- */

/* The first job whose class has a thread to spare. */
static struct bine__job *take(void)
{
    for (struct bine__list *node = pool.queue.next; node != &pool.queue; node = node->next) {
        struct bine__job *job = bine__list_entry(node, struct bine__job, link);
        if (pool.running[job->class] >= class_limit[job->class])
            continue;
        bine__list_remove(node);
        pool.queued--;
        job->state = RUNNING;
        return job;
    }
    return NULL;
}

/* With the lock held; gives it up while the job runs. */
static void work(struct bine__job *job)
{
    const int class = job->class;

    pool.running[class]++;
    pthread_mutex_unlock(&pool.lock);
    job->run(job);
    pthread_mutex_lock(&pool.lock);
    if (job->hangs) {
        pool.hanging--;
        pool.threads++;
    } else {
        pool.running[class]--;
    }
    if (!job->io) {
        if (!job->drop)
            return; /* on a stack that its loop has leaked */
        pthread_mutex_unlock(&pool.lock);
        job->drop(job);
        pthread_mutex_lock(&pool.lock);
        return;
    }
    job->state = FINISHED;
    bine__list_append(&job->io->finished, &job->link);
    atomic_store_explicit(&job->io->reap, true, memory_order_release); /* partner: bine__offload_reap() */
    job->io->reactor->interrupt(job->io);
}

/* False: nothing came for IDLE_SECONDS. */
static bool wait_for_work(void)
{
    struct timespec until;
    int error;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    pool.idle++;
    error = pthread_cond_timedwait(&pool.work, &pool.lock, &until);
    pool.idle--;
    return error == 0;
}

static void *thread_main(void *unused)
{
    struct bine__job *job;
    bool stay = true;

    pthread_mutex_lock(&pool.lock);
    while (pool.threads <= THREADS && ((job = take()) || stay)) {
        if (job)
            work(job);
        stay = job ? true : wait_for_work();
    }
    pool.threads--;
    pthread_mutex_unlock(&pool.lock);
    return unused;
}

/* With the lock held, so that the thread's first act is to wait for us.  An errno value. */
static int start_thread(void)
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
    error = pthread_create(&thread, &attributes, thread_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!error)
        pool.threads++;
    return error;
}

void bine__offload_may_hang(struct bine__job *job)
{
    pthread_mutex_lock(&pool.lock);
    if (pool.hanging < HANGING) {
        job->hangs = true;
        pool.hanging++;
        pool.threads--;
        pool.running[job->class]--;
        if (pool.queued > pool.idle)
            (void)start_thread(); /* else the next job that comes, or a thread that gets free, sees to it */
        pthread_cond_signal(&pool.work);
    }
    pthread_mutex_unlock(&pool.lock);
}

/* ---- The loops' side --------------------------------------------------------------- */

static int submit(struct bine__io *io, struct bine__job *job)
{
    int error = 0;

    pthread_mutex_lock(&pool.lock);
    if (pool.queued >= pool.idle && pool.threads < THREADS)
        error = start_thread();
    if (error && pool.threads == 0) {
        pthread_mutex_unlock(&pool.lock);
        return error;
    }
    job->state = QUEUED;
    bine__list_append(&pool.queue, &job->link);
    pool.queued++;
    bine__list_append(&io->jobs, &job->owned);
    pthread_cond_signal(&pool.work);
    pthread_mutex_unlock(&pool.lock);
    return 0;
}

/* The task does not want to wait.  True: too late, the job is done and its result counts; else it belongs
 * to drop(). */
static bool abandon(struct bine__job *job)
{
    bool finished, queued;

    pthread_mutex_lock(&pool.lock);
    finished = job->state >= FINISHED;
    queued = job->state == QUEUED;
    bine__list_remove(&job->owned);
    if (queued)
        pool.queued--;
    bine__list_remove(&job->link); /* no effect while it runs, or once it was taken */
    job->io = NULL;
    pthread_mutex_unlock(&pool.lock);
    if (queued)
        job->drop(job);
    return finished;
}

int bine__offload(struct bine_loop *loop, struct bine_task *self, struct bine__job *job,
                  enum bine__offload_class class)
{
    const unsigned wait = BINE__WAIT_OFFLOAD | (job->drop ? 0U : (unsigned)BINE__PARK_DEAF);
    int error;

    pthread_once(&pool.once, start);
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
        errno = error;
        return -1;
    }
    loop->offloaded++;
    loop->outstanding++;
    loop->offloading++;
    do
        error = bine__park(loop, self, wait, 0);
    while (!error && !job->taken);
    loop->outstanding--;
    loop->offloading--;
    if (error && !abandon(job)) {
        errno = error;
        return -1;
    }
    return 0;
}

unsigned bine__offload_reap(struct bine__io *io)
{
    unsigned woken = 0;

    if (!atomic_load_explicit(&io->reap, memory_order_acquire)) /* partner: work() */
        return 0;
    pthread_mutex_lock(&pool.lock);
    atomic_store_explicit(&io->reap, false, memory_order_relaxed);
    while (!bine__list_empty(&io->finished)) {
        struct bine__job *job = bine__list_entry(io->finished.next, struct bine__job, link);
        bine__list_remove(&job->link);
        bine__list_remove(&job->owned);
        job->state = TAKEN;
        job->taken = true;
        bine__wake(job->task);
        woken++;
    }
    pthread_mutex_unlock(&pool.lock);
    return woken;
}

/* What is still here belongs to tasks that were given up with their stacks: no thread may wake them. */
void bine__offload_orphan(struct bine__io *io)
{
    pthread_mutex_lock(&pool.lock);
    while (!bine__list_empty(&io->jobs)) {
        struct bine__job *job = bine__list_entry(io->jobs.next, struct bine__job, owned);
        bine__list_remove(&job->owned);
        bine__list_remove(&job->link);
        if (job->state == QUEUED)
            pool.queued--;
        job->io = NULL;
    }
    pthread_mutex_unlock(&pool.lock);
}
