/* SPDX-License-Identifier: MIT
 *
 * Channels: meeting and buffering, order, closing, cancellation at every moment, sizes, misuse.  Select and random
 * traffic have their own tests. */
#include <pthread.h>

#include "support/fault.h"
#include "support/support.h"
#include "support/tasks.h"

static bine_chan *ints(size_t capacity)
{
    bine_chan *chan = bine_chan_new(sizeof(int), capacity, NULL);
    ck_assert_ptr_nonnull(chan);
    return chan;
}

static void expect_value(bine_chan *chan, int expected)
{
    int value = -1;
    expect_ok(bine_chan_recv_try(chan, &value));
    expect_int(value, ==, expected);
}

static int ended;

/* One that sends or receives a number: how that ended. */
struct user {
    bine_chan *chan;
    int value;
    int error; /* 0 or errno; -1: it has not ended */
    int order; /* among those that ended */
    bine_task *task;
};

static void *send_one(void *arg)
{
    struct user *user = arg;
    user->error = bine_chan_send(user->chan, &user->value) == 0 ? 0 : errno;
    user->order = ended++;
    return NULL;
}

static void *receive_one(void *arg)
{
    struct user *user = arg;
    user->error = bine_chan_recv(user->chan, &user->value) == 0 ? 0 : errno;
    user->order = ended++;
    return NULL;
}

static void start(struct user *user, bine_chan *chan, bine_fn *fn, int value)
{
    *user = (struct user){.chan = chan, .value = value, .error = -1};
    user->task = bine_spawn(fn, user);
}

/* ---- Order --------------------------------------------------------------------------------------------- */

LOOP_TEST(a_send_without_room_waits_for_its_receive)
{
    bine_chan *chan = ints(0);
    struct user senders[3];
    int value;
    expect_fails(bine_chan_send_try(chan, &(int){1}), EAGAIN);
    expect_fails(bine_chan_recv_try(chan, &value), EAGAIN);
    for (int i = 0; i < 3; i++)
        start(&senders[i], chan, send_one, i);
    bine_yield();
    expect_int(ended, ==, 0);
    expect_uint(bine_chan_length(chan), ==, 0);
    expect_fails(bine_chan_free(chan), EBUSY);
    for (int i = 0; i < 3; i++)
        expect_value(chan, i);
    expect_int(ended, ==, 0); /* and a receive does not switch */
    for (int i = 0; i < 3; i++) {
        join(senders[i].task);
        expect_int(senders[i].order, ==, i);
        expect_int(senders[i].error, ==, 0);
    }
    expect_ok(bine_chan_free(chan));
}

LOOP_TEST(who_waits_to_receive_is_served_in_order_and_directly)
{
    for (size_t capacity = 0; capacity < 3; capacity++) {
        bine_chan *chan = ints(capacity);
        struct user receivers[4];
        ended = 0;
        for (int i = 0; i < 4; i++)
            start(&receivers[i], chan, receive_one, -1);
        bine_yield();
        for (int i = 0; i < 4; i++)
            expect_ok(bine_chan_send_try(chan, &(int){10 + i}));
        expect_uint(bine_chan_length(chan), ==, 0);
        expect_int(ended, ==, 0);
        for (int i = 0; i < 4; i++) {
            join(receivers[i].task);
            expect_int(receivers[i].value, ==, 10 + i);
            expect_int(receivers[i].order, ==, i);
        }
        expect_ok(bine_chan_free(chan));
    }
}

LOOP_TEST(a_buffer_keeps_the_order_also_of_those_who_wait_behind_it)
{
    bine_chan *chan = ints(3);
    struct user senders[4];
    for (int i = 0; i < 3; i++)
        expect_ok(bine_chan_send(chan, &i));
    for (int i = 0; i < 4; i++)
        start(&senders[i], chan, send_one, 3 + i);
    bine_yield();
    expect_int(ended, ==, 0);
    for (int i = 0; i < 7; i++) {
        expect_uint(bine_chan_length(chan), ==, i < 4 ? 3 : 7 - i);
        expect_fails(i < 5 ? bine_chan_send_try(chan, &i) : (errno = EAGAIN, -1), EAGAIN);
        expect_value(chan, i);
    }
    for (int i = 0; i < 4; i++) {
        join(senders[i].task);
        expect_int(senders[i].order, ==, i);
    }
    expect_ok(bine_chan_free(chan));
}

