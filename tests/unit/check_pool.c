/* SPDX-License-Identifier: MIT
 *
 * bine_offload(), bine_offload_abandon() and pools of threads.
 *
 * Functions here wait at a gate that the test opens, so "still running" is a fact and not a matter of time.
 * What the threads beneath promise stands in check_offload.c. */
#define _GNU_SOURCE
#include "support/support.h"
#include "support/tasks.h"

#include <pthread.h>

#include "support/fault.h"
#include "support/gate.h"

static void *at_once(void *arg)
{
    runs++;
    return arg;
}

static void *failing(void *arg)
{
    (void)arg;
    return bine_fail(ENOTTY);
}

static void *gated(void *arg)
{
    wait_at_gate();
    return arg;
}

static void drop(void *arg)
{
    free(arg);
    drops++;
}

/* ---- What comes back --------------------------------------------------------------- */

static void *double_it(void *arg)
{
    int *n = arg;
    expect_fails(bine_sleep(0), EPERM); /* no task is here */
    expect(bine_this_loop() == NULL);
    *n *= 2;
    return n;
}

LOOP_TEST(a_function_runs_elsewhere_on_an_argument_of_the_callers_stack)
{
    int n = 21;
    bine_result result = {NULL, -1};
    expect_ok(bine_offload(double_it, &n, &result));
    expect_int(n, ==, 42);
    expect_ptr(result.value, ==, &n);
    expect_int(result.error, ==, 0);
}

LOOP_TEST(how_it_failed_is_told)
{
    bine_result result = {&result, -1};
    reports_catch();
    expect_ok(bine_offload(failing, NULL, &result));
    expect_int(result.error, ==, ENOTTY);
    expect_ptr(result.value, ==, NULL);
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 0);
    expect_ok(bine_offload(failing, NULL, NULL));
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 1);
    expect_ok(bine_offload_abandon(failing, NULL, drop, &result));
    expect_int(result.error, ==, ENOTTY);
    expect_int(drops, ==, 0);
}

static void *count_to_ten(void *arg)
{
    int *n = arg;
    for (int i = 0; i < 10; i++) {
        ++*n;
        bine_yield();
    }
    return NULL;
}

static void *offload_gated(void *pool)
{
    return bine_pool_offload(pool, gated, NULL, NULL) == 0 ? NULL : bine_fail(errno);
}

static void *abandon_gated(void *pool)
{
    return bine_pool_offload_abandon(pool, gated, malloc(1), drop, NULL) == 0 ? NULL : bine_fail(errno);
}

static void *end_the_thread(void *arg)
{
    pthread_exit(arg);
}

/* More often than there are threads. */
LOOP_TEST(a_function_that_ends_its_thread_has_failed)
{
    bine_pool *pool = bine_pool_new(NULL);
    int n = 21;
    bine_result result = {NULL, -1};
    if (support_emulated()) { /* whose C library may lack what unwinds */
        support_skip("a_function_that_ends_its_thread_has_failed", "qemu has no library to unwind with");
        expect_ok(bine_pool_free(pool));
        return;
    }
    for (int i = 0; i < 40; i++) {
        expect_ok(bine_pool_offload(pool, end_the_thread, &n, &result));
        expect_int(result.error, ==, EOWNERDEAD);
        expect_ptr(result.value, ==, NULL);
    }
    expect_ok(bine_pool_offload_abandon(pool, end_the_thread, NULL, NULL, &result));
    expect_int(result.error, ==, EOWNERDEAD);
    expect_ok(bine_pool_offload(pool, double_it, &n, &result));
    expect_int(n, ==, 42);
    expect_ok(bine_pool_free(pool));
}

LOOP_TEST(others_run_meanwhile)
{
    int n = 0;
    set_up();
    bine_task *waiter = bine_spawn(offload_gated, NULL), *task = bine_spawn(count_to_ten, &n);
    expect_int(join(task).error, ==, 0);
    expect_int(n, ==, 10);
    await_begun();
    open_gate(1);
    expect_int(join(waiter).error, ==, 0);
}

VIRTUAL_TEST(virtual_time_stands_still_meanwhile)
{
    bine_ns before = bine_now();
    expect_ok(bine_offload(at_once, NULL, NULL));
    expect_int(bine_now(), ==, before);
}

/* ---- Leaving ----------------------------------------------------------------------- */

static void *offload_and_yield(void *arg)
{
    if (bine_offload(gated, arg, NULL) != 0)
        return bine_fail(EDOM);
    return bine_yield() == 0 ? NULL : bine_fail(errno);
}

