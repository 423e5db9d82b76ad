/* SPDX-License-Identifier: MIT
 *
 * Scopes: deadlines, cancellation, shields, blocks, and who wins when reasons race. */
#include "support/support.h"
#include "support/tasks.h"
#include "support/trace.h"

/* ---- Firing -------------------------------------------------------------------------------------------- */

VIRTUAL_TEST(a_deadline_ends_the_wait_at_its_time)
{
    bine_scope scope;
    bine_ns begin = bine_now();
    bine_scope_open(&scope, BINE_SECOND);
    expect(!bine_scope_fired(&scope));
    expect_int(bine_deadline(), ==, begin + BINE_SECOND);
    expect_fails(bine_sleep(BINE_MINUTE), ETIMEDOUT);
    expect_int(bine_now() - begin, ==, BINE_SECOND);
    expect(bine_scope_fired(&scope));
    expect_int(bine_scope_close(&scope), ==, 1);
    expect(bine_scope_fired(&scope)); /* also after it was closed */
    expect_int(bine_deadline(), ==, BINE_FOREVER);
    expect_ok(bine_sleep(BINE_SECOND));
}

VIRTUAL_TEST(a_scope_that_did_not_fire_closes_with_zero)
{
    bine_scope scope;
    bine_scope_open(&scope, BINE_SECOND);
    expect_ok(bine_sleep(BINE_SECOND - 1));
    expect_int(bine_cancelled(), ==, 0);
    expect_int(bine_scope_close(&scope), ==, 0);
    expect(!bine_scope_fired(&scope));
    expect_ok(bine_sleep(BINE_MINUTE)); /* and never fires later */
}

VIRTUAL_TEST(once_fired_every_call_fails_until_it_is_left)
{
    bine_scope scope;
    bine_scope_open(&scope, BINE_MS);
    expect_fails(bine_sleep(BINE_SECOND), ETIMEDOUT);
    for (int i = 0; i < 100; i++) {
        expect_fails(bine_yield(), ETIMEDOUT);
        expect_fails(bine_sleep(0), ETIMEDOUT);
        expect_fails(bine_park(), ETIMEDOUT);
        expect_int(bine_cancelled(), ==, ETIMEDOUT);
    }
    expect_int(bine_scope_close(&scope), ==, 1);
    expect_ok(bine_yield());
}

VIRTUAL_TEST(zero_and_negative_timeouts_fire_at_once)
{
    static const bine_ns timeouts[] = {0, -1, -BINE_SECOND, INT64_MIN};
    bine_ns begin = bine_now();
    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
        bine_scope scope;
        bine_scope_open(&scope, timeouts[i]);
        expect_int(bine_cancelled(), ==, ETIMEDOUT);
        expect(!bine_scope_fired(&scope)); /* no call has failed yet */
        expect_fails(bine_yield(), ETIMEDOUT);
        expect_int(bine_scope_close(&scope), ==, 1);
        bine_scope_open_at(&scope, timeouts[i]);
        expect_fails(bine_sleep(1), ETIMEDOUT);
        expect_int(bine_scope_close(&scope), ==, 1);
    }
    expect_int(bine_now(), ==, begin);
}

/* Whose distance from now is more than 64 bits hold. */
LOOP_TEST(deadlines_before_all_time_have_passed)
{
    static const bine_ns deadlines[] = {INT64_MIN, INT64_MIN + 1, -BINE_FOREVER / 2, 0};
    for (size_t i = 0; i < sizeof deadlines / sizeof deadlines[0]; i++) {
        bine_scope scope;
        bine_scope_open_at(&scope, deadlines[i]);
        expect_int(bine_cancelled(), ==, ETIMEDOUT);
        expect_fails(bine_yield(), ETIMEDOUT);
        expect_int(bine_scope_close(&scope), ==, 1);
    }
}

