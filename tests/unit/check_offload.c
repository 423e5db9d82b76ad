/* SPDX-License-Identifier: MIT
 *
 * The offload threads: limits, abandoning, signals, fork.  What the calls on files make of them stands in
 * check_io_file.c.
 *
 * Jobs here wait at a gate that the test opens, so "still running" is a fact and not a matter of time. */
#define _GNU_SOURCE
#include "support/support.h"
#include "support/tasks.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "io/io.h"
#include "io/offload.h"
#include "support/fault.h"
#include "support/gate.h"

enum { NAMES = 20, NAME_LIMIT = 8 /* half of the threads */ };

/* ---- Jobs that wait at a gate ------------------------------------------------------ */

struct gated { /* the heap's */
    struct bine__job job;
};

static void run_gated(struct bine__job *job)
{
    (void)job;
    wait_at_gate();
}

static void run_at_once(struct bine__job *job)
{
    (void)job;
    runs++;
}

static void drop_gated(struct bine__job *job)
{
    drops++;
    free(bine__list_entry(job, struct gated, job));
}

/* A job of the task's own stack, which cannot be left. */
static void *wait_deaf(void *class)
{
    struct bine__job job = {.run = run_gated};

    if (bine__offload(bine_this_loop(), bine_self(), &job, (enum bine__offload_class)(intptr_t)class) != 0)
        return bine_fail(errno);
    return NULL;
}

/* A job of the heap's, which can. */
static void *wait_lightly(void *class)
{
    struct gated *gated = calloc(1, sizeof *gated);

    gated->job.run = run_gated;
    gated->job.drop = drop_gated;
    if (bine__offload(bine_this_loop(), bine_self(), &gated->job,
                      (enum bine__offload_class)(intptr_t)class) != 0)
        return bine_fail(errno);
    free(gated);
    return NULL;
}

static void *const NAME = (void *)(intptr_t)BINE__OFFLOAD_NAME;
static void *const WORK = (void *)(intptr_t)BINE__OFFLOAD_FILE;

/* ---- Limits ------------------------------------------------------------------------ */

LOOP_TEST(lookups_that_hang_leave_threads_for_files)
{
    bine_task *names[NAMES];
    struct bine__job file = {.run = run_at_once};
    set_up();
    for (int i = 0; i < NAMES; i++)
        names[i] = bine_spawn(wait_deaf, NAME);
    settle();
    for (int i = 0; i < NAME_LIMIT; i++)
        await_begun();
    expect_ok(bine__offload(bine_this_loop(), bine_self(), &file, BINE__OFFLOAD_FILE));
    expect_int(runs, ==, NAME_LIMIT + 1);
    open_gate(NAMES);
    for (int i = 0; i < NAMES; i++)
        expect_int(join(names[i]).error, ==, 0);
    expect_int(runs, ==, NAMES + 1);
    expect_int(most, ==, NAME_LIMIT);
}

static void *open_it(void *path)
{
    int fd = bine_open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return bine_fail(errno);
    bine_close(fd);
    return NULL;
}

/* More of them than there are threads.  Then the tasks leave, and descriptors that come late are closed. */
LOOP_TEST(fifos_that_nobody_opens_hold_up_no_file)
{
    enum { FIFOS = 20 };
    char directory[] = "/tmp/bine-XXXXXX", path[FIFOS][64];
    bine_task *tasks[FIFOS];
    expect(mkdtemp(directory) != NULL);
    for (int i = 0; i < FIFOS; i++) {
        snprintf(path[i], sizeof path[i], "%s/%d", directory, i);
        expect_ok(mkfifo(path[i], 0600));
        tasks[i] = bine_spawn(open_it, path[i]);
    }
    settle();
    int fd = bine_open("/dev/null", O_RDONLY | O_CLOEXEC);
    expect_int(fd, >=, 0);
    bine_close(fd);
    for (int i = 0; i < FIFOS; i++) {
        bine_cancel(tasks[i]);
        expect_int(join(tasks[i]).error, ==, ECANCELED);
    }
    for (int i = 0; i < FIFOS; i++) { /* a reader that has not got as far yet makes this ENXIO */
        int writer;
        while ((writer = open(path[i], O_WRONLY | O_NONBLOCK | O_CLOEXEC)) == -1 && errno == ENXIO)
            expect_ok(bine_sleep(BINE_MS));
        for (; writer >= 0; writer = open(path[i], O_WRONLY | O_NONBLOCK | O_CLOEXEC)) {
            close(writer);
            expect_ok(bine_sleep(BINE_MS)); /* until its thread has closed what it opened */
        }
        expect_int(errno, ==, ENXIO);
        unlink(path[i]);
    }
    rmdir(directory);
}

/* ---- Leaving ----------------------------------------------------------------------- */

