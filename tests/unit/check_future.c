/* SPDX-License-Identifier: MIT
 *
 * Futures: set once, awaited by many, waiting for several, tasks as futures, the shield. */
#include <bine/future.h>

#include "support/support.h"
#include "support/tasks.h"
#include "support/trace.h"

static int dropped, ended;

static void count_drop(void *value)
{
    (void)value;
    dropped++;
}

static void *sleep_for(void *arg)
{
    int slept = bine_sleep((bine_ns)(intptr_t)arg);
    ended++;
    return slept == 0 ? arg : bine_fail(errno);
}

static void *as_arg(bine_ns ns)
{
    return (void *)(intptr_t)ns;
}

static bine_future *future_of(bine_fn *fn, void *arg)
{
    bine_future *future = bine_task_future(bine_spawn(fn, arg));
    expect(future != NULL);
    return future;
}

/* ---- One ----------------------------------------------------------------------------------------------- */

LOOP_TEST(a_future_is_set_once)
{
    bine_result result = {NULL, -1};
    bine_future *future = bine_future_new(count_drop);
    expect(!bine_future_done(future));
    expect_fails(bine_future_result(future, &result), EAGAIN);
    expect_ok(bine_future_set(future, &ended));
    expect_fails(bine_future_set(future, &dropped), EALREADY);
    expect_fails(bine_future_fail(future, EIO), EALREADY);
    expect_fails(bine_future_cancel(future), EALREADY);
    expect(bine_future_done(future));
    expect(!bine_future_cancelled(future));
    expect_ok(bine_future_result(future, &result));
    expect_ptr(result.value, ==, &ended);
    bine_future_unref(future);
    expect_int(dropped, ==, 0); /* somebody has read it */
}

LOOP_TEST(what_nobody_reads_is_dropped_or_reported)
{
    reports_catch();
    bine_future *future = bine_future_new(count_drop);
    expect_ok(bine_future_set(future, &ended));
    bine_future_unref(future);
    expect_int(dropped, ==, 1);
    future = bine_future_new(count_drop);
    expect_ok(bine_future_fail(future, EIO));
    bine_future_unref(future);
    expect_int(dropped, ==, 1);
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 1);
    future = bine_future_new(count_drop);
    expect_ok(bine_future_cancel(future));
    expect(bine_future_cancelled(future));
    bine_future_unref(future);
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 1);
}

static bine_future *awaited;

static void *await_it(void *name)
{
    bine_result result = {NULL, -1};
    expect_ok(bine_future_await(awaited, &result));
    expect_ptr(result.value, ==, &ended);
    note(*(const char *)name);
    return NULL;
}

LOOP_TEST(all_who_wait_are_woken_in_order)
{
    awaited = bine_future_new(NULL);
    bine_task *a = bine_spawn(await_it, (void *)"a"), *b = bine_spawn(await_it, (void *)"b");
    expect_ok(bine_yield());
    expect_ok(bine_future_set(awaited, &ended));
    note('s'); /* setting does not switch */
    expect_ok(bine_join(a, NULL));
    expect_ok(bine_join(b, NULL));
    await_it((void *)"c"); /* one that is done does not wait */
    expect_str(trace, "sabc");
    bine_future_unref(awaited);
}

VIRTUAL_TEST(a_wait_that_fails_leaves_the_future_as_it_was)
{
    bine_future *future = bine_future_new(NULL);
    bine_result result = {NULL, -1};
    BINE_TIMEOUT(BINE_SECOND) expect_fails(bine_future_await(future, &result), ETIMEDOUT);
    expect(!bine_future_done(future));
    expect_ok(bine_future_set(future, &ended));
    expect_ok(bine_future_await(future, &result));
    expect_ptr(result.value, ==, &ended);
    bine_future_unref(future);
}

/* cpython issues 86296 and 42130: a result that arrived is not lost to a cancellation that came with it. */
static void *await_and_keep(void *out)
{
    bine_result result = {NULL, -1};
    expect_ok(bine_future_await(awaited, &result));
    *(void **)out = result.value;
    return NULL;
}

LOOP_TEST(a_result_that_came_with_a_cancellation_is_not_lost)
{
    for (int order = 0; order < 2; order++) {
        void *got = NULL;
        awaited = bine_future_new(count_drop);
        bine_task *task = bine_spawn(await_and_keep, &got);
        expect_ok(bine_yield());
        if (order == 0)
            expect_ok(bine_cancel(task));
        expect_ok(bine_future_set(awaited, &ended));
        if (order == 1)
            expect_ok(bine_cancel(task));
        expect_ok(bine_join(task, NULL));
        expect_ptr(got, ==, &ended);
        bine_future_unref(awaited);
    }
    expect_int(dropped, ==, 0);
}

