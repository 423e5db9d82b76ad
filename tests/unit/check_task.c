/* SPDX-License-Identifier: MIT
 *
 * Tasks: spawning, ending, joining, cancelling, naming.  Scheduling stands in check_schedule.c, the loop as a
 * whole in check_loop.c. */
#include "support/support.h"
#include "support/tasks.h"
#include "support/trace.h"

enum { MANY = 200 };

static void *say(void *arg)
{
    note((char)(intptr_t)arg);
    return arg;
}

static void *fail_with(void *arg)
{
    return bine_fail((int)(intptr_t)arg);
}

static void *yield_error(void *arg)
{
    (void)arg;
    return bine_yield() == 0 ? NULL : bine_fail(errno);
}

/* Sleeps for ever; ends with the errno that ended the sleep. */
static void *sleep_forever(void *arg)
{
    (void)arg;
    return bine_sleep(BINE_FOREVER) == 0 ? NULL : bine_fail(errno);
}

/* ---- Spawning ------------------------------------------------------------------------------------------ */

VIRTUAL_TEST(spawn_never_switches)
{
    bine_task *task = bine_spawn(say, (void *)'x');
    expect(task != NULL);
    expect_str(trace, "");
    join(task);
    expect_str(trace, "x");
}

LOOP_TEST(children_start_in_the_order_of_spawning)
{
    bine_task *task[26];
    char expected[27] = "";
    for (int i = 0; i < 26; i++) {
        task[i] = bine_spawn(say, (void *)(intptr_t)('a' + i));
        expected[i] = (char)('a' + i);
    }
    expect_ok(bine_yield());
    expect_str(trace, expected);
    for (int i = 25; i >= 0; i--)
        expect_ptr(join(task[i]).value, ==, (void *)(intptr_t)('a' + i));
}

static void *spawn_two(void *arg)
{
    bine_task *a = bine_spawn(say, (void *)(intptr_t)(*(char *)arg + 1));
    bine_task *b = bine_spawn(say, (void *)(intptr_t)(*(char *)arg + 2));
    note(*(char *)arg);
    join(a);
    join(b);
    return NULL;
}

LOOP_TEST(grandchildren_start_after_the_children_already_spawned)
{
    char a = 'a', p = 'p';
    bine_task *first = bine_spawn(spawn_two, &a), *second = bine_spawn(spawn_two, &p);
    join(first);
    join(second);
    expect_str(trace, "apbcqr");
}

struct copied {
    _Alignas(16) char text[100];
    bool aligned;
};

static void *read_copy(void *arg)
{
    struct copied *copied = arg;
    expect_uint((uintptr_t)arg % 16, ==, 0);
    expect_str(copied->text, "copied");
    copied->text[0] = 'C'; /* it is the child's own */
    bine_yield();
    expect_str(copied->text, "Copied");
    return (void *)arg;
}

LOOP_TEST(spawn_copy_gives_each_child_its_own_aligned_copy)
{
    struct copied copied = {.text = "copied"};
    bine_task *task[3];
    for (int i = 0; i < 3; i++)
        task[i] = bine_spawn_copy(read_copy, &copied, sizeof copied);
    memset(&copied, 0, sizeof copied);
    void *where[3];
    for (int i = 0; i < 3; i++)
        where[i] = join(task[i]).value;
    expect_ptr(where[0], !=, (void *)&copied);
}

static void *sum_bytes(void *arg)
{
    uintptr_t sum = 0;
    for (size_t i = 0; i < 16384; i++)
        sum += ((unsigned char *)arg)[i];
    return (void *)sum;
}

