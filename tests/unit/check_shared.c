/* SPDX-License-Identifier: MIT
 *
 * Channels between loops: each value arrives once, whoever waits for it where; select over shared and private
 * ones; cancellation; and how often a loop is woken.
 *
 * Nothing here depends on how the threads happen to run: what is asserted are sums. */
#include "support/support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "runtime/runtime.h"
#include "support/fault.h"

static int scale(int n)
{
    return support_slow() ? n / 10 : n;
}

static bine_chan *one, *two;
static _Atomic long sent, received, done;

static void set_up(size_t capacity)
{
    sent = received = done = 0;
    one = bine_chan_new_shared(sizeof(long), capacity, NULL);
    two = bine_chan_new_shared(sizeof(long), capacity, NULL);
    expect(one && two);
}

static void tear_down(void)
{
    expect_ok(bine_chan_free(one));
    expect_ok(bine_chan_free(two));
    support_settle();
}

/* ---- In one loop ------------------------------------------------------------------- */

static void *send_three(void *arg)
{
    for (long i = 1; i <= 3; i++)
        if (bine_chan_send(arg, &i) != 0)
            return bine_fail(errno);
    return NULL;
}

LOOP_TEST(it_is_a_channel_as_others_are)
{
    for (size_t capacity = 0; capacity <= 2; capacity++) {
        bine_chan *chan = bine_chan_new_shared(sizeof(long), capacity, NULL);
        bine_task *task = bine_spawn(send_three, chan);
        bine_result result;
        long value = 0;
        expect_fails(bine_chan_recv_try(chan, &value), EAGAIN);
        bine_yield();
        expect_uint(bine_chan_length(chan), ==, capacity);
        expect_fails(bine_chan_send_try(chan, &value), EAGAIN);
        expect_fails(bine_chan_free(chan), EBUSY);
        for (long i = 1; i <= 3; i++) {
            expect_ok(bine_chan_recv(chan, &value));
            expect_int(value, ==, i);
        }
        expect_ok(bine_join(task, &result));
        expect_int(result.error, ==, 0);
        task = bine_spawn(send_three, chan);
        bine_yield();
        expect_ok(bine_chan_close(chan));
        expect_fails(bine_chan_close(chan), EPIPE);
        expect_ok(bine_join(task, &result));
        expect_int(result.error, ==, EPIPE);
        expect_fails(bine_chan_send(chan, &value), EPIPE);
        for (size_t i = 0; i < capacity; i++)
            expect_ok(bine_chan_recv_try(chan, &value)); /* what was buffered is still there */
        expect_fails(bine_chan_recv(chan, &value), EPIPE);
        expect_fails(bine_chan_recv_try(chan, &value), EPIPE);
        expect_ok(bine_chan_free(chan));
    }
}

static int dropped;

static void drop(void *element)
{
    dropped += *(int *)element;
}

LOOP_TEST(what_is_left_is_dropped)
{
    bine_chan *chan = bine_chan_new_shared(sizeof(int), 3, drop);
    for (int i = 1; i <= 3; i++)
        expect_ok(bine_chan_send(chan, &i));
    int value;
    expect_ok(bine_chan_recv(chan, &value));
    bine_yield();
    expect_ok(bine_chan_free(chan));
    expect_int(dropped, ==, 2 + 3);
}

LOOP_TEST(a_scope_ends_the_wait)
{
    bine_chan *chan = bine_chan_new_shared(sizeof(long), 0, NULL);
    long value = 0;
    bine_case cases[] = {bine_case_recv(chan, &value), bine_case_send(chan, &value)};
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_chan_recv(chan, &value), ETIMEDOUT);
        expect_fails(bine_chan_send(chan, &value), ETIMEDOUT);
    }
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_chan_select(cases, 2), ETIMEDOUT);
    }
    bine_scope scope;
    bine_scope_open(&scope, BINE_FOREVER);
    bine_scope_cancel(&scope);
    expect_fails(bine_chan_select(cases, 1), ECANCELED);
    bine_scope_close(&scope);
    expect_fails(bine_chan_select_try(cases, 2), EAGAIN);
    expect_ok(bine_chan_free(chan)); /* nobody stands in line any more */
}

