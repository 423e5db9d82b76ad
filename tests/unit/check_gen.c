/* SPDX-License-Identifier: MIT
 *
 * Generators: the talk's slides with their values, send, throw, close, delegation, and use inside and outside of a
 * loop. */
#include <bine/gen.h>

#include "support/generators.h"

static int cleaned;

/* ---- The slides ---------------------------------------------------------------------------------------- */

static void *twice(bine_gen *gen, void *x)
{
    bine_gen_yield(gen, x, NULL);
    bine_gen_yield(gen, number((intptr_t)x * 2), NULL);
    return NULL;
}

static void *fib(bine_gen *gen, void *n)
{
    intptr_t a = 0, b = 1;
    for (intptr_t i = 0; i < (intptr_t)n; i++) {
        if (bine_gen_yield(gen, number(a), NULL) != 0)
            return bine_fail(errno);
        intptr_t sum = a + b;
        a = b;
        b = sum;
    }
    return number(b);
}

static void *running_sum(bine_gen *gen, void *arg)
{
    intptr_t s = 0;
    for (;;) {
        void *x;
        if (bine_gen_yield(gen, number(s), &x) != 0)
            break;
        s += (intptr_t)x;
    }
    cleaned++;
    return errno == ECANCELED ? arg : bine_fail(errno);
}

static void *count_to(bine_gen *gen, void *n)
{
    for (intptr_t i = 0; i < (intptr_t)n; i++)
        if (bine_gen_yield(gen, number(i), NULL) != 0)
            return bine_fail(errno);
    return n;
}

static void *lucas(bine_gen *gen, void *arg)
{
    intptr_t a = 2, b = 1;
    if (bine_gen_yield(gen, number(2), NULL) != 0)
        return arg;
    while (bine_gen_yield(gen, number(b), NULL) == 0) {
        intptr_t sum = a + b;
        a = b;
        b = sum;
    }
    return arg;
}

static void slides(void)
{
    void *out;
    bine_gen *gen = bine_gen_new(twice, number(10));
    expect_int(next(gen), ==, 10);
    expect_int(next(gen), ==, 20);
    expect_int(bine_gen_next(gen, &out), ==, 0);
    expect_int(bine_gen_next(gen, &out), ==, 0); /* and again */
    bine_gen_free(gen);

    intptr_t sum = 0;
    gen = bine_gen_new(fib, number(10));
    BINE_FOR_EACH(v, gen)
        sum += (intptr_t)v;
    expect_int(sum, ==, 88);
    bine_result result = {NULL, -1};
    expect_ok(bine_gen_result(gen, &result));
    expect_int((intptr_t)result.value, ==, 89);
    bine_gen_free(gen);

    gen = bine_gen_new(running_sum, NULL);
    const intptr_t in[] = {0, 1, 2, 3}, expected[] = {0, 1, 3, 6};
    for (int i = 0; i < 4; i++) {
        expect_int(bine_gen_send(gen, number(in[i]), &out), ==, 1);
        expect_int((intptr_t)out, ==, expected[i]);
    }
    expect_ok(bine_gen_close(gen));
    expect_int(cleaned, ==, 1);
    bine_gen_free(gen);

    const intptr_t first[] = {2, 1, 3, 4, 7, 11, 18, 29, 47, 76};
    int i = 0;
    gen = bine_gen_new(lucas, NULL);
    BINE_FOR_EACH(v, gen) {
        expect_int((intptr_t)v, ==, first[i]);
        if (++i == 10)
            break;
    }
    expect_ok(bine_gen_result(gen, &result)); /* left by break: it is closed */
    bine_gen_free(gen);
}

START_TEST(the_slides_hold_outside_of_a_loop)
{
    slides();
}
END_TEST

LOOP_TEST(the_slides_hold_inside_a_loop)
{
    slides();
}

/* ---- Throwing and closing ------------------------------------------------------------------------------ */

static void *catch_and_go_on(bine_gen *gen, void *arg)
{
    for (int i = 0;; i++)
        if (bine_gen_yield(gen, number(i), NULL) != 0 && errno != ENOENT)
            return arg;
}

START_TEST(what_is_thrown_fails_the_yield_and_may_be_caught)
{
    void *out;
    bine_gen *gen = bine_gen_new(catch_and_go_on, NULL);
    expect_int(next(gen), ==, 0);
    expect_int(bine_gen_throw(gen, ENOENT, &out), ==, 1);
    expect_int((intptr_t)out, ==, 1);
    expect_int(bine_gen_throw(gen, EIO, &out), ==, 0);
    bine_gen_free(gen);

    gen = bine_gen_new(running_sum, NULL);
    expect_int(next(gen), ==, 0);
    expect_fails(bine_gen_throw(gen, EIO, &out), EIO);
    expect_fails(bine_gen_next(gen, &out), EIO);
    bine_gen_free(gen);

    gen = bine_gen_new(running_sum, NULL);
    expect_fails(bine_gen_throw(gen, EIO, &out), EIO); /* never began */
    expect_int(cleaned, ==, 1);
    bine_gen_free(gen);
}
END_TEST