LOOP_TEST(spawn_copy_takes_a_quarter_of_the_stack_and_no_more)
{
    static char big[65536];
    memset(big, 1, sizeof big);
    bine_task *task = bine_spawn_copy(sum_bytes, big, 16384);
    if (expect(task != NULL))
        expect_uint((uintptr_t)join(task).value, ==, 16384);
    expect_null(bine_spawn_copy(sum_bytes, big, 16385), EINVAL);
    expect_null(bine_spawn_copy(sum_bytes, big, sizeof big), EINVAL);
    expect_null(bine_spawn_copy(sum_bytes, big, SIZE_MAX), EINVAL);
    expect_null(bine_spawn_copy(sum_bytes, NULL, 8), EINVAL);
    task = bine_spawn_copy(return_arg, big, 0);
    if (expect(task != NULL))
        join(task);
}

LOOP_TEST(spawn_refuses_what_it_cannot_run)
{
    expect_null(bine_spawn(NULL, NULL), EINVAL);
    expect_null(bine_spawn_copy(NULL, "x", 1), EINVAL);
    expect_null(bine_spawn_with(NULL, NULL, NULL), EINVAL);
    bine_attr attr = BINE_ATTR_INIT;
    attr.stack_size = (8u << 20) + 1;
    expect_null(bine_spawn_with(&attr, return_arg, NULL), EINVAL);
    attr.stack_size = SIZE_MAX;
    expect_null(bine_spawn_with(&attr, return_arg, NULL), EINVAL);
    attr = (bine_attr)BINE_ATTR_INIT;
    attr.style = 77;
    expect_null(bine_spawn_with(&attr, return_arg, NULL), EINVAL);
}

LOOP_TEST(attributes_of_an_older_and_a_newer_caller_are_understood)
{
    struct {
        bine_attr attr;
        char later[32];
    } newer = {.attr = {.name = "newer"}, .later = "unknown"};
    bine_task *task = bine_spawn_with_at(&newer.attr, sizeof newer, return_arg, &newer, "here:1");
    if (expect(task != NULL))
        expect_ptr(join(task).value, ==, (void *)&newer);
    bine_attr attr = {.name = "older", .stack_size = 16384};
    task = bine_spawn_with_at(&attr, offsetof(bine_attr, drop_result), return_arg, NULL, "here:2");
    if (expect(task != NULL))
        join(task);
}

/* ---- Names and bine_tasks ------------------------------------------------------------------------------ */

static bine_task_info *info_of(bine_task_info *infos, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(infos[i].name, name) == 0)
            return &infos[i];
    support_record(__FILE__, __LINE__, "no task is named %s", name);
    static bine_task_info none;
    return &none;
}

static void *join_it(void *arg)
{
    bine_result result;
    return bine_join(arg, &result) == 0 ? result.value : bine_fail(errno);
}

static void *sleep_in_scope(void *arg)
{
    BINE_TIMEOUT(5 * BINE_SECOND)
        bine_sleep_until(*(bine_ns *)arg);
    return NULL;
}