static struct {
    bine_chan *chan;
    unsigned char out[71];
} bytes;

static void *receive_bytes(void *arg)
{
    memset(bytes.out, 0xee, sizeof bytes.out);
    expect_ok(bine_chan_recv(bytes.chan, bytes.out));
    return arg;
}

LOOP_TEST(elements_of_every_size_are_copied_whole)
{
    for (size_t size = 0; size <= 70; size++) {
        unsigned char in[71];
        bytes.chan = bine_chan_new(size, 3, NULL);
        for (int round = 0; round < 8; round++) { /* three are in it: it wraps round */
            memset(in, 0x11 * round, sizeof in);
            if (round < 5)
                expect_ok(bine_chan_send(bytes.chan, in));
            if (round < 2)
                continue;
            memset(in, 0x11 * (round - 2), sizeof in);
            if (round < 7) {
                receive_bytes(NULL);
                expect(memcmp(bytes.out, in, size) == 0);
                expect_int(bytes.out[size], ==, 0xee);
            }
        }
        bine_task *task = bine_spawn(receive_bytes, NULL); /* from hand to hand */
        bine_yield();
        expect_ok(bine_chan_send(bytes.chan, in));
        join(task);
        expect(memcmp(bytes.out, in, size) == 0);
        expect_int(bytes.out[size], ==, 0xee);
        expect_ok(bine_chan_free(bytes.chan));
    }
}

static void *signal_five(void *chan)
{
    for (int i = 0; i < 5; i++)
        expect_ok(bine_chan_send(chan, NULL));
    expect_ok(bine_chan_close(chan));
    return NULL;
}

LOOP_TEST(signals_without_a_value_are_counted)
{
    for (size_t capacity = 0; capacity < 3; capacity++) {
        bine_chan *chan = bine_chan_new(0, capacity, NULL);
        bine_task *task = bine_spawn(signal_five, chan);
        int n = 0;
        while (bine_chan_recv(chan, NULL) == 0)
            n++;
        expect_int(errno, ==, EPIPE);
        expect_int(n, ==, 5);
        join(task);
        expect_ok(bine_chan_free(chan));
    }
}

LOOP_TEST(a_task_that_never_has_to_wait_lets_others_run_all_the_same)
{
    bine_chan *chan = ints(1);
    int counter = 0, value = 0;
    bine_task *other = bine_spawn(count_turns_in, &counter);
    for (int i = 0; i < 10000 && counter < 3; i++) {
        expect_ok(bine_chan_send(chan, &i));
        expect_ok(bine_chan_recv(chan, &value));
    }
    expect_int(counter, ==, 3);
    counter = -1;
    join(other);
    expect_ok(bine_chan_free(chan));
}

/* ---- Closing ------------------------------------------------------------------------------------------- */

LOOP_TEST(close_wakes_all_who_wait_in_order_and_never_switches)
{
    for (int receive = 0; receive < 2; receive++) {
        bine_chan *chan = ints(receive ? 0 : 1);
        struct user users[3];
        ended = 0;
        if (!receive)
            expect_ok(bine_chan_send(chan, &(int){42}));
        for (int i = 0; i < 3; i++)
            start(&users[i], chan, receive ? receive_one : send_one, i);
        bine_yield();
        expect_ok(bine_chan_close(chan));
        expect_int(ended, ==, 0);
        expect_fails(bine_chan_close(chan), EPIPE);
        for (int i = 0; i < 3; i++) {
            join(users[i].task);
            expect_int(users[i].error, ==, EPIPE);
            expect_int(users[i].order, ==, i);
        }
        if (!receive)
            expect_value(chan, 42);
        expect_ok(bine_chan_free(chan));
    }
}