LOOP_TEST(a_job_on_the_stack_is_awaited_through_cancellation)
{
    set_up();
    bine_task *task = bine_spawn(wait_deaf, WORK);
    settle();
    await_begun();
    bine_cancel(task);
    settle();
    expect_int(running, ==, 1);
    open_gate(1);
    expect_int(join(task).error, ==, 0); /* what has been done counts; the next call fails */
    expect_int(runs, ==, 1);
}

LOOP_TEST(a_running_job_that_is_left_is_dropped_by_its_thread)
{
    set_up();
    bine_task *task = bine_spawn(wait_lightly, WORK);
    settle();
    await_begun();
    bine_cancel(task);
    expect_abandoned(task);
}

LOOP_TEST(a_queued_job_that_is_left_is_dropped_and_never_run)
{
    bine_task *before[NAME_LIMIT], *task;
    set_up();
    for (int i = 0; i < NAME_LIMIT; i++)
        before[i] = bine_spawn(wait_deaf, NAME);
    settle();
    for (int i = 0; i < NAME_LIMIT; i++)
        await_begun();
    task = bine_spawn(wait_lightly, NAME);
    settle();
    bine_cancel(task);
    expect_int(join(task).error, ==, ECANCELED);
    expect_int(drops, ==, 1);
    open_gate(NAME_LIMIT);
    for (int i = 0; i < NAME_LIMIT; i++)
        expect_int(join(before[i]).error, ==, 0);
    expect_int(runs, ==, NAME_LIMIT);
}

LOOP_TEST(without_a_thread_it_fails_and_drops)
{
    struct bine__job job = {.run = run_at_once};
    set_up();
    bine_task *task = bine_spawn(wait_lightly, WORK);
    fault_arm_call("pthread_create", 1, 2, EAGAIN);
    expect_fails(bine__offload(bine_this_loop(), bine_self(), &job, BINE__OFFLOAD_FILE), EAGAIN);
    expect_int(join(task).error, ==, EAGAIN);
    expect_int(drops, ==, 1);
    expect_int(runs, ==, 0);
    fault_disarm();
    expect_ok(bine__offload(bine_this_loop(), bine_self(), &job, BINE__OFFLOAD_FILE));
    expect_int(runs, ==, 1);
}

/* ---- Signals and processes --------------------------------------------------------- */

static sigset_t mask_there;

static void run_mask(struct bine__job *job)
{
    (void)job;
    pthread_sigmask(SIG_BLOCK, NULL, &mask_there);
}

LOOP_TEST(its_threads_take_no_signals_and_ours_keeps_its_own)
{
    struct bine__job job = {.run = run_mask};
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    expect_ok(bine__offload(bine_this_loop(), bine_self(), &job, BINE__OFFLOAD_FILE));
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGALRM, SIGUSR1, SIGURG, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        expect_int(sigismember(&mask_there, signals[i]), ==, 1);
        expect_int(sigismember(&after, signals[i]), ==, sigismember(&before, signals[i]));
    }
}

static void *offload_one(void *arg)
{
    struct bine__job job = {.run = run_at_once};
    (void)arg;
    if (bine__offload(bine_this_loop(), bine_self(), &job, BINE__OFFLOAD_FILE) != 0)
        return bine_fail(errno);
    return NULL;
}

/* The parent's threads and jobs are not the child's. */
LOOP_TEST(a_forked_child_has_threads_of_its_own)
{
    int status = -1;
    if (support_instrumented()) {
        support_skip("a_forked_child_has_threads_of_its_own", "ThreadSanitizer lets such a child start none");
        return;
    }
    if (support_emulated()) {
        support_skip("a_forked_child_has_threads_of_its_own", "qemu 7 aborts when such a child starts one");
        return;
    }
    set_up();
    bine_task *task = bine_spawn(wait_deaf, WORK);
    settle();
    await_begun();
    pid_t child = fork();
    if (child == 0) {
        bine_result result = {NULL, -1};
        _exit(bine_run(offload_one, NULL, &result) == 0 && result.error == 0 && runs == 2 ? 0 : 1);
    }
    expect_int(waitpid(child, &status, 0), ==, child);
    expect_int(status, ==, 0);
    open_gate(1);
    expect_int(join(task).error, ==, 0);
    expect_int(runs, ==, 1);
}

SUPPORT_MAIN("offload", lookups_that_hang_leave_threads_for_files, fifos_that_nobody_opens_hold_up_no_file,
             a_job_on_the_stack_is_awaited_through_cancellation,
             a_running_job_that_is_left_is_dropped_by_its_thread,
             a_queued_job_that_is_left_is_dropped_and_never_run, without_a_thread_it_fails_and_drops,
             its_threads_take_no_signals_and_ours_keeps_its_own, a_forked_child_has_threads_of_its_own)