VIRTUAL_TEST(tasks_tells_everything_about_each_task)
{
    bine_attr attr = BINE_ATTR_INIT;
    bine_ns begin = bine_now(), until = begin + BINE_SECOND;
    bine_task_set_name(bine_self(), "main");
    attr.name = "sleeper";
    attr.stack_size = 20000;
    bine_task *sleeper = bine_spawn_with(&attr, sleep_in_scope, &until);
    attr.name = "joiner";
    attr.stack_size = 0;
    bine_task *joiner = bine_spawn_with(&attr, join_it, sleeper);
    attr.name = "ended";
    bine_task *ended = bine_spawn_with(&attr, return_arg, NULL);
    expect_ok(bine_yield());
    attr.name = "fresh";
    int line = __LINE__ + 1;
    bine_task *fresh = bine_spawn_with(&attr, return_arg, NULL);
    char site[512];
    snprintf(site, sizeof site, "%s:%d", __FILE__, line);

    expect_uint(bine_tasks(NULL, 0), ==, 5);
    bine_task_info infos[6];
    memset(infos, 0x5a, sizeof infos);
    expect_uint(bine_tasks(infos, 6), ==, 5);
    bine_task_info *me = info_of(infos, 5, "main"), *s = info_of(infos, 5, "sleeper");
    bine_task_info *j = info_of(infos, 5, "joiner"), *e = info_of(infos, 5, "ended");
    bine_task_info *f = info_of(infos, 5, "fresh");
    expect_int(me->state, ==, BINE_TASK_RUNNING);
    expect_uint(me->parent, ==, 0);
    expect_ptr(me->waits_for, ==, NULL);
    expect_int(me->since, ==, 0);
    expect_int(me->until, ==, BINE_FOREVER);
    expect_int(me->fd, ==, -1);
    expect_uint(me->stack_size, ==, 8u << 20);
    expect_uint(me->stack_used, >=, 4096);
    expect_int(s->state, ==, BINE_TASK_PARKED);
    expect_str(s->waits_for, "sleep");
    expect_int(s->since, ==, begin);
    expect_int(s->until, ==, begin + 5 * BINE_SECOND);
    expect_uint(s->parent, ==, me->id);
    expect_uint(s->stack_size, ==, 32768);
    expect_int(s->fd, ==, -1);
    expect_int(j->state, ==, BINE_TASK_PARKED);
    expect_str(j->waits_for, "join");
    expect_uint(j->waits_task, ==, s->id);
    expect_uint(j->stack_size, ==, 65536);
    expect_int(e->state, ==, BINE_TASK_ENDED);
    expect_int(f->state, ==, BINE_TASK_RUNNABLE);
    expect_str(f->site, site);
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < a; b++)
            expect_uint(infos[a].id, !=, infos[b].id);

    /* Fewer than there are; an array of an older, smaller layout. */
    memset(infos, 0x5a, sizeof infos);
    expect_uint(bine_tasks(infos, 2), ==, 5);
    expect_uint(infos[2].id, ==, UINT64_C(0x5a5a5a5a5a5a5a5a));
    struct {
        uint64_t id, parent;
    } small[6];
    memset(small, 0x5a, sizeof small);
    expect_uint(bine_tasks_sized((bine_task_info *)(void *)small, 6, sizeof small[0]), ==, 5);
    expect_uint(small[5].id, ==, UINT64_C(0x5a5a5a5a5a5a5a5a));
    expect_uint(small[4].id, !=, UINT64_C(0x5a5a5a5a5a5a5a5a));
    struct {
        bine_task_info info;
        uint64_t more;
    } large[5];
    memset(large, 0x5a, sizeof large);
    expect_uint(bine_tasks_sized(&large[0].info, 5, sizeof large[0]), ==, 5); /* of a newer one */
    for (int i = 0; i < 5; i++)
        expect_uint(large[i].more, ==, 0);
    join(joiner);
    join(ended);
    join(fresh);
}

VIRTUAL_TEST(names_are_copied_and_cut_to_31_bytes)
{
    char name[] = "0123456789012345678901234567890123456789";
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = name;
    bine_task *task = bine_spawn_with(&attr, return_arg, NULL);
    memset(name, 'x', sizeof name - 1);
    bine_task_info infos[2];
    expect_uint(bine_tasks(infos, 2), ==, 2);
    bine_task_info *child = infos[0].parent ? &infos[0] : &infos[1];
    expect_str(child->name, "0123456789012345678901234567890");
    expect_ok(bine_task_set_name(task, "short"));
    bine_tasks(infos, 2);
    info_of(infos, 2, "short");
    expect_ok(bine_task_set_name(task, NULL));
    bine_tasks(infos, 2);
    expect_str(child->name, "");
    expect_fails(bine_task_set_name(NULL, "x"), EINVAL);
    join(task);
}

/* ---- Joining ------------------------------------------------------------------------------------------- */