LOOP_TEST(cancellation_is_observed_after_the_function_has_returned)
{
    set_up();
    bine_task *task = bine_spawn(offload_and_yield, NULL);
    settle();
    await_begun();
    bine_cancel(task);
    settle();
    expect_int(running, ==, 1);
    open_gate(1);
    expect_int(join(task).error, ==, ECANCELED); /* by the call that follows */
    expect_int(running, ==, 0);
}

LOOP_TEST(what_is_abandoned_is_left_at_once_and_dropped_when_it_ends)
{
    set_up();
    bine_task *task = bine_spawn(abandon_gated, NULL);
    settle();
    await_begun();
    bine_cancel(task);
    expect_abandoned(task);
}

LOOP_TEST(a_deadline_abandons_too)
{
    set_up();
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_offload_abandon(gated, malloc(1), drop, NULL), ETIMEDOUT);
    }
    open_gate(1);
    while (drops == 0)
        expect_ok(bine_sleep(BINE_MS));
    expect_int(drops, ==, 1);
}

LOOP_TEST(what_was_not_abandoned_keeps_its_argument)
{
    int n = 4;
    bine_result result = {NULL, -1};
    set_up();
    expect_ok(bine_offload_abandon(double_it, &n, drop, &result));
    expect_int(n, ==, 8);
    expect_ptr(result.value, ==, &n);
    expect_int(drops, ==, 0);
}

/* ---- Pools ------------------------------------------------------------------------- */

static void *tell_name(void *text)
{
    pthread_getname_np(pthread_self(), text, 16);
    return NULL;
}

LOOP_TEST(a_pools_threads_have_its_name)
{
    bine_pool_options options = BINE_POOL_OPTIONS_INIT;
    char name[16] = "";
    options.name = "a name that is too long";
    bine_pool *pool = bine_pool_new(&options);
    expect_ok(bine_pool_offload(pool, tell_name, name, NULL));
    expect_str(name, "a name that is ");
    expect_ok(bine_pool_free(pool));
    pool = bine_pool_new(NULL);
    expect_ok(bine_pool_offload(pool, tell_name, name, NULL));
    expect_str(name, "bine-pool");
    expect_ok(bine_pool_free(pool));
}

LOOP_TEST(a_pool_has_so_many_threads_and_so_many_jobs_wait)
{
    enum { JOBS = 5 };
    const bine_pool_options options = {.threads = 2, .queue = 3};
    bine_pool *pool = bine_pool_new(&options);
    bine_task *tasks[JOBS];
    set_up();
    for (int i = 0; i < JOBS; i++)
        tasks[i] = bine_spawn(offload_gated, pool);
    settle();
    await_begun(); /* on both threads */
    await_begun();
    expect_fails(bine_pool_offload(pool, at_once, NULL, NULL), EAGAIN);
    expect_fails(bine_pool_offload_abandon(pool, at_once, malloc(1), drop, NULL), EAGAIN);
    expect_int(drops, ==, 1);
    expect_fails(bine_pool_free(pool), EBUSY);
    expect_ok(bine_offload(at_once, NULL, NULL)); /* others are not concerned */
    open_gate(JOBS);
    for (int i = 0; i < JOBS; i++)
        expect_int(join(tasks[i]).error, ==, 0);
    expect_int(most, ==, 2);
    expect_int(runs, ==, JOBS + 1);
    expect_ok(bine_pool_free(pool));
}

LOOP_TEST(one_that_waits_in_the_queue_is_dropped_and_never_run)
{
    const bine_pool_options options = {.threads = 1};
    bine_pool *pool = bine_pool_new(&options);
    set_up();
    bine_task *first = bine_spawn(offload_gated, pool), *second = bine_spawn(abandon_gated, pool);
    settle();
    await_begun();
    bine_cancel(second);
    expect_int(join(second).error, ==, ECANCELED);
    expect_int(drops, ==, 1);
    open_gate(1);
    expect_int(join(first).error, ==, 0);
    expect_int(runs, ==, 1);
    expect_ok(bine_pool_free(pool));
}

LOOP_TEST(a_pool_is_freed_while_what_was_abandoned_runs)
{
    bine_pool *pool = bine_pool_new(NULL);
    set_up();
    bine_task *task = bine_spawn(abandon_gated, pool);
    settle();
    await_begun();
    bine_cancel(task);
    expect_int(join(task).error, ==, ECANCELED);
    expect_ok(bine_pool_free(pool));
    expect_int(drops, ==, 0);
    open_gate(1);
    while (drops == 0)
        expect_ok(bine_sleep(BINE_MS));
    expect_int(drops, ==, 1);
}

/* ---- Many loops -------------------------------------------------------------------- */

enum { LOOPS = 3, TASKS = 10, CALLS = 20 };

static void *call_often(void *pool)
{
    for (int i = 0; i < CALLS; i++) {
        bine_result result = {NULL, -1};
        if (bine_pool_offload(pool, at_once, &result, &result) != 0 || result.value != &result)
            return bine_fail(EDOM);
    }
    return NULL;
}

