/* SPDX-License-Identifier: MIT
 *
 * What runs on the loop's own stack: callbacks and timers. */
#include "support/support.h"
#include "support/tasks.h"
#include "support/trace.h"

static void *say(void *arg)
{
    note((char)(intptr_t)arg);
    return NULL;
}

static void *park_and_say(void *arg)
{
    note('(');
    expect_ok(bine_park());
    note((char)(intptr_t)arg);
    return NULL;
}

static void *sleep_and_say(void *arg)
{
    expect_ok(bine_sleep(BINE_MS));
    note((char)(intptr_t)arg);
    return NULL;
}

/* ---- Callbacks ----------------------------------------------------------------------------------------- */

static void say_soon(void *arg)
{
    note((char)(intptr_t)arg);
}

static void soon_again(void *arg)
{
    note((char)(intptr_t)arg);
    if ((intptr_t)arg < 'e')
        expect_ok(bine_call_soon(soon_again, (void *)((intptr_t)arg + 1)));
}

LOOP_TEST(call_soon_runs_in_order_when_the_task_switches)
{
    for (char c = 'a'; c <= 'e'; c++)
        expect_ok(bine_call_soon(say_soon, (void *)(intptr_t)c));
    expect_str(trace, "");
    expect_ok(bine_yield());
    expect_str(trace, "abcde");
    expect_fails(bine_call_soon(NULL, NULL), EINVAL);
}

VIRTUAL_TEST(a_callback_may_call_soon_again)
{
    expect_ok(bine_call_soon(soon_again, (void *)'a'));
    bine_sleep(BINE_MS);
    expect_str(trace, "abcde");
}

static bine_task *parked;
static bine_scope *scope_to_cancel;

static void use_everything(void *arg)
{
    (void)arg;
    expect_ptr(bine_self(), ==, NULL);
    expect_ptr(bine_this_loop(), !=, NULL);
    expect_fails(bine_yield(), EDEADLK);
    expect_fails(bine_sleep(0), EDEADLK);
    expect_fails(bine_sleep_until(BINE_FOREVER), EDEADLK);
    expect_fails(bine_park(), EDEADLK);
    expect_fails(bine_join(parked, NULL), EDEADLK);
    expect_fails(bine_stop(parked, NULL), EDEADLK);
    expect_fails(bine_run(say, NULL, NULL), EDEADLK);
    expect_int(bine_deadline(), ==, BINE_FOREVER);
    expect_int(bine_cancelled(), ==, 0);
    bine_attr attr = BINE_ATTR_INIT;
    attr.detached = true;
    expect(bine_spawn_with(&attr, say, (void *)'c') != NULL);
    expect_ok(bine_wake(parked));
    if (scope_to_cancel)
        bine_scope_cancel(scope_to_cancel);
    note('!');
}

LOOP_TEST(a_callback_may_spawn_wake_and_cancel_but_not_yield)
{
    parked = bine_spawn(park_and_say, (void *)'p');
    bine_yield();
    bine_scope scope;
    bine_scope_open(&scope, BINE_FOREVER);
    scope_to_cancel = &scope;
    expect_ok(bine_call_soon(use_everything, NULL));
    expect_fails(bine_sleep(BINE_FOREVER), ECANCELED);
    expect_int(bine_scope_close(&scope), ==, 1);
    join_value(parked);
    expect_has(trace, "!");
    expect_has(trace, "c");
    expect_has(trace, "p");
}

/* ---- Timers -------------------------------------------------------------------------------------------- */

static bine_ns fired_at;

static void on_timer(void *arg)
{
    fired_at = bine_now();
    note((char)(intptr_t)arg);
}

VIRTUAL_TEST(a_timer_fires_once_at_its_time)
{
    bine_timer timer;
    bine_ns begin = bine_now();
    bine_timer_init(&timer, on_timer, (void *)'t');
    expect_int(bine_timer_cancel(&timer), ==, 0);
    bine_timer_start(&timer, BINE_SECOND);
    bine_sleep(BINE_SECOND - 1);
    expect_str(trace, "");
    bine_sleep(BINE_MINUTE);
    expect_str(trace, "t");
    expect_int(fired_at - begin, ==, BINE_SECOND);
    expect_int(bine_timer_cancel(&timer), ==, 0);
}