LOOP_TEST(join_gives_the_value_or_the_error)
{
    bine_result result = join(bine_spawn(return_arg, (void *)0x1234));
    expect_ptr(result.value, ==, (void *)0x1234);
    expect_int(result.error, ==, 0);
    for (int error = 1; error <= 4095; error = error < 40 ? error + 1 : error * 2 - 1) {
        result = join(bine_spawn(fail_with, (void *)(intptr_t)error));
        expect_ptr(result.value, ==, NULL);
        expect_int(result.error, ==, error);
    }
    expect_int(join(bine_spawn(fail_with, (void *)4095)).error, ==, 4095);
}

LOOP_TEST(fail_out_of_range_becomes_einval)
{
    const int wrong[] = {0, -1, 4096, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_int(join(bine_spawn(fail_with, (void *)(intptr_t)wrong[i])).error, ==, EINVAL);
}

LOOP_TEST(join_of_a_task_that_has_ended_does_not_wait)
{
    bine_task *task = bine_spawn(return_arg, NULL);
    expect_ok(bine_yield());
    bine_task *later = bine_spawn(say, (void *)'l');
    join(task);
    expect_str(trace, "");
    join(later);
}

LOOP_TEST(join_refuses_oneself_null_and_detached)
{
    expect_fails(bine_join(bine_self(), NULL), EDEADLK);
    expect_fails(bine_join(NULL, NULL), EINVAL);
    expect_fails(bine_stop(NULL, NULL), EINVAL);
    expect_fails(bine_stop(bine_self(), NULL), EDEADLK);
    expect_fails(bine_detach(NULL), EINVAL);
    expect_fails(bine_cancel(NULL), EINVAL);
    expect_fails(bine_wake(NULL), EINVAL);
    bine_task *task = bine_spawn(yield_error, NULL);
    expect_ok(bine_detach(task));
    expect_fails(bine_join(task, NULL), EINVAL);
    expect_fails(bine_stop(task, NULL), EINVAL);
    expect_fails(bine_detach(task), EINVAL);
    bine_yield();
    bine_yield();
}

static void *refused_the_first_task(void *arg)
{
    expect_fails(bine_join(arg, NULL), EINVAL);
    expect_fails(bine_stop(arg, NULL), EINVAL);
    expect_fails(bine_detach(arg), EINVAL);
    expect_null(bine_task_future(arg), EINVAL);
    return NULL;
}

LOOP_TEST(the_first_task_is_awaited_by_its_run_alone)
{
    expect_fails(bine_detach(bine_self()), EINVAL);
    expect_null(bine_task_future(bine_self()), EINVAL);
    expect_int(join(bine_spawn(refused_the_first_task, bine_self())).error, ==, 0);
}

VIRTUAL_TEST(a_second_joiner_is_refused)
{
    bine_task *task = bine_spawn(sleep_forever, NULL);
    bine_task *joiner = bine_spawn(join_it, task);
    bine_yield();
    expect_fails(bine_join(task, NULL), EINVAL);
    expect_fails(bine_stop(task, NULL), EINVAL);
    expect_fails(bine_detach(task), EINVAL);
    expect_ok(bine_cancel(task));
    expect_int(join(joiner).error, ==, 0);
}

VIRTUAL_TEST(a_join_that_is_cut_short_leaves_the_handle_good)
{
    bine_task *task = bine_spawn(sleep_forever, NULL);
    for (int i = 0; i < 3; i++)
        BINE_TIMEOUT(BINE_MS)
            expect_fails(bine_join(task, NULL), ETIMEDOUT);
    bine_task *joiner = bine_spawn(join_it, task);
    bine_yield();
    bine_cancel(joiner);
    expect_int(join(joiner).error, ==, ECANCELED);
    bine_cancel(task);
    expect_int(join(task).error, ==, ECANCELED);
}

VIRTUAL_TEST(join_in_a_cancelled_scope_fails_though_the_task_has_ended)
{
    bine_task *task = bine_spawn(return_arg, (void *)1);
    bine_yield();
    BINE_TIMEOUT(0)
        expect_fails(bine_join(task, NULL), ETIMEDOUT);
    expect_ptr(join(task).value, ==, (void *)1);
}

static void *stop_it(void *arg)
{
    bine_result result = {NULL, 0};
    expect_ok(bine_stop(arg, &result));
    expect_int(result.error, ==, ECANCELED);
    expect_int(bine_cancelled(), ==, ECANCELED);
    note('s');
    return NULL;
}

static void *end_slowly(void *arg)
{
    (void)arg;
    int first = bine_sleep(BINE_FOREVER);
    int error = errno;
    BINE_SHIELD
        bine_sleep(BINE_SECOND);
    note('e');
    return first == 0 ? NULL : bine_fail(error);
}

VIRTUAL_TEST(stop_waits_for_the_end_though_the_caller_is_cancelled)
{
    bine_ns begin = bine_now();
    bine_task *slow = bine_spawn(end_slowly, NULL);
    bine_task *stopper = bine_spawn(stop_it, slow);
    bine_yield();
    bine_cancel(stopper);
    join(stopper);
    expect_str(trace, "es");
    expect_int(bine_now() - begin, ==, BINE_SECOND);
}

VIRTUAL_TEST(stop_in_a_scope_that_has_fired_still_stops)
{
    bine_task *task = bine_spawn(sleep_forever, NULL);
    bine_result result = {NULL, 0};
    bine_yield();
    BINE_TIMEOUT(-1)
        expect_ok(bine_stop(task, &result));
    expect_int(result.error, ==, ECANCELED);
}

/* ---- Cancelling ---------------------------------------------------------------------------------------- */

static void *see_cancelled(void *arg)
{
    *(int *)arg = bine_cancelled();
    expect_fails(bine_yield(), ECANCELED);
    expect_fails(bine_sleep(1), ECANCELED);
    expect_fails(bine_park(), ECANCELED);
    return bine_fail(ECANCELED);
}

VIRTUAL_TEST(a_task_cancelled_before_it_starts_still_starts)
{
    int seen = 0;
    bine_task *task = bine_spawn(see_cancelled, &seen);
    expect_ok(bine_cancel(task));
    expect_ok(bine_cancel(task));
    expect_int(join(task).error, ==, ECANCELED);
    expect_int(seen, ==, ECANCELED);
}

VIRTUAL_TEST(cancelling_a_task_that_has_ended_changes_nothing)
{
    bine_task *task = bine_spawn(return_arg, (void *)7);
    bine_yield();
    expect_ok(bine_cancel(task));
    expect_ptr(join(task).value, ==, (void *)7);
    reports_catch();
    for (int i = 0; i < 2; i++) { /* that it failed so has nothing to do with what came later */
        task = bine_spawn(fail_with, (void *)ECANCELED);
        bine_yield();
        if (i == 0)
            expect_ok(bine_cancel(task));
        expect_ok(bine_stop(task, NULL));
        expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, (unsigned)i + 1);
    }
}

