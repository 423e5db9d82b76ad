/* SPDX-License-Identifier: MIT
 *
 * Conditions: order, the mutex held after each wait however it ended, cancellation at every moment, misuse. */
#include <pthread.h>

#include "support/support.h"
#include "support/tasks.h"
#include "support/trace.h"

/* One that waits: how that ended is in .error. */
struct user {
    char name;
    int error; /* -1: it has not; 0, or errno */
    bine_task *task;
};

static bine_mutex mutex;
static bine_cond cond;

static void *wait_for_cond(void *arg)
{
    struct user *user = arg;
    expect_ok(bine_mutex_lock(&mutex));
    user->error = bine_cond_wait(&cond, &mutex) == 0 ? 0 : errno;
    note(user->error ? '!' : user->name);
    expect_fails(bine_mutex_lock_try(&mutex), EBUSY); /* it holds it, however the wait ended */
    expect_ok(bine_mutex_unlock(&mutex));
    return NULL;
}

static void start(struct user *user, char name)
{
    *user = (struct user){.name = name, .error = -1};
    user->task = bine_spawn(wait_for_cond, user);
}

static void expect_at_rest(const void *object, size_t size)
{
    static const unsigned char zero[sizeof(bine_mutex) + sizeof(bine_cond)];
    expect(memcmp(object, zero, size) == 0);
}

/* ---- Waking and waiting -------------------------------------------------------------------------------- */

LOOP_TEST(cond_signals_in_order_and_returns_holding_the_mutex)
{
    struct user users[4];
    for (size_t i = 0; i < 4; i++)
        start(&users[i], (char)('A' + i));
    bine_yield();
    expect_fails(bine_cond_destroy(&cond), EBUSY);
    expect_ok(bine_cond_signal(&cond)); /* with the mutex free */
    expect_str(trace, "");
    settle();
    expect_str(trace, "A");
    expect_ok(bine_mutex_lock(&mutex));
    expect_ok(bine_cond_signal(&cond)); /* and held */
    settle();
    expect_str(trace, "A");
    expect_ok(bine_mutex_unlock(&mutex));
    settle();
    expect_str(trace, "AB");
    expect_ok(bine_cond_broadcast(&cond));
    for (size_t i = 0; i < 4; i++)
        join(users[i].task);
    expect_str(trace, "ABCD");
    expect_ok(bine_cond_signal(&cond)); /* nobody waits: not remembered */
    expect_ok(bine_cond_destroy(&cond));
    expect_at_rest(&cond, sizeof cond);
    expect_at_rest(&mutex, sizeof mutex);
}

LOOP_TEST(cond_broadcast_wakes_each_only_when_the_mutex_is_its_own)
{
    enum { HERD = 100 };
    struct user users[HERD];
    bine_statistics before, after;
    for (size_t i = 0; i < HERD; i++)
        start(&users[i], 'x');
    bine_yield();
    expect_ok(bine_mutex_lock(&mutex));
    expect_ok(bine_cond_broadcast(&cond));
    expect_ok(bine_mutex_unlock(&mutex));
    expect_ok(bine_stats(&before));
    while (strlen(trace) < HERD)
        bine_yield();
    expect_ok(bine_stats(&after));
    /* Each yield of this task lets one through, and the poller is looked at now and then. */
    expect_uint(after.switches - before.switches, <=, 2 * HERD + 20);
    for (size_t i = 0; i < HERD; i++)
        join(users[i].task);
    expect_at_rest(&mutex, sizeof mutex);
}

LOOP_TEST(cond_wait_that_is_cancelled_still_returns_holding_the_mutex)
{
    struct user a, b;
    start(&a, 'A');
    start(&b, 'B');
    bine_yield();
    expect_ok(bine_mutex_lock(&mutex));
    bine_cancel(a.task);
    settle(); /* it waits for the mutex, whatever its scopes say */
    expect_int(a.error, ==, -1);
    expect_ok(bine_cond_signal(&cond)); /* goes to the next */
    expect_ok(bine_mutex_unlock(&mutex));
    join(a.task), join(b.task);
    expect_int(a.error, ==, ECANCELED);
    expect_int(b.error, ==, 0);
    expect_str(trace, "!B");
    expect_at_rest(&mutex, sizeof mutex);
}

LOOP_TEST(cond_signal_wins_over_a_cancellation_at_the_same_moment)
{
    for (int way = 0; way < 4; way++) { /* which comes first; and is the mutex held meanwhile */
        struct user a, b;
        trace[0] = '\0';
        start(&a, 'A');
        start(&b, 'B');
        bine_yield();
        if (way & 2)
            expect_ok(bine_mutex_lock(&mutex));
        if (way & 1)
            bine_cancel(a.task);
        expect_ok(bine_cond_signal(&cond));
        if (!(way & 1))
            bine_cancel(a.task);
        if (way & 2) {
            settle();
            expect_str(trace, "");
            expect_ok(bine_mutex_unlock(&mutex));
        }
        settle();
        expect_int(a.error, ==, 0);
        expect_int(b.error, ==, -1); /* it was one signal */
        expect_ok(bine_cond_signal(&cond));
        join(a.task), join(b.task);
        expect_str(trace, "AB");
        expect_at_rest(&mutex, sizeof mutex);
        expect_at_rest(&cond, sizeof cond);
    }
}