VIRTUAL_TEST(starting_a_timer_again_moves_it_and_cancel_takes_it_away)
{
    bine_timer timer;
    bine_ns begin = bine_now();
    bine_timer_init(&timer, on_timer, (void *)'t');
    bine_timer_start(&timer, BINE_SECOND);
    bine_timer_start(&timer, 3 * BINE_SECOND);
    bine_sleep(2 * BINE_SECOND);
    bine_timer_start(&timer, 5 * BINE_SECOND);
    bine_sleep(BINE_MINUTE);
    expect_str(trace, "t");
    expect_int(fired_at - begin, ==, 7 * BINE_SECOND);
    bine_timer_start(&timer, BINE_SECOND);
    expect_int(bine_timer_cancel(&timer), ==, 1);
    expect_int(bine_timer_cancel(&timer), ==, 0);
    bine_sleep(BINE_MINUTE);
    expect_str(trace, "t");
    bine_timer_start(&timer, -BINE_SECOND); /* already past: at the next switch or soon after */
    bine_sleep(1);
    expect_str(trace, "tt");
    bine_timer_start(&timer, BINE_FOREVER);
    bine_sleep(1000 * BINE_MINUTE);
    expect_int(bine_timer_cancel(&timer), >=, 0);
    expect_str(trace, "tt");
}

VIRTUAL_TEST(timers_of_one_deadline_fire_in_the_order_of_starting)
{
    bine_timer timer[10];
    for (int i = 0; i < 10; i++) {
        bine_timer_init(&timer[i], on_timer, (void *)(intptr_t)('0' + i));
        bine_timer_start(&timer[i], i == 5 ? BINE_MS : BINE_SECOND);
    }
    bine_sleep(BINE_MINUTE);
    expect_str(trace, "5012346789");
}

LOOP_TEST(a_timer_is_never_early_though_its_task_goes_on_computing)
{
    bine_timer timer;
    bine_timer_init(&timer, on_timer, (void *)'t');
    bine_ns begin = bine_now();
    bine_timer_start(&timer, 3 * BINE_MS);
    while (bine_now() < begin + 2 * BINE_MS)
        ;
    while (!*trace)
        expect_ok(bine_yield());
    expect_int(fired_at - begin, >=, 3 * BINE_MS);
    expect_str(trace, "t");
}

static bine_timer *heap_timer;

static void free_timer(void *arg)
{
    note((char)(intptr_t)arg);
    memset(heap_timer, 0xa5, sizeof *heap_timer);
    free(heap_timer);
}

static void restart_timer(void *arg)
{
    note('r');
    if (strlen(trace) < 5)
        bine_timer_start(arg, BINE_SECOND);
}

VIRTUAL_TEST(a_timer_may_be_freed_or_started_again_in_its_callback)
{
    heap_timer = malloc(sizeof *heap_timer);
    bine_timer_init(heap_timer, free_timer, (void *)'f');
    bine_timer_start(heap_timer, BINE_SECOND);
    bine_sleep(2 * BINE_SECOND);
    expect_str(trace, "f");
    bine_timer timer;
    bine_timer_init(&timer, restart_timer, &timer);
    bine_timer_start(&timer, BINE_SECOND);
    bine_ns begin = bine_now();
    bine_sleep(BINE_MINUTE);
    expect_str(trace, "frrrr");
    expect_int(bine_now() - begin, ==, BINE_MINUTE);
}

static void restart_for_now(void *arg)
{
    if (++fired_at < 100)
        bine_timer_start(arg, 0);
}

LOOP_TEST(a_timer_that_starts_itself_for_now_does_not_stop_the_others)
{
    bine_timer timer;
    fired_at = 0;
    bine_timer_init(&timer, restart_for_now, &timer);
    bine_timer_start(&timer, 0);
    bine_task *task = bine_spawn(sleep_and_say, (void *)'s');
    join_value(task);
    while (fired_at < 100)
        bine_yield();
    expect_int(bine_timer_cancel(&timer), ==, 0);
}

LOOP_TEST(timers_refuse_null)
{
    bine_timer timer;
    bine_timer_init(NULL, on_timer, NULL);
    errno = 0;
    bine_timer_start(NULL, 0);
    expect_int(errno, ==, EINVAL);
    expect_fails(bine_timer_cancel(NULL), EINVAL);
    memset(&timer, 0, sizeof timer); /* never initialised */
    expect_fails(bine_timer_cancel(&timer), EINVAL);
    errno = 0;
    bine_timer_start(&timer, 0);
    expect_int(errno, ==, EINVAL);
}

SUPPORT_MAIN("callback", call_soon_runs_in_order_when_the_task_switches, a_callback_may_call_soon_again,
             a_callback_may_spawn_wake_and_cancel_but_not_yield, a_timer_fires_once_at_its_time,
             starting_a_timer_again_moves_it_and_cancel_takes_it_away,
             timers_of_one_deadline_fire_in_the_order_of_starting,
             a_timer_is_never_early_though_its_task_goes_on_computing,
             a_timer_may_be_freed_or_started_again_in_its_callback,
             a_timer_that_starts_itself_for_now_does_not_stop_the_others, timers_refuse_null)
