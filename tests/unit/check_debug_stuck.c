/* SPDX-License-Identifier: MIT
 *
 * BINE_DEBUG=1: nothing can run any more, and children that ignore their group.
 *
 * A run that is stuck would never end: the hook sees the report and cancels what waits. */
#include <pthread.h>

#include "support/support.h"
#include "support/tasks.h"

static bine_mutex left, right;
static bine_event never;

/* ---- What the hook has seen, and does ------------------------------------------------------------------ */

enum { TOLD_MAX = 256 };

static struct told {
    bine_report_kind kind;
    uint64_t task;
    char name[32];
    char message[512];
} told[TOLD_MAX];
static unsigned told_n;
static bine_task *to_cancel[8]; /* when the run is stuck */
static unsigned to_cancel_n;

static void hook(const bine_report *report)
{
    if (report->kind == BINE_REPORT_HOG)
        return; /* on another thread, and only where everything is slow */
    struct told *each = &told[told_n < TOLD_MAX ? told_n++ : TOLD_MAX - 1];
    each->kind = report->kind;
    each->task = report->task;
    snprintf(each->name, sizeof each->name, "%s", report->name);
    snprintf(each->message, sizeof each->message, "%s", report->message);
    if (report->kind != BINE_REPORT_STUCK || report->task)
        return;
    for (unsigned i = 0; i < to_cancel_n; i++)
        expect_ok(bine_cancel(to_cancel[i]));
    to_cancel_n = 0;
}

static unsigned count(bine_report_kind kind)
{
    unsigned n = 0;
    for (unsigned i = 0; i < told_n; i++)
        n += told[i].kind == kind;
    return n;
}

/* What was said about the task of this name ("": about none); "" if nothing was. */
static const char *said(bine_report_kind kind, const char *name)
{
    for (unsigned i = 0; i < told_n; i++)
        if (told[i].kind == kind && strcmp(told[i].name, name) == 0)
            return told[i].message;
    return "";
}

static void debug_on(void)
{
    setenv("BINE_DEBUG", "1", 1);
    bine_set_report(hook);
}

/* ---- Tools --------------------------------------------------------------------------------------------- */

static void cancel_when_stuck(bine_task *task)
{
    to_cancel[to_cancel_n++] = task;
}

static void *wait_for_ever(void *arg)
{
    expect_fails(bine_event_wait(&never), ECANCELED);
    return arg;
}

/* ---- Stuck --------------------------------------------------------------------------------------------- */

static void *lock_left_then_right(void *arg)
{
    expect_ok(bine_mutex_lock(&left));
    expect_ok(bine_yield());
    expect_fails(bine_mutex_lock(&right), ECANCELED);
    expect_ok(bine_mutex_unlock(&left));
    return arg;
}

static void *lock_right_then_left(void *arg)
{
    expect_ok(bine_mutex_lock(&right));
    expect_ok(bine_yield());
    expect_ok(bine_mutex_lock(&left)); /* the other gives up */
    expect_ok(bine_mutex_unlock(&left));
    expect_ok(bine_mutex_unlock(&right));
    return arg;
}

static void *lock_both_ways(void *arg)
{
    bine_task *one = spawn_named("one", lock_left_then_right, NULL);
    bine_task *two = spawn_named("two", lock_right_then_left, NULL);
    cancel_when_stuck(one);
    join(two);
    join(one);
    return arg;
}

START_TEST(two_tasks_that_lock_in_opposite_order_are_a_circle)
{
    debug_on();
    run_in_loop(lock_both_ways, NULL);
    const char *message = said(BINE_REPORT_STUCK, "");
    expect_has(message, "3 tasks wait");
    expect_has(message, "'one' -> mutex -> task");
    expect_has(message, "'two' -> mutex -> task");
    expect_has(said(BINE_REPORT_STUCK, "main"), "join of task");
    expect_has(said(BINE_REPORT_STUCK, "main"), "'two'");
    expect_has(said(BINE_REPORT_STUCK, "two"), "mutex held by task");
    expect_has(said(BINE_REPORT_STUCK, "two"), "'one'");
}
END_TEST

static void *run_it_all_virtually(void *arg)
{
    bine_task *task = spawn_named("lonely", wait_for_ever, NULL);
    cancel_when_stuck(task);
    expect_ok(bine_sleep(BINE_MINUTE)); /* with a timer it is not stuck yet */
    expect_uint(count(BINE_REPORT_STUCK), ==, 0);
    join(task);
    return arg;
}