static void *cancel_self(void *arg)
{
    (void)arg;
    expect_ok(bine_cancel(bine_self()));
    expect_int(bine_cancelled(), ==, ECANCELED);
    expect_fails(bine_sleep(BINE_FOREVER), ECANCELED);
    return NULL;
}

VIRTUAL_TEST(a_task_may_cancel_itself)
{
    join(bine_spawn(cancel_self, NULL));
}

/* ---- Detaching, drops and lost errors ------------------------------------------------------------------ */

static unsigned dropped;
static void *dropped_value;

static void drop(void *value)
{
    dropped++;
    dropped_value = value;
}

static bine_task *spawn_dropping(bine_fn *fn, void *arg, bool detached)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.drop_result = drop;
    attr.detached = detached;
    return bine_spawn_with(&attr, fn, arg);
}

VIRTUAL_TEST(an_unclaimed_result_is_dropped_exactly_once)
{
    reports_catch(); /* one of them fails */
    bine_task *task = spawn_dropping(return_arg, (void *)11, false);
    bine_detach(task); /* before its end */
    bine_yield();
    expect_uint(dropped, ==, 1);
    expect_ptr(dropped_value, ==, (void *)11);
    task = spawn_dropping(return_arg, (void *)12, false);
    bine_yield();
    expect_uint(dropped, ==, 1);
    bine_detach(task); /* after it */
    expect_uint(dropped, ==, 2);
    expect_ptr(dropped_value, ==, (void *)12);
    spawn_dropping(return_arg, (void *)13, true);
    bine_yield();
    expect_uint(dropped, ==, 3);
    task = spawn_dropping(return_arg, (void *)14, false);
    expect_ok(bine_join(task, NULL)); /* joined by one who does not want it */
    expect_uint(dropped, ==, 4);
    expect_ptr(join(spawn_dropping(return_arg, (void *)15, false)).value, ==, (void *)15);
    expect_uint(dropped, ==, 4);
    spawn_dropping(return_arg, NULL, true); /* nothing is there to be dropped */
    spawn_dropping(fail_with, (void *)EIO, true);
    bine_yield();
    expect_uint(dropped, ==, 4);
}