LOOP_TEST(a_closed_channel_can_be_drained)
{
    bine_chan *chan = ints(3);
    int value = -1;
    for (int i = 0; i < 3; i++)
        expect_ok(bine_chan_send(chan, &i));
    expect_ok(bine_chan_close(chan));
    expect_fails(bine_chan_send(chan, &value), EPIPE);
    expect_fails(bine_chan_send_try(chan, &value), EPIPE);
    for (int i = 0; i < 3; i++) {
        expect_ok(bine_chan_recv(chan, &value));
        expect_int(value, ==, i);
    }
    value = 77;
    expect_fails(bine_chan_recv(chan, &value), EPIPE);
    expect_fails(bine_chan_recv_try(chan, &value), EPIPE);
    expect_int(value, ==, 77);
    expect_ok(bine_chan_free(chan));
}

static int dropped[8], dropped_n;

static void drop(void *element)
{
    if (expect(dropped_n < 8))
        dropped[dropped_n++] = *(int *)element;
}

START_TEST(free_drops_what_is_left_in_order)
{
    bine_chan *chan = bine_chan_new(sizeof(int), 4, drop);
    for (int i = 0; i < 4; i++)
        expect_ok(bine_chan_send_try(chan, &i));
    expect_value(chan, 0);
    expect_value(chan, 1);
    expect_ok(bine_chan_send_try(chan, &(int){4}));
    expect_ok(bine_chan_free(chan));
    expect_int(dropped_n, ==, 3);
    for (int i = 0; i < 3; i++)
        expect_int(dropped[i], ==, i + 2);
}
END_TEST

/* ---- Cancellation -------------------------------------------------------------------------------------- */

LOOP_TEST(a_value_that_was_handed_over_is_not_lost_to_a_cancellation)
{
    for (int way = 0; way < 4; way++) {
        bool cancel_first = way & 1, receiver_waits = way & 2;
        bine_chan *chan = ints(0);
        struct user user;
        start(&user, chan, receiver_waits ? receive_one : send_one, 5);
        bine_yield();
        if (cancel_first)
            bine_cancel(user.task);
        if (receiver_waits)
            expect_ok(bine_chan_send_try(chan, &(int){6}));
        else
            expect_value(chan, 5);
        if (!cancel_first)
            bine_cancel(user.task);
        join(user.task);
        expect_int(user.error, ==, 0); /* exactly if it was handed over */
        expect_int(user.value, ==, receiver_waits ? 6 : 5);
        expect_ok(bine_chan_free(chan));
    }
}

LOOP_TEST(who_gives_up_takes_no_value_and_leaves_none)
{
    bine_chan *chan = ints(0);
    struct user a, b;
    start(&a, chan, send_one, 1);
    start(&b, chan, send_one, 2);
    bine_yield();
    bine_cancel(a.task);
    join(a.task);
    expect_int(a.error, ==, ECANCELED);
    expect_value(chan, 2);
    join(b.task);
    start(&a, chan, receive_one, -1);
    start(&b, chan, receive_one, -1);
    bine_yield();
    bine_cancel(a.task);
    join(a.task);
    expect_int(a.value, ==, -1);
    expect_ok(bine_chan_send(chan, &(int){3}));
    join(b.task);
    expect_int(b.value, ==, 3);
    expect_ok(bine_chan_free(chan));
}

LOOP_TEST(closed_wins_over_a_cancellation_at_the_same_moment)
{
    bine_chan *chan = ints(0);
    struct user user;
    start(&user, chan, receive_one, -1);
    bine_yield();
    expect_ok(bine_chan_close(chan));
    bine_cancel(user.task);
    join(user.task);
    expect_int(user.error, ==, EPIPE);
    expect_ok(bine_chan_free(chan));
}

/* cpython issue 86296: a wait with a time-out is cancelled as its result arrives.  The result must be had, or must
 * still be there for somebody else. */
static void *send_at_one_second(void *arg)
{
    struct user *user = arg;
    expect_ok(bine_sleep(BINE_SECOND));
    user->error = bine_chan_send(user->chan, &user->value) == 0 ? 0 : errno;
    return NULL;
}

