/* SPDX-License-Identifier: MIT
 *
 * Semaphore, event, barrier, latch, once: order, hand-over, cancellation at every moment, misuse. */
#include <limits.h>
#include <pthread.h>

#include "support/support.h"
#include "support/tasks.h"
#include "support/trace.h"

static bine_sem sem;
static bine_event event;
static bine_barrier barrier;
static bine_latch latch;
static bine_once_flag once;

/* One that waits for one of them: how that ended is in .outcome. */
struct waiter {
    char name;
    int (*wait)(void);
    int outcome; /* 0 or 1, or minus an errno value; INT_MAX: it has not ended */
    bine_task *task;
};

static void *wait_for_it(void *arg)
{
    struct waiter *waiter = arg;
    int result = waiter->wait();
    waiter->outcome = result < 0 ? -errno : result;
    note(result < 0 ? '!' : waiter->name);
    return NULL;
}

static struct waiter *start(struct waiter *waiter, int (*wait)(void), char name)
{
    *waiter = (struct waiter){.name = name, .wait = wait, .outcome = INT_MAX};
    waiter->task = bine_spawn(wait_for_it, waiter);
    return waiter;
}

static int wait_sem(void)
{
    return bine_sem_wait(&sem);
}

static int wait_event(void)
{
    return bine_event_wait(&event);
}

static int wait_barrier(void)
{
    return bine_barrier_wait(&barrier);
}

static int wait_latch(void)
{
    return bine_latch_wait(&latch);
}

static bool inside_once;
static int calls_of_once;

static void run_slowly(void *arg)
{
    expect(!inside_once);
    inside_once = true;
    calls_of_once++;
    expect_fails(bine_once(&once, run_slowly, NULL), EDEADLK);
    for (int i = 0; i < 3; i++)
        bine_yield();
    inside_once = false;
    if (arg)
        note(*(char *)arg);
}

static int wait_once(void)
{
    return bine_once(&once, run_slowly, (char *)"f");
}

static void set_all(void)
{
    memset(&event, 0, sizeof event);
    memset(&once, 0, sizeof once);
    expect_ok(bine_sem_init(&sem, 0));
    expect_ok(bine_barrier_init(&barrier, 2));
    expect_ok(bine_latch_init(&latch, 1));
    calls_of_once = 0;
    trace[0] = '\0';
}

/* What is common to all of them: a wait, and how it is ended. */
struct kind {
    const char *name;
    int (*wait)(void);
    int (*serve)(void); /* ends the wait of the first */
    int (*destroy)(void);
    bool all; /* it ends the wait of the others too */
};

static int serve_sem(void)
{
    return bine_sem_post(&sem);
}

static int serve_event(void)
{
    return bine_event_set(&event);
}

static int serve_barrier(void)
{
    return bine_barrier_wait(&barrier) - 1;
}

static int serve_latch(void)
{
    return bine_latch_done(&latch);
}

static int destroy_sem(void)
{
    return bine_sem_destroy(&sem);
}

static int destroy_event(void)
{
    return bine_event_destroy(&event);
}

static int destroy_barrier(void)
{
    return bine_barrier_destroy(&barrier);
}

static int destroy_latch(void)
{
    return bine_latch_destroy(&latch);
}

static const struct kind kinds[4] = {
    {"semaphore", wait_sem, serve_sem, destroy_sem, false},
    {"event", wait_event, serve_event, destroy_event, true},
    {"barrier", wait_barrier, serve_barrier, destroy_barrier, true},
    {"latch", wait_latch, serve_latch, destroy_latch, true},
};

LOOP_TEST(what_is_served_wins_over_a_cancellation_at_the_same_moment)
{
    for (size_t i = 0; i < 4; i++) {
        for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
            struct waiter a;
            set_all();
            start(&a, kinds[i].wait, 'A');
            bine_yield();
            expect_fails(kinds[i].destroy(), EBUSY);
            if (cancel_first)
                bine_cancel(a.task);
            expect_ok(kinds[i].serve());
            if (!cancel_first)
                bine_cancel(a.task);
            expect_str(trace, ""); /* it does not switch */
            join(a.task);
            expect_int(a.outcome, ==, 0);
            expect_ok(kinds[i].destroy());
        }
    }
}

