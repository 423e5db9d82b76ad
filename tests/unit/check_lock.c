/* SPDX-License-Identifier: MIT
 *
 * Mutex and read-write lock: order, hand-over, cancellation at every moment, misuse. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "support/support.h"
#include "support/tasks.h"
#include "support/trace.h"

/* One that wants a lock: what it got is in .error when it has ended. */
struct user {
    char name;
    bool writes;
    int yields; /* while it holds it */
    int error;  /* 0, or errno */
    bine_task *task;
};

static bine_mutex mutex;
static bine_rwlock rwlock;

static void *lock_mutex(void *arg)
{
    struct user *user = arg;
    if (bine_mutex_lock(&mutex) != 0) {
        user->error = errno;
        note('!');
        return NULL;
    }
    user->error = 0;
    note(user->name);
    for (int i = 0; i < user->yields; i++)
        bine_yield();
    expect_ok(bine_mutex_unlock(&mutex));
    return NULL;
}

static void *lock_rwlock(void *arg)
{
    struct user *user = arg;
    if ((user->writes ? bine_rwlock_write(&rwlock) : bine_rwlock_read(&rwlock)) != 0) {
        user->error = errno;
        note('!');
        return NULL;
    }
    user->error = 0;
    note(user->name);
    for (int i = 0; i < user->yields; i++)
        bine_yield();
    note((char)(user->name | 0x20));
    expect_ok(bine_rwlock_unlock(&rwlock));
    return NULL;
}

static void start(struct user *user, bine_fn *fn, char name)
{
    *user = (struct user){.name = name, .error = -1, .writes = user->writes, .yields = user->yields};
    user->task = bine_spawn(fn, user);
}

static void expect_at_rest(const void *object, size_t size)
{
    static const unsigned char zero[sizeof(bine_rwlock)];
    expect(memcmp(object, zero, size) == 0);
}

/* Each call that takes a lock or gives one back. */
static void expect_all_fail(bine_mutex *m, bine_rwlock *rw, int error)
{
    expect_fails(bine_mutex_lock(m), error);
    expect_fails(bine_mutex_lock_try(m), error);
    expect_fails(bine_mutex_unlock(m), error);
    expect_fails(bine_rwlock_read(rw), error);
    expect_fails(bine_rwlock_write(rw), error);
    expect_fails(bine_rwlock_read_try(rw), error);
    expect_fails(bine_rwlock_write_try(rw), error);
    expect_fails(bine_rwlock_unlock(rw), error);
}

/* ---- Mutex --------------------------------------------------------------------------------------------- */

LOOP_TEST(mutex_serves_in_order_of_arrival)
{
    struct user users[5] = {0};
    expect_ok(bine_mutex_lock(&mutex));
    for (size_t i = 0; i < 5; i++) {
        users[i].yields = (int)(5 - i);
        start(&users[i], lock_mutex, (char)('A' + i));
    }
    settle();
    expect_str(trace, "");
    expect_ok(bine_mutex_unlock(&mutex));
    for (size_t i = 0; i < 5; i++)
        join(users[i].task);
    expect_str(trace, "ABCDE");
    expect_at_rest(&mutex, sizeof mutex);
}

LOOP_TEST(mutex_is_handed_over_so_that_nobody_slips_in)
{
    struct user a = {0};
    expect_ok(bine_mutex_lock(&mutex));
    start(&a, lock_mutex, 'A');
    bine_yield();
    expect_ok(bine_mutex_unlock(&mutex));
    note('m'); /* unlock has not switched */
    expect_fails(bine_mutex_lock_try(&mutex), EBUSY);
    expect_fails(bine_mutex_unlock(&mutex), EPERM);
    expect_ok(bine_mutex_lock(&mutex)); /* behind it */
    note('m');
    expect_ok(bine_mutex_unlock(&mutex));
    join(a.task);
    expect_str(trace, "mAm");
}

static void *unlock_mutex(void *arg)
{
    (void)arg;
    expect_fails(bine_mutex_unlock(&mutex), EPERM);
    return NULL;
}

LOOP_TEST(mutex_misuse_is_an_error)
{
    expect_fails(bine_mutex_unlock(&mutex), EPERM);
    expect_ok(bine_mutex_lock(&mutex));
    expect_fails(bine_mutex_lock(&mutex), EDEADLK);
    expect_fails(bine_mutex_lock_try(&mutex), EBUSY);
    expect_fails(bine_mutex_destroy(&mutex), EBUSY);
    join(bine_spawn(unlock_mutex, NULL));
    expect_ok(bine_mutex_unlock(&mutex));
    expect_fails(bine_mutex_unlock(&mutex), EPERM);
    expect_ok(bine_mutex_lock_try(&mutex));
    expect_ok(bine_mutex_unlock(&mutex));
    expect_ok(bine_mutex_destroy(&mutex));
    memset(&mutex, 0xa5, sizeof mutex);
    expect_ok(bine_mutex_init(&mutex));
    expect_at_rest(&mutex, sizeof mutex);
}