VIRTUAL_TEST(huge_timeouts_saturate)
{
    bine_scope scope;
    bine_scope_open(&scope, BINE_FOREVER - 1);
    expect_int(bine_deadline(), >=, BINE_FOREVER - 1);
    expect_ok(bine_sleep(1000 * BINE_MINUTE));
    expect_int(bine_scope_close(&scope), ==, 0);
    bine_scope_open_at(&scope, BINE_FOREVER);
    expect_int(bine_deadline(), ==, BINE_FOREVER);
    expect_int(bine_scope_close(&scope), ==, 0);
}

VIRTUAL_TEST(a_scope_whose_deadline_passed_unnoticed_has_not_fired)
{
    bine_scope scope;
    bine_scope_open(&scope, 0);
    expect_int(bine_cancelled(), ==, ETIMEDOUT);
    expect_int(bine_scope_close(&scope), ==, 0);
    expect(!bine_scope_fired(&scope));
}

LOOP_TEST(a_deadline_is_seen_by_a_task_that_did_not_yield_while_it_passed)
{
    bine_scope scope;
    for (int parks = 0; parks < 2; parks++) {
        bine_scope_open(&scope, 2 * BINE_MS);
        bine_ns until = bine_now() + 3 * BINE_MS;
        while (bine_now() < until)
            ;
        expect_int(bine_cancelled(), ==, ETIMEDOUT);
        expect_fails(parks ? bine_sleep(BINE_MINUTE) : bine_yield(), ETIMEDOUT);
        expect_int(bine_scope_close(&scope), ==, 1);
    }
}

/* ---- Nesting ------------------------------------------------------------------------------------------- */

VIRTUAL_TEST(the_nearest_deadline_holds)
{
    bine_ns begin = bine_now();
    BINE_TIMEOUT(5 * BINE_SECOND) {
        expect_int(bine_deadline(), ==, begin + 5 * BINE_SECOND);
        BINE_TIMEOUT(2 * BINE_SECOND) {
            expect_int(bine_deadline(), ==, begin + 2 * BINE_SECOND);
            BINE_TIMEOUT(9 * BINE_SECOND)
                expect_int(bine_deadline(), ==, begin + 2 * BINE_SECOND);
            expect_fails(bine_sleep(BINE_FOREVER), ETIMEDOUT);
            expect_int(bine_now() - begin, ==, 2 * BINE_SECOND);
        }
        expect_ok(bine_sleep(BINE_SECOND)); /* the outer one has not fired */
        expect_fails(bine_sleep(BINE_FOREVER), ETIMEDOUT);
        expect_int(bine_now() - begin, ==, 5 * BINE_SECOND);
    }
}

VIRTUAL_TEST(a_failure_is_put_down_to_the_outermost_scope_that_fired)
{
    bine_scope outer, middle, inner;
    bine_scope_open(&outer, BINE_SECOND);
    bine_scope_open(&middle, BINE_FOREVER);
    bine_scope_open(&inner, BINE_SECOND);
    expect_fails(bine_sleep(BINE_MINUTE), ETIMEDOUT);
    expect_fails(bine_yield(), ETIMEDOUT);
    expect(bine_scope_fired(&outer));
    expect(!bine_scope_fired(&middle));
    expect(!bine_scope_fired(&inner));
    expect_int(bine_scope_close(&inner), ==, 0);
    expect_int(bine_scope_close(&middle), ==, 0);
    expect_int(bine_scope_close(&outer), ==, 1);
}

VIRTUAL_TEST(an_inner_scope_that_fired_first_keeps_its_own_failures)
{
    bine_scope outer, inner;
    bine_scope_open(&outer, 2 * BINE_SECOND);
    bine_scope_open(&inner, BINE_SECOND);
    expect_fails(bine_sleep(BINE_MINUTE), ETIMEDOUT);
    expect(bine_scope_fired(&inner));
    expect(!bine_scope_fired(&outer));
    expect_int(bine_scope_close(&inner), ==, 1);
    expect_fails(bine_sleep(BINE_MINUTE), ETIMEDOUT);
    expect_int(bine_scope_close(&outer), ==, 1);
}

