/* SPDX-License-Identifier: MIT
 *
 * Queues: the three orders, bounds, hand-over, join, shutdown, cancellation at every moment, misuse, and a random
 * walk next to a model. */
#include <pthread.h>

#include "support/fault.h"
#include "support/support.h"
#include "support/tasks.h"

static void *number(intptr_t n)
{
    return (void *)n;
}

static intptr_t dropped[64];
static size_t dropped_n;

static void drop(void *item)
{
    if (expect(dropped_n < 64))
        dropped[dropped_n++] = (intptr_t)item;
}

static void expect_item(bine_queue *queue, intptr_t expected)
{
    void *item = NULL;
    expect_ok(bine_queue_get_try(queue, &item));
    expect_int((intptr_t)item, ==, expected);
}

static void expect_empty(bine_queue *queue)
{
    void *item;
    expect_fails(bine_queue_get_try(queue, &item), EAGAIN);
    expect_uint(bine_queue_length(queue), ==, 0);
}

/* One that puts or gets: how that ended. */
struct user {
    bine_queue *queue;
    void *item;
    int64_t priority;
    int error; /* 0 or errno; -1: it has not ended */
    int order; /* among those that ended */
    bine_task *task;
};

static int ended;

static void *put_one(void *arg)
{
    struct user *user = arg;
    user->error = bine_queue_put_priority(user->queue, user->item, user->priority) == 0 ? 0 : errno;
    user->order = ended++;
    return NULL;
}

static void *get_one(void *arg)
{
    struct user *user = arg;
    user->error = bine_queue_get(user->queue, &user->item) == 0 ? 0 : errno;
    user->order = ended++;
    return NULL;
}

static void *join_one(void *arg)
{
    struct user *user = arg;
    user->error = bine_queue_join(user->queue) == 0 ? 0 : errno;
    user->order = ended++;
    return NULL;
}

static void start(struct user *user, bine_queue *queue, bine_fn *fn, intptr_t item)
{
    *user = (struct user){.queue = queue, .item = number(item), .error = -1};
    user->task = bine_spawn(fn, user);
}

/* ---- Order ------------------------------------------------------------------------------------------------- */

START_TEST(items_come_out_in_the_queues_order)
{
    for (bine_queue_order order = BINE_QUEUE_FIFO; order <= BINE_QUEUE_PRIORITY; order++) {
        bine_queue *queue = bine_queue_new(order, 0, NULL);
        for (intptr_t i = 1; i <= 20; i++) /* equals come in order of arrival */
            expect_ok(bine_queue_put_try(queue, number(i)));
        expect_uint(bine_queue_length(queue), ==, 20);
        for (intptr_t i = 1; i <= 20; i++)
            expect_item(queue, order == BINE_QUEUE_LIFO ? 21 - i : i);
        expect_empty(queue);
        expect_ok(bine_queue_free(queue));
    }
}
END_TEST

LOOP_TEST(the_least_priority_comes_first_and_equals_in_order_of_arrival)
{
    static const int64_t priority[6] = {5, -1, INT64_MAX, 5, INT64_MIN, -1};
    static const intptr_t sorted[6] = {5, 2, 6, 1, 4, 3};
    bine_queue *queue = bine_queue_new(BINE_QUEUE_PRIORITY, 0, NULL);
    for (intptr_t i = 0; i < 6; i++)
        expect_ok(bine_queue_put_priority(queue, number(i + 1), priority[i]));
    for (size_t i = 0; i < 6; i++)
        expect_item(queue, sorted[i]);
    expect_ok(bine_queue_free(queue));
}

LOOP_TEST(who_waits_to_get_is_served_in_order_and_directly)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_LIFO, 1, NULL);
    struct user users[3];
    for (intptr_t i = 0; i < 3; i++)
        start(&users[i], queue, get_one, 0);
    bine_yield();
    expect_fails(bine_queue_free(queue), EBUSY);
    for (intptr_t i = 0; i < 3; i++) { /* more than its bound: they are taken as they come */
        expect_ok(bine_queue_put_try(queue, number(10 + i)));
        expect_empty(queue);
    }
    expect_int(ended, ==, 0); /* put has not switched */
    for (int i = 0; i < 3; i++) {
        join(users[i].task);
        expect_int(users[i].error, ==, 0);
        expect_int((intptr_t)users[i].item, ==, 10 + i);
        expect_int(users[i].order, ==, i);
    }
    expect_ok(bine_queue_free(queue));
}

