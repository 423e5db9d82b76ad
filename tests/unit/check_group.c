/* SPDX-License-Identifier: MIT
 *
 * Groups: children that do not outlive their block, however it is left; gather and map. */
#include "support/support.h"

static int ended, dropped;

static void *end_well(void *arg)
{
    ended++;
    return arg;
}

static void *fail_with(void *arg)
{
    ended++;
    return bine_fail((int)(intptr_t)arg);
}

/* arg: nanoseconds; its value is the argument, ECANCELED if it was cut short. */
static void *sleep_for(void *arg)
{
    int slept = bine_sleep((bine_ns)(intptr_t)arg);
    ended++;
    return slept == 0 ? arg : bine_fail(errno);
}

/* Goes on for a second after it was cancelled. */
static void *clean_up_slowly(void *arg)
{
    if (bine_sleep(BINE_FOREVER) != 0)
        BINE_SHIELD expect_ok(bine_sleep(BINE_SECOND));
    ended++;
    return arg;
}

static void *fail_later(void *arg)
{
    expect_ok(bine_sleep(BINE_SECOND));
    ended++;
    return bine_fail((int)(intptr_t)arg);
}

static void count_drop(void *value)
{
    (void)value;
    dropped++;
}

static void *as_arg(bine_ns ns)
{
    return (void *)(intptr_t)ns;
}

/* ---- Waiting ------------------------------------------------------------------------------------------- */

VIRTUAL_TEST(a_group_waits_for_every_child)
{
    bine_group group;
    bine_ns begin = bine_now();
    bine_group_open(&group, BINE_GROUP_ALL);
    for (int i = 1; i <= 10; i++)
        expect(bine_group_spawn(&group, sleep_for, as_arg(i * BINE_SECOND)) != NULL);
    expect_uint(bine_group_running(&group), ==, 10);
    expect_ok(bine_group_wait(&group, NULL));
    expect_int(ended, ==, 10);
    expect_int(bine_now() - begin, ==, 10 * BINE_SECOND);
    expect_uint(bine_group_running(&group), ==, 0);
    expect_fails(bine_group_wait(&group, NULL), EINVAL);
}

VIRTUAL_TEST(an_empty_group_does_not_wait)
{
    bine_group group;
    for (unsigned kind = BINE_GROUP_ALL; kind <= BINE_GROUP_COLLECT; kind++) {
        bine_group_open(&group, kind);
        expect_ok(bine_group_wait(&group, NULL));
    }
}

static bool others_ran;

static void *say_so(void *arg)
{
    others_ran = true;
    return arg;
}

VIRTUAL_TEST(a_loop_of_empty_groups_starves_nobody)
{
    bine_task *task = bine_spawn(say_so, NULL);
    for (int i = 0; i < 1000000 && !others_ran; i++) {
        bine_group group;
        bine_group_open(&group, BINE_GROUP_ALL);
        expect_ok(bine_group_wait(&group, NULL));
    }
    expect(others_ran);
    expect_ok(bine_join(task, NULL));
}

VIRTUAL_TEST(the_first_failure_cancels_the_rest_and_is_what_the_wait_says)
{
    bine_group group;
    bine_result first = {NULL, 0};
    bine_ns begin = bine_now();
    bine_group_open(&group, BINE_GROUP_ALL);
    bine_group_spawn(&group, sleep_for, as_arg(BINE_MINUTE));
    bine_group_spawn(&group, fail_later, (void *)EIO);
    bine_group_spawn(&group, clean_up_slowly, NULL);
    expect_fails(bine_group_wait(&group, &first), EIO);
    expect_int(first.error, ==, EIO);
    expect_int(ended, ==, 3);
    expect_int(bine_now() - begin, ==, 2 * BINE_SECOND); /* the one that cleans up is awaited too */
    expect_int(bine_cancelled(), ==, 0);
    expect_ok(bine_yield());
}

VIRTUAL_TEST(a_failing_child_cancels_the_body)
{
    bine_group group;
    bine_group_open(&group, BINE_GROUP_ALL);
    bine_group_spawn(&group, fail_later, (void *)EIO);
    expect_fails(bine_sleep(BINE_MINUTE), ECANCELED);
    expect_fails(bine_group_wait(&group, NULL), EIO);
}