LOOP_TEST(who_gives_up_leaves_the_others_where_they_are)
{
    for (size_t i = 0; i < 4; i++) {
        struct waiter waiters[4];
        set_all();
        expect_ok(bine_barrier_init(&barrier, 4));
        for (size_t k = 0; k < 4; k++) {
            start(&waiters[k], kinds[i].wait, (char)('A' + k));
            bine_yield();
            if (k == 1) {
                bine_cancel(waiters[1].task);
                bine_yield();
                expect_int(waiters[1].outcome, ==, -ECANCELED);
            }
        }
        expect_str(trace, "!");
        for (size_t k = 0; k < (kinds[i].all ? 1 : 3); k++)
            expect_ok(kinds[i].serve());
        for (size_t k = 0; k < 4; k++)
            join(waiters[k].task);
        expect_str(trace, "!ACD");
        expect_ok(kinds[i].destroy());
    }
}

VIRTUAL_TEST(waits_end_at_their_deadline)
{
    for (size_t i = 0; i < 4; i++) {
        set_all();
        bine_ns began = bine_now();
        BINE_TIMEOUT(BINE_MINUTE)
        {
            expect_fails(kinds[i].wait(), ETIMEDOUT);
        }
        expect_int(bine_now() - began, ==, BINE_MINUTE);
        expect_ok(kinds[i].destroy());
    }
}

LOOP_TEST(waits_fail_in_a_scope_that_has_fired_though_they_need_not_wait)
{
    bine_scope scope;
    set_all();
    expect_ok(bine_sem_post(&sem));
    expect_ok(bine_event_set(&event));
    expect_ok(bine_latch_done(&latch));
    expect_ok(bine_barrier_init(&barrier, 1));
    bine_scope_open(&scope, BINE_FOREVER);
    bine_scope_cancel(&scope);
    for (size_t i = 0; i < 4; i++)
        expect_fails(kinds[i].wait(), ECANCELED);
    expect_fails(bine_once(&once, run_slowly, NULL), ECANCELED);
    expect_ok(bine_sem_wait_try(&sem)); /* it had not been taken */
    expect_int(bine_scope_close(&scope), ==, 1);
    expect_int(calls_of_once, ==, 0);
}

START_TEST(waits_need_a_run)
{
    set_all();
    for (size_t i = 0; i < 4; i++)
        expect_fails(kinds[i].wait(), EPERM);
    expect_fails(bine_once(&once, run_slowly, NULL), EPERM);
    expect_ok(bine_sem_post(&sem));
    expect_ok(bine_sem_wait_try(&sem));
    expect_ok(bine_event_set(&event));
    expect(bine_event_is_set(&event));
    expect_ok(bine_event_clear(&event));
    expect_ok(bine_latch_add(&latch, 1));
    expect_ok(bine_latch_done(&latch));
}
END_TEST

static void in_callback(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < 4; i++)
        expect_fails(kinds[i].wait(), EDEADLK);
    expect_fails(bine_once(&once, run_slowly, NULL), EDEADLK);
    expect_ok(bine_sem_post(&sem));
    expect_ok(bine_event_set(&event));
    expect_ok(bine_latch_done(&latch));
}

LOOP_TEST(a_callback_serves_but_does_not_wait)
{
    struct waiter a, b, c;
    set_all();
    start(&a, wait_sem, 'A');
    start(&b, wait_event, 'B');
    start(&c, wait_latch, 'C');
    bine_yield();
    expect_ok(bine_call_soon(in_callback, NULL));
    join(a.task), join(b.task), join(c.task);
    expect_str(trace, "ABC");
}

static void *other_thread(void *arg)
{
    (void)arg;
    expect_fails(bine_sem_post(&sem), EPERM);
    expect_fails(bine_event_set(&event), EPERM);
    expect_fails(bine_latch_done(&latch), EPERM);
    return NULL;
}