VIRTUAL_TEST(a_result_that_comes_with_the_deadline_is_had_or_is_still_there)
{
    for (int sender_first = 0; sender_first < 2; sender_first++) {
        for (size_t capacity = 0; capacity < 2; capacity++) {
            bine_chan *chan = ints(capacity);
            struct user sender = {.chan = chan, .value = 9, .error = -1};
            int value = -1, got = 0;
            if (sender_first) {
                sender.task = bine_spawn(send_at_one_second, &sender);
                bine_yield();
            }
            BINE_TIMEOUT(BINE_SECOND)
            {
                if (!sender_first)
                    sender.task = bine_spawn(send_at_one_second, &sender);
                got = bine_chan_recv(chan, &value) == 0;
                if (!got)
                    expect_int(errno, ==, ETIMEDOUT);
            }
            if (!got)
                expect_ok(bine_chan_recv(chan, &value));
            expect_int(value, ==, 9);
            join(sender.task);
            expect_int(sender.error, ==, 0);
            expect_ok(bine_chan_free(chan));
        }
    }
}

VIRTUAL_TEST(waits_end_at_their_deadline)
{
    bine_chan *chan = ints(0);
    int value = 0;
    bine_ns began = bine_now();
    BINE_TIMEOUT(BINE_MINUTE)
    {
        expect_fails(bine_chan_recv(chan, &value), ETIMEDOUT);
    }
    BINE_TIMEOUT(BINE_MINUTE)
    {
        expect_fails(bine_chan_send(chan, &value), ETIMEDOUT);
    }
    expect_int(bine_now() - began, ==, 2 * BINE_MINUTE);
    expect_ok(bine_chan_free(chan));
}

LOOP_TEST(calls_fail_in_a_scope_that_has_fired_though_they_need_not_wait)
{
    bine_chan *chan = ints(2);
    bine_scope scope;
    int value = 3;
    expect_ok(bine_chan_send(chan, &value));
    bine_scope_open(&scope, BINE_FOREVER);
    bine_scope_cancel(&scope);
    expect_fails(bine_chan_send(chan, &value), ECANCELED);
    expect_fails(bine_chan_recv(chan, &value), ECANCELED);
    expect_uint(bine_chan_length(chan), ==, 1);
    expect_int(bine_scope_close(&scope), ==, 1);
    expect_value(chan, 3);
    expect_ok(bine_chan_free(chan));
}

/* ---- Misuse -------------------------------------------------------------------------------------------- */

START_TEST(misuse_is_an_error)
{
    bine_chan *chan = ints(1);
    int value = 1;
    expect_fails(bine_chan_free(NULL), EINVAL);
    expect_fails(bine_chan_send(NULL, &value), EINVAL);
    expect_fails(bine_chan_recv(NULL, &value), EINVAL);
    expect_fails(bine_chan_send(chan, NULL), EINVAL);
    expect_fails(bine_chan_recv(chan, NULL), EINVAL);
    expect_fails(bine_chan_send_try(NULL, &value), EINVAL);
    expect_fails(bine_chan_recv_try(NULL, &value), EINVAL);
    expect_fails(bine_chan_send_try(chan, NULL), EINVAL);
    expect_fails(bine_chan_recv_try(chan, NULL), EINVAL);
    expect_fails(bine_chan_close(NULL), EINVAL);
    expect_uint(bine_chan_length(NULL), ==, 0);
    /* Outside a run. */
    expect_fails(bine_chan_send(chan, &value), EPERM);
    expect_fails(bine_chan_recv(chan, &value), EPERM);
    expect_ok(bine_chan_send_try(chan, &value));
    expect_value(chan, 1);
    expect_ok(bine_chan_close(chan));
    expect_ok(bine_chan_free(chan));
}
END_TEST