static void *ignore_close(bine_gen *gen, void *arg)
{
    int failed = 0;
    while (failed < 5)
        failed += bine_gen_yield(gen, arg, NULL) != 0 && errno == ECANCELED;
    cleaned = failed;
    return arg;
}

START_TEST(a_closed_generator_cannot_yield_any_more)
{
    bine_gen *gen = bine_gen_new(ignore_close, NULL);
    expect_int(next(gen), ==, 0);
    expect_ok(bine_gen_close(gen));
    expect_int(cleaned, ==, 5);
    expect_ok(bine_gen_close(gen));
    bine_gen_free(gen);
}
END_TEST

START_TEST(an_unfinished_generator_is_closed_when_freed)
{
    bine_gen *gen = bine_gen_new(running_sum, NULL);
    expect_int(next(gen), ==, 0);
    bine_gen_free(gen);
    expect_int(cleaned, ==, 1);
    bine_gen_free(bine_gen_new(running_sum, NULL)); /* never began: nothing to clean up */
    expect_int(cleaned, ==, 1);
    bine_gen_free(NULL);
}
END_TEST

/* ---- Delegation ---------------------------------------------------------------------------------------- */

static void *fetcher(bine_gen *gen, void *sub)
{
    void *result = NULL;
    if (bine_gen_from(gen, sub, &result) != 0)
        return bine_fail(errno);
    note("r");
    if (bine_gen_yield(gen, number(100), NULL) != 0)
        note("c");
    return result;
}

START_TEST(from_hands_out_what_the_other_gives_and_returns_its_result)
{
    bine_gen *sub = bine_gen_new(count_to, number(4)), *gen = bine_gen_new(fetcher, sub);
    for (int i = 0; i < 4; i++)
        expect_int(next(gen), ==, i);
    expect_fails(bine_gen_next(sub, NULL), EBUSY); /* it is another's now */
    expect_int(next(gen), ==, 100);
    void *out;
    expect_int(bine_gen_next(gen, &out), ==, 0);
    expect_int((intptr_t)out, ==, 4);
    expect_int(bine_gen_next(sub, &out), ==, 0);
    bine_gen_free(gen);
    bine_gen_free(sub);
}
END_TEST

START_TEST(what_is_sent_and_thrown_reaches_the_innermost)
{
    void *out;
    bine_gen *sub = bine_gen_new(running_sum, number(7)), *gen = bine_gen_new(fetcher, sub);
    expect_int(next(gen), ==, 0);
    expect_int(bine_gen_send(gen, number(5), &out), ==, 1);
    expect_int((intptr_t)out, ==, 5);
    expect_fails(bine_gen_throw(gen, EIO, &out), EIO);
    expect_int(cleaned, ==, 1);
    bine_gen_free(gen);
    bine_gen_free(sub);

    sub = bine_gen_new(running_sum, number(7));
    gen = bine_gen_new(fetcher, sub);
    expect_int(next(gen), ==, 0);
    bine_gen_free(gen); /* closes the inner first, and then cannot yield either */
    expect_int(cleaned, ==, 2);
    expect_str(trace, "rc");
    bine_gen_free(sub);
}
END_TEST

struct tree {
    struct tree *left, *right;
    int value;
};

static void *walk(bine_gen *gen, void *arg)
{
    struct tree *tree = arg;
    struct tree *side[2] = {tree->left, tree->right};
    for (int i = 0; i < 2; i++) {
        if (i == 1)
            bine_gen_yield(gen, tree, NULL);
        if (!side[i])
            continue;
        bine_gen *sub = bine_gen_new(walk, side[i]);
        expect_ok(bine_gen_from(gen, sub, NULL));
        bine_gen_free(sub);
    }
    return NULL;
}

enum { NODES = 200 };

static void walk_a_tree(bool chain)
{
    struct tree nodes[NODES] = {{NULL, NULL, 0}};
    for (int i = 0; i < NODES; i++) { /* in order of value from left to right */
        nodes[i].value = i;
        if (chain && i > 0)
            nodes[i].left = &nodes[i - 1];
    }
    if (!chain)
        for (int i = 0; i + 1 < NODES; i++)
            nodes[i].right = &nodes[i + 1];
    int expected = 0;
    bine_gen *gen = bine_gen_new(walk, &nodes[chain ? NODES - 1 : 0]);
    BINE_FOR_EACH(v, gen)
        expect_int(((struct tree *)v)->value, ==, expected++);
    expect_int(expected, ==, NODES);
    bine_gen_free(gen);
}