VIRTUAL_TEST(later_failures_go_to_the_report_hook)
{
    bine_group group;
    reports_catch();
    bine_group_open(&group, BINE_GROUP_COLLECT);
    bine_group_spawn(&group, fail_with, (void *)EIO);
    bine_group_spawn(&group, fail_with, (void *)ENOSPC);
    bine_group_spawn(&group, sleep_for, as_arg(BINE_SECOND));
    expect_fails(bine_group_wait(&group, NULL), EIO);
    expect_int(ended, ==, 3);
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 1);
    const struct caught *report = reports_find(BINE_REPORT_LOST_ERROR, NULL);
    expect(report && report->error == ENOSPC);
}

VIRTUAL_TEST(any_ends_with_the_first_success)
{
    bine_group group;
    reports_catch();
    bine_result first = {NULL, -1};
    bine_ns begin = bine_now();
    bine_group_open(&group, BINE_GROUP_ANY);
    bine_group_spawn(&group, fail_with, (void *)EIO);
    bine_group_spawn(&group, fail_with, (void *)ENOENT);
    bine_group_spawn(&group, sleep_for, as_arg(3 * BINE_SECOND));
    bine_group_spawn(&group, sleep_for, as_arg(2 * BINE_SECOND));
    expect_ok(bine_group_wait(&group, &first));
    expect_ptr(first.value, ==, as_arg(2 * BINE_SECOND));
    expect_int(first.error, ==, 0);
    expect_int(bine_now() - begin, ==, 2 * BINE_SECOND);
    expect_int(ended, ==, 4);
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 0); /* that is what the others were for */
}

VIRTUAL_TEST(any_without_a_success_fails_with_the_first_failure)
{
    bine_group group;
    bine_group_open(&group, BINE_GROUP_ANY);
    reports_catch();
    bine_group_spawn(&group, fail_later, (void *)EIO);
    bine_group_spawn(&group, fail_with, (void *)ENOENT);
    expect_fails(bine_group_wait(&group, NULL), ENOENT);
    expect_int(ended, ==, 2);
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 1); /* the other one */
}

VIRTUAL_TEST(values_that_nobody_takes_go_to_the_drop_function)
{
    bine_group group;
    bine_attr attr = BINE_ATTR_INIT;
    bine_result first;
    attr.drop_result = count_drop;
    bine_group_open(&group, BINE_GROUP_ANY);
    for (int i = 0; i < 5; i++)
        bine_group_spawn_with(&group, &attr, end_well, &ended);
    expect_ok(bine_group_wait(&group, &first));
    expect_ptr(first.value, ==, &ended);
    expect_int(dropped, ==, 4);
    bine_group_open(&group, BINE_GROUP_ANY);
    bine_group_spawn_with(&group, &attr, end_well, &ended);
    expect_ok(bine_group_wait(&group, NULL)); /* not the first one's either */
    expect_int(dropped, ==, 5);
    BINE_GROUP(block, BINE_GROUP_ANY) bine_group_spawn_with(&block, &attr, end_well, &ended);
    expect_int(dropped, ==, 6);
}

/* ---- Cancellation -------------------------------------------------------------------------------------- */

VIRTUAL_TEST(cancelled_by_hand_it_ends_with_ECANCELED)
{
    bine_group group;
    bine_group_open(&group, BINE_GROUP_ALL);
    bine_group_spawn(&group, sleep_for, as_arg(BINE_MINUTE));
    bine_group_cancel(&group);
    bine_group_spawn(&group, sleep_for, as_arg(BINE_MINUTE)); /* starts cancelled */
    expect_fails(bine_yield(), ECANCELED);
    expect_fails(bine_group_wait(&group, NULL), ECANCELED);
    expect_int(ended, ==, 2);
    expect_ok(bine_yield());
}

