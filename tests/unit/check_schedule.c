/* SPDX-License-Identifier: MIT
 *
 * Who runs when: park and wake, yields, sleeps, the virtual clock, seeded schedules. */
#include "support/support.h"
#include "support/tasks.h"
#include "support/trace.h"

static void *say(void *arg)
{
    note((char)(intptr_t)arg);
    return NULL;
}

static bine_task *spawn_say(char c)
{
    return bine_spawn(say, (void *)(intptr_t)c);
}

/* ---- Yielding ------------------------------------------------------------------------------------------ */

static void *say_thrice(void *arg)
{
    for (int i = 0; i < 3; i++) {
        note((char)(intptr_t)arg);
        expect_ok(bine_yield());
    }
    return NULL;
}

LOOP_TEST(yield_lets_each_runnable_task_run_once)
{
    bine_task *a = bine_spawn(say_thrice, (void *)'a'), *b = bine_spawn(say_thrice, (void *)'b');
    for (int i = 0; i < 3; i++) {
        note('m');
        expect_ok(bine_yield());
    }
    join_value(a);
    join_value(b);
    expect_str(trace, "mabmabmab");
}

LOOP_TEST(yield_alone_returns)
{
    for (int i = 0; i < 1000; i++)
        expect_ok(bine_yield());
}

/* Runs the call while one other task counts the turns that it gets; the other stops when told. */
static unsigned turns;
static bool turning;

static void *count_turns(void *arg)
{
    (void)arg;
    while (turning) {
        turns++;
        bine_yield();
    }
    return NULL;
}

static unsigned turns_during(int (*call)(bine_ns), bine_ns ns)
{
    turning = true;
    bine_task *task = bine_spawn(count_turns, NULL);
    bine_yield();
    turns = 0;
    expect_ok(call(ns));
    unsigned counted = turns;
    turning = false;
    join_value(task);
    return counted;
}

VIRTUAL_TEST(a_sleep_that_need_not_wait_yields_exactly_once)
{
    expect_uint(turns_during(bine_sleep, 0), ==, 1);
    expect_uint(turns_during(bine_sleep, -1), ==, 1);
    expect_uint(turns_during(bine_sleep, INT64_MIN), ==, 1);
    expect_uint(turns_during(bine_sleep_until, 0), ==, 1);
    expect_uint(turns_during(bine_sleep_until, bine_now()), ==, 1);
    expect_uint(turns_during(bine_sleep_until, INT64_MIN), ==, 1);
}

LOOP_TEST(a_sleep_yields_at_least_once_however_short)
{
    expect_uint(turns_during(bine_sleep, 1), >=, 1);
    expect_uint(turns_during(bine_sleep, 0), ==, 1);
}

LOOP_TEST(sleepers_are_served_though_others_never_stop_yielding)
{
    turning = true;
    bine_task *busy[2] = {bine_spawn(count_turns, NULL), bine_spawn(count_turns, NULL)};
    bine_ns begin = bine_now();
    expect_ok(bine_sleep(5 * BINE_MS));
    expect_int(bine_now() - begin, >=, 5 * BINE_MS);
    turning = false;
    join_value(busy[0]);
    join_value(busy[1]);
}

/* ---- Sleeping ------------------------------------------------------------------------------------------ */

static void *sleep_and_say(void *arg)
{
    intptr_t word = (intptr_t)arg;
    expect_ok(bine_sleep((word >> 8) * BINE_MS));
    note((char)(word & 0xff));
    return NULL;
}

static bine_task *spawn_sleeper(int ms, char c)
{
    return bine_spawn(sleep_and_say, (void *)(((intptr_t)ms << 8) | c));
}

VIRTUAL_TEST(sleepers_wake_in_the_order_of_their_deadlines)
{
    bine_task *task[] = {spawn_sleeper(30, 'c'), spawn_sleeper(10, 'a'), spawn_sleeper(20, 'b'),
                         spawn_sleeper(60000, 'd')};
    for (size_t i = 0; i < 4; i++)
        join_value(task[i]);
    expect_str(trace, "abcd");
}

VIRTUAL_TEST(equal_deadlines_wake_in_the_order_of_going_to_sleep)
{
    bine_task *task[20];
    bine_ns until = bine_now() + BINE_SECOND;
    for (int i = 0; i < 20; i++)
        task[i] = spawn_sleeper(1000, (char)('a' + i));
    expect_ok(bine_sleep_until(until));
    note('.'); /* armed first, before any child had started */
    for (int i = 0; i < 20; i++)
        join_value(task[i]);
    expect_str(trace, ".abcdefghijklmnopqrst");
}