START_TEST(delegation_nests_deeply)
{
    walk_a_tree(true);
    walk_a_tree(false);
}
END_TEST

LOOP_TEST(delegation_nests_deeply_in_a_loop)
{
    walk_a_tree(true);
}

/* ---- Asynchronous generators --------------------------------------------------------------------------- */

static void *ticker(bine_gen *gen, void *n)
{
    for (intptr_t i = 0; i < (intptr_t)n; i++) {
        if (bine_sleep(BINE_SECOND) != 0)
            return bine_fail(errno);
        if (bine_gen_yield(gen, number(i), NULL) != 0)
            return bine_fail(errno);
    }
    return NULL;
}

static void *consume_ticker(void *n)
{
    intptr_t sum = 0;
    bine_gen *gen = bine_gen_new(ticker, n);
    BINE_FOR_EACH(v, gen)
        sum += (intptr_t)v;
    bine_gen_free(gen);
    return number(sum);
}

VIRTUAL_TEST(a_body_that_waits_parks_its_consumer)
{
    bine_ns begin = bine_now();
    bine_task *a = bine_spawn(consume_ticker, number(5)), *b = bine_spawn(consume_ticker, number(3));
    bine_result result;
    expect_ok(bine_join(a, &result));
    expect_int((intptr_t)result.value, ==, 10);
    expect_ok(bine_join(b, &result));
    expect_int((intptr_t)result.value, ==, 3);
    expect_int(bine_now() - begin, ==, 5 * BINE_SECOND);
}

static void *yield_for_it(void *gen)
{
    expect_fails(bine_gen_yield(gen, NULL, NULL), EPERM);
    return NULL;
}

VIRTUAL_TEST(another_task_cannot_yield_in_a_bodys_place)
{
    bine_gen *gen = bine_gen_new(ticker, number(1));
    void *out;
    bine_task *task = bine_spawn(yield_for_it, gen); /* runs while the body waits */
    expect_int(bine_gen_next(gen, &out), ==, 1);
    expect_ok(bine_join(task, NULL));
    expect_int(bine_gen_next(gen, &out), ==, 0);
    bine_gen_free(gen);
}

static void *ask_next(void *gen)
{
    void *out;
    int said = bine_gen_next(gen, &out);
    return said == 1 ? out : bine_fail(said == 0 ? ENODATA : errno);
}

VIRTUAL_TEST(a_generator_may_change_its_consumer)
{
    bine_gen *gen = bine_gen_new(ticker, number(4));
    bine_result result;
    for (int i = 0; i < 4; i++) {
        bine_task *task = bine_spawn(ask_next, gen);
        expect_ok(bine_yield());
        expect_fails(bine_gen_next(gen, NULL), EBUSY); /* while its body waits */
        expect_ok(bine_join(task, &result));
        expect_int((intptr_t)result.value, ==, i);
    }
    bine_gen_free(gen);
}

VIRTUAL_TEST(a_consumers_deadline_reaches_into_the_body)
{
    bine_gen *gen = bine_gen_new(ticker, number(4));
    void *out;
    BINE_TIMEOUT(BINE_SECOND / 2)
        expect_fails(bine_gen_next(gen, &out), ETIMEDOUT);
    bine_gen_free(gen);
}

/* ---- Misuse -------------------------------------------------------------------------------------------- */

static void *ask_itself(bine_gen *gen, void *other)
{
    expect_fails(bine_gen_next(gen, NULL), EBUSY);
    expect_fails(bine_gen_close(gen), EBUSY);
    expect_fails(bine_gen_from(gen, gen, NULL), EBUSY);
    expect_fails(bine_gen_yield(other, NULL, NULL), EPERM);
    return NULL;
}

START_TEST(misuse_is_told)
{
    bine_result result;
    void *out;
    bine_gen *other = bine_gen_new(fib, number(3)), *gen = bine_gen_new(ask_itself, other);
    expect_null(bine_gen_new(NULL, NULL), EINVAL);
    expect_fails(bine_gen_next(NULL, &out), EINVAL);
    expect_fails(bine_gen_close(NULL), EINVAL);
    expect_fails(bine_gen_yield(gen, NULL, NULL), EPERM);
    expect_fails(bine_gen_send(gen, &out, &out), EINVAL); /* has not begun */
    expect_fails(bine_gen_result(gen, &result), EAGAIN);
    expect_fails(bine_gen_throw(gen, 0, &out), EINVAL);
    expect_int(bine_gen_next(gen, &out), ==, 0);
    bine_gen_free(gen);
    bine_gen_free(other);
}
END_TEST