LOOP_TEST(who_waits_to_put_is_served_in_order_as_room_comes)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 2, NULL);
    struct user users[3];
    expect_ok(bine_queue_put(queue, number(1)));
    expect_ok(bine_queue_put(queue, number(2)));
    for (intptr_t i = 0; i < 3; i++)
        start(&users[i], queue, put_one, 3 + i);
    bine_yield();
    expect_fails(bine_queue_put_try(queue, number(9)), EAGAIN);
    expect_uint(bine_queue_length(queue), ==, 2);
    expect_item(queue, 1);
    expect_uint(bine_queue_length(queue), ==, 2); /* the place was filled at once */
    expect_fails(bine_queue_put_try(queue, number(9)), EAGAIN);
    for (intptr_t i = 2; i <= 5; i++)
        expect_item(queue, i);
    for (int i = 0; i < 3; i++) {
        join(users[i].task);
        expect_int(users[i].order, ==, i);
        expect_int(users[i].error, ==, 0);
    }
    expect_empty(queue);
    expect_ok(bine_queue_free(queue));
}

LOOP_TEST(what_waits_to_be_put_keeps_its_priority)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_PRIORITY, 1, NULL);
    struct user users[3];
    expect_ok(bine_queue_put_priority(queue, number(1), 1));
    for (intptr_t i = 0; i < 3; i++) {
        start(&users[i], queue, put_one, 2 + i);
        users[i].priority = -i;
    }
    bine_yield();
    for (intptr_t i = 1; i <= 4; i++) /* let in one by one, in order of arrival */
        expect_item(queue, i);
    for (int i = 0; i < 3; i++)
        join(users[i].task);
    expect_ok(bine_queue_free(queue));
}

/* ---- Cancellation -------------------------------------------------------------------------------------------- */

LOOP_TEST(an_item_that_was_handed_over_is_not_lost_to_a_cancellation)
{
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 1, NULL);
        struct user getter, putter;
        start(&getter, queue, get_one, 0);
        bine_yield();
        if (cancel_first)
            bine_cancel(getter.task);
        expect_ok(bine_queue_put_try(queue, number(7)));
        if (!cancel_first)
            bine_cancel(getter.task);
        join(getter.task);
        expect_int(getter.error, ==, 0);
        expect_int((intptr_t)getter.item, ==, 7);

        expect_ok(bine_queue_put(queue, number(1)));
        start(&putter, queue, put_one, 2);
        bine_yield();
        if (cancel_first)
            bine_cancel(putter.task);
        expect_item(queue, 1);
        if (!cancel_first)
            bine_cancel(putter.task);
        join(putter.task);
        expect_int(putter.error, ==, 0); /* exactly if its item is in */
        expect_item(queue, 2);
        expect_ok(bine_queue_free(queue));
    }
}

LOOP_TEST(who_gives_up_takes_no_item_and_leaves_none)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 1, NULL);
    struct user a, b;
    start(&a, queue, get_one, 0);
    start(&b, queue, get_one, 0);
    bine_yield();
    bine_cancel(a.task);
    join(a.task);
    expect_int(a.error, ==, ECANCELED);
    expect_ok(bine_queue_put(queue, number(1)));
    join(b.task);
    expect_int((intptr_t)b.item, ==, 1);

    expect_ok(bine_queue_put(queue, number(2)));
    start(&a, queue, put_one, 3);
    start(&b, queue, put_one, 4);
    bine_yield();
    bine_cancel(a.task);
    join(a.task);
    expect_int(a.error, ==, ECANCELED);
    expect_item(queue, 2);
    join(b.task);
    expect_item(queue, 4);
    expect_empty(queue);
    expect_ok(bine_queue_task_done(queue)); /* 1, 2, 4, and no 3 */
    expect_ok(bine_queue_task_done(queue));
    expect_ok(bine_queue_task_done(queue));
    expect_fails(bine_queue_task_done(queue), EINVAL);
    expect_ok(bine_queue_join(queue));
    expect_ok(bine_queue_free(queue));
}