VIRTUAL_TEST(an_outer_deadline_ends_the_children_and_is_the_reason)
{
    bine_ns begin = bine_now();
    BINE_TIMEOUT(BINE_SECOND) {
        bine_group group;
        bine_group_open(&group, BINE_GROUP_ALL);
        bine_group_spawn(&group, clean_up_slowly, NULL);
        bine_group_spawn(&group, sleep_for, as_arg(BINE_MINUTE));
        expect_fails(bine_group_wait(&group, NULL), ETIMEDOUT);
        expect_int(ended, ==, 2);
    }
    expect_int(bine_now() - begin, ==, 2 * BINE_SECOND);
}

static void *hold_a_group(void *arg)
{
    bine_group group;
    bine_group_open(&group, BINE_GROUP_ALL);
    bine_group_spawn(&group, clean_up_slowly, NULL);
    expect_fails(bine_group_wait(&group, NULL), ECANCELED);
    ended++;
    return arg;
}

VIRTUAL_TEST(cancelling_the_opener_cancels_the_children_and_waits_for_them)
{
    bine_ns begin = bine_now();
    bine_task *task = bine_spawn(hold_a_group, NULL);
    expect_ok(bine_yield());
    expect_ok(bine_stop(task, NULL));
    expect_int(ended, ==, 2);
    expect_int(bine_now() - begin, ==, BINE_SECOND);
}

VIRTUAL_TEST(groups_nest)
{
    bine_group outer;
    bine_group_open(&outer, BINE_GROUP_ALL);
    bine_group_spawn(&outer, hold_a_group, NULL);
    bine_group_spawn(&outer, fail_later, (void *)EIO);
    expect_fails(bine_group_wait(&outer, NULL), EIO);
    expect_int(ended, ==, 3);
}

VIRTUAL_TEST(admit_bounds_how_many_run)
{
    bine_group group;
    bine_ns begin = bine_now();
    bine_group_open(&group, BINE_GROUP_ALL);
    for (int i = 0; i < 10; i++) {
        expect_ok(bine_group_admit(&group, 3));
        expect_uint(bine_group_running(&group), <, 3);
        bine_group_spawn(&group, sleep_for, as_arg(BINE_SECOND));
    }
    expect_ok(bine_group_wait(&group, NULL));
    expect_int(ended, ==, 10);
    expect_int(bine_now() - begin, ==, 4 * BINE_SECOND);
}

/* ---- The block ----------------------------------------------------------------------------------------- */

VIRTUAL_TEST(a_block_left_by_its_end_or_continue_waits)
{
    for (int i = 0; i < 2; i++) {
        bine_ns begin = bine_now();
        BINE_GROUP(group, BINE_GROUP_ALL) {
            bine_group_spawn(&group, sleep_for, as_arg(BINE_SECOND));
            if (i == 1)
                continue;
            expect(bine_group_running(&group) == 1);
        }
        expect_int(bine_now() - begin, ==, BINE_SECOND);
    }
    expect_int(ended, ==, 2);
}

static int return_from_a_block(void)
{
    BINE_GROUP(group, BINE_GROUP_ALL) {
        bine_group_spawn(&group, sleep_for, as_arg(BINE_MINUTE));
        errno = EXDEV;
        return 7;
    }
    return 0;
}

VIRTUAL_TEST(a_block_left_by_break_return_or_goto_cancels_and_waits)
{
    bine_ns begin = bine_now();
    BINE_GROUP(group, BINE_GROUP_ALL) {
        bine_group_spawn(&group, sleep_for, as_arg(BINE_MINUTE));
        break;
    }
    expect_int(ended, ==, 1);
    expect_int(return_from_a_block(), ==, 7);
    expect_int(errno, ==, EXDEV);
    expect_int(ended, ==, 2);
    BINE_GROUP(group, BINE_GROUP_ALL) {
        BINE_GROUP(nested, BINE_GROUP_ALL) {
            bine_group_spawn(&nested, sleep_for, as_arg(BINE_MINUTE));
            bine_group_spawn(&group, sleep_for, as_arg(BINE_MINUTE));
            goto out;
        }
    }
out:
    expect_int(ended, ==, 4);
    expect_int(bine_now(), ==, begin);
}