LOOP_TEST(a_generator_belongs_where_it_was_made)
{
    static bine_gen *gen;
    gen = bine_gen_new(fib, number(3));
    expect_int(next(gen), ==, 0);
    bine_gen_free(gen);
}

static void *end_busy(bine_gen *gen, void *arg)
{
    (void)arg;
    bine_gen_yield(gen, NULL, NULL);
    return bine_fail(EBUSY);
}

LOOP_TEST(freeing_takes_no_error_of_the_body_for_one_of_its_own)
{
    reports_catch();
    bine_gen *gen = bine_gen_new(end_busy, NULL);
    expect_int(next(gen), ==, 0);
    bine_gen_free(gen); /* or the fixture finds its stack */
    expect_int(reports_count(BINE_REPORT_MISUSE), ==, 0);
}

static bine_gen *made_outside;

static void *free_elsewhere(void *arg)
{
    bine_gen_free(made_outside);
    return arg;
}

START_TEST(freed_where_it_does_not_belong_it_stays)
{
    made_outside = bine_gen_new(running_sum, NULL);
    expect_int(next(made_outside), ==, 0);
    reports_catch();
    run_in_loop(free_elsewhere, NULL);
    expect_ptr(reports_find(BINE_REPORT_MISUSE, "where it does not belong"), !=, NULL);
    expect_int(cleaned, ==, 0);
    bine_gen_free(made_outside);
    expect_int(cleaned, ==, 1);
}
END_TEST

static uint64_t stacks_in_use(void)
{
    bine_statistics stats;
    expect_ok(bine_stats(&stats));
    return stats.stacks_mapped - stats.stacks_free;
}

/* Each way in which its page says that the stack goes back, the generator still there. */
LOOP_TEST(the_stack_goes_back_before_the_generator_is_freed)
{
    bine_gen *gen[6];
    bine_result result;
    void *out = NULL;
    const uint64_t before = stacks_in_use();
    for (int i = 0; i < 6; i++)
        gen[i] = bine_gen_new(fib, number(1));
    expect_uint(stacks_in_use(), ==, before + 6);
    expect_int(next(gen[0]), ==, 0);
    expect_int(bine_gen_next(gen[0], &out), ==, 0);
    expect_int(bine_gen_next(gen[0], &out), ==, 0); /* asked again after its end */
    expect_uint(stacks_in_use(), ==, before + 5);
    expect_int(next(gen[1]), ==, 0);
    expect_int(bine_gen_next(gen[1], &out), ==, 0);
    expect_ok(bine_gen_close(gen[1])); /* closed after its end */
    expect_uint(stacks_in_use(), ==, before + 4);
    expect_int(next(gen[2]), ==, 0);
    expect_ok(bine_gen_close(gen[2])); /* and before */
    expect_uint(stacks_in_use(), ==, before + 3);
    BINE_FOR_EACH(value, gen[3]) expect_ptr(value, ==, NULL);
    expect_uint(stacks_in_use(), ==, before + 2);
    expect_fails(bine_gen_throw(gen[4], EIO, &out), EIO); /* it had not begun */
    expect_uint(stacks_in_use(), ==, before + 1);
    bine_gen_free(gen[5]);
    expect_uint(stacks_in_use(), ==, before);
    expect_ok(bine_gen_result(gen[3], &result));
    expect_ptr(result.value, ==, number(1));
    for (int i = 0; i < 5; i++)
        bine_gen_free(gen[i]);
}

SUPPORT_MAIN("gen", the_slides_hold_outside_of_a_loop, the_slides_hold_inside_a_loop,
             what_is_thrown_fails_the_yield_and_may_be_caught, a_closed_generator_cannot_yield_any_more,
             an_unfinished_generator_is_closed_when_freed,
             from_hands_out_what_the_other_gives_and_returns_its_result,
             what_is_sent_and_thrown_reaches_the_innermost, delegation_nests_deeply,
             delegation_nests_deeply_in_a_loop, a_body_that_waits_parks_its_consumer,
             another_task_cannot_yield_in_a_bodys_place, a_generator_may_change_its_consumer,
             a_consumers_deadline_reaches_into_the_body,
             misuse_is_told, a_generator_belongs_where_it_was_made,
             freeing_takes_no_error_of_the_body_for_one_of_its_own, freed_where_it_does_not_belong_it_stays,
             the_stack_goes_back_before_the_generator_is_freed)