START_TEST(the_virtual_clock_does_not_hide_it)
{
    debug_on();
    run_virtual(run_it_all_virtually, NULL);
    expect_uint(count(BINE_REPORT_STUCK), ==, 2); /* for all, and for main; the other has been cancelled */
    expect_has(said(BINE_REPORT_STUCK, ""), "2 tasks wait");
    expect(!strstr(said(BINE_REPORT_STUCK, ""), "circle"));
    expect_has(said(BINE_REPORT_STUCK, "main"), "'lonely'");
}
END_TEST

static void *lock_left(void *arg)
{
    expect_fails(bine_mutex_lock(&left), ECANCELED);
    return arg;
}

static void *wait_for_children_with_a_lock(void *arg)
{
    expect_ok(bine_mutex_lock(&left));
    BINE_GROUP(group, BINE_GROUP_ALL) {
        bine_group_spawn(&group, wait_for_ever, NULL);
        bine_task *child = bine_group_spawn(&group, lock_left, NULL);
        bine_task_set_name(child, "child");
        cancel_when_stuck(child);
        cancel_when_stuck(bine_self());
    }
    expect_ok(bine_mutex_unlock(&left));
    return arg;
}

static void *spawn_holder(void *arg)
{
    bine_task *task = spawn_named("holder", wait_for_children_with_a_lock, NULL);
    bine_result result;
    expect_ok(bine_join(task, &result));
    return arg;
}

START_TEST(a_group_waits_for_each_of_its_children)
{
    debug_on();
    run_in_loop(spawn_holder, NULL);
    const char *message = said(BINE_REPORT_STUCK, "");
    expect_has(message, "4 tasks wait");
    expect_has(message, "'holder' -> group -> task");
    expect_has(message, "'child' -> mutex -> task");
}
END_TEST

static void *wait_for_read_locks(void *arg)
{
    bine_rwlock *lock = arg;
    expect_ok(bine_rwlock_write(lock));
    bine_future *future = bine_future_new(NULL);
    expect_fails(bine_future_await(future, NULL), ECANCELED);
    bine_future_set(future, NULL);
    bine_future_unref(future);
    expect_ok(bine_rwlock_unlock(lock));
    return NULL;
}

static void *read_lock(void *arg)
{
    expect_ok(bine_rwlock_read(arg));
    expect_ok(bine_rwlock_unlock(arg));
    return NULL;
}

static bine_once_flag once = BINE_ONCE_INIT;

static void run_once(void *event)
{
    expect_ok(bine_event_wait(event));
}

static void *call_once(void *event)
{
    expect_ok(bine_once(&once, run_once, event));
    return NULL;
}

static void *end_event(void *arg)
{
    expect_fails(bine_event_wait(&never), ECANCELED);
    expect_ok(bine_event_set(arg));
    return NULL;
}

static void *wait_for_many_things(void *arg)
{
    static bine_rwlock lock;
    static bine_event event;
    bine_task *writer = spawn_named("writer", wait_for_read_locks, &lock);
    bine_task *reader = spawn_named("reader", read_lock, &lock);
    bine_task *runner = spawn_named("runner", call_once, &event), *second = spawn_named("second", call_once, &event);
    bine_task *ender = spawn_named("ender", end_event, &event);
    bine_result result;
    bine_future *future = bine_task_future(reader);
    cancel_when_stuck(writer);
    cancel_when_stuck(ender);
    expect_ok(bine_future_await(future, &result));
    bine_future_unref(future);
    join(writer);
    join(runner);
    join(second);
    join(ender);
    return arg;
}

START_TEST(each_task_says_what_it_waits_for_and_whose_doing_that_is)
{
    debug_on();
    run_in_loop(wait_for_many_things, NULL);
    expect_has(said(BINE_REPORT_STUCK, ""), "6 tasks wait");
    expect_has(said(BINE_REPORT_STUCK, "main"), "future of task");
    expect_has(said(BINE_REPORT_STUCK, "main"), "'reader'");
    expect_has(said(BINE_REPORT_STUCK, "reader"), "rwlock held by task");
    expect_has(said(BINE_REPORT_STUCK, "reader"), "'writer'");
    expect_has(said(BINE_REPORT_STUCK, "runner"), "event");
    expect_has(said(BINE_REPORT_STUCK, "second"), "once of task");
    expect_has(said(BINE_REPORT_STUCK, "second"), "'runner'");
    expect_str(said(BINE_REPORT_STUCK, "ender"), ""); /* the hook has cancelled it */
}
END_TEST

static void *be_released(void *arg)
{
    expect_ok(bine_event_wait(&never));
    return arg;
}

static void *post_release(void *arg)
{
    expect_ok(bine_event_set(&never));
    return arg;
}

static void *post_later(void *loop)
{
    expect_ok(bine_post(loop, post_release, NULL));
    bine_loop_unref(loop);
    return NULL;
}