VIRTUAL_TEST(an_hour_of_sleeps_is_exact_on_the_virtual_clock)
{
    bine_ns begin = bine_now();
    for (int i = 0; i < 3600; i++) {
        expect_ok(bine_sleep(BINE_SECOND));
        expect_int(bine_now() - begin, ==, (i + 1) * BINE_SECOND);
    }
    expect_ok(bine_sleep(1));
    expect_int(bine_now() - begin, ==, 3600 * BINE_SECOND + 1);
}

VIRTUAL_TEST(the_virtual_clock_stands_still_while_tasks_run)
{
    bine_ns begin = bine_now();
    for (int i = 0; i < 10000; i++)
        bine_yield();
    expect_int(bine_now(), ==, begin);
}

LOOP_TEST(a_real_sleep_is_never_too_short)
{
    for (bine_ns ns = 1; ns <= 20 * BINE_MS; ns *= 7) {
        bine_ns begin = bine_now();
        expect_ok(bine_sleep(ns));
        expect_int(bine_now() - begin, >=, ns);
    }
}

static void *sleep_long(void *arg)
{
    expect_fails(bine_sleep(*(bine_ns *)arg), ECANCELED);
    note('x');
    return NULL;
}

VIRTUAL_TEST(a_sleep_for_ever_ends_by_cancellation_alone)
{
    bine_ns durations[] = {BINE_FOREVER, BINE_FOREVER - 1};
    for (size_t i = 0; i < 2; i++) {
        bine_task *task = bine_spawn(sleep_long, &durations[i]);
        expect_ok(bine_sleep(1000 * 3600 * BINE_SECOND));
        bine_cancel(task);
        join_value(task);
    }
    expect_str(trace, "xx");
}

/* The seeds' trace: two functions that sleep at the same time. */
struct entry {
    bine_ns at;
    const char *what;
};
static struct entry entries[8];
static size_t entry_count;
static bine_ns epoch;

static void enter(const char *what)
{
    if (expect(entry_count < 8))
        entries[entry_count++] = (struct entry){bine_now() - epoch, what};
}

static void *a(void *arg)
{
    enter("a enter");
    bine_sleep(BINE_SECOND);
    enter("a exit");
    return arg;
}

static void *b(void *arg)
{
    enter("b enter");
    bine_sleep(500 * BINE_MS);
    enter("b middle");
    bine_sleep(500 * BINE_MS);
    enter("b exit");
    return arg;
}

VIRTUAL_TEST(a_and_b_sleep_at_the_same_time)
{
    static const struct entry expected[] = {
        {0, "a enter"},
        {0, "b enter"},
        {500 * BINE_MS, "b middle"},
        {BINE_SECOND, "a exit"},
        {BINE_SECOND, "b exit"},
    };
    epoch = bine_now();
    bine_task *first = bine_spawn(a, NULL), *second = bine_spawn(b, NULL);
    join_value(first);
    join_value(second);
    expect_uint(entry_count, ==, 5);
    for (size_t i = 0; i < 5; i++) {
        expect_str(entries[i].what, expected[i].what);
        expect_int(entries[i].at, ==, expected[i].at);
    }
}

/* ---- Parking by hand ----------------------------------------------------------------------------------- */

static void *park_and_say(void *arg)
{
    note('(');
    expect_ok(bine_park());
    note((char)(intptr_t)arg);
    return NULL;
}

LOOP_TEST(park_waits_for_wake)
{
    bine_task *task = bine_spawn(park_and_say, (void *)'p');
    for (int i = 0; i < 10; i++)
        bine_yield();
    expect_str(trace, "(");
    expect_ok(bine_wake(task));
    expect_str(trace, "(");
    join_value(task);
    expect_str(trace, "(p");
}

LOOP_TEST(an_early_wake_is_remembered_once)
{
    expect_ok(bine_wake(bine_self()));
    expect_ok(bine_wake(bine_self()));
    expect_ok(bine_wake(bine_self()));
    expect_ok(bine_park());
    BINE_TIMEOUT(BINE_MS)
        expect_fails(bine_park(), ETIMEDOUT);
    bine_task *task = bine_spawn(park_and_say, (void *)'p');
    bine_wake(task); /* before it has started */
    join_value(task);
    expect_str(trace, "(p");
}

VIRTUAL_TEST(a_park_that_need_not_wait_loses_nobody)
{
    bine_task *task = spawn_say('x');
    bine_wake(bine_self());
    expect_ok(bine_park());
    join_value(task);
    expect_str(trace, "x");
}

