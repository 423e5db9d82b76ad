/* SPDX-License-Identifier: MIT
 *
 * Task locals: each task's own values, and the destructors that they meet at its end. */
#include <bine/context.h>

#include "support/fault.h"
#include "support/support.h"
#include "support/tasks.h"
#include "support/trace.h"

static bine_key *first, *second, *third;
static int something;

static void destroy(void *value)
{
    note(*(const char *)value);
}

static void *set_locals(void *arg)
{
    expect_ptr(bine_local_get(first), ==, NULL);
    expect_ok(bine_local_set(second, "2"));
    expect_ok(bine_local_set(first, "1"));
    expect_ok(bine_local_set(third, "3"));
    expect_ok(bine_yield());
    expect_str(bine_local_get(first), "1");
    expect_ok(bine_local_set(third, arg));
    return NULL;
}

static void make_keys(void)
{
    trace[0] = '\0';
    first = bine_key_new(destroy);
    second = bine_key_new(NULL);
    third = bine_key_new(destroy);
}

static void free_keys(void)
{
    bine_key_free(first);
    bine_key_free(second);
    bine_key_free(third);
    bine_key_free(NULL);
}

VIRTUAL_TEST(locals_are_a_tasks_own_and_destroyed_at_its_end_youngest_key_first)
{
    make_keys();
    expect_ok(bine_local_set(first, "m"));
    bine_task *task = bine_spawn(set_locals, "4");
    expect_ok(bine_yield());
    expect_str(bine_local_get(first), "m");
    expect_ptr(bine_local_get(third), ==, NULL);
    join_value(task);
    expect_str(trace, "41");
    join_value(bine_spawn(set_locals, NULL)); /* NULL is not destroyed */
    expect_str(trace, "411");
    expect_ok(bine_local_set(first, NULL));
    free_keys();
}

static void *set_first(void *value)
{
    expect_ok(bine_local_set(first, value));
    return value;
}

static void *spawn_and_free(void *arg)
{
    expect_ok(bine_local_set(first, arg));
    bine_key_free(first);
    first = bine_key_new(destroy); /* has the slot of the former */
    expect_ptr(bine_local_get(first), ==, NULL);
    return NULL;
}

VIRTUAL_TEST(the_values_of_a_freed_key_are_left_alone)
{
    make_keys();
    join_value(bine_spawn(spawn_and_free, "x"));
    expect_str(trace, "");
    join_value(bine_spawn(set_first, "y"));
    expect_str(trace, "y");
    free_keys();
}

static void set_again(void *value)
{
    note(*(const char *)value);
    expect_ok(bine_sleep(BINE_MS)); /* it is still the task that runs */
    expect_ok(bine_local_set(first, value));
    expect_ok(bine_local_set(third, value));
}

VIRTUAL_TEST(destructors_may_yield_and_set_values_but_not_for_ever)
{
    make_keys();
    bine_key_free(first);
    first = bine_key_new(set_again);
    join_value(bine_spawn(set_first, "a"));
    expect_int(trace[0], ==, 'a');
    expect_uint(strlen(trace), <=, 8); /* two keys, four rounds */
    expect_uint(strlen(trace), >=, 4);
    free_keys();
}

static void set_in_callback(void *key)
{
    expect_fails(bine_local_set(key, &something), EDEADLK);
    expect_ptr(bine_local_get(key), ==, NULL);
}

VIRTUAL_TEST(locals_are_only_for_tasks)
{
    make_keys();
    expect_fails(bine_local_set(NULL, &something), EINVAL);
    errno = 0;
    expect_ptr(bine_local_get(NULL), ==, NULL);
    expect_int(errno, ==, EINVAL);
    expect_ok(bine_call_soon(set_in_callback, first));
    expect_ok(bine_sleep(BINE_MS));
    free_keys();
}

START_TEST(outside_of_a_run_there_are_no_locals)
{
    bine_key *key = bine_key_new(NULL);
    expect_fails(bine_local_set(key, &something), EPERM);
    expect_ptr(bine_local_get(key), ==, NULL);
    bine_key_free(key);
}
END_TEST

VIRTUAL_TEST(out_of_memory_nothing_is_set)
{
    fault_arm(1);
    expect_null(bine_key_new(NULL), ENOMEM);
    fault_disarm();
    bine_key *key = bine_key_new(NULL);
    fault_arm(1);
    expect_fails(bine_local_set(key, &something), ENOMEM);
    fault_disarm();
    expect_ptr(bine_local_get(key), ==, NULL);
    bine_key_free(key);
}

SUPPORT_MAIN("local", locals_are_a_tasks_own_and_destroyed_at_its_end_youngest_key_first,
             the_values_of_a_freed_key_are_left_alone, destructors_may_yield_and_set_values_but_not_for_ever,
             locals_are_only_for_tasks, outside_of_a_run_there_are_no_locals, out_of_memory_nothing_is_set)