static void *wait_for_a_thread(void *arg)
{
    pthread_t thread;
    bine_loop *loop = bine_loop_ref(bine_this_loop());
    bine_task *task = bine_spawn(be_released, NULL);
    expect_ok(bine_yield()); /* it waits */
    expect_int(pthread_create(&thread, NULL, post_later, loop), ==, 0);
    join(task);
    pthread_join(thread, NULL);
    return arg;
}

START_TEST(a_thread_with_a_reference_may_still_post)
{
    debug_on();
    run_in_loop(wait_for_a_thread, NULL);
    expect_uint(count(BINE_REPORT_STUCK), ==, 0);
}
END_TEST

static void *wait_for_a_descriptor(void *arg)
{
    int fd[2];
    char byte;
    expect_ok(bine_pipe(fd));
    bine_task *task = bine_spawn(wait_for_ever, NULL);
    BINE_TIMEOUT(50 * BINE_MS)
        expect_fails(bine_read(fd[0], &byte, 1), ETIMEDOUT);
    bine_cancel(task);
    join(task);
    bine_close(fd[0]);
    bine_close(fd[1]);
    return arg;
}

START_TEST(who_waits_for_a_timer_or_a_descriptor_is_not_stuck)
{
    debug_on();
    run_in_loop(wait_for_a_descriptor, NULL);
    expect_uint(count(BINE_REPORT_STUCK), ==, 0);
}
END_TEST

static void *crowd(void *arg)
{
    enum { MANY = 150 };
    static bine_task *tasks[MANY];
    for (int i = 0; i < MANY; i++)
        tasks[i] = bine_spawn(be_released, NULL);
    cancel_when_stuck(bine_self());
    expect_fails(bine_join(tasks[0], NULL), ECANCELED);
    expect_ok(bine_event_set(&never));
    BINE_SHIELD {
        for (int i = 0; i < MANY; i++)
            join(tasks[i]);
    }
    return arg;
}

static void *join_crowd(void *arg)
{
    join(spawn_named("crowd", crowd, NULL));
    return arg;
}

START_TEST(a_crowd_is_told_in_part)
{
    debug_on();
    run_in_loop(join_crowd, NULL);
    expect_has(said(BINE_REPORT_STUCK, ""), "152 tasks wait");
    expect_uint(count(BINE_REPORT_STUCK), <=, 102);
    expect_has(told[told_n - 1].message, "52 more");
}
END_TEST

START_TEST(without_debugging_nothing_is_said)
{
    setenv("BINE_DEBUG", "0", 1);
    bine_set_report(hook);
    run_in_loop(wait_for_a_thread, NULL);
    expect_uint(told_n, ==, 0);
}
END_TEST

/* ---- Groups -------------------------------------------------------------------------------------------- */

static void *ignore_cancellation(void *arg)
{
    BINE_SHIELD
        expect_ok(bine_sleep(*(bine_ns *)arg));
    return NULL;
}

static void *cancel_stubborn(void *duration)
{
    BINE_GROUP(group, BINE_GROUP_ALL) {
        bine_task_set_name(bine_group_spawn(&group, ignore_cancellation, duration), "stubborn");
        bine_task_set_name(bine_group_spawn(&group, wait_for_ever, NULL), "obedient");
        bine_yield();
        bine_group_cancel(&group);
    }
    return NULL;
}

START_TEST(a_child_that_ignores_its_group_for_a_second_is_named)
{
    static bine_ns brief = 900 * BINE_MS, lasting = 1100 * BINE_MS;
    debug_on();
    run_virtual(cancel_stubborn, &brief);
    expect_uint(told_n, ==, 0);
    run_virtual(cancel_stubborn, &lasting);
    expect_uint(count(BINE_REPORT_LEFT_BEHIND), ==, 1);
    expect_has(said(BINE_REPORT_LEFT_BEHIND, "stubborn"), "sleep");
    told_n = 0;
    setenv("BINE_DEBUG", "0", 1);
    run_virtual(cancel_stubborn, &lasting);
    expect_uint(told_n, ==, 0);
}
END_TEST

SUPPORT_MAIN("debug_stuck", two_tasks_that_lock_in_opposite_order_are_a_circle,
             the_virtual_clock_does_not_hide_it, a_group_waits_for_each_of_its_children,
             each_task_says_what_it_waits_for_and_whose_doing_that_is, a_thread_with_a_reference_may_still_post,
             who_waits_for_a_timer_or_a_descriptor_is_not_stuck, a_crowd_is_told_in_part,
             without_debugging_nothing_is_said, a_child_that_ignores_its_group_for_a_second_is_named)
