/* SPDX-License-Identifier: MIT
 *
 * Scopes and groups that a generator's body has open: they count while it runs, and go with it from consumer to
 * consumer. */
#include <bine/gen.h>

#include <signal.h>
#include <sys/wait.h>

#include "support/generators.h"

static void *ask_next(void *gen)
{
    void *out;
    int said = bine_gen_next(gen, &out);
    return said == 1 ? out : bine_fail(said == 0 ? ENODATA : errno);
}

static void *yield_in_a_scope(bine_gen *gen, void *arg)
{
    BINE_TIMEOUT(BINE_SECOND) {
        expect_ok(bine_gen_yield(gen, number(1), NULL));
        note(bine_yield() == 0 ? "in time " : "late ");
        expect_ok(bine_gen_yield(gen, number(2), NULL));
        note(bine_yield() == 0 ? "in time " : "late ");
    }
    expect_ok(bine_yield());
    return arg;
}

VIRTUAL_TEST(a_generators_scope_holds_only_inside_it)
{
    bine_gen *gen = bine_gen_new(yield_in_a_scope, NULL);
    void *out;
    expect_int(next(gen), ==, 1);
    expect_int(bine_deadline(), ==, BINE_FOREVER);
    BINE_TIMEOUT(BINE_MINUTE) {
        expect_int(next(gen), ==, 2);
        expect_ok(bine_sleep(2 * BINE_SECOND)); /* past the generator's deadline, not past ours */
    }
    expect_int(bine_gen_next(gen, &out), ==, 0);
    expect_str(trace, "in time late ");
    expect_ok(bine_yield());
    bine_gen_free(gen);
}

VIRTUAL_TEST(many_consumers_take_a_generators_scope_with_them)
{
    bine_gen *gen = bine_gen_new(yield_in_a_scope, NULL);
    for (int i = 1; i <= 2; i++) {
        bine_result result = {NULL, -1};
        expect_ok(bine_join(bine_spawn(ask_next, gen), &result));
        expect_int((intptr_t)result.value, ==, i);
        expect_ok(bine_sleep(2 * BINE_SECOND));
    }
    void *out;
    expect_int(bine_gen_next(gen, &out), ==, 0);
    bine_gen_free(gen);
    expect_str(trace, "late late ");
}

static void *note_its_end(void *arg)
{
    int slept = bine_sleep(2 * BINE_SECOND);
    note(slept == 0 ? "done " : "cancelled ");
    return slept == 0 ? arg : bine_fail(errno);
}

static void *yield_in_a_group(bine_gen *gen, void *arg)
{
    bine_group group;
    bine_group_open(&group, BINE_GROUP_ALL);
    for (intptr_t i = 1; i <= 2; i++) {
        expect(bine_group_spawn(&group, note_its_end, arg));
        if (bine_gen_yield(gen, number(i), NULL) != 0)
            break;
    }
    return bine_group_wait(&group, NULL) == 0 ? arg : bine_fail(errno);
}

/* The group is each consumer's in turn; the first is gone when its child ends. */
VIRTUAL_TEST(many_consumers_take_a_generators_group_with_them)
{
    void *out;
    bine_result result;
    bine_gen *gen = bine_gen_new(yield_in_a_group, NULL);
    for (int i = 1; i <= 2; i++) {
        expect_ok(bine_join(bine_spawn(ask_next, gen), &result));
        expect_int((intptr_t)result.value, ==, i);
        expect_ok(bine_sleep(i == 1 ? BINE_SECOND : 0));
    }
    expect_int(bine_gen_next(gen, &out), ==, 0);
    expect_int(bine_now(), ==, 3 * BINE_SECOND);
    expect_str(trace, "done done ");
    bine_gen_free(gen);

    gen = bine_gen_new(yield_in_a_group, NULL);
    expect_ok(bine_join(bine_spawn(ask_next, gen), &result));
    bine_gen_free(gen); /* its body is told, and waits for its child all the same */
    expect_str(trace, "done done done ");
}

static void ask_twice(void *arg)
{
    expect_int(next(arg), ==, 2);
    void *out;
    expect_int(bine_gen_next(arg, &out), ==, 0);
}

static void *yield_out_of_a_scope(bine_gen *gen, void *arg)
{
    BINE_TIMEOUT(BINE_SECOND) {
        expect_ok(bine_gen_yield(gen, number(1), NULL));
        expect_fails(bine_yield(), EDEADLK);
    }
    expect_ok(bine_gen_yield(gen, number(2), NULL));
    return arg;
}

/* What was opened in a task may be closed where a callback asks for more. */
VIRTUAL_TEST(a_callback_takes_a_generators_scope_with_it)
{
    bine_gen *gen = bine_gen_new(yield_out_of_a_scope, NULL);
    reports_catch();
    expect_int(next(gen), ==, 1);
    expect_ok(bine_call_soon(ask_twice, gen));
    expect_ok(bine_yield());
    expect_ok(bine_gen_close(gen));
    expect_uint(reports_count(BINE_REPORT_MISUSE), ==, 0);
    bine_gen_free(gen);
}

static void *close_the_consumers(bine_gen *gen, void *scope)
{
    bine_scope_close(scope);
    bine_gen_yield(gen, NULL, NULL);
    return NULL;
}

static void *have_a_scope_closed(void *arg)
{
    bine_scope scope;
    bine_gen *gen = bine_gen_new(close_the_consumers, &scope);
    bine_scope_open(&scope, BINE_SECOND);
    bine_gen_next(gen, NULL);
    return arg;
}

static void run_with_a_scope_closed(void *arg)
{
    bine_run(have_a_scope_closed, arg, NULL);
}

START_TEST(a_body_that_closes_its_consumers_scope_is_a_named_abort)
{
    char text[1024];
    int status = run_child(run_with_a_scope_closed, NULL, text, sizeof text);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    expect_has(text, "'main'");
    expect_has(text, "a generator closed a scope or group of its consumer's");
}
END_TEST

SUPPORT_MAIN("gen_scope", a_generators_scope_holds_only_inside_it, many_consumers_take_a_generators_scope_with_them,
             many_consumers_take_a_generators_group_with_them, a_callback_takes_a_generators_scope_with_it,
             a_body_that_closes_its_consumers_scope_is_a_named_abort)
