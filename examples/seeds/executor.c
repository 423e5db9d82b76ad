/* SPDX-License-Identifier: MIT
 *
 * A call that blocks the thread, and an executor that takes it elsewhere.
 *
 * First a() calls something that knows nothing of bine and waits: it holds the loop, and b() cannot even
 * begin.  Then the same wait in a thread of its own: run_in_executor() is made of a thread, a future and
 * bine_post(), the one call that another thread may make.  (A pool of such threads is not public in bine
 * yet.  It has one inside: calls on files go there.) Of time only the order is shown: the second wait ends
 * when b() says so, which it could not if the loop were held. */
#include <bine.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../lib/program.h"

struct job {
    void (*fn)(void);
    bine_loop *loop;
    bine_future *done;
};

static void *set_done(void *future)
{
    bine_future_set(future, NULL);
    return NULL;
}

static void *in_thread(void *arg)
{
    struct job *job = arg;
    job->fn();
    if (bine_post(job->loop, set_done, job->done) < 0)
        abort(); /* out of memory: nobody would ever know that the work is done */
    return NULL;
}

/* Yields until fn() has returned, cancelled or not: the thread uses what lies on this stack. */
static int run_in_executor(void (*fn)(void))
{
    struct job job = {fn, bine_loop_ref(bine_this_loop()), bine_future_new(NULL)}; /* its own reference */
    pthread_t thread;
    bine_result result;
    int error = job.done ? pthread_create(&thread, NULL, in_thread, &job) : ENOMEM;
    if (!error) {
        BINE_SHIELD
            bine_future_await(job.done, &result);
        pthread_join(thread, NULL);
        error = bine_cancelled();
    }
    bine_future_unref(job.done);
    bine_loop_unref(job.loop);
    errno = error;
    return error ? -1 : 0;
}

static sem_t middle_of_b;

static void blocking_sleep(void)
{
    nanosleep(&(struct timespec){0, 1000000}, NULL);
}

static void blocking_wait(void)
{
    while (sem_wait(&middle_of_b) < 0 && errno == EINTR)
        continue;
}

static void *a_blocking(void *arg)
{
    puts("a enter");
    blocking_sleep();
    puts("a exit");
    return arg;
}

static void *a_in_executor(void *arg)
{
    puts("a enter");
    if (run_in_executor(blocking_wait) < 0)
        return bine_fail(errno);
    puts("a exit");
    return arg;
}

static void *b(void *arg)
{
    puts("b enter");
    if (bine_sleep(BINE_MS) < 0)
        return bine_fail(errno);
    puts("b middle");
    sem_post(&middle_of_b);
    return arg;
}

static void *run(void *arg)
{
    static bine_fn *const blocking[] = {a_blocking, b};
    static bine_fn *const executor[] = {a_in_executor, b};
    bine_result results[2];
    (void)arg;
    puts("a blocks the loop:");
    if (bine_gather(2, blocking, NULL, results) < 0)
        return bine_fail(errno);
    blocking_wait();
    puts("a uses an executor:");
    return bine_gather(2, executor, NULL, results) < 0 ? bine_fail(errno) : NULL;
}

int main(int argc, char **argv)
{
    bine_result result = {NULL, 0};
    (void)argc;
    if (sem_init(&middle_of_b, 0, 0) < 0)
        return program_end(argv[0], -1, 0);
    int how = bine_run(run, NULL, &result);
    return program_end(argv[0], how, result.error);
}