VIRTUAL_TEST(ten_thousand_scopes_nest)
{
    enum { DEPTH = 10000 };
    bine_scope *scopes = calloc(DEPTH, sizeof *scopes);
    bine_ns begin = bine_now();
    for (int i = 0; i < DEPTH; i++)
        bine_scope_open(&scopes[i], BINE_SECOND * (DEPTH - i));
    expect_int(bine_deadline(), ==, begin + BINE_SECOND);
    expect_fails(bine_sleep(BINE_FOREVER), ETIMEDOUT);
    bine_scope_cancel(&scopes[DEPTH / 2]);
    int fired = 0;
    for (int i = DEPTH - 1; i >= 0; i--) {
        expect_int(bine_yield(), ==, i >= DEPTH / 2 ? -1 : 0);
        fired += bine_scope_close(&scopes[i]);
    }
    expect_int(fired, ==, 2); /* the innermost by time, then the cancelled one */
    expect_ok(bine_yield());
    free(scopes);
}

/* ---- Cancelling ---------------------------------------------------------------------------------------- */

static void *cancel_scope(void *arg)
{
    bine_scope_cancel(arg);
    note('c');
    return NULL;
}

VIRTUAL_TEST(another_task_may_cancel_a_scope)
{
    bine_scope scope;
    bine_scope_open(&scope, BINE_FOREVER);
    bine_task *task = bine_spawn(cancel_scope, &scope);
    expect_fails(bine_sleep(BINE_FOREVER), ECANCELED);
    expect_int(bine_cancelled(), ==, ECANCELED);
    expect_fails(bine_yield(), ECANCELED);
    expect_int(bine_scope_close(&scope), ==, 1);
    join(task);
}

VIRTUAL_TEST(cancellation_raises_a_deadline_and_is_not_undone)
{
    bine_scope scope;
    bine_scope_open(&scope, 0);
    expect_int(bine_cancelled(), ==, ETIMEDOUT);
    bine_scope_cancel(&scope);
    expect_int(bine_cancelled(), ==, ECANCELED);
    bine_scope_extend(&scope, BINE_MINUTE);
    expect_fails(bine_yield(), ECANCELED);
    expect_int(bine_scope_close(&scope), ==, 1);
    bine_scope_cancel(&scope); /* closed: nothing happens */
    expect_ok(bine_yield());
}

static void *park_until_cancelled(void *arg)
{
    (void)arg;
    BINE_TIMEOUT(BINE_MINUTE) {
        expect_fails(bine_park(), ECANCELED);
        BINE_TIMEOUT(BINE_MINUTE)
            expect_fails(bine_sleep(1), ECANCELED);
    }
    expect_int(bine_cancelled(), ==, ECANCELED);
    return NULL;
}

VIRTUAL_TEST(bine_cancel_cancels_outside_of_every_scope)
{
    bine_task *task = bine_spawn(park_until_cancelled, NULL);
    bine_yield();
    bine_cancel(task);
    join(task);
}

/* ---- Shields ------------------------------------------------------------------------------------------- */

static void *shielded(void *arg)
{
    (void)arg;
    bine_ns begin = bine_now();
    BINE_TIMEOUT(BINE_SECOND) {
        BINE_SHIELD {
            expect_int(bine_deadline(), ==, BINE_FOREVER);
            expect_ok(bine_sleep(5 * BINE_SECOND));
            expect_int(bine_cancelled(), ==, 0);
            BINE_TIMEOUT(BINE_SECOND) /* its own deadlines work */
                expect_fails(bine_sleep(BINE_MINUTE), ETIMEDOUT);
        }
        expect_int(bine_now() - begin, ==, 6 * BINE_SECOND);
        expect_int(bine_cancelled(), ==, ECANCELED);
        expect_fails(bine_yield(), ECANCELED);
    }
    expect_fails(bine_yield(), ECANCELED);
    return NULL;
}

