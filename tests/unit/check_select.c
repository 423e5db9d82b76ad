/* SPDX-License-Identifier: MIT
 *
 * Select: what it does at once, what it waits for, fairness, cancellation as it fires, closed channels, the same
 * channel in several cases, misuse. */
#include <limits.h>
#include <pthread.h>

#include "support/fault.h"
#include "support/support.h"
#include "support/tasks.h"

enum { MANY = 20 }; /* more than a select keeps on its stack */

static bine_chan *ints(size_t capacity)
{
    bine_chan *chan = bine_chan_new(sizeof(int), capacity, NULL);
    ck_assert_ptr_nonnull(chan);
    return chan;
}

static void ints_of(bine_chan *chans[], size_t n, size_t capacity)
{
    for (size_t i = 0; i < n; i++)
        chans[i] = ints(capacity);
}

static void free_all(bine_chan *chans[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect_ok(bine_chan_free(chans[i]));
}

/* One that selects: what it got. */
struct chooser {
    bine_case cases[MANY];
    size_t n;
    int values[MANY];
    int chosen; /* -2: it has not ended */
    int error;  /* of the call, if it failed */
    bine_task *task;
};

static void *choose(void *arg)
{
    struct chooser *chooser = arg;
    chooser->chosen = bine_chan_select(chooser->cases, chooser->n);
    chooser->error = chooser->chosen < 0 ? errno : 0;
    return NULL;
}

static void start(struct chooser *chooser)
{
    chooser->chosen = -2;
    chooser->task = bine_spawn(choose, chooser);
}

/* Receives from each. */
static void receive_from(struct chooser *chooser, bine_chan *chans[], size_t n)
{
    *chooser = (struct chooser){.n = n};
    for (size_t i = 0; i < n; i++) {
        chooser->values[i] = -1;
        chooser->cases[i] = bine_case_recv(chans[i], &chooser->values[i]);
        chooser->cases[i].error = -1;
    }
}

static void send_to(struct chooser *chooser, bine_chan *chans[], size_t n)
{
    *chooser = (struct chooser){.n = n};
    for (size_t i = 0; i < n; i++) {
        chooser->values[i] = 100 + (int)i;
        chooser->cases[i] = bine_case_send(chans[i], &chooser->values[i]);
        chooser->cases[i].error = -1;
    }
}

static void *receive_one(void *chan)
{
    int value = -1;
    return bine_chan_recv(chan, &value) == 0 ? (void *)(intptr_t)value : (void *)(intptr_t)-errno;
}

static intptr_t outcome(bine_task *task)
{
    bine_result result = {NULL, 0};
    expect_ok(bine_join(task, &result));
    return (intptr_t)result.value;
}

/* ---- At once ------------------------------------------------------------------------------------------- */

LOOP_TEST(the_case_that_can_happen_happens_and_no_other)
{
    bine_chan *chans[MANY];
    struct chooser chooser;
    for (size_t n = 1; n <= MANY; n++) {
        ints_of(chans, n, 1);
        for (size_t ready = 0; ready < n; ready++) {
            receive_from(&chooser, chans, n);
            expect_fails(bine_chan_select_try(chooser.cases, n), EAGAIN);
            expect_ok(bine_chan_send(chans[ready], &(int){7}));
            expect_int(ready % 2 ? bine_chan_select(chooser.cases, n) : bine_chan_select_try(chooser.cases, n), ==,
                       ready);
            for (size_t i = 0; i < n; i++) {
                expect_int(chooser.values[i], ==, i == ready ? 7 : -1);
                expect_int(chooser.cases[i].error, ==, i == ready ? 0 : -1);
                expect_uint(bine_chan_length(chans[i]), ==, 0);
            }
        }
        free_all(chans, n);
    }
}

LOOP_TEST(sends_and_receives_stand_side_by_side)
{
    bine_chan *full = ints(1), *empty = ints(1), *meeting = ints(0);
    int in = 5, out = -1;
    bine_case cases[] = {bine_case_send(full, &in), bine_case_recv(empty, &out), bine_case_send(meeting, &in),
                         bine_case_recv(NULL, &out), bine_case_send(NULL, NULL)};
    expect_ok(bine_chan_send(full, &(int){1}));
    expect_fails(bine_chan_select_try(cases, 5), EAGAIN);
    bine_task *receiver = bine_spawn(receive_one, meeting);
    bine_yield();
    expect_int(bine_chan_select(cases, 5), ==, 2);
    expect_int(outcome(receiver), ==, 5);
    expect_ok(bine_chan_recv(full, &out));
    expect_int(out, ==, 1);
    expect_int(bine_chan_select(cases, 5), ==, 0);
    expect_ok(bine_chan_send(empty, &(int){2}));
    expect_int(bine_chan_select(cases, 5), ==, 1);
    expect_int(out, ==, 2);
    expect_ok(bine_chan_free(full));
    expect_ok(bine_chan_free(empty));
    expect_ok(bine_chan_free(meeting));
}

/* With n that are ready, each is drawn about as often: within five standard deviations. */
static void *draw_many(void *arg)
{
    enum { DRAWS = 4000, READY = 5 };
    bine_chan *chans[READY];
    int count[READY] = {0};
    struct chooser chooser;
    ints_of(chans, READY, 1);
    receive_from(&chooser, chans, READY);
    for (int i = 0; i < READY; i++)
        expect_ok(bine_chan_send(chans[i], &i));
    for (int i = 0; i < DRAWS; i++) {
        int chosen = bine_chan_select(chooser.cases, READY);
        count[chosen]++;
        if (i < 32)
            ((int *)arg)[i] = chosen;
        expect_int(chooser.values[chosen], ==, chosen);
        expect_ok(bine_chan_send(chans[chosen], &chosen));
    }
    for (int i = 0; i < READY; i++) {
        expect_int(count[i], >, DRAWS / READY - 127);
        expect_int(count[i], <, DRAWS / READY + 127);
    }
    free_all(chans, READY);
    return NULL;
}

START_TEST(the_choice_is_fair_and_the_same_in_every_run)
{
    int first[32], second[32], seeded[32];
    run_in_loop(draw_many, first);
    run_in_loop(draw_many, second);
    expect(memcmp(first, second, sizeof first) == 0);
    run_seeded(12345, draw_many, seeded);
    expect(memcmp(first, seeded, sizeof first) != 0);
    run_seeded(12345, draw_many, second);
    expect(memcmp(second, seeded, sizeof second) == 0);
}
END_TEST

LOOP_TEST(a_select_that_never_has_to_wait_lets_others_run_all_the_same)
{
    bine_chan *chan = ints(1);
    int counter = 0, value = 0;
    bine_case cases[] = {bine_case_send(chan, &value), bine_case_recv(chan, &value)};
    bine_task *other = bine_spawn(count_turns_in, &counter);
    for (int i = 0; i < 10000 && counter < 3; i++)
        expect_int(bine_chan_select(cases, 2), ==, i % 2);
    expect_int(counter, ==, 3);
    counter = -1;
    join(other);
    expect_ok(bine_chan_free(chan));
}

/* ---- Waiting ------------------------------------------------------------------------------------------- */

LOOP_TEST(a_select_that_waits_is_served_once_and_leaves_all_lines)
{
    bine_chan *chans[MANY];
    struct chooser chooser;
    for (size_t n = 1; n <= MANY; n += 3) {
        ints_of(chans, n, 0);
        for (size_t ready = 0; ready < n; ready++) {
            receive_from(&chooser, chans, n);
            start(&chooser);
            bine_yield();
            expect_int(chooser.chosen, ==, -2);
            expect_fails(bine_chan_free(chans[n - 1]), EBUSY);
            expect_ok(bine_chan_send_try(chans[ready], &(int){3}));
            for (size_t i = 0; i < n; i++)
                expect_fails(bine_chan_send_try(chans[i], &(int){4}), EAGAIN); /* though it has not run yet */
            join(chooser.task);
            expect_int(chooser.chosen, ==, ready);
            for (size_t i = 0; i < n; i++)
                expect_int(chooser.values[i], ==, i == ready ? 3 : -1);
            expect_int(chooser.cases[ready].error, ==, 0);

            send_to(&chooser, chans, n);
            start(&chooser);
            bine_yield();
            int value = -1;
            expect_ok(bine_chan_recv_try(chans[ready], &value));
            expect_int(value, ==, 100 + (int)ready);
            for (size_t i = 0; i < n; i++)
                expect_fails(bine_chan_recv_try(chans[i], &value), EAGAIN);
            join(chooser.task);
            expect_int(chooser.chosen, ==, ready);
        }
        free_all(chans, n);
    }
}

LOOP_TEST(two_selects_meet_each_other)
{
    bine_chan *chans[2];
    struct chooser sender, receiver;
    ints_of(chans, 2, 0);
    send_to(&sender, chans, 2);
    receive_from(&receiver, chans, 2);
    start(&sender);
    start(&receiver);
    join(sender.task), join(receiver.task);
    expect_int(sender.chosen, ==, receiver.chosen);
    expect_int(receiver.values[receiver.chosen], ==, 100 + sender.chosen);
    free_all(chans, 2);
}

LOOP_TEST(a_select_takes_its_turn_among_the_others)
{
    bine_chan *chan = ints(0);
    struct chooser chooser;
    bine_task *before = bine_spawn(receive_one, chan);
    receive_from(&chooser, &chan, 1);
    start(&chooser);
    bine_task *after = bine_spawn(receive_one, chan);
    bine_yield();
    for (int i = 1; i <= 3; i++)
        expect_ok(bine_chan_send_try(chan, &i));
    expect_int(outcome(before), ==, 1);
    join(chooser.task);
    expect_int(chooser.values[0], ==, 2);
    expect_int(outcome(after), ==, 3);
    expect_ok(bine_chan_free(chan));
}

LOOP_TEST(a_select_does_not_meet_itself)
{
    bine_chan *chan = ints(0);
    struct chooser chooser = {.n = 2, .values = {1, 2}};
    for (int way = 0; way < 2; way++) {
        chooser.cases[0] = bine_case_send(chan, &chooser.values[0]);
        chooser.cases[1] = bine_case_recv(chan, &chooser.values[1]);
        expect_fails(bine_chan_select_try(chooser.cases, 2), EAGAIN);
        start(&chooser);
        bine_yield();
        bine_yield();
        expect_int(chooser.chosen, ==, -2);
        int value = 9;
        if (way == 0) {
            expect_ok(bine_chan_recv(chan, &value));
            expect_int(value, ==, 1);
        } else {
            expect_ok(bine_chan_send(chan, &value));
        }
        join(chooser.task);
        expect_int(chooser.chosen, ==, way);
        expect_int(chooser.values[1], ==, way == 0 ? 2 : 9);
        expect_fails(bine_chan_recv_try(chan, &value), EAGAIN);
    }
    expect_ok(bine_chan_free(chan));
}

LOOP_TEST(a_channel_may_stand_in_several_cases)
{
    bine_chan *chan = ints(0), *same[4] = {chan, chan, chan, chan};
    struct chooser chooser;
    receive_from(&chooser, same, 4);
    start(&chooser);
    bine_yield();
    expect_ok(bine_chan_send_try(chan, &(int){6}));
    expect_fails(bine_chan_send_try(chan, &(int){6}), EAGAIN);
    join(chooser.task);
    expect(chooser.chosen >= 0 && chooser.chosen < 4);
    for (int i = 0; i < 4; i++)
        expect_int(chooser.values[i], ==, i == chooser.chosen ? 6 : -1);
    expect_ok(bine_chan_free(chan));
}

LOOP_TEST(close_serves_a_select_with_an_error)
{
    bine_chan *chans[3];
    struct chooser chooser;
    for (int sends = 0; sends < 2; sends++) {
        ints_of(chans, 3, 0);
        if (sends)
            send_to(&chooser, chans, 3);
        else
            receive_from(&chooser, chans, 3);
        start(&chooser);
        bine_yield();
        expect_ok(bine_chan_close(chans[1]));
        expect_ok(bine_chan_close(chans[2])); /* it is served once */
        join(chooser.task);
        expect_int(chooser.chosen, ==, 1);
        expect_int(chooser.cases[1].error, ==, EPIPE);
        expect_int(chooser.cases[2].error, ==, -1);
        expect_int(bine_chan_select(&chooser.cases[2], 1), ==, 0); /* closed already */
        expect_int(chooser.cases[2].error, ==, EPIPE);
        free_all(chans, 3);
    }
}

LOOP_TEST(what_is_left_in_a_closed_channel_is_received_first)
{
    bine_chan *chan = ints(2);
    int value = -1;
    bine_case one = bine_case_recv(chan, &value);
    expect_ok(bine_chan_send(chan, &(int){8}));
    expect_ok(bine_chan_close(chan));
    expect_int(bine_chan_select(&one, 1), ==, 0);
    expect_int(one.error, ==, 0);
    expect_int(value, ==, 8);
    expect_int(bine_chan_select_try(&one, 1), ==, 0);
    expect_int(one.error, ==, EPIPE);
    expect_ok(bine_chan_free(chan));
}

/* ---- Cancellation -------------------------------------------------------------------------------------- */

LOOP_TEST(a_select_that_fired_is_not_lost_to_a_cancellation)
{
    for (int way = 0; way < 4; way++) {
        bool cancel_first = way & 1, sends = way & 2;
        bine_chan *chans[MANY];
        struct chooser chooser;
        int value = 11;
        ints_of(chans, MANY, 0);
        if (sends)
            send_to(&chooser, chans, MANY);
        else
            receive_from(&chooser, chans, MANY);
        start(&chooser);
        bine_yield();
        if (cancel_first)
            bine_cancel(chooser.task);
        if (sends)
            expect_ok(bine_chan_recv_try(chans[13], &value));
        else
            expect_ok(bine_chan_send_try(chans[13], &value));
        if (!cancel_first)
            bine_cancel(chooser.task);
        join(chooser.task);
        expect_int(chooser.chosen, ==, 13); /* exactly if the value was moved */
        expect_int(sends ? value : chooser.values[13], ==, sends ? 113 : 11);
        free_all(chans, MANY);
    }
}

LOOP_TEST(a_select_that_is_cancelled_leaves_all_lines)
{
    bine_chan *chans[MANY];
    struct chooser chooser;
    ints_of(chans, MANY, 0);
    receive_from(&chooser, chans, MANY);
    start(&chooser);
    bine_yield();
    bine_cancel(chooser.task);
    join(chooser.task);
    expect_int(chooser.chosen, ==, -1);
    expect_int(chooser.error, ==, ECANCELED);
    for (size_t i = 0; i < MANY; i++)
        expect_fails(bine_chan_send_try(chans[i], &(int){1}), EAGAIN);
    free_all(chans, MANY);
}

VIRTUAL_TEST(without_a_channel_it_waits_for_its_deadline)
{
    int value = 0;
    bine_case none[] = {bine_case_recv(NULL, &value), bine_case_send(NULL, &value)};
    bine_ns began = bine_now();
    BINE_TIMEOUT(BINE_SECOND)
    {
        expect_fails(bine_chan_select(NULL, 0), ETIMEDOUT);
    }
    BINE_TIMEOUT(BINE_SECOND)
    {
        expect_fails(bine_chan_select(none, 2), ETIMEDOUT);
    }
    expect_int(bine_now() - began, ==, 2 * BINE_SECOND);
    expect_fails(bine_chan_select_try(NULL, 0), EAGAIN);
    expect_fails(bine_chan_select_try(none, 2), EAGAIN);
}

LOOP_TEST(a_select_in_a_scope_that_has_fired_does_nothing)
{
    bine_chan *chan = ints(1);
    bine_scope scope;
    int value = 1;
    bine_case one = bine_case_send(chan, &value);
    bine_scope_open(&scope, BINE_FOREVER);
    bine_scope_cancel(&scope);
    expect_fails(bine_chan_select(&one, 1), ECANCELED);
    expect_uint(bine_chan_length(chan), ==, 0);
    expect_int(bine_chan_select_try(&one, 1), ==, 0); /* it waits for nothing */
    expect_int(bine_scope_close(&scope), ==, 1);
    expect_ok(bine_chan_free(chan));
}

/* ---- Misuse -------------------------------------------------------------------------------------------- */

LOOP_TEST(misuse_is_an_error)
{
    bine_chan *chan = ints(1);
    int value = 0;
    bine_case one = bine_case_recv(chan, &value), bad[] = {one, bine_case_recv(chan, NULL)};
    expect_fails(bine_chan_select(NULL, 1), EINVAL);
    expect_fails(bine_chan_select_try(NULL, 1), EINVAL);
    expect_fails(bine_chan_select(&one, (size_t)INT_MAX + 1), EINVAL);
    expect_fails(bine_chan_select_try(&one, SIZE_MAX), EINVAL);
    expect_ok(bine_chan_send(chan, &value));
    expect_fails(bine_chan_select(bad, 2), EINVAL); /* and the good one has not happened */
    bad[1] = bine_case_send(chan, NULL);
    expect_fails(bine_chan_select_try(bad, 2), EINVAL);
    expect_uint(bine_chan_length(chan), ==, 1);
    expect_ok(bine_chan_free(chan));
}

START_TEST(select_needs_a_run)
{
    bine_chan *chan = ints(1);
    int value = 0;
    bine_case one = bine_case_send(chan, &value);
    expect_fails(bine_chan_select(&one, 1), EPERM);
    expect_fails(bine_chan_select_try(&one, 1), EPERM);
    expect_ok(bine_chan_free(chan));
}
END_TEST

static void in_callback(void *chan)
{
    int value = 2;
    bine_case one = bine_case_send(chan, &value);
    expect_fails(bine_chan_select(&one, 1), EDEADLK);
    expect_int(bine_chan_select_try(&one, 1), ==, 0);
}

LOOP_TEST(a_callback_may_only_try)
{
    bine_chan *chan = ints(0);
    int value = -1;
    expect_ok(bine_call_soon(in_callback, chan));
    expect_ok(bine_chan_recv(chan, &value));
    expect_int(value, ==, 2);
    expect_ok(bine_chan_free(chan));
}

static void *there(void *chan)
{
    int value = 0;
    bine_case one = bine_case_send(chan, &value);
    expect_fails(bine_chan_select(&one, 1), EPERM);
    expect_fails(bine_chan_select_try(&one, 1), EPERM);
    return NULL;
}

static void *run_there(void *chan)
{
    bine_run(there, chan, NULL);
    return NULL;
}

LOOP_TEST(another_loops_tasks_are_not_woken)
{
    bine_chan *chan = ints(0);
    pthread_t thread;
    bine_task *task = bine_spawn(receive_one, chan);
    bine_yield();
    ck_assert_int_eq(pthread_create(&thread, NULL, run_there, chan), 0);
    pthread_join(thread, NULL);
    expect_ok(bine_chan_close(chan));
    expect_int(outcome(task), ==, -EPIPE);
    expect_ok(bine_chan_free(chan));
}

LOOP_TEST(no_memory_to_wait_in_many_lines_is_an_error)
{
    bine_chan *chans[MANY];
    struct chooser chooser;
    ints_of(chans, MANY, 0);
    receive_from(&chooser, chans, MANY);
    fault_arm_call("calloc", 1, 1, ENOMEM);
    expect_fails(bine_chan_select(chooser.cases, MANY), ENOMEM);
    fault_disarm();
    free_all(chans, MANY); /* it waits nowhere */
}

LOOP_TEST(listing_says_that_a_task_selects)
{
    bine_chan *chan = ints(0);
    struct chooser chooser;
    receive_from(&chooser, &chan, 1);
    start(&chooser);
    bine_yield();
    expect_str(parked_in(), "select");
    expect_ok(bine_chan_close(chan));
    join(chooser.task);
    expect_ok(bine_chan_free(chan));
}

SUPPORT_MAIN("select", the_case_that_can_happen_happens_and_no_other, sends_and_receives_stand_side_by_side,
             the_choice_is_fair_and_the_same_in_every_run,
             a_select_that_never_has_to_wait_lets_others_run_all_the_same,
             a_select_that_waits_is_served_once_and_leaves_all_lines, two_selects_meet_each_other,
             a_select_takes_its_turn_among_the_others, a_select_does_not_meet_itself,
             a_channel_may_stand_in_several_cases, close_serves_a_select_with_an_error,
             what_is_left_in_a_closed_channel_is_received_first, a_select_that_fired_is_not_lost_to_a_cancellation,
             a_select_that_is_cancelled_leaves_all_lines, without_a_channel_it_waits_for_its_deadline,
             a_select_in_a_scope_that_has_fired_does_nothing, misuse_is_an_error, select_needs_a_run,
             a_callback_may_only_try, another_loops_tasks_are_not_woken,
             no_memory_to_wait_in_many_lines_is_an_error, listing_says_that_a_task_selects)