/* ---- Callbacks ----------------------------------------------------------------------------------------- */

static void note_done(bine_future *future, void *arg)
{
    expect(bine_future_done(future));
    expect_ptr(bine_self(), ==, NULL);
    expect_fails(bine_yield(), EDEADLK);
    note(*(const char *)arg);
}

LOOP_TEST(callbacks_run_in_order_and_never_inline)
{
    bine_future *future = bine_future_new(NULL);
    expect_ok(bine_future_on_done(future, note_done, (void *)"1"));
    expect_ok(bine_future_on_done(future, note_done, (void *)"2"));
    expect_ok(bine_yield());
    expect_str(trace, "");
    expect_ok(bine_future_set(future, NULL));
    expect_ok(bine_future_on_done(future, note_done, (void *)"3"));
    bine_future_unref(future); /* the callbacks hold it */
    expect_str(trace, "");
    expect_ok(bine_yield());
    expect_str(trace, "123");
}

/* ---- A task is a future ---------------------------------------------------------------------------------- */

VIRTUAL_TEST(a_task_is_a_future)
{
    bine_result result = {NULL, -1};
    bine_task *task = bine_spawn(sleep_for, as_arg(BINE_SECOND));
    bine_future *future = bine_task_future(task);
    expect_fails(bine_join(task, NULL), EINVAL);
    expect_null(bine_task_future(task), EINVAL);
    expect_fails(bine_future_set(future, NULL), EBUSY);
    expect_ok(bine_future_await(future, &result));
    expect_ptr(result.value, ==, as_arg(BINE_SECOND));
    bine_future_unref(future);

    task = bine_spawn(return_arg, &ended);
    expect_ok(bine_yield());
    future = bine_task_future(task); /* one that has ended already */
    expect(bine_future_done(future));
    expect_ok(bine_future_result(future, &result));
    expect_ptr(result.value, ==, &ended);
    bine_future_unref(future);
}

VIRTUAL_TEST(cancelling_a_tasks_future_cancels_the_task)
{
    bine_future *future = future_of(sleep_for, as_arg(BINE_MINUTE));
    bine_result result = {NULL, -1};
    expect_ok(bine_yield());
    expect_ok(bine_future_cancel(future));
    expect(!bine_future_done(future)); /* not before the task has ended */
    expect_ok(bine_future_await(future, &result));
    expect_int(result.error, ==, ECANCELED);
    expect(bine_future_cancelled(future));
    bine_future_unref(future);
}

VIRTUAL_TEST(a_tasks_future_may_be_given_up)
{
    bine_future_unref(future_of(sleep_for, as_arg(BINE_SECOND)));
    expect_ok(bine_sleep(2 * BINE_SECOND));
    expect_int(ended, ==, 1);
}

/* ---- Several ------------------------------------------------------------------------------------------- */

enum { MANY = 20 };

static void make_sleepers(bine_future *futures[], int n)
{
    for (int i = 0; i < n; i++)
        futures[i] = future_of(sleep_for, as_arg((n - i) * BINE_SECOND));
}

static void give_up(bine_future *futures[], int n)
{
    for (int i = 0; i < n; i++)
        bine_future_unref(futures[i]);
}

VIRTUAL_TEST(wait_returns_at_the_first_or_when_all_are_done)
{
    bine_future *futures[MANY];
    bine_ns begin = bine_now();
    make_sleepers(futures, MANY);
    expect_int(bine_wait(futures, MANY, BINE_FIRST_COMPLETED), ==, 1);
    expect_int(bine_now() - begin, ==, BINE_SECOND);
    expect(bine_future_done(futures[MANY - 1]));
    expect_int(bine_wait(futures, MANY, BINE_FIRST_COMPLETED), ==, 1); /* it is done already */
    expect_int(bine_wait(futures, MANY, BINE_ALL_COMPLETED), ==, MANY);
    expect_int(bine_now() - begin, ==, MANY * BINE_SECOND);
    give_up(futures, MANY);
    expect_int(bine_wait(NULL, 0, BINE_ALL_COMPLETED), ==, 0);
}

VIRTUAL_TEST(wait_for_a_failure_returns_at_it_or_when_all_are_done)
{
    bine_future *futures[3];
    bine_ns begin = bine_now();
    make_sleepers(futures, 3);
    expect_ok(bine_future_cancel(futures[1]));
    expect_int(bine_wait(futures, 3, BINE_FIRST_FAILURE), ==, 1);
    expect_int(bine_now(), ==, begin);
    give_up(futures, 3);
    make_sleepers(futures, 3);
    expect_int(bine_wait(futures, 3, BINE_FIRST_FAILURE), ==, 3);
    expect_int(bine_now() - begin, ==, 3 * BINE_SECOND);
    give_up(futures, 3);
}