VIRTUAL_TEST(a_failure_that_nobody_looked_at_is_reported)
{
    reports_catch();
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = "lost one";
    attr.detached = true;
    bine_spawn_with(&attr, fail_with, (void *)EIO);
    bine_yield();
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 1);
    const struct caught *report = reports_find(BINE_REPORT_LOST_ERROR, NULL);
    if (expect(report != NULL)) {
        expect_int(report->error, ==, EIO);
        expect_str(report->name, "lost one");
        expect_has(report->site, "check_task.c:");
        expect_uint(report->task, >, 0);
    }
    expect_ok(bine_join(bine_spawn(fail_with, (void *)EPIPE), NULL));
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 2);
    bine_task *task = bine_spawn(fail_with, (void *)ENOENT);
    bine_yield();
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 2);
    expect_ok(bine_detach(task));
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 3);
    expect_int(join(bine_spawn(fail_with, (void *)EIO)).error, ==, EIO);
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 3);
}

LOOP_TEST(detached_tasks_free_themselves)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.detached = true;
    for (int i = 0; i < MANY; i++)
        expect(bine_spawn_with(&attr, yield_error, NULL) != NULL);
    expect_uint(bine_tasks(NULL, 0), ==, MANY + 1);
    bine_yield();
    bine_yield();
    expect_uint(bine_tasks(NULL, 0), ==, 1);
}

SUPPORT_MAIN("task", spawn_never_switches, children_start_in_the_order_of_spawning,
             grandchildren_start_after_the_children_already_spawned,
             spawn_copy_gives_each_child_its_own_aligned_copy,
             spawn_copy_takes_a_quarter_of_the_stack_and_no_more, spawn_refuses_what_it_cannot_run,
             attributes_of_an_older_and_a_newer_caller_are_understood,
             tasks_tells_everything_about_each_task, names_are_copied_and_cut_to_31_bytes,
             join_gives_the_value_or_the_error, fail_out_of_range_becomes_einval,
             join_of_a_task_that_has_ended_does_not_wait, join_refuses_oneself_null_and_detached,
             the_first_task_is_awaited_by_its_run_alone, a_second_joiner_is_refused,
             a_join_that_is_cut_short_leaves_the_handle_good,
             join_in_a_cancelled_scope_fails_though_the_task_has_ended,
             stop_waits_for_the_end_though_the_caller_is_cancelled,
             stop_in_a_scope_that_has_fired_still_stops, a_task_cancelled_before_it_starts_still_starts,
             cancelling_a_task_that_has_ended_changes_nothing, a_task_may_cancel_itself,
             an_unclaimed_result_is_dropped_exactly_once, a_failure_that_nobody_looked_at_is_reported,
             detached_tasks_free_themselves)