VIRTUAL_TEST(a_shield_holds_outer_cancellation_and_deadlines_off)
{
    bine_task *task = bine_spawn(shielded, NULL);
    bine_sleep(2 * BINE_SECOND);
    bine_cancel(task);
    join(task);
}

VIRTUAL_TEST(a_shield_inside_a_fired_scope_lets_calls_work_again)
{
    BINE_TIMEOUT(0) {
        expect_fails(bine_yield(), ETIMEDOUT);
        BINE_SHIELD
            expect_ok(bine_sleep(BINE_SECOND));
        expect_fails(bine_yield(), ETIMEDOUT);
    }
}

VIRTUAL_TEST(shield_for_ends_at_its_own_time)
{
    bine_ns begin = bine_now();
    BINE_TIMEOUT(0) {
        BINE_SHIELD_FOR(3 * BINE_SECOND) {
            expect_int(bine_deadline(), ==, begin + 3 * BINE_SECOND);
            expect_fails(bine_sleep(BINE_MINUTE), ETIMEDOUT);
        }
        expect_int(bine_now() - begin, ==, 3 * BINE_SECOND);
    }
}

VIRTUAL_TEST(a_shield_itself_can_be_cancelled)
{
    bine_scope scope;
    bine_scope_open_shield(&scope);
    bine_task *task = bine_spawn(cancel_scope, &scope);
    expect_fails(bine_park(), ECANCELED);
    expect_int(bine_scope_close(&scope), ==, 1);
    join(task);
}

/* ---- Extending ----------------------------------------------------------------------------------------- */

VIRTUAL_TEST(extend_lengthens_and_shortens)
{
    bine_scope scope;
    bine_ns begin = bine_now();
    bine_scope_open(&scope, BINE_SECOND);
    for (int i = 0; i < 5; i++) { /* an idle timer: extended by each sign of life */
        expect_ok(bine_sleep(900 * BINE_MS));
        bine_scope_extend(&scope, BINE_SECOND);
    }
    bine_scope_extend(&scope, 100 * BINE_MS);
    expect_int(bine_deadline(), ==, begin + 4600 * BINE_MS);
    expect_fails(bine_sleep(BINE_MINUTE), ETIMEDOUT);
    expect_int(bine_now() - begin, ==, 4600 * BINE_MS);
    expect_int(bine_scope_close(&scope), ==, 1);
    bine_scope_open(&scope, BINE_FOREVER);
    bine_scope_extend(&scope, -5);
    expect_fails(bine_yield(), ETIMEDOUT);
    expect_int(bine_scope_close(&scope), ==, 1);
    bine_scope_open(&scope, BINE_SECOND);
    bine_scope_extend(&scope, BINE_FOREVER);
    expect_int(bine_deadline(), ==, BINE_FOREVER);
    expect_ok(bine_sleep(BINE_MINUTE));
    expect_int(bine_scope_close(&scope), ==, 0);
}

static void *extend_scope(void *arg)
{
    bine_scope_extend(arg, BINE_MS);
    return NULL;
}

VIRTUAL_TEST(another_task_may_extend_a_scope_under_a_waiter)
{
    bine_scope scope;
    bine_ns begin = bine_now();
    bine_scope_open(&scope, BINE_FOREVER);
    bine_task *task = bine_spawn(extend_scope, &scope);
    expect_fails(bine_sleep(BINE_FOREVER), ETIMEDOUT);
    expect_int(bine_now() - begin, ==, BINE_MS);
    bine_scope_extend(&scope, BINE_MINUTE); /* what has passed is not undone */
    expect_fails(bine_yield(), ETIMEDOUT);
    expect_int(bine_scope_close(&scope), ==, 1);
    join(task);
}

/* ---- Who wins ------------------------------------------------------------------------------------------ */

static bine_task *waiter;
static bine_scope *waiters_scope;

static void *wake_then_cancel(void *arg)
{
    (void)arg;
    bine_wake(waiter);
    bine_scope_cancel(waiters_scope);
    return NULL;
}