VIRTUAL_TEST(next_done_gives_each_once_in_order_of_completion)
{
    bine_future *futures[MANY];
    bool seen[MANY] = {false};
    make_sleepers(futures, MANY);
    expect_ok(bine_sleep(3 * BINE_SECOND + BINE_MS)); /* three are done before it is asked */
    for (int i = MANY - 1; i >= 0; i--)
        expect_int(bine_next_done(futures, MANY, seen), ==, i);
    expect_fails(bine_next_done(futures, MANY, seen), ENOENT);
    give_up(futures, MANY);
}

VIRTUAL_TEST(a_wait_cut_short_leaves_no_trace)
{
    bine_future *futures[MANY];
    bool seen[MANY] = {false};
    make_sleepers(futures, MANY);
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_wait(futures, MANY, BINE_FIRST_COMPLETED), ETIMEDOUT);
        expect_fails(bine_next_done(futures, MANY, seen), ETIMEDOUT);
    }
    expect_int(bine_wait(futures, MANY, BINE_ALL_COMPLETED), ==, MANY);
    give_up(futures, MANY);
}

/* ---- The shield ---------------------------------------------------------------------------------------- */

VIRTUAL_TEST(shielded_work_goes_on_though_the_caller_is_cancelled)
{
    bine_result result = {NULL, -1};
    BINE_TIMEOUT(BINE_SECOND)
        expect_fails(bine_shield(sleep_for, as_arg(2 * BINE_SECOND), count_drop, &result), ETIMEDOUT);
    expect_int(ended, ==, 0);
    expect_ok(bine_sleep(2 * BINE_SECOND));
    expect_int(ended, ==, 1);
    expect_int(dropped, ==, 1); /* nobody can claim its result any more */
    expect_ok(bine_shield(sleep_for, as_arg(2 * BINE_SECOND), count_drop, &result));
    expect_ptr(result.value, ==, as_arg(2 * BINE_SECOND));
    expect_int(dropped, ==, 1);
}

/* ---- Misuse -------------------------------------------------------------------------------------------- */

LOOP_TEST(misuse_is_told)
{
    bine_result result;
    bool seen[1] = {false};
    bine_future *none[1] = {NULL};
    expect_fails(bine_future_set(NULL, NULL), EINVAL);
    expect_fails(bine_future_await(NULL, &result), EINVAL);
    expect_fails(bine_future_result(NULL, &result), EINVAL);
    expect_fails(bine_future_on_done(NULL, note_done, NULL), EINVAL);
    expect_fails(bine_wait(none, 1, BINE_ALL_COMPLETED), EINVAL);
    expect_fails(bine_wait(NULL, 1, BINE_ALL_COMPLETED), EINVAL);
    expect_fails(bine_next_done(none, 1, seen), EINVAL);
    expect_null(bine_task_future(NULL), EINVAL);
    expect_fails(bine_shield(NULL, NULL, NULL, &result), EINVAL);
    bine_future *future = bine_future_new(NULL);
    expect_fails(bine_future_fail(future, 0), EINVAL);
    expect_fails(bine_wait(&future, 1, 17), EINVAL);
    expect_fails(bine_future_on_done(future, NULL, NULL), EINVAL);
    bine_future_unref(future);
    bine_future_unref(NULL);
    expect(!bine_future_done(NULL));
}

START_TEST(outside_a_loop_there_are_none)
{
    bine_result result;
    expect_null(bine_future_new(NULL), EPERM);
    expect_fails(bine_future_await(NULL, &result), EPERM);
    expect_fails(bine_wait(NULL, 0, BINE_ALL_COMPLETED), EPERM);
    expect_fails(bine_shield(return_arg, NULL, NULL, &result), EPERM);
}
END_TEST

SUPPORT_MAIN("future", a_future_is_set_once, what_nobody_reads_is_dropped_or_reported,
             all_who_wait_are_woken_in_order, a_wait_that_fails_leaves_the_future_as_it_was,
             a_result_that_came_with_a_cancellation_is_not_lost, callbacks_run_in_order_and_never_inline,
             a_task_is_a_future, cancelling_a_tasks_future_cancels_the_task, a_tasks_future_may_be_given_up,
             wait_returns_at_the_first_or_when_all_are_done,
             wait_for_a_failure_returns_at_it_or_when_all_are_done,
             next_done_gives_each_once_in_order_of_completion, a_wait_cut_short_leaves_no_trace,
             shielded_work_goes_on_though_the_caller_is_cancelled, misuse_is_told, outside_a_loop_there_are_none)
