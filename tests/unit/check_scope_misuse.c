/* SPDX-License-Identifier: MIT
 *
 * Scopes closed by others, out of order, or opened twice. */
#include "support/support.h"

static void *close_anothers(void *arg)
{
    expect_fails(bine_scope_close(arg), EPERM);
    return NULL;
}

LOOP_TEST(scopes_are_closed_by_their_task_in_their_order)
{
    bine_scope outer, inner, never;
    memset(&never, 0, sizeof never);
    expect_fails(bine_scope_close(&never), EINVAL);
    expect_fails(bine_scope_close(NULL), EINVAL);
    bine_scope_open(&outer, BINE_MINUTE);
    bine_scope_open(&inner, BINE_MINUTE);
    expect_fails(bine_scope_close(&outer), EINVAL);
    errno = 0;
    bine_scope_open(&inner, -1); /* is open: stays as it is */
    expect_int(errno, ==, EINVAL);
    bine_scope_open_shield(&outer);
    expect_ok(bine_yield());
    expect_ok(bine_join(bine_spawn(close_anothers, &inner), NULL));
    expect_int(bine_scope_close(&inner), ==, 0);
    expect_fails(bine_scope_close(&inner), EINVAL);
    expect_int(bine_scope_close(&outer), ==, 0);
    expect_fails(bine_scope_close(&outer), EINVAL);
    expect(!bine_scope_fired(NULL));
    errno = 0;
    bine_scope_open(NULL, 1);
    expect_int(errno, ==, EINVAL);
    bine_scope_open_at(NULL, 1);
    bine_scope_open_shield(NULL);
    bine_scope_cancel(NULL);
    bine_scope_extend(NULL, 1);
    expect_ok(bine_yield());
}

LOOP_TEST(a_block_that_is_left_too_early_leaves_nothing_behind)
{
    bine_scope inner;
    reports_catch();
    BINE_TIMEOUT(-1) {
        bine_scope_open(&inner, BINE_MINUTE);
        expect_fails(bine_yield(), ETIMEDOUT);
    }
    expect_uint(reports_count(BINE_REPORT_MISUSE), ==, 1);
    expect_ok(bine_yield()); /* outside of the block that had expired */
    BINE_SHIELD {
        expect_ok(bine_yield());
    }
    expect_int(bine_scope_close(&inner), ==, 0);
    expect_int(bine_deadline(), ==, BINE_FOREVER);
}

static void try_the_blocks(int expected)
{
    bine_scope scope;
    int done = 0;
    errno = 0;
    BINE_TIMEOUT(1) done += errno == expected;
    errno = 0;
    BINE_SCOPE(&scope, 1) done += errno == expected;
    errno = 0;
    BINE_SHIELD done += errno == expected;
    errno = 0;
    BINE_SHIELD_FOR(1) done += errno == expected;
    expect_int(done, ==, 4);
    expect(!bine_scope_fired(&scope));
}

static void in_a_callback(void *arg)
{
    reports_catch();
    try_the_blocks(EDEADLK);
    expect_uint(reports_count(BINE_REPORT_MISUSE), ==, 4);
    *(bool *)arg = true;
}

static void *call_back(void *arg)
{
    expect_ok(bine_call_soon(in_a_callback, arg));
    expect_ok(bine_yield());
    return NULL;
}

START_TEST(blocks_outside_of_a_task_are_executed_and_say_why_they_hold_nothing)
{
    bool called = false;
    try_the_blocks(EPERM);
    run_in_loop(call_back, &called);
    expect(called);
}
END_TEST

SUPPORT_MAIN("scope_misuse", scopes_are_closed_by_their_task_in_their_order,
             a_block_that_is_left_too_early_leaves_nothing_behind,
             blocks_outside_of_a_task_are_executed_and_say_why_they_hold_nothing)