static void *cancel_then_wake(void *arg)
{
    (void)arg;
    bine_scope_cancel(waiters_scope);
    bine_wake(waiter);
    return NULL;
}

VIRTUAL_TEST(a_completion_delivered_first_wins_over_cancellation)
{
    bine_scope scope;
    waiter = bine_self();
    waiters_scope = &scope;
    bine_scope_open(&scope, BINE_FOREVER);
    bine_task *task = bine_spawn(wake_then_cancel, NULL);
    expect_ok(bine_park());
    expect_fails(bine_yield(), ECANCELED); /* the next one fails */
    expect_int(bine_scope_close(&scope), ==, 1);
    join(task);
}

VIRTUAL_TEST(a_completion_delivered_in_the_same_turn_wins_over_cancellation)
{
    bine_scope scope;
    waiter = bine_self();
    waiters_scope = &scope;
    bine_scope_open(&scope, BINE_FOREVER);
    bine_task *task = bine_spawn(cancel_then_wake, NULL);
    expect_ok(bine_park());
    expect_fails(bine_yield(), ECANCELED);
    bine_scope_close(&scope);
    join(task);
}

static void *sleep_then_wake(void *arg)
{
    expect_ok(bine_sleep_until(*(bine_ns *)arg));
    bine_wake(waiter);
    return NULL;
}

VIRTUAL_TEST(a_completion_in_the_turn_of_the_deadline_wins)
{
    /* The waker's timer was armed before the scope's and both are due at once: the waiter is made runnable
     * by the deadline, then woken before it has run. */
    bine_ns at = bine_now() + BINE_SECOND;
    waiter = bine_self();
    bine_task *task = bine_spawn(sleep_then_wake, &at);
    bine_yield();
    BINE_TIMEOUT(BINE_SECOND) {
        expect_ok(bine_park());
        expect_fails(bine_yield(), ETIMEDOUT);
    }
    join(task);
}

static void *cancel_at(void *arg)
{
    expect_ok(bine_sleep_until(*(bine_ns *)arg));
    bine_cancel(waiter);
    return NULL;
}

static void *wait_with_deadline(void *arg)
{
    waiter = bine_self();
    bine_scope_open_at(waiters_scope, *(bine_ns *)arg);
    expect_fails(bine_sleep(BINE_FOREVER), ECANCELED);
    expect_int(bine_scope_close(waiters_scope), ==, 0);
    return NULL;
}

VIRTUAL_TEST(a_task_made_runnable_by_a_deadline_may_be_raised_to_cancelled)
{
    bine_scope scope;
    bine_ns at = bine_now() + BINE_SECOND;
    waiters_scope = &scope;
    bine_task *canceller = bine_spawn(cancel_at, &at);
    bine_yield();
    bine_task *task = bine_spawn(wait_with_deadline, &at);
    join(task);
    join(canceller);
}

/* ---- Blocks -------------------------------------------------------------------------------------------- */

static int leave_by_return(void)
{
    BINE_TIMEOUT(BINE_SECOND) {
        errno = ENOTTY;
        return 5;
    }
    return 6;
}

static bine_ns leave_in_every_way(bine_scope *scope)
{
    BINE_TIMEOUT(BINE_SECOND)
        break;
    expect_int(bine_deadline(), ==, BINE_FOREVER);
    BINE_TIMEOUT(BINE_SECOND)
        continue;
    expect_int(bine_deadline(), ==, BINE_FOREVER);
    BINE_SHIELD
        BINE_TIMEOUT(BINE_SECOND)
            BINE_SCOPE(scope, 2 * BINE_SECOND)
                goto out;
out:
    expect_int(bine_deadline(), ==, BINE_FOREVER);
    int rounds = 0;
    for (int i = 0; i < 3; i++) {
        rounds++;
        BINE_TIMEOUT(BINE_SECOND)
            break; /* of the block, not of the loop */
    }
    expect_int(rounds, ==, 3);
    return bine_deadline();
}