LOOP_TEST(no_lock_is_an_error)
{
    expect_all_fail(NULL, NULL, EINVAL);
    expect_fails(bine_mutex_init(NULL), EINVAL);
    expect_fails(bine_mutex_destroy(NULL), EINVAL);
    expect_fails(bine_rwlock_init(NULL), EINVAL);
    expect_fails(bine_rwlock_destroy(NULL), EINVAL);
}

START_TEST(locks_need_a_run)
{
    expect_all_fail(&mutex, &rwlock, EPERM);
    expect_ok(bine_mutex_destroy(&mutex));
    expect_ok(bine_rwlock_destroy(&rwlock));
}
END_TEST

static void in_callback(void *arg)
{
    expect_all_fail(&mutex, &rwlock, EDEADLK);
    *(bool *)arg = true;
}

LOOP_TEST(a_callback_cannot_hold_a_lock)
{
    bool called = false;
    expect_ok(bine_call_soon(in_callback, &called));
    while (!called)
        expect_ok(bine_yield());
}

LOOP_TEST(locks_are_not_taken_in_a_scope_that_has_fired)
{
    bine_scope scope;
    bine_scope_open(&scope, BINE_FOREVER);
    bine_scope_cancel(&scope);
    expect_fails(bine_mutex_lock(&mutex), ECANCELED);
    expect_fails(bine_rwlock_read(&rwlock), ECANCELED);
    expect_fails(bine_rwlock_write(&rwlock), ECANCELED);
    expect_ok(bine_mutex_lock_try(&mutex)); /* it waits for nothing */
    expect_ok(bine_mutex_unlock(&mutex)); /* is never cancelled */
    expect_int(bine_scope_close(&scope), ==, 1);
    expect_at_rest(&mutex, sizeof mutex);
    expect_at_rest(&rwlock, sizeof rwlock);
}

LOOP_TEST(mutex_passes_the_turn_of_a_cancelled_waiter_on)
{
    struct user a = {0}, b = {0}, c = {0};
    expect_ok(bine_mutex_lock(&mutex));
    start(&a, lock_mutex, 'A');
    start(&b, lock_mutex, 'B');
    start(&c, lock_mutex, 'C');
    bine_yield();
    bine_cancel(b.task);
    bine_yield();
    expect_int(b.error, ==, ECANCELED);
    bine_cancel(a.task);
    settle();
    expect_fails(bine_mutex_destroy(&mutex), EBUSY);
    expect_ok(bine_mutex_unlock(&mutex));
    join(a.task), join(b.task), join(c.task);
    expect_str(trace, "!!C");
    expect_at_rest(&mutex, sizeof mutex);
}

LOOP_TEST(mutex_hand_over_wins_over_a_cancellation_at_the_same_moment)
{
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        struct user a = {0}, b = {0};
        trace[0] = '\0';
        expect_ok(bine_mutex_lock(&mutex));
        start(&a, lock_mutex, 'A');
        start(&b, lock_mutex, 'B');
        bine_yield();
        if (cancel_first)
            bine_cancel(a.task);
        expect_ok(bine_mutex_unlock(&mutex));
        if (!cancel_first)
            bine_cancel(a.task);
        join(a.task), join(b.task);
        expect_int(a.error, ==, 0);
        expect_str(trace, "AB");
        expect_at_rest(&mutex, sizeof mutex);
    }
}

static void *hold_two_seconds(void *arg)
{
    expect_ok(bine_mutex_lock(&mutex));
    expect_ok(bine_sleep(2 * BINE_SECOND));
    expect_ok(bine_mutex_unlock(&mutex));
    return arg;
}

VIRTUAL_TEST(mutex_wait_ends_at_its_deadline)
{
    bine_task *holder = bine_spawn(hold_two_seconds, NULL);
    bine_ns began = bine_now();
    int fired = 0;
    bine_yield();
    BINE_TIMEOUT(BINE_SECOND)
    {
        expect_fails(bine_mutex_lock(&mutex), ETIMEDOUT);
        fired++;
    }
    expect_int(bine_now() - began, ==, BINE_SECOND);
    /* The hand-over comes at the same time as the deadline, and wins. */
    BINE_TIMEOUT(BINE_SECOND)
    {
        expect_ok(bine_mutex_lock(&mutex));
        expect_ok(bine_mutex_unlock(&mutex));
        fired++;
    }
    expect_int(bine_now() - began, ==, 2 * BINE_SECOND);
    join(holder);
    expect_int(fired, ==, 2);
    expect_at_rest(&mutex, sizeof mutex);
}