VIRTUAL_TEST(waits_end_at_their_deadline)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 1, NULL);
    void *item;
    bine_ns began = bine_now();
    BINE_TIMEOUT(BINE_SECOND)
    {
        expect_fails(bine_queue_get(queue, &item), ETIMEDOUT);
    }
    expect_ok(bine_queue_put(queue, NULL));
    BINE_TIMEOUT(BINE_SECOND)
    {
        expect_fails(bine_queue_put(queue, NULL), ETIMEDOUT);
    }
    BINE_TIMEOUT(BINE_SECOND)
    {
        expect_fails(bine_queue_join(queue), ETIMEDOUT);
    }
    expect_int(bine_now() - began, ==, 3 * BINE_SECOND);
    expect_ok(bine_queue_free(queue));
}

/* ---- Join and shutdown --------------------------------------------------------------------------------------- */

LOOP_TEST(join_waits_until_all_is_dealt_with)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 0, NULL);
    struct user joiner, getter;
    expect_ok(bine_queue_join(queue)); /* nothing was put */
    start(&getter, queue, get_one, 0);
    bine_yield();
    expect_ok(bine_queue_put(queue, number(1))); /* handed over, and counted all the same */
    expect_ok(bine_queue_put(queue, number(2)));
    start(&joiner, queue, join_one, 0);
    bine_yield();
    expect_ok(bine_queue_task_done(queue));
    expect_fails(bine_queue_task_done(queue), EINVAL); /* the other is still in it */
    expect_item(queue, 2);
    bine_yield();
    expect_int(joiner.error, ==, -1);
    expect_fails(bine_queue_free(queue), EBUSY);
    expect_ok(bine_queue_task_done(queue));
    bine_cancel(joiner.task); /* too late */
    join(joiner.task), join(getter.task);
    expect_int(joiner.error, ==, 0);
    expect_ok(bine_queue_free(queue));
}

LOOP_TEST(shutdown_ends_all_waits_and_leaves_what_is_in_it)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 1, drop);
    struct user getters[2], putters[2], joiner;
    void *item;
    for (int i = 0; i < 2; i++)
        start(&getters[i], queue, get_one, 0);
    bine_yield();
    expect_ok(bine_queue_shutdown(queue, false));
    expect_ok(bine_queue_shutdown(queue, false));
    for (int i = 0; i < 2; i++) {
        join(getters[i].task);
        expect_int(getters[i].error, ==, EPIPE);
        expect_int(getters[i].order, ==, i);
    }
    expect_fails(bine_queue_put(queue, NULL), EPIPE);
    expect_fails(bine_queue_put_try(queue, NULL), EPIPE);
    expect_fails(bine_queue_get(queue, &item), EPIPE);
    expect_fails(bine_queue_get_try(queue, &item), EPIPE);
    expect_ok(bine_queue_free(queue));

    queue = bine_queue_new(BINE_QUEUE_FIFO, 1, drop);
    expect_ok(bine_queue_put(queue, number(1)));
    for (int i = 0; i < 2; i++)
        start(&putters[i], queue, put_one, 2 + i);
    start(&joiner, queue, join_one, 0);
    bine_yield();
    expect_ok(bine_queue_shutdown(queue, false));
    for (int i = 0; i < 2; i++) {
        join(putters[i].task);
        expect_int(putters[i].error, ==, EPIPE); /* their items stay theirs */
    }
    expect_item(queue, 1);
    expect_fails(bine_queue_get_try(queue, &item), EPIPE);
    expect_int(joiner.error, ==, -1);
    expect_ok(bine_queue_task_done(queue));
    join(joiner.task);
    expect_int(joiner.error, ==, 0);
    expect_ok(bine_queue_free(queue));
    expect_uint(dropped_n, ==, 0);
}

LOOP_TEST(shutdown_at_once_drops_what_is_in_it)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_LIFO, 0, drop);
    struct user joiner;
    for (intptr_t i = 1; i <= 3; i++)
        expect_ok(bine_queue_put(queue, number(i)));
    expect_item(queue, 3);
    start(&joiner, queue, join_one, 0);
    bine_yield();
    expect_ok(bine_queue_shutdown(queue, false));
    expect_ok(bine_queue_shutdown(queue, true));
    expect_uint(dropped_n, ==, 2);
    expect_int(dropped[0], ==, 2);
    expect_int(dropped[1], ==, 1);
    bine_yield();
    expect_int(joiner.error, ==, -1); /* 3 was got, and is not dealt with */
    expect_ok(bine_queue_task_done(queue));
    join(joiner.task);
    expect_ok(bine_queue_free(queue));
    expect_uint(dropped_n, ==, 2);
}