VIRTUAL_TEST(wake_has_no_effect_on_a_task_that_waits_in_another_call)
{
    bine_ns begin = bine_now();
    bine_task *task = spawn_sleeper(1000, 's');
    bine_yield();
    expect_ok(bine_wake(task));
    for (int i = 0; i < 10; i++)
        bine_yield();
    expect_str(trace, "");
    join_value(task);
    expect_int(bine_now() - begin, ==, BINE_SECOND);
}

VIRTUAL_TEST(tasks_woken_together_run_in_the_order_of_waking)
{
    bine_task *task[5];
    for (int i = 0; i < 5; i++)
        task[i] = bine_spawn(park_and_say, (void *)(intptr_t)('0' + i));
    bine_yield();
    static const int order[] = {3, 1, 4, 0, 2};
    for (int i = 0; i < 5; i++)
        bine_wake(task[order[i]]);
    for (int i = 0; i < 5; i++)
        join_value(task[i]);
    expect_str(trace, "(((((31402");
}

/* ---- Seeded schedules ---------------------------------------------------------------------------------- */

static void *scramble(void *arg)
{
    (void)arg;
    bine_task *task[8];
    for (int i = 0; i < 8; i++)
        task[i] = i % 2 ? bine_spawn(say_thrice, (void *)(intptr_t)('a' + i))
                        : spawn_sleeper(i, (char)('A' + i));
    for (int i = 0; i < 8; i++)
        join_value(task[i]);
    return NULL;
}

START_TEST(a_seed_means_the_same_schedule_every_time)
{
    char fifo[sizeof trace], first[sizeof trace];
    unsigned different = 0;
    run_seeded(0, scramble, NULL);
    strcpy(fifo, trace);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        trace[0] = '\0';
        run_seeded(seed, scramble, NULL);
        strcpy(first, trace);
        trace[0] = '\0';
        run_seeded(seed, scramble, NULL);
        expect_str(trace, first);
        expect_uint(strlen(trace), ==, strlen(fifo)); /* everybody ran, whatever the order */
        different += strcmp(first, fifo) != 0;
    }
    expect_uint(different, >, 0);
}
END_TEST

START_TEST(without_a_seed_the_order_is_always_the_same)
{
    char first[sizeof trace];
    run_virtual(scramble, NULL);
    strcpy(first, trace);
    for (int i = 0; i < 5; i++) {
        trace[0] = '\0';
        run_virtual(scramble, NULL);
        expect_str(trace, first);
    }
}
END_TEST

/* ---- errno --------------------------------------------------------------------------------------------- */

static void *keep_errno(void *arg)
{
    int mine = (int)(intptr_t)arg;
    errno = mine;
    for (int i = 0; i < 20; i++) {
        int result = i % 3 == 0 ? bine_yield() : bine_sleep(i % 3 == 1 ? 0 : (mine % 7) * BINE_MS);
        expect_int(errno, ==, mine);
        expect_int(result, ==, 0);
        errno = mine;
    }
    return NULL;
}

VIRTUAL_TEST(each_task_keeps_its_own_errno)
{
    bine_task *task[10];
    for (int i = 0; i < 10; i++)
        task[i] = bine_spawn(keep_errno, (void *)(intptr_t)(i + 1));
    keep_errno((void *)99);
    for (int i = 0; i < 10; i++)
        join_value(task[i]);
}

LOOP_TEST(a_join_keeps_the_errno_of_its_caller)
{
    bine_task *task = spawn_say('x');
    errno = EXDEV;
    bine_join(task, NULL);
    expect_int(errno, ==, EXDEV);
}

SUPPORT_MAIN("schedule", yield_lets_each_runnable_task_run_once, yield_alone_returns,
             a_sleep_that_need_not_wait_yields_exactly_once, a_sleep_yields_at_least_once_however_short,
             sleepers_are_served_though_others_never_stop_yielding,
             sleepers_wake_in_the_order_of_their_deadlines,
             equal_deadlines_wake_in_the_order_of_going_to_sleep,
             an_hour_of_sleeps_is_exact_on_the_virtual_clock,
             the_virtual_clock_stands_still_while_tasks_run, a_real_sleep_is_never_too_short,
             a_sleep_for_ever_ends_by_cancellation_alone, a_and_b_sleep_at_the_same_time,
             park_waits_for_wake, an_early_wake_is_remembered_once, a_park_that_need_not_wait_loses_nobody,
             wake_has_no_effect_on_a_task_that_waits_in_another_call,
             tasks_woken_together_run_in_the_order_of_waking, a_seed_means_the_same_schedule_every_time,
             without_a_seed_the_order_is_always_the_same, each_task_keeps_its_own_errno,
             a_join_keeps_the_errno_of_its_caller)