LOOP_TEST(listing_says_which_kind_of_lock_a_task_waits_for)
{
    struct user a = {0};
    expect_ok(bine_mutex_lock(&mutex));
    start(&a, lock_mutex, 'A');
    bine_yield();
    expect_str(parked_in(), "mutex");
    expect_ok(bine_mutex_unlock(&mutex));
    join(a.task);
    expect_ok(bine_rwlock_write(&rwlock));
    start(&a, lock_rwlock, 'B');
    bine_yield();
    expect_str(parked_in(), "rwlock");
    expect_ok(bine_rwlock_unlock(&rwlock));
    join(a.task);
}

static void *end_holding(void *arg)
{
    if (*(char *)arg == 'r')
        bine_rwlock_read(&rwlock);
    else
        bine_mutex_lock(&mutex);
    return NULL;
}

static void *spawn_holder(void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = "keeper";
    if (*(char *)arg == 'h')
        bine_mutex_lock(&mutex);
    bine_task *task = bine_spawn_with(&attr, end_holding, arg);
    bine_yield();
    if (*(char *)arg == 'h')
        bine_mutex_unlock(&mutex);
    bine_join(task, NULL);
    return NULL;
}

static void run_holder(void *arg)
{
    bine_run(spawn_holder, arg, NULL);
}

START_TEST(a_task_that_ends_holding_a_lock_is_a_named_abort)
{
    for (const char *how = "mhr"; *how; how++) { /* mutex; the same by hand-over; a read lock */
        char text[1024], which[2] = {*how, '\0'};
        int status = run_child(run_holder, which, text, sizeof text);
        expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        expect_has(text, "'keeper'");
        expect_has(text, "check_lock.c:");
        expect_has(text, "ended holding 1 lock");
    }
}
END_TEST

static void *meddle(void *arg)
{
    (void)arg;
    expect_fails(bine_mutex_lock(&mutex), EPERM);
    expect_fails(bine_mutex_unlock(&mutex), EPERM);
    expect_fails(bine_rwlock_read(&rwlock), EPERM);
    return NULL;
}

static void *other_loop(void *arg)
{
    (void)arg;
    bine_run(meddle, NULL, NULL);
    return NULL;
}

LOOP_TEST(another_loops_locks_are_an_error)
{
    struct user w = {.writes = true};
    pthread_t thread;
    expect_ok(bine_mutex_lock(&mutex));
    expect_ok(bine_rwlock_read(&rwlock));
    start(&w, lock_rwlock, 'W');
    bine_yield();
    ck_assert_int_eq(pthread_create(&thread, NULL, other_loop, NULL), 0);
    pthread_join(thread, NULL);
    expect_ok(bine_rwlock_unlock(&rwlock));
    expect_ok(bine_mutex_unlock(&mutex));
    join(w.task);
    expect_str(trace, "Ww");
}

/* ---- Read-write lock ------------------------------------------------------------------------------------ */

LOOP_TEST(rwlock_admits_readers_together_and_writers_alone_in_order)
{
    struct user users[6] = {{.yields = 2}, {.yields = 2}, {.writes = true, .yields = 2},
                            {.yields = 2}, {.yields = 2}, {.writes = true, .yields = 1}};
    for (size_t i = 0; i < 6; i++)
        start(&users[i], lock_rwlock, (char)('A' + i));
    for (size_t i = 0; i < 6; i++)
        join(users[i].task);
    expect_str(trace, "ABabCcDEdeFf");
    expect_at_rest(&rwlock, sizeof rwlock);
}

LOOP_TEST(rwlock_lets_readers_in_when_the_writer_before_them_gives_up)
{
    struct user w = {.writes = true}, r[3] = {{.yields = 1}, {.yields = 1}, {.yields = 1}};
    expect_ok(bine_rwlock_read(&rwlock));
    start(&w, lock_rwlock, 'W');
    for (size_t i = 0; i < 3; i++)
        start(&r[i], lock_rwlock, (char)('A' + i));
    bine_yield();
    expect_fails(bine_rwlock_read_try(&rwlock), EBUSY); /* a writer waits */
    expect_fails(bine_rwlock_write_try(&rwlock), EBUSY);
    expect_str(trace, "");
    bine_cancel(w.task);
    settle();
    expect_str(trace, "!ABCabc");
    expect_ok(bine_rwlock_unlock(&rwlock));
    join(w.task);
    for (size_t i = 0; i < 3; i++)
        join(r[i].task);
    expect_at_rest(&rwlock, sizeof rwlock);
}