START_TEST(free_drops_what_is_left_in_the_queues_order)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 0, drop);
    for (intptr_t i = 1; i <= 9; i++)
        expect_ok(bine_queue_put_try(queue, number(i)));
    expect_item(queue, 1);
    expect_ok(bine_queue_free(queue));
    expect_uint(dropped_n, ==, 8);
    for (size_t i = 0; i < dropped_n; i++)
        expect_int(dropped[i], ==, (intptr_t)i + 2);
}
END_TEST

/* ---- Misuse ---------------------------------------------------------------------------------------------------- */

START_TEST(misuse_is_an_error)
{
    void *item;
    bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 0, NULL);
    expect_null(bine_queue_new((bine_queue_order)7, 0, NULL), EINVAL);
    expect_fails(bine_queue_free(NULL), EINVAL);
    expect_fails(bine_queue_put(NULL, NULL), EINVAL);
    expect_fails(bine_queue_put_try(NULL, NULL), EINVAL);
    expect_fails(bine_queue_put_priority(NULL, NULL, 0), EINVAL);
    expect_fails(bine_queue_get(NULL, &item), EINVAL);
    expect_fails(bine_queue_get(queue, NULL), EINVAL);
    expect_fails(bine_queue_get_try(NULL, &item), EINVAL);
    expect_fails(bine_queue_get_try(queue, NULL), EINVAL);
    expect_fails(bine_queue_task_done(NULL), EINVAL);
    expect_fails(bine_queue_task_done(queue), EINVAL);
    expect_fails(bine_queue_join(NULL), EINVAL);
    expect_fails(bine_queue_shutdown(NULL, true), EINVAL);
    expect_uint(bine_queue_length(NULL), ==, 0);
    /* Outside a run: what need not wait may be called, what may wait fails. */
    expect_fails(bine_queue_put(queue, NULL), EPERM);
    expect_fails(bine_queue_put_priority(queue, NULL, 0), EPERM);
    expect_fails(bine_queue_get(queue, &item), EPERM);
    expect_fails(bine_queue_join(queue), EPERM);
    expect_ok(bine_queue_free(queue));
}
END_TEST

static void in_callback(void *arg)
{
    void *item;
    expect_fails(bine_queue_get(arg, &item), EDEADLK);
    expect_fails(bine_queue_put(arg, NULL), EDEADLK);
    expect_fails(bine_queue_join(arg), EDEADLK);
    expect_ok(bine_queue_put_try(arg, number(3)));
}

LOOP_TEST(a_callback_puts_but_does_not_wait)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 0, NULL);
    void *item = NULL;
    expect_ok(bine_call_soon(in_callback, queue));
    expect_ok(bine_queue_get(queue, &item));
    expect_int((intptr_t)item, ==, 3);
    expect_ok(bine_queue_free(queue));
}

LOOP_TEST(waits_fail_in_a_scope_that_has_fired)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 0, NULL);
    bine_scope scope;
    void *item;
    expect_ok(bine_queue_put(queue, number(1)));
    bine_scope_open(&scope, BINE_FOREVER);
    bine_scope_cancel(&scope);
    expect_fails(bine_queue_get(queue, &item), ECANCELED);
    expect_fails(bine_queue_put(queue, NULL), ECANCELED);
    expect_fails(bine_queue_join(queue), ECANCELED);
    expect_item(queue, 1);
    expect_int(bine_scope_close(&scope), ==, 1);
    expect_ok(bine_queue_free(queue));
}

static void *other_thread(void *queue)
{
    void *item;
    expect_fails(bine_queue_put_try(queue, NULL), EPERM);
    expect_fails(bine_queue_get_try(queue, &item), EPERM);
    expect_fails(bine_queue_shutdown(queue, false), EPERM);
    return NULL;
}

LOOP_TEST(another_threads_tasks_are_not_woken)
{
    bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 0, NULL);
    struct user getter;
    pthread_t thread;
    start(&getter, queue, get_one, 0);
    bine_yield();
    ck_assert_int_eq(pthread_create(&thread, NULL, other_thread, queue), 0);
    pthread_join(thread, NULL);
    expect_int(getter.error, ==, -1);
    expect_ok(bine_queue_put_try(queue, NULL));
    join(getter.task);
    expect_ok(bine_queue_free(queue));
}