static void *wait_there(void *arg)
{
    other_thread(arg);
    expect_fails(bine_sem_wait(&sem), EPERM);
    expect_fails(bine_event_wait(&event), EPERM);
    expect_fails(bine_latch_wait(&latch), EPERM);
    expect_fails(bine_barrier_wait(&barrier), EPERM);
    expect_fails(bine_once(&once, run_slowly, NULL), EPERM);
    return NULL;
}

static void *other_loop(void *arg)
{
    bine_run(wait_there, arg, NULL);
    return NULL;
}

LOOP_TEST(another_loops_tasks_are_neither_woken_nor_joined)
{
    struct waiter a, b, c, d, e;
    set_all();
    start(&a, wait_sem, 'A');
    start(&b, wait_event, 'B');
    start(&c, wait_latch, 'C');
    start(&d, wait_barrier, 'D');
    start(&e, wait_once, 'E');
    bine_yield();
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, i ? other_loop : other_thread, NULL), 0);
        pthread_join(thread, NULL);
    }
    expect_str(trace, "");
    for (size_t i = 0; i < 4; i++)
        expect_ok(kinds[i].serve());
    join(a.task), join(b.task), join(c.task), join(d.task), join(e.task);
    expect_str(trace, "ABDCfE");
}

LOOP_TEST(listing_names_what_a_task_waits_for)
{
    for (size_t i = 0; i < 4; i++) {
        struct waiter a;
        bine_task_info info[8];
        set_all();
        start(&a, kinds[i].wait, 'A');
        bine_yield();
        const char *what = NULL;
        for (size_t k = 0, n = bine_tasks(info, 8); k < n && k < 8; k++)
            if (info[k].state == BINE_TASK_PARKED)
                what = info[k].waits_for;
        expect_str(what, kinds[i].name);
        expect_ok(kinds[i].serve());
        join(a.task);
    }
}

static void *count_up(void *arg)
{
    unsigned *counter = arg;
    while (*counter < UINT_MAX) {
        ++*counter;
        bine_yield();
    }
    return NULL;
}

LOOP_TEST(waits_that_never_wait_let_others_run_all_the_same)
{
    unsigned counter = 0;
    set_all();
    expect_ok(bine_event_set(&event));
    bine_task *other = bine_spawn(count_up, &counter);
    for (int i = 0; i < 10000 && counter < 3; i++)
        expect_ok(bine_event_wait(&event));
    expect_uint(counter, ==, 3);
    counter = UINT_MAX;
    join(other);
}

/* ---- Each by itself --------------------------------------------------------------------------------------- */

LOOP_TEST(sem_counts_and_hands_over_in_order)
{
    struct waiter a, b, c;
    bine_sem counted = BINE_SEM_INIT(2);
    sem = counted;
    start(&a, wait_sem, 'A');
    start(&b, wait_sem, 'B');
    start(&c, wait_sem, 'C');
    bine_yield();
    expect_str(trace, "AB");
    expect_fails(bine_sem_wait_try(&sem), EAGAIN);
    expect_ok(bine_sem_post(&sem));
    expect_fails(bine_sem_wait_try(&sem), EAGAIN); /* it is C's, though C has not run */
    join(a.task), join(b.task), join(c.task);
    expect_ok(bine_sem_post(&sem));
    expect_ok(bine_sem_wait_try(&sem));
    expect_fails(bine_sem_wait_try(&sem), EAGAIN);
}

START_TEST(sem_misuse_is_an_error)
{
    expect_fails(bine_sem_init(NULL, 1), EINVAL);
    expect_fails(bine_sem_destroy(NULL), EINVAL);
    expect_fails(bine_sem_wait(NULL), EINVAL);
    expect_fails(bine_sem_wait_try(NULL), EINVAL);
    expect_fails(bine_sem_post(NULL), EINVAL);
    expect_ok(bine_sem_init(&sem, UINT_MAX));
    expect_fails(bine_sem_post(&sem), EOVERFLOW);
    expect_ok(bine_sem_wait_try(&sem));
    expect_ok(bine_sem_post(&sem));
}
END_TEST