static void *spawn_callers(void *pool)
{
    BINE_GROUP (group, BINE_GROUP_ALL)
        for (int i = 0; i < TASKS; i++)
            bine_group_spawn(&group, call_often, pool);
    return NULL;
}

static void *run_loop(void *pool)
{
    run_recorded(NULL, spawn_callers, pool);
    return NULL;
}

START_TEST(a_pool_serves_several_loops)
{
    bine_pool *pool = bine_pool_new(NULL);
    pthread_t threads[LOOPS];
    set_up();
    for (int i = 0; i < LOOPS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_loop, pool), 0);
    for (int i = 0; i < LOOPS; i++)
        pthread_join(threads[i], NULL);
    support_settle();
    ck_assert_int_eq(runs, LOOPS * TASKS * CALLS);
    ck_assert_int_eq(bine_pool_free(pool), 0);
}
END_TEST

/* ---- Misuse and faults ------------------------------------------------------------- */

LOOP_TEST(without_a_thread_it_fails)
{
    bine_pool *pool = bine_pool_new(NULL);
    set_up();
    fault_arm_call("pthread_create", 1, 2, EAGAIN);
    expect_fails(bine_pool_offload(pool, at_once, NULL, NULL), EAGAIN);
    expect_fails(bine_pool_offload_abandon(pool, at_once, malloc(1), drop, NULL), EAGAIN);
    fault_disarm();
    expect_int(drops, ==, 1);
    expect_int(runs, ==, 0);
    expect_ok(bine_pool_free(pool));
}

LOOP_TEST(without_memory_it_fails)
{
    void *arg = malloc(1);
    set_up();
    fault_arm_call("calloc", 1, 1, ENOMEM);
    expect_fails(bine_offload_abandon(at_once, arg, drop, NULL), ENOMEM);
    fault_disarm();
    expect_int(drops, ==, 1);
    fault_arm_call("malloc", 1, 1, ENOMEM);
    expect_null(bine_pool_new(NULL), ENOMEM);
    fault_disarm();
    fault_arm_call("calloc", 1, 1, ENOMEM);
    expect_null(bine_pool_new(NULL), ENOMEM);
    fault_disarm();
    bine_yield();
}

static bine_event called_back = BINE_EVENT_INIT;

static void call_back(void *arg)
{
    (void)arg;
    expect_fails(bine_offload(at_once, NULL, NULL), EDEADLK);
    expect_fails(bine_offload_abandon(at_once, malloc(1), drop, NULL), EDEADLK);
    bine_event_set(&called_back);
}

LOOP_TEST(misuse_is_an_error)
{
    const bine_pool_options options = {.threads = 1025};
    set_up();
    expect_fails(bine_offload(NULL, NULL, NULL), EINVAL);
    expect_fails(bine_offload_abandon(NULL, malloc(1), drop, NULL), EINVAL);
    expect_int(drops, ==, 1);
    expect_null(bine_pool_new(&options), EINVAL);
    expect_fails(bine_pool_free(NULL), EINVAL);
    BINE_TIMEOUT(0) {
        expect_fails(bine_offload(at_once, NULL, NULL), ETIMEDOUT);
    }
    expect_ok(bine_call_soon(call_back, NULL));
    expect_ok(bine_event_wait(&called_back));
    expect_int(drops, ==, 2);
    expect_int(runs, ==, 0);
}

START_TEST(outside_of_a_run_it_fails)
{
    set_up();
    expect_fails(bine_offload(at_once, NULL, NULL), EPERM);
    expect_fails(bine_offload_abandon(at_once, malloc(1), drop, NULL), EPERM);
    expect_fails(bine_pool_offload(NULL, at_once, NULL, NULL), EPERM);
    expect_int(drops, ==, 1);
    support_settle();
}
END_TEST

SUPPORT_MAIN("pool", a_function_runs_elsewhere_on_an_argument_of_the_callers_stack, how_it_failed_is_told,
             a_function_that_ends_its_thread_has_failed, others_run_meanwhile, virtual_time_stands_still_meanwhile,
             cancellation_is_observed_after_the_function_has_returned,
             what_is_abandoned_is_left_at_once_and_dropped_when_it_ends, a_deadline_abandons_too,
             what_was_not_abandoned_keeps_its_argument, a_pools_threads_have_its_name,
             a_pool_has_so_many_threads_and_so_many_jobs_wait, one_that_waits_in_the_queue_is_dropped_and_never_run,
             a_pool_is_freed_while_what_was_abandoned_runs, a_pool_serves_several_loops, without_a_thread_it_fails,
             without_memory_it_fails, misuse_is_an_error, outside_of_a_run_it_fails)