LOOP_TEST(no_memory_is_an_error_and_nothing_is_put)
{
    for (bine_queue_order order = BINE_QUEUE_FIFO; order <= BINE_QUEUE_PRIORITY; order++) {
        fault_arm_call("calloc", 1, 1, ENOMEM);
        expect_null(bine_queue_new(order, 0, NULL), ENOMEM);
        fault_disarm();
        bine_queue *queue = bine_queue_new(order, 0, NULL);
        for (intptr_t i = 1; i <= 8; i++)
            expect_ok(bine_queue_put(queue, number(i)));
        fault_arm_call("realloc", 1, 2, ENOMEM);
        expect_fails(bine_queue_put(queue, number(9)), ENOMEM);
        expect_fails(bine_queue_put_try(queue, number(9)), ENOMEM);
        fault_disarm();
        expect_uint(bine_queue_length(queue), ==, 8);
        expect_ok(bine_queue_put(queue, number(9)));
        for (intptr_t i = 1; i <= 9; i++)
            expect_item(queue, order == BINE_QUEUE_LIFO ? 10 - i : i);
        expect_ok(bine_queue_free(queue));
    }
}

/* ---- Next to a model ------------------------------------------------------------------------------------------- */

enum { MODEL = 200 };

static struct {
    int64_t priority;
    intptr_t item;
} model[MODEL];
static size_t model_n;

static intptr_t model_get(bine_queue_order order)
{
    size_t at = order == BINE_QUEUE_LIFO ? model_n - 1 : 0;
    if (order == BINE_QUEUE_PRIORITY)
        for (size_t i = 1; i < model_n; i++)
            if (model[i].priority < model[at].priority)
                at = i;
    intptr_t item = model[at].item;
    memmove(&model[at], &model[at + 1], (--model_n - at) * sizeof model[0]);
    return item;
}

LOOP_TEST(random_puts_and_gets_agree_with_the_model)
{
    uint64_t seed = support_seed();
    int rounds = support_slow() ? 30 : 300;
    for (int round = 0; round < rounds && support_failures() == 0; round++) {
        bine_queue_order order = (bine_queue_order)(support_random(&seed) % 3);
        size_t capacity = support_random(&seed) % 3 ? 1 + support_random(&seed) % 40 : 0;
        bine_queue *queue = bine_queue_new(order, capacity, NULL);
        model_n = 0;
        for (intptr_t step = 1; step <= 400; step++) {
            bool put = support_random(&seed) % 100 < (step < 200 ? 60 : 45);
            if (put && model_n < MODEL) {
                int64_t priority = (int64_t)(support_random(&seed) % 5) - 2;
                if (capacity && model_n == capacity) {
                    expect_fails(bine_queue_put_try(queue, number(step)), EAGAIN);
                } else {
                    expect_ok(bine_queue_put_priority(queue, number(step), priority));
                    model[model_n].priority = priority;
                    model[model_n++].item = step;
                }
            } else if (!put && model_n) {
                expect_item(queue, model_get(order));
            }
            expect_uint(bine_queue_length(queue), ==, model_n);
        }
        expect_ok(bine_queue_free(queue));
    }
}

SUPPORT_MAIN("queue", items_come_out_in_the_queues_order,
             the_least_priority_comes_first_and_equals_in_order_of_arrival,
             who_waits_to_get_is_served_in_order_and_directly, who_waits_to_put_is_served_in_order_as_room_comes,
             what_waits_to_be_put_keeps_its_priority, an_item_that_was_handed_over_is_not_lost_to_a_cancellation,
             who_gives_up_takes_no_item_and_leaves_none, waits_end_at_their_deadline,
             join_waits_until_all_is_dealt_with, shutdown_ends_all_waits_and_leaves_what_is_in_it,
             shutdown_at_once_drops_what_is_in_it, free_drops_what_is_left_in_the_queues_order, misuse_is_an_error,
             a_callback_puts_but_does_not_wait, waits_fail_in_a_scope_that_has_fired,
             another_threads_tasks_are_not_woken, no_memory_is_an_error_and_nothing_is_put,
             random_puts_and_gets_agree_with_the_model)