LOOP_TEST(event_serves_who_waits_though_it_is_cleared_at_once)
{
    struct waiter a, b, c;
    expect(!bine_event_is_set(&event));
    start(&a, wait_event, 'A');
    start(&b, wait_event, 'B');
    bine_yield();
    expect_ok(bine_event_set(&event));
    expect_ok(bine_event_set(&event));
    expect(bine_event_is_set(&event));
    expect_ok(bine_event_clear(&event));
    start(&c, wait_event, 'C');
    settle();
    expect_str(trace, "AB");
    expect_ok(bine_event_set(&event));
    join(a.task), join(b.task), join(c.task);
    expect_ok(bine_event_wait(&event)); /* it stays set */
}

START_TEST(event_misuse_is_an_error)
{
    expect_fails(bine_event_init(NULL), EINVAL);
    expect_fails(bine_event_destroy(NULL), EINVAL);
    expect_fails(bine_event_wait(NULL), EINVAL);
    expect_fails(bine_event_set(NULL), EINVAL);
    expect_fails(bine_event_clear(NULL), EINVAL);
    expect(!bine_event_is_set(NULL));
    memset(&event, 0xa5, sizeof event);
    expect_ok(bine_event_init(&event));
    expect(!bine_event_is_set(&event));
}
END_TEST

LOOP_TEST(barrier_meets_again_and_again)
{
    expect_ok(bine_barrier_init(&barrier, 3));
    for (int round = 0; round < 3; round++) {
        struct waiter a, b, c;
        trace[0] = '\0';
        start(&a, wait_barrier, 'A');
        start(&b, wait_barrier, 'B');
        bine_yield();
        expect_str(trace, "");
        start(&c, wait_barrier, 'C');
        join(a.task), join(b.task), join(c.task);
        expect_str(trace, "CAB"); /* the last goes on at once */
        expect_int(a.outcome + b.outcome, ==, 0);
        expect_int(c.outcome, ==, 1);
    }
    expect_ok(bine_barrier_init(&barrier, 1));
    expect_int(bine_barrier_wait(&barrier), ==, 1);
}

LOOP_TEST(barrier_of_the_next_round_does_not_mix_with_the_last)
{
    struct waiter a, b;
    expect_ok(bine_barrier_init(&barrier, 2));
    start(&a, wait_barrier, 'A');
    bine_yield();
    expect_int(bine_barrier_wait(&barrier), ==, 1);
    expect_ok(bine_barrier_destroy(&barrier)); /* A has not run, and waits no more */
    start(&b, wait_barrier, 'B');
    expect_int(bine_barrier_wait(&barrier), ==, 0); /* A runs, then B, which comes last of this round */
    join(a.task), join(b.task);
    expect_int(a.outcome, ==, 0);
    expect_int(b.outcome, ==, 1);
}

START_TEST(barrier_misuse_is_an_error)
{
    expect_fails(bine_barrier_init(NULL, 1), EINVAL);
    expect_fails(bine_barrier_init(&barrier, 0), EINVAL);
    expect_fails(bine_barrier_destroy(NULL), EINVAL);
    expect_fails(bine_barrier_wait(NULL), EINVAL);
}
END_TEST

LOOP_TEST(latch_is_waited_for_until_it_is_zero)
{
    struct waiter a, b;
    bine_latch two = BINE_LATCH_INIT(2);
    latch = two;
    start(&a, wait_latch, 'A');
    start(&b, wait_latch, 'B');
    bine_yield();
    expect_ok(bine_latch_add(&latch, 1));
    expect_ok(bine_latch_done(&latch));
    expect_ok(bine_latch_done(&latch));
    settle();
    expect_str(trace, "");
    expect_ok(bine_latch_done(&latch));
    expect_ok(bine_latch_add(&latch, 1)); /* too late for them to wait on */
    join(a.task), join(b.task);
    expect_str(trace, "AB");
    expect_ok(bine_latch_done(&latch));
    expect_ok(bine_latch_wait(&latch));
}