VIRTUAL_TEST(cond_wait_ends_at_its_deadline)
{
    bine_ns began = bine_now();
    expect_ok(bine_mutex_lock(&mutex));
    BINE_TIMEOUT(BINE_MINUTE)
    {
        expect_fails(bine_cond_wait(&cond, &mutex), ETIMEDOUT);
    }
    expect_int(bine_now() - began, ==, BINE_MINUTE);
    expect_ok(bine_mutex_unlock(&mutex));
    expect_at_rest(&cond, sizeof cond);
}

LOOP_TEST(cond_wait_in_a_scope_that_has_fired_leaves_the_mutex_held)
{
    bine_scope scope;
    bine_scope_open(&scope, BINE_FOREVER);
    bine_scope_cancel(&scope);
    expect_ok(bine_mutex_lock_try(&mutex));
    expect_fails(bine_cond_wait(&cond, &mutex), ECANCELED);
    expect_fails(bine_mutex_lock_try(&mutex), EBUSY);
    expect_ok(bine_mutex_unlock(&mutex));
    expect_int(bine_scope_close(&scope), ==, 1);
    expect_at_rest(&mutex, sizeof mutex);
}

LOOP_TEST(listing_says_whether_a_task_waits_for_the_condition_or_its_mutex)
{
    struct user a;
    start(&a, 'A');
    bine_yield();
    expect_str(parked_in(), "cond");
    expect_ok(bine_mutex_lock(&mutex));
    expect_ok(bine_cond_signal(&cond));
    expect_str(parked_in(), "mutex");
    expect_ok(bine_mutex_unlock(&mutex));
    join(a.task);
}

/* ---- Misuse ---------------------------------------------------------------------------------------------- */

LOOP_TEST(cond_misuse_is_an_error)
{
    expect_fails(bine_cond_init(NULL), EINVAL);
    expect_fails(bine_cond_destroy(NULL), EINVAL);
    expect_fails(bine_cond_signal(NULL), EINVAL);
    expect_fails(bine_cond_broadcast(NULL), EINVAL);
    expect_fails(bine_cond_wait(NULL, &mutex), EINVAL);
    expect_fails(bine_cond_wait(&cond, NULL), EINVAL);
    expect_fails(bine_cond_wait(&cond, &mutex), EPERM);
    expect_ok(bine_cond_init(&cond));
    expect_ok(bine_cond_destroy(&cond));
}

START_TEST(outside_a_run_nobody_waits)
{
    expect_fails(bine_cond_wait(&cond, &mutex), EPERM);
    expect_ok(bine_cond_signal(&cond));
    expect_ok(bine_cond_broadcast(&cond));
    expect_ok(bine_cond_destroy(&cond));
}
END_TEST

static void in_callback(void *arg)
{
    expect_fails(bine_cond_wait(&cond, &mutex), EDEADLK);
    expect_ok(bine_cond_signal(&cond));
    *(bool *)arg = true;
}

LOOP_TEST(a_callback_signals_but_does_not_wait)
{
    bool called = false;
    struct user a;
    start(&a, 'A');
    bine_yield();
    expect_ok(bine_call_soon(in_callback, &called));
    join(a.task);
    expect(called);
    expect_str(trace, "A");
}

static void *other_thread(void *arg)
{
    (void)arg;
    expect_fails(bine_cond_signal(&cond), EPERM);
    expect_fails(bine_cond_broadcast(&cond), EPERM);
    return NULL;
}

LOOP_TEST(another_threads_tasks_are_not_woken)
{
    struct user a;
    pthread_t thread;
    start(&a, 'A');
    bine_yield();
    ck_assert_int_eq(pthread_create(&thread, NULL, other_thread, NULL), 0);
    pthread_join(thread, NULL);
    expect_str(trace, "");
    expect_ok(bine_cond_signal(&cond));
    join(a.task);
}

SUPPORT_MAIN("cond", cond_signals_in_order_and_returns_holding_the_mutex,
             cond_broadcast_wakes_each_only_when_the_mutex_is_its_own,
             cond_wait_that_is_cancelled_still_returns_holding_the_mutex,
             cond_signal_wins_over_a_cancellation_at_the_same_moment, cond_wait_ends_at_its_deadline,
             cond_wait_in_a_scope_that_has_fired_leaves_the_mutex_held,
             listing_says_whether_a_task_waits_for_the_condition_or_its_mutex, cond_misuse_is_an_error,
             outside_a_run_nobody_waits, a_callback_signals_but_does_not_wait, another_threads_tasks_are_not_woken)