/* ---- Between loops ----------------------------------------------------------------- */

enum { LOOPS = 3, EACH = 1000, PRODUCERS = 4 };

static void *produce(void *arg)
{
    for (long i = 0; i < scale(EACH); i++) {
        if (bine_chan_send(one, &i) != 0)
            return bine_fail(errno);
        sent += i;
    }
    return arg;
}

static void *consume(void *arg)
{
    long value;
    while (bine_chan_recv(one, &value) == 0)
        received += value;
    return arg;
}

/* The first loop consumes, the others produce; the last producer closes. */
static void *exchange(void *arg)
{
    bine_fn *fn = bine_loop_index() == 0 ? consume : produce;
    BINE_GROUP (group, BINE_GROUP_ALL)
        for (int i = 0; i < PRODUCERS; i++)
            bine_group_spawn(&group, fn, NULL);
    if (fn == produce && ++done == LOOPS - 1)
        expect_ok(bine_chan_close(one));
    return arg;
}

START_TEST(values_go_from_loop_to_loop)
{
    for (size_t capacity = 0; capacity <= 16; capacity += 8) {
        set_up(capacity);
        expect_ok(bine_cluster(LOOPS, exchange, NULL));
        expect_int(sent, >, 0);
        expect_int(received, ==, sent);
        tear_down();
    }
}
END_TEST

/* Each loop sends on one and receives on the other, both in one select, with a private channel among them. */
static void *meet_often(void *arg)
{
    bine_chan *private = arg;
    for (int i = 0; i < scale(EACH); i++) {
        long in = 0, in2 = 0, own = 0, out = 1;
        bine_case cases[] = {bine_case_send(one, &out), bine_case_recv(two, &in), bine_case_send(two, &out),
                             bine_case_recv(one, &in2), bine_case_recv(private, &own)};
        int which = bine_chan_select(cases, 5);
        if (which == -1)
            return bine_fail(errno);
        expect_int(cases[which].error, ==, 0);
        expect_int(in + in2 + own, ==, which == 1 || which == 3 || which == 4 ? 1 : 0);
        sent += which == 0 || which == 2;
        received += in + in2;
    }
    done++;
    return NULL;
}

/* Goes on until told, so that nobody is left without a partner. */
static void *drain(void *arg)
{
    long in, out = 1;
    (void)arg;
    while (done < 2 * LOOPS) {
        bine_case cases[] = {bine_case_recv(one, &in), bine_case_recv(two, &in)};
        BINE_TIMEOUT(BINE_MS) {
            if (bine_chan_select(cases, 2) >= 0)
                received++;
        }
        if (bine_chan_send_try(one, &out) == 0)
            sent++;
        if (bine_chan_send_try(two, &out) == 0)
            sent++;
    }
    return NULL;
}

static void *feed(void *private)
{
    long value = 1;
    while (bine_chan_send(private, &value) == 0)
        ;
    return NULL;
}

static void *mix(void *arg)
{
    bine_chan *private = bine_chan_new(sizeof(long), 1, NULL);
    bine_task *feeder = bine_spawn(feed, private);
    BINE_GROUP (group, BINE_GROUP_ALL) {
        bine_group_spawn(&group, meet_often, private);
        bine_group_spawn(&group, meet_often, private);
        bine_group_spawn(&group, drain, NULL);
    }
    expect_ok(bine_stop(feeder, NULL));
    expect_ok(bine_chan_free(private));
    return arg;
}

START_TEST(a_select_over_shared_and_private_channels_is_served_once)
{
    set_up(0);
    expect_ok(bine_cluster(LOOPS, mix, NULL));
    expect_int(sent, >, 0);
    expect_int(received, ==, sent);
    tear_down();
}
END_TEST

/* Scopes fire in the middle of hand-overs. */
static void *receive_impatiently(void *arg)
{
    long value;
    uint64_t state = bine_loop_index() + 1;
    while (done < LOOPS - 1 || sent != received) {
        BINE_TIMEOUT((bine_ns)(support_random(&state) % 50) * BINE_US) {
            bine_case cases[] = {bine_case_recv(one, &value), bine_case_recv(two, &value)};
            if (support_random(&state) % 2 ? bine_chan_recv(one, &value) == 0 : bine_chan_select(cases, 2) >= 0)
                received++;
        }
    }
    return arg;
}