VIRTUAL_TEST(a_failure_in_a_block_that_nobody_asks_for_is_reported)
{
    reports_catch();
    BINE_GROUP(group, BINE_GROUP_ALL)
        bine_group_spawn(&group, fail_with, (void *)EIO);
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 1);
    reports_clear();
    BINE_GROUP(group, BINE_GROUP_ALL) {
        bine_group_spawn(&group, fail_with, (void *)EIO);
        expect_fails(bine_group_wait(&group, NULL), EIO);
    }
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 0);
}

/* ---- Misuse -------------------------------------------------------------------------------------------- */

static bine_group shared;

static void *misuse_anothers_group(void *arg)
{
    expect_fails(bine_group_wait(&shared, NULL), EPERM);
    expect_fails(bine_group_admit(&shared, 1), EPERM);
    expect(bine_group_spawn(&shared, end_well, NULL) != NULL); /* a sibling is fine */
    return arg;
}

VIRTUAL_TEST(misuse_is_told)
{
    bine_group_open(&shared, 17);
    expect_int(errno, ==, EINVAL);
    expect_null(bine_group_spawn(&shared, end_well, NULL), EPERM);
    expect_null(bine_group_spawn(NULL, end_well, NULL), EINVAL);
    expect_fails(bine_group_wait(NULL, NULL), EINVAL);
    bine_group_open(&shared, BINE_GROUP_ALL);
    errno = 0;
    bine_group_open(&shared, BINE_GROUP_ALL); /* is open: stays as it is */
    expect_int(errno, ==, EINVAL);
    bine_task *child = bine_group_spawn(&shared, misuse_anothers_group, NULL);
    expect_fails(bine_join(child, NULL), EINVAL);
    expect_fails(bine_stop(child, NULL), EINVAL);
    expect_fails(bine_detach(child), EINVAL);
    expect_fails(bine_group_admit(&shared, 0), EINVAL);
    bine_scope scope;
    bine_scope_open(&scope, BINE_FOREVER);
    expect_fails(bine_group_wait(&shared, NULL), EINVAL); /* not the innermost */
    bine_scope_close(&scope);
    expect_ok(bine_group_wait(&shared, NULL));
    expect_int(ended, ==, 1);
    expect_null(bine_group_spawn(&shared, end_well, NULL), EPERM); /* it is over */
    expect_fails(bine_group_admit(&shared, 1), EINVAL);
    expect_fails(bine_group_wait(&shared, NULL), EINVAL);
}

START_TEST(outside_a_loop_a_group_stays_shut)
{
    bine_group group;
    bine_group_open(&group, BINE_GROUP_ALL);
    expect_int(errno, ==, EPERM);
    expect_null(bine_group_spawn(&group, end_well, NULL), EPERM);
    expect_fails(bine_group_wait(&group, NULL), EPERM);
    bine_result out[1];
    bine_fn *fn[] = {end_well};
    expect_fails(bine_gather(1, fn, NULL, out), EPERM);
}
END_TEST

/* ---- Gather and map ------------------------------------------------------------------------------------ */

VIRTUAL_TEST(gather_gives_each_result_in_its_place)
{
    bine_fn *fn[] = {sleep_for, end_well, sleep_for};
    void *arg[] = {as_arg(2 * BINE_SECOND), &ended, as_arg(BINE_SECOND)};
    bine_result out[3];
    bine_ns begin = bine_now();
    expect_ok(bine_gather(3, fn, arg, out));
    for (int i = 0; i < 3; i++) {
        expect_ptr(out[i].value, ==, arg[i]);
        expect_int(out[i].error, ==, 0);
    }
    expect_int(bine_now() - begin, ==, 2 * BINE_SECOND);
    expect_ok(bine_gather(0, NULL, NULL, NULL));
}

VIRTUAL_TEST(gather_lets_all_end_and_says_the_first_failure)
{
    bine_fn *fn[] = {fail_later, fail_with, sleep_for};
    void *arg[] = {(void *)EIO, (void *)ENOENT, as_arg(2 * BINE_SECOND)};
    bine_result out[3];
    expect_fails(bine_gather(3, fn, arg, out), ENOENT);
    expect_int(out[0].error, ==, EIO);
    expect_int(out[1].error, ==, ENOENT);
    expect_ptr(out[2].value, ==, arg[2]);
    expect_fails(bine_gather(1, NULL, NULL, out), EINVAL);
}