START_TEST(latch_misuse_is_an_error)
{
    expect_fails(bine_latch_init(NULL, 1), EINVAL);
    expect_fails(bine_latch_destroy(NULL), EINVAL);
    expect_fails(bine_latch_add(NULL, 1), EINVAL);
    expect_fails(bine_latch_done(NULL), EINVAL);
    expect_fails(bine_latch_wait(NULL), EINVAL);
    expect_ok(bine_latch_init(&latch, 0));
    expect_fails(bine_latch_done(&latch), EINVAL);
    expect_ok(bine_latch_add(&latch, UINT_MAX));
    expect_fails(bine_latch_add(&latch, 1), EOVERFLOW);
    expect_ok(bine_latch_add(&latch, 0));
    expect_ok(bine_latch_done(&latch));
}
END_TEST

LOOP_TEST(once_runs_it_once_and_the_others_wait)
{
    struct waiter waiters[4];
    set_all();
    for (size_t i = 0; i < 4; i++)
        start(&waiters[i], wait_once, (char)('A' + i));
    bine_yield();
    expect_fails(bine_once_destroy(&once), EBUSY);
    expect_str(trace, "");
    bine_cancel(waiters[2].task);
    for (size_t i = 0; i < 4; i++)
        join(waiters[i].task);
    expect_int(waiters[2].outcome, ==, -ECANCELED);
    expect_str(trace, "!fABD");
    expect_int(calls_of_once, ==, 1);
    expect_ok(bine_once(&once, run_slowly, NULL));
    expect_int(calls_of_once, ==, 1);
    expect_ok(bine_once_destroy(&once));
    expect_ok(bine_once_init(&once));
    expect_ok(bine_once(&once, run_slowly, NULL));
    expect_int(calls_of_once, ==, 2);
}

LOOP_TEST(once_that_has_run_wins_over_a_cancellation_at_the_same_moment)
{
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        struct waiter a, b;
        set_all();
        start(&a, wait_once, 'A');
        start(&b, wait_once, 'B');
        for (int i = 0; i < 3; i++)
            bine_yield();
        if (cancel_first)
            bine_cancel(b.task); /* runs after A, which ends the function in this round */
        bine_yield();
        if (!cancel_first)
            bine_cancel(b.task);
        join(a.task), join(b.task);
        expect_int(a.outcome, ==, 0);
        expect_int(calls_of_once, ==, 1);
        expect_int(b.outcome, ==, 0);
    }
}

START_TEST(once_misuse_is_an_error)
{
    expect_fails(bine_once_init(NULL), EINVAL);
    expect_fails(bine_once_destroy(NULL), EINVAL);
    expect_fails(bine_once(NULL, run_slowly, NULL), EINVAL);
    expect_fails(bine_once(&once, NULL, NULL), EINVAL);
}
END_TEST

SUPPORT_MAIN("sync", what_is_served_wins_over_a_cancellation_at_the_same_moment,
             who_gives_up_leaves_the_others_where_they_are, waits_end_at_their_deadline,
             waits_fail_in_a_scope_that_has_fired_though_they_need_not_wait, waits_need_a_run,
             a_callback_serves_but_does_not_wait, another_loops_tasks_are_neither_woken_nor_joined,
             listing_names_what_a_task_waits_for, waits_that_never_wait_let_others_run_all_the_same,
             sem_counts_and_hands_over_in_order, sem_misuse_is_an_error,
             event_serves_who_waits_though_it_is_cleared_at_once, event_misuse_is_an_error,
             barrier_meets_again_and_again, barrier_of_the_next_round_does_not_mix_with_the_last,
             barrier_misuse_is_an_error, latch_is_waited_for_until_it_is_zero, latch_misuse_is_an_error,
             once_runs_it_once_and_the_others_wait, once_that_has_run_wins_over_a_cancellation_at_the_same_moment,
             once_misuse_is_an_error)