START_TEST(sizes_that_cannot_be_are_refused)
{
    expect_null(bine_chan_new(SIZE_MAX, 0, NULL), EINVAL);
    expect_null(bine_chan_new(SIZE_MAX / 2 + 1, 0, NULL), EINVAL);
    expect_null(bine_chan_new(1, SIZE_MAX, NULL), EINVAL);
    expect_null(bine_chan_new(SIZE_MAX / 2, 3, NULL), EINVAL);
    expect_null(bine_chan_new(2, SIZE_MAX / 4 + 1, NULL), EINVAL);
    fault_arm_call("malloc", 1, 1, ENOMEM);
    expect_null(bine_chan_new(1, 1, NULL), ENOMEM);
    fault_disarm();
    bine_chan *chan = bine_chan_new(0, SIZE_MAX, NULL); /* takes no room */
    expect_ok(bine_chan_send_try(chan, NULL));
    expect_uint(bine_chan_length(chan), ==, 1);
    expect_ok(bine_chan_free(chan));
}
END_TEST

static void in_callback(void *chan)
{
    int value = 4;
    expect_fails(bine_chan_send(chan, &value), EDEADLK);
    expect_fails(bine_chan_recv(chan, &value), EDEADLK);
    expect_ok(bine_chan_send_try(chan, &value));
    expect_ok(bine_chan_close(chan));
}

LOOP_TEST(a_callback_sends_but_does_not_wait)
{
    bine_chan *chan = ints(0);
    int value = -1;
    expect_ok(bine_call_soon(in_callback, chan));
    expect_ok(bine_chan_recv(chan, &value));
    expect_int(value, ==, 4);
    expect_fails(bine_chan_recv(chan, &value), EPIPE);
    expect_ok(bine_chan_free(chan));
}

static void *there(void *chan)
{
    int value = 0;
    expect_fails(bine_chan_send_try(chan, &value), EPERM);
    expect_fails(bine_chan_recv_try(chan, &value), EAGAIN); /* that would wake nobody */
    expect_fails(bine_chan_close(chan), EPERM);
    if (bine_self()) {
        expect_fails(bine_chan_send(chan, &value), EPERM);
        expect_fails(bine_chan_recv(chan, &value), EPERM);
    }
    return NULL;
}

static void *run_there(void *chan)
{
    there(chan);
    bine_run(there, chan, NULL);
    return NULL;
}

LOOP_TEST(another_threads_tasks_are_not_woken)
{
    bine_chan *chan = ints(0);
    struct user user;
    pthread_t thread;
    start(&user, chan, receive_one, -1);
    bine_yield();
    ck_assert_int_eq(pthread_create(&thread, NULL, run_there, chan), 0);
    pthread_join(thread, NULL);
    expect_int(user.error, ==, -1);
    expect_ok(bine_chan_send(chan, &(int){1}));
    join(user.task);
    expect_ok(bine_chan_free(chan));
}

LOOP_TEST(listing_says_in_which_direction_a_task_waits)
{
    for (int receive = 0; receive < 2; receive++) {
        bine_chan *chan = ints(0);
        struct user user;
        start(&user, chan, receive ? receive_one : send_one, 1);
        bine_yield();
        expect_str(parked_in(), receive ? "receive" : "send");
        expect_ok(bine_chan_close(chan));
        join(user.task);
        expect_ok(bine_chan_free(chan));
    }
}

SUPPORT_MAIN("chan", a_send_without_room_waits_for_its_receive, who_waits_to_receive_is_served_in_order_and_directly,
             a_buffer_keeps_the_order_also_of_those_who_wait_behind_it, elements_of_every_size_are_copied_whole,
             signals_without_a_value_are_counted, a_task_that_never_has_to_wait_lets_others_run_all_the_same,
             close_wakes_all_who_wait_in_order_and_never_switches, a_closed_channel_can_be_drained,
             free_drops_what_is_left_in_order, a_value_that_was_handed_over_is_not_lost_to_a_cancellation,
             who_gives_up_takes_no_value_and_leaves_none, closed_wins_over_a_cancellation_at_the_same_moment,
             a_result_that_comes_with_the_deadline_is_had_or_is_still_there, waits_end_at_their_deadline,
             calls_fail_in_a_scope_that_has_fired_though_they_need_not_wait, misuse_is_an_error,
             sizes_that_cannot_be_are_refused, a_callback_sends_but_does_not_wait,
             another_threads_tasks_are_not_woken, listing_says_in_which_direction_a_task_waits)