static void *send_impatiently(void *arg)
{
    long value = 1;
    uint64_t state = bine_loop_index() + 77;
    for (int left = scale(EACH); left > 0;) {
        BINE_TIMEOUT((bine_ns)(support_random(&state) % 50) * BINE_US) {
            bine_case cases[] = {bine_case_send(two, &value), bine_case_send(one, &value)};
            if (support_random(&state) % 2 ? bine_chan_send(one, &value) == 0 : bine_chan_select(cases, 2) >= 0) {
                sent++;
                left--;
            }
        }
    }
    done++;
    return arg;
}

static void *impatient(void *arg)
{
    return bine_loop_index() == 0 ? receive_impatiently(arg) : send_impatiently(arg);
}

/* All can happen, always: each must be drawn, of however many. */
LOOP_TEST(a_select_starves_no_channel)
{
    enum { MOST = 8, ROUNDS = 64 };
    for (int n = 2; n <= MOST; n++) {
        bine_chan *chans[MOST];
        bine_case cases[MOST];
        int drawn[MOST] = {0};
        long value = 0;
        for (int i = 0; i < n; i++) {
            chans[i] = i == 1 ? bine_chan_new(sizeof value, 1, NULL) : bine_chan_new_shared(sizeof value, 1, NULL);
            cases[i] = bine_case_recv(chans[i], &value);
            expect_ok(bine_chan_send(chans[i], &value));
        }
        for (int round = 0; round < ROUNDS * n; round++) {
            int i = bine_chan_select(cases, (size_t)n);
            if (!expect(i >= 0 && i < n) || !expect(bine_chan_send(chans[i], &value) == 0))
                break;
            drawn[i]++;
        }
        for (int i = 0; i < n; i++) {
            expect_int(drawn[i], >, 0);
            expect_ok(bine_chan_free(chans[i]));
        }
    }
}

START_TEST(no_value_is_lost_when_scopes_fire)
{
    for (size_t capacity = 0; capacity <= 2; capacity++) {
        set_up(capacity);
        expect_ok(bine_cluster(LOOPS, impatient, NULL));
        expect_int(sent, ==, (LOOPS - 1) * scale(EACH));
        expect_int(received, ==, sent);
        tear_down();
    }
}
END_TEST

/* ---- Wake-ups ---------------------------------------------------------------------- */

static uint64_t interrupts[LOOPS];

static void *ping(void *arg)
{
    bine_chan *out = bine_loop_index() == 0 ? one : two, *in = bine_loop_index() == 0 ? two : one;
    (void)arg;
    for (long i = 0; i < scale(EACH); i++) {
        long value = i;
        if (bine_loop_index() == 0)
            expect_ok(bine_chan_send(out, &value));
        expect_ok(bine_chan_recv(in, &value));
        expect_int(value, ==, i);
        if (bine_loop_index() == 1)
            expect_ok(bine_chan_send(out, &value));
    }
    pthread_mutex_lock(&bine__loop->lock);
    interrupts[bine_loop_index()] = bine__loop->interrupts;
    pthread_mutex_unlock(&bine__loop->lock);
    return NULL;
}

START_TEST(a_loop_is_woken_at_most_once_for_a_message)
{
    set_up(1);
    expect_ok(bine_cluster(2, ping, NULL));
    expect_uint(interrupts[0], <=, scale(EACH));
    expect_uint(interrupts[1], <=, scale(EACH));
    tear_down();
}
END_TEST

static void *keep_busy(void *arg)
{
    (void)arg;
    while (bine_yield() == 0)
        ;
    return NULL;
}

static void *work_or_tell(void *arg)
{
    long value;
    if (bine_loop_index() == 0) {
        for (long i = 0; i < scale(EACH); i++)
            expect_ok(bine_chan_send(one, &i));
        return NULL;
    }
    bine_task *busy = bine_spawn(keep_busy, NULL);
    for (long i = 0; i < scale(EACH); i++) {
        expect_ok(bine_chan_recv(one, &value));
        expect_int(value, ==, i);
    }
    pthread_mutex_lock(&bine__loop->lock);
    interrupts[1] = bine__loop->interrupts;
    pthread_mutex_unlock(&bine__loop->lock);
    expect_ok(bine_stop(busy, NULL));
    return arg;
}