VIRTUAL_TEST(blocks_are_left_by_any_way_out_and_keep_errno)
{
    bine_scope scope;
    expect_int(leave_by_return(), ==, 5);
    expect_int(errno, ==, ENOTTY);
    expect_int(bine_deadline(), ==, BINE_FOREVER);
    expect_int(leave_in_every_way(&scope), ==, BINE_FOREVER);
    expect(!bine_scope_fired(&scope));
    int result = 0;
    BINE_SCOPE(&scope, BINE_MS)
        result = bine_sleep(BINE_SECOND);
    expect_int(errno, ==, ETIMEDOUT);
    expect_int(result, ==, -1);
    expect(bine_scope_fired(&scope));
}

VIRTUAL_TEST(a_scope_block_without_a_scope_has_its_own)
{
    int result = 0;
    BINE_SCOPE(NULL, BINE_MS)
        result = bine_sleep(BINE_SECOND);
    expect_int(errno, ==, ETIMEDOUT);
    expect_int(result, ==, -1);
    expect_int(bine_deadline(), ==, BINE_FOREVER);
}

/* ---- Errors that are ignored --------------------------------------------------------------------------- */

static bool done;

static void *count_to_a_thousand(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++)
        bine_yield();
    done = true;
    return NULL;
}

LOOP_TEST(a_loop_that_ignores_its_errors_cannot_stop_the_others)
{
    reports_catch(); /* BINE_DEBUG may be set */
    bine_task *task = bine_spawn(count_to_a_thousand, NULL);
    BINE_TIMEOUT(-1) {
        while (!done)
            (void)bine_sleep(BINE_SECOND);
    }
    join(task);
    done = false;
    task = bine_spawn(count_to_a_thousand, NULL);
    BINE_TIMEOUT(-1) {
        while (!done)
            (void)bine_join(task, NULL);
    }
    join(task);
}

LOOP_TEST(bine_cancelled_keeps_errno)
{
    BINE_TIMEOUT(-1) {
        errno = EXDEV;
        expect_int(bine_cancelled(), ==, ETIMEDOUT);
        expect_int(errno, ==, EXDEV);
    }
    expect_int(errno, ==, EXDEV);
}

SUPPORT_MAIN("scope", a_deadline_ends_the_wait_at_its_time, a_scope_that_did_not_fire_closes_with_zero,
             once_fired_every_call_fails_until_it_is_left, zero_and_negative_timeouts_fire_at_once,
             deadlines_before_all_time_have_passed, huge_timeouts_saturate,
             a_scope_whose_deadline_passed_unnoticed_has_not_fired,
             a_deadline_is_seen_by_a_task_that_did_not_yield_while_it_passed, the_nearest_deadline_holds,
             a_failure_is_put_down_to_the_outermost_scope_that_fired,
             an_inner_scope_that_fired_first_keeps_its_own_failures, ten_thousand_scopes_nest,
             another_task_may_cancel_a_scope, cancellation_raises_a_deadline_and_is_not_undone,
             bine_cancel_cancels_outside_of_every_scope,
             a_shield_holds_outer_cancellation_and_deadlines_off,
             a_shield_inside_a_fired_scope_lets_calls_work_again, shield_for_ends_at_its_own_time,
             a_shield_itself_can_be_cancelled, extend_lengthens_and_shortens,
             another_task_may_extend_a_scope_under_a_waiter,
             a_completion_delivered_first_wins_over_cancellation,
             a_completion_delivered_in_the_same_turn_wins_over_cancellation,
             a_completion_in_the_turn_of_the_deadline_wins,
             a_task_made_runnable_by_a_deadline_may_be_raised_to_cancelled,
             blocks_are_left_by_any_way_out_and_keep_errno, a_scope_block_without_a_scope_has_its_own,
             a_loop_that_ignores_its_errors_cannot_stop_the_others, bine_cancelled_keeps_errno)