VIRTUAL_TEST(a_gather_that_is_cut_short_has_ended_all)
{
    bine_fn *fn[] = {sleep_for, sleep_for};
    void *arg[] = {as_arg(BINE_MS), as_arg(BINE_MINUTE)};
    bine_result out[2];
    BINE_TIMEOUT(BINE_SECOND) expect_fails(bine_gather(2, fn, arg, out), ETIMEDOUT);
    expect_int(ended, ==, 2);
    expect_ptr(out[0].value, ==, arg[0]);
    expect_int(out[1].error, ==, ECANCELED);
}

VIRTUAL_TEST(a_failure_before_a_gather_was_cut_short_is_what_it_says)
{
    bine_fn *fn[] = {fail_with, sleep_for};
    void *arg[] = {(void *)EIO, as_arg(BINE_MINUTE)};
    bine_result out[2];
    BINE_TIMEOUT(BINE_SECOND) expect_fails(bine_gather(2, fn, arg, out), EIO);
    expect_int(out[1].error, ==, ECANCELED);
    BINE_TIMEOUT(BINE_SECOND) expect_fails(bine_map(2, sleep_for, (void *[]){arg[1], arg[1]}, 1, out), ETIMEDOUT);
}

VIRTUAL_TEST(map_runs_at_most_limit_at_once)
{
    void *arg[10];
    bine_result out[10];
    bine_ns begin = bine_now();
    for (int i = 0; i < 10; i++)
        arg[i] = as_arg(BINE_SECOND);
    expect_ok(bine_map(10, sleep_for, arg, 4, out));
    expect_int(bine_now() - begin, ==, 3 * BINE_SECOND);
    expect_ok(bine_map(10, sleep_for, arg, 0, out));
    expect_int(bine_now() - begin, ==, 4 * BINE_SECOND);
    expect_int(ended, ==, 20);
    expect_fails(bine_map(1, NULL, arg, 1, out), EINVAL);
}

VIRTUAL_TEST(a_map_cut_short_marks_what_never_began)
{
    void *arg[6];
    bine_result out[6];
    for (int i = 0; i < 6; i++)
        arg[i] = as_arg(2 * BINE_SECOND);
    BINE_TIMEOUT(3 * BINE_SECOND) expect_fails(bine_map(6, sleep_for, arg, 2, out), ETIMEDOUT);
    expect_int(ended, ==, 4);
    expect_ptr(out[0].value, ==, arg[0]);
    expect_int(out[2].error, ==, ECANCELED);
    expect_int(out[5].error, ==, ECANCELED);
}

SUPPORT_MAIN("group", a_group_waits_for_every_child, an_empty_group_does_not_wait,
             a_loop_of_empty_groups_starves_nobody,
             the_first_failure_cancels_the_rest_and_is_what_the_wait_says, a_failing_child_cancels_the_body,
             later_failures_go_to_the_report_hook, any_ends_with_the_first_success,
             any_without_a_success_fails_with_the_first_failure,
             values_that_nobody_takes_go_to_the_drop_function, cancelled_by_hand_it_ends_with_ECANCELED,
             an_outer_deadline_ends_the_children_and_is_the_reason,
             cancelling_the_opener_cancels_the_children_and_waits_for_them, groups_nest,
             admit_bounds_how_many_run, a_block_left_by_its_end_or_continue_waits,
             a_block_left_by_break_return_or_goto_cancels_and_waits,
             a_failure_in_a_block_that_nobody_asks_for_is_reported, misuse_is_told,
             outside_a_loop_a_group_stays_shut, gather_gives_each_result_in_its_place,
             gather_lets_all_end_and_says_the_first_failure, a_gather_that_is_cut_short_has_ended_all,
             a_failure_before_a_gather_was_cut_short_is_what_it_says,
             map_runs_at_most_limit_at_once, a_map_cut_short_marks_what_never_began)