LOOP_TEST(rwlock_hand_over_wins_over_a_cancellation_at_the_same_moment)
{
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        struct user w = {.writes = true}, r = {0};
        trace[0] = '\0';
        expect_ok(bine_rwlock_read(&rwlock));
        start(&w, lock_rwlock, 'W');
        start(&r, lock_rwlock, 'R');
        bine_yield();
        if (cancel_first)
            bine_cancel(w.task);
        expect_ok(bine_rwlock_unlock(&rwlock));
        if (!cancel_first)
            bine_cancel(w.task);
        join(w.task), join(r.task);
        expect_str(trace, "WwRr");
        expect_at_rest(&rwlock, sizeof rwlock);
    }
}

static void *unlock_rwlock(void *arg)
{
    (void)arg;
    expect_fails(bine_rwlock_unlock(&rwlock), EPERM);
    return NULL;
}

LOOP_TEST(rwlock_misuse_is_an_error)
{
    expect_fails(bine_rwlock_unlock(&rwlock), EPERM);
    expect_ok(bine_rwlock_write(&rwlock));
    expect_fails(bine_rwlock_write(&rwlock), EDEADLK);
    expect_fails(bine_rwlock_read(&rwlock), EDEADLK);
    expect_fails(bine_rwlock_read_try(&rwlock), EBUSY);
    expect_fails(bine_rwlock_write_try(&rwlock), EBUSY);
    expect_fails(bine_rwlock_destroy(&rwlock), EBUSY);
    join(bine_spawn(unlock_rwlock, NULL)); /* another writes */
    expect_ok(bine_rwlock_unlock(&rwlock));
    expect_ok(bine_rwlock_read_try(&rwlock));
    expect_fails(bine_rwlock_write_try(&rwlock), EBUSY);
    expect_fails(bine_rwlock_destroy(&rwlock), EBUSY);
    join(bine_spawn(unlock_rwlock, NULL)); /* it holds nothing at all */
    expect_ok(bine_rwlock_unlock(&rwlock));
    expect_fails(bine_rwlock_unlock(&rwlock), EPERM);
    expect_ok(bine_rwlock_write_try(&rwlock));
    expect_ok(bine_rwlock_unlock(&rwlock));
    expect_ok(bine_rwlock_destroy(&rwlock));
    expect_ok(bine_rwlock_init(&rwlock));
}

LOOP_TEST(a_task_holds_up_to_65535_locks)
{
    for (int i = 0; i < 65535; i++)
        if (bine_rwlock_read(&rwlock) != 0)
            expect_int(i, ==, 65535);
    expect_fails(bine_rwlock_read(&rwlock), EAGAIN);
    expect_fails(bine_rwlock_read_try(&rwlock), EAGAIN);
    expect_fails(bine_mutex_lock(&mutex), EAGAIN);
    expect_fails(bine_mutex_lock_try(&mutex), EAGAIN);
    for (int i = 0; i < 65535; i++)
        if (bine_rwlock_unlock(&rwlock) != 0)
            expect_int(i, ==, 65535);
    expect_at_rest(&rwlock, sizeof rwlock);
}

SUPPORT_MAIN("lock", mutex_serves_in_order_of_arrival, mutex_is_handed_over_so_that_nobody_slips_in,
             mutex_misuse_is_an_error, no_lock_is_an_error, locks_need_a_run, a_callback_cannot_hold_a_lock,
             locks_are_not_taken_in_a_scope_that_has_fired, mutex_passes_the_turn_of_a_cancelled_waiter_on,
             mutex_hand_over_wins_over_a_cancellation_at_the_same_moment, mutex_wait_ends_at_its_deadline,
             listing_says_which_kind_of_lock_a_task_waits_for, a_task_that_ends_holding_a_lock_is_a_named_abort,
             another_loops_locks_are_an_error,
             rwlock_admits_readers_together_and_writers_alone_in_order,
             rwlock_lets_readers_in_when_the_writer_before_them_gives_up,
             rwlock_hand_over_wins_over_a_cancellation_at_the_same_moment, rwlock_misuse_is_an_error,
             a_task_holds_up_to_65535_locks)