START_TEST(a_loop_that_is_awake_is_not_woken)
{
    set_up(0);
    expect_ok(bine_cluster(2, work_or_tell, NULL));
    expect_uint(interrupts[1], ==, 0);
    tear_down();
}
END_TEST

/* ---- From a thread without a loop ---------------------------------------------------- */

static void *feed_from_thread(void *arg)
{
    (void)arg;
    for (long i = 1; i <= 10; i++)
        while (bine_chan_send_try(one, &i) == -1)
            if (!expect(errno == EAGAIN) || sched_yield() != 0)
                return NULL;
    expect_fails(bine_chan_send(one, &sent), EPERM);
    expect_fails(bine_chan_recv(one, &sent), EPERM);
    expect_ok(bine_chan_close(one));
    return NULL;
}

static void *consume_all(void *arg)
{
    consume(arg);
    return NULL;
}

START_TEST(a_thread_without_a_loop_feeds_tasks)
{
    pthread_t thread;
    set_up(2);
    ck_assert_int_eq(pthread_create(&thread, NULL, feed_from_thread, NULL), 0);
    run_recorded(NULL, consume_all, NULL);
    pthread_join(thread, NULL);
    expect_int(received, ==, 55);
    tear_down();
}
END_TEST

/* ---- Misuse and faults ------------------------------------------------------------- */

static bine_event called_back = BINE_EVENT_INIT;

static void call_back(void *chan)
{
    long value = 0;
    expect_fails(bine_chan_recv(chan, &value), EDEADLK);
    expect_fails(bine_chan_recv_try(chan, &value), EAGAIN);
    bine_event_set(&called_back);
}

LOOP_TEST(misuse_is_an_error)
{
    bine_chan *chan = bine_chan_new_shared(sizeof(long), 0, NULL), *many[20];
    bine_case cases[20];
    long value = 0;
    expect_null(bine_chan_new_shared(SIZE_MAX / 2, 3, NULL), EINVAL);
    fault_arm_call("malloc", 1, 1, ENOMEM);
    expect_null(bine_chan_new_shared(8, 1, NULL), ENOMEM);
    fault_disarm();
    expect_fails(bine_chan_send(chan, NULL), EINVAL);
    expect_fails(bine_chan_recv(chan, NULL), EINVAL);
    cases[0] = bine_case_recv(chan, NULL);
    expect_fails(bine_chan_select(cases, 1), EINVAL);
    for (int i = 0; i < 20; i++) { /* more than a task's stack has room for; some of them twice */
        many[i] = i % 3 == 0 ? bine_chan_new(sizeof(long), 1, NULL) : bine_chan_new_shared(sizeof(long), 1, NULL);
        cases[i] = bine_case_recv(i % 5 == 4 ? many[i - 1] : many[i], &value);
    }
    fault_arm_call("calloc", 1, 1, ENOMEM);
    expect_fails(bine_chan_select(cases, 20), ENOMEM);
    fault_disarm();
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_chan_select(cases, 20), ETIMEDOUT);
    }
    value = 5;
    expect_ok(bine_chan_send(many[17], &value));
    value = 0;
    expect_int(bine_chan_select(cases, 20), ==, 17);
    expect_int(value, ==, 5);
    expect_ok(bine_call_soon(call_back, chan));
    expect_ok(bine_event_wait(&called_back));
    for (int i = 0; i < 20; i++)
        expect_ok(bine_chan_free(many[i]));
    expect_ok(bine_chan_free(chan));
}

SUPPORT_MAIN("shared", it_is_a_channel_as_others_are, what_is_left_is_dropped, a_scope_ends_the_wait,
             values_go_from_loop_to_loop, a_select_over_shared_and_private_channels_is_served_once,
             a_select_starves_no_channel,
             no_value_is_lost_when_scopes_fire, a_loop_is_woken_at_most_once_for_a_message,
             a_loop_that_is_awake_is_not_woken, a_thread_without_a_loop_feeds_tasks, misuse_is_an_error)
