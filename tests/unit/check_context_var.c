/* SPDX-License-Identifier: MIT
 *
 * Context variables: inheritance, tokens, contexts that are entered.  Task locals have their own tests. */
#include <bine/context.h>

#include <pthread.h>

#include "support/fault.h"
#include "support/support.h"
#include "support/tasks.h"

static bine_var *var, *other;
static int a, b, c, d;

static void make_vars(void)
{
    var = bine_var_new("var", &d);
    other = bine_var_new(NULL, NULL);
    expect(var && other);
}

static void free_vars(void)
{
    bine_var_free(var);
    bine_var_free(other);
}

#define VAR_TEST(name)                             \
    static void name##_with_vars(void);            \
    VIRTUAL_TEST(name)                             \
    {                                              \
        make_vars();                               \
        name##_with_vars();                        \
        free_vars();                               \
    }                                              \
    static void name##_with_vars(void)

static void *get(void *arg)
{
    return bine_var_get(arg);
}

/* ---- Variables ----------------------------------------------------------------------------------------- */

VAR_TEST(a_variable_has_its_default_until_it_is_set)
{
    expect_ptr(bine_var_get(var), ==, &d);
    expect_ptr(bine_var_get(other), ==, NULL);
    expect_str(bine_var_name(var), "var");
    expect_str(bine_var_name(other), "");
    expect_ok(bine_var_set(var, &a, NULL));
    expect_ptr(bine_var_get(var), ==, &a);
    expect_ptr(bine_var_get(other), ==, NULL);
    expect_ok(bine_var_set(var, NULL, NULL)); /* is a value, too */
    expect_ptr(bine_var_get(var), ==, NULL);
}

VAR_TEST(tokens_lead_back_in_order_and_out_of_order)
{
    bine_token first, second, third;
    expect_ok(bine_var_set(var, &a, &first));
    expect_ok(bine_var_set(var, &b, &second));
    expect_ok(bine_var_reset(var, &second));
    expect_ptr(bine_var_get(var), ==, &a);
    expect_ok(bine_var_set(var, &c, &third));
    expect_ok(bine_var_reset(var, &first)); /* as PEP 567: to what was before that set */
    expect_ptr(bine_var_get(var), ==, &d);
    expect_ok(bine_var_reset(var, &third));
    expect_ptr(bine_var_get(var), ==, &a);
}

VAR_TEST(a_token_is_good_once_for_its_variable)
{
    bine_token token;
    expect_ok(bine_var_set(var, &a, &token));
    expect_fails(bine_var_reset(other, &token), EINVAL);
    expect_ok(bine_var_reset(var, &token));
    expect_fails(bine_var_reset(var, &token), EINVAL);
    expect_fails(bine_var_reset(var, NULL), EINVAL);
    expect_fails(bine_var_reset(NULL, &token), EINVAL);
    expect_fails(bine_var_set(NULL, &a, NULL), EINVAL);
    errno = 0;
    expect_ptr(bine_var_get(NULL), ==, NULL);
    expect_int(errno, ==, EINVAL);
    errno = 0;
    expect_ptr(bine_var_name(NULL), ==, NULL);
    expect_int(errno, ==, EINVAL);
    bine_var_free(NULL);
}

static void *reset_given(void *token)
{
    expect_ptr(bine_var_get(var), ==, &a);
    expect_fails(bine_var_reset(var, token), EINVAL);
    return NULL;
}

VAR_TEST(a_token_is_good_in_its_own_context_alone)
{
    bine_token token;
    expect_ok(bine_var_set(var, &a, &token));
    join_value(bine_spawn(reset_given, &token)); /* the child's is another, though it has the same values */
    bine_context *context = bine_context_copy();
    expect_ok(bine_context_run(context, reset_given, &token, NULL));
    expect_ok(bine_context_free(context));
    expect_ok(bine_var_reset(var, &token));
}

static void *change_both(void *arg)
{
    expect_ptr(bine_var_get(var), ==, arg);
    expect_ok(bine_yield());
    expect_ptr(bine_var_get(var), ==, arg); /* the parent has set it meanwhile */
    expect_ok(bine_var_set(var, &c, NULL));
    expect_ok(bine_var_set(other, &c, NULL));
    return NULL;
}

VAR_TEST(a_child_begins_with_what_its_parent_had_when_it_was_spawned)
{
    bine_task *unset = bine_spawn(change_both, &d);
    expect_ok(bine_var_set(var, &a, NULL));
    bine_task *set = bine_spawn(change_both, &a);
    expect_ok(bine_var_set(var, &b, NULL));
    expect_ok(bine_yield());
    join_value(unset);
    join_value(set);
    expect_ptr(bine_var_get(var), ==, &b);
    expect_ptr(bine_var_get(other), ==, NULL);
}

static void *handle_request(void *name)
{
    expect_ptr(bine_var_get(var), ==, &d);
    expect_ok(bine_var_set(var, name, NULL));
    expect_ok(bine_sleep(BINE_MS));
    return get(var);
}

VAR_TEST(each_request_logs_its_own_user)
{
    static const char *const users[] = {"ann", "bob", "cy"};
    bine_task *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = bine_spawn(handle_request, (void *)users[i]);
    for (int i = 0; i < 3; i++)
        expect_str((const char *)join_value(tasks[i]), users[i]);
    expect_ptr(bine_var_get(var), ==, &d);
}

static void *set_in_body(bine_gen *gen, void *arg)
{
    expect_ok(bine_var_set(var, &a, NULL));
    expect_ok(bine_gen_yield(gen, arg, NULL));
    expect_ptr(bine_var_get(var), ==, &b);
    return NULL;
}

VAR_TEST(a_generator_and_its_consumer_share_a_context)
{
    void *value;
    bine_gen *gen = bine_gen_new(set_in_body, &c);
    expect_int(bine_gen_next(gen, &value), ==, 1);
    expect_ptr(bine_var_get(var), ==, &a);
    expect_ok(bine_var_set(var, &b, NULL));
    expect_int(bine_gen_next(gen, &value), ==, 0);
    bine_gen_free(gen);
}

/* ---- Slots --------------------------------------------------------------------------------------------- */

enum { SLOTS = 1024 };

VAR_TEST(what_a_freed_variable_was_set_to_is_never_seen_again)
{
    for (int i = 0; i < 3 * SLOTS; i++) { /* more than there can be at once: slots are used again */
        bine_var *each = bine_var_new(NULL, &d);
        if (!expect(each != NULL))
            break;
        expect_ptr(bine_var_get(each), ==, &d);
        expect_ok(bine_var_set(each, &a, NULL));
        bine_var_free(each);
    }
}

VIRTUAL_TEST(variables_and_keys_are_limited)
{
    static bine_var *vars[SLOTS];
    static bine_key *keys[SLOTS];
    int n = 0, m = 0;
    while (n < SLOTS && (vars[n] = bine_var_new("one of many", NULL)))
        n++;
    while (m < SLOTS && (keys[m] = bine_key_new(NULL)))
        m++;
    expect_int(n, ==, SLOTS);
    expect_int(m, ==, SLOTS);
    expect_null(bine_var_new(NULL, NULL), EAGAIN);
    expect_null(bine_key_new(NULL), EAGAIN);
    expect_ok(bine_var_set(vars[SLOTS - 1], &a, NULL));
    expect_ok(bine_local_set(keys[SLOTS - 1], &b));
    expect_ptr(bine_var_get(vars[SLOTS - 1]), ==, &a);
    expect_ptr(bine_var_get(vars[SLOTS - 2]), ==, NULL);
    expect_ptr(bine_local_get(keys[SLOTS - 1]), ==, &b);
    while (n-- > 0)
        bine_var_free(vars[n]);
    while (m-- > 0)
        bine_key_free(keys[m]);
}

/* ---- Contexts ------------------------------------------------------------------------------------------ */

static void *set_and_get(void *arg)
{
    void *former = bine_var_get(var);
    expect_ok(bine_var_set(var, arg, NULL));
    return former;
}

VAR_TEST(changes_stay_in_the_context_that_they_were_made_in)
{
    bine_result result;
    expect_ok(bine_var_set(var, &a, NULL));
    bine_context *context = bine_context_copy();
    expect_ok(bine_var_set(var, &b, NULL));
    expect_ok(bine_context_run(context, set_and_get, &c, &result));
    expect_ptr(result.value, ==, &a);
    expect_ptr(bine_var_get(var), ==, &b);
    expect_ok(bine_context_run(context, get, var, &result));
    expect_ptr(result.value, ==, &c); /* from the last time */
    expect_ok(bine_context_free(context));
    bine_context *empty = bine_context_new();
    expect_ok(bine_context_run(empty, get, var, &result));
    expect_ptr(result.value, ==, &d);
    expect_ok(bine_context_free(empty));
    expect_ok(bine_context_free(NULL));
}

static void *fail_with_eio(void *arg)
{
    (void)arg;
    return bine_fail(EIO);
}

static void *run_nested(void *arg)
{
    bine_context *const *contexts = arg;
    bine_result result;
    bine_token token;
    expect_fails(bine_context_run(contexts[0], get, var, NULL), EBUSY);
    expect_fails(bine_context_free(contexts[0]), EBUSY);
    expect_ok(bine_var_set(var, &a, &token));
    expect_ok(bine_context_run(contexts[1], set_and_get, &b, &result));
    expect_ptr(result.value, ==, &d);
    expect_ptr(bine_var_get(var), ==, &a);
    expect_ok(bine_var_reset(var, &token)); /* still the same context */
    expect_ptr(bine_var_get(var), ==, &d);
    return &c;
}

VAR_TEST(contexts_nest_and_are_entered_once_at_a_time)
{
    bine_context *contexts[] = {bine_context_new(), bine_context_new()};
    bine_result result;
    expect_ok(bine_context_run(contexts[0], run_nested, contexts, &result));
    expect_ptr(result.value, ==, &c);
    expect_int(result.error, ==, 0);
    expect_ok(bine_context_run(contexts[0], fail_with_eio, NULL, &result));
    expect_int(result.error, ==, EIO);
    expect_fails(bine_context_run(NULL, get, var, NULL), EINVAL);
    expect_fails(bine_context_run(contexts[0], NULL, NULL, NULL), EINVAL);
    expect_ok(bine_context_free(contexts[0]));
    expect_ok(bine_context_free(contexts[1]));
}

static void *set_and_sleep(void *arg)
{
    expect_ok(bine_var_set(var, &a, NULL));
    expect_ok(bine_sleep(BINE_MS));
    expect_ptr(bine_var_get(var), ==, &a);
    bine_task *child = bine_spawn(get, var); /* begins with the context that is entered */
    expect_ptr(join_value(child), ==, &a);
    return arg;
}

static void *enter_and_sleep(void *context)
{
    expect_ok(bine_context_run(context, set_and_sleep, NULL, NULL));
    expect_ptr(bine_var_get(var), ==, &d);
    return NULL;
}

VAR_TEST(a_context_is_entered_by_one_task_at_a_time)
{
    bine_context *context = bine_context_new();
    bine_task *task = bine_spawn(enter_and_sleep, context);
    expect_ok(bine_yield());
    expect_fails(bine_context_run(context, get, var, NULL), EBUSY);
    expect_ptr(bine_var_get(var), ==, &d); /* it is current in that task alone */
    join_value(task);
    expect_ok(bine_context_run(context, get, var, NULL));
    expect_ok(bine_context_free(context));
}

static void *yield_value(void *gen)
{
    (void)bine_gen_yield(gen, &a, NULL);
    return NULL;
}

static void *yield_inside(bine_gen *gen, void *context)
{
    bine_context_run(context, yield_value, gen, NULL);
    return NULL;
}

static void *consume_one(void *gen)
{
    bine_gen_next(gen, NULL);
    return NULL;
}

static void *leave_generator_inside(void *arg)
{
    (void)arg;
    bine_gen *gen = bine_gen_new(yield_inside, bine_context_new());
    bine_join(bine_spawn(consume_one, gen), NULL);
    return NULL;
}

static void run_leave(void *arg)
{
    bine_run(leave_generator_inside, arg, NULL);
}

START_TEST(a_task_that_ends_inside_a_context_is_named)
{
    char text[1024];
    int status = run_child(run_leave, NULL, text, sizeof text);
    expect_int(status, !=, 0);
    expect_has(text, "ended inside bine_context_run()");
}
END_TEST

/* ---- Outside of tasks ---------------------------------------------------------------------------------- */

static void *get_posted(void *arg)
{
    expect_ptr(bine_var_get(var), ==, arg);
    return NULL;
}

static void look_in_callback(void *arg)
{
    expect_ptr(bine_var_get(var), ==, arg);
    expect_fails(bine_var_set(var, &c, NULL), EDEADLK);
    bine_context *context = bine_context_new();
    expect_fails(bine_context_run(context, get, var, NULL), EDEADLK);
    expect_ok(bine_context_free(context));
}

static void *see_thread_context(void *arg)
{
    (void)arg;
    expect_ptr(bine_var_get(var), ==, &a);
    expect_ok(bine_var_set(var, &b, NULL));
    expect_ok(bine_post(bine_this_loop(), get_posted, &a));
    expect_ok(bine_call_soon(look_in_callback, &a));
    expect_ok(bine_sleep(BINE_MS));
    return NULL;
}

static void *see_default(void *arg)
{
    (void)arg;
    expect_ptr(bine_var_get(var), ==, &d);
    expect_ok(bine_var_set(var, &c, NULL));
    return NULL;
}

START_TEST(a_thread_has_a_context_that_its_run_begins_with)
{
    bine_token token;
    make_vars();
    expect_ok(bine_var_set(var, &a, &token));
    run_virtual(see_thread_context, NULL);
    expect_ptr(bine_var_get(var), ==, &a);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, see_default, NULL), 0);
    pthread_join(thread, NULL);
    expect_ptr(bine_var_get(var), ==, &a);
    bine_context *context = bine_context_copy();
    bine_result result;
    expect_ok(bine_context_run(context, set_and_get, &b, &result));
    expect_ptr(result.value, ==, &a);
    expect_ok(bine_context_free(context));
    expect_ok(bine_var_reset(var, &token));
    expect_ptr(bine_var_get(var), ==, &d);
    free_vars();
}
END_TEST

static void *run_elsewhere(void *context)
{
    bine_result result;
    expect_ok(bine_context_run(context, set_and_get, &b, &result));
    expect_ptr(result.value, ==, &a);
    return NULL;
}

VAR_TEST(a_context_may_be_handed_to_another_thread)
{
    expect_ok(bine_var_set(var, &a, NULL));
    bine_context *context = bine_context_copy();
    pthread_t thread;
    expect_int(pthread_create(&thread, NULL, run_elsewhere, context), ==, 0);
    expect_ok(bine_var_set(var, &c, NULL)); /* at the same time */
    pthread_join(thread, NULL);
    bine_result result;
    expect_ok(bine_context_run(context, get, var, &result));
    expect_ptr(result.value, ==, &b);
    expect_ptr(bine_var_get(var), ==, &c);
    expect_ok(bine_context_free(context));
}

static void *make_and_free(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        bine_var *each = bine_var_new("each", arg);
        expect_ptr(bine_var_get(each), ==, arg);
        bine_var_set(each, &each, NULL);
        bine_var_free(each);
        bine_key_free(bine_key_new(NULL));
    }
    return NULL;
}

START_TEST(variables_and_keys_are_made_in_many_threads)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_and_free, &a), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

/* ---- Out of memory ------------------------------------------------------------------------------------- */

VAR_TEST(out_of_memory_changes_nothing)
{
    bine_token token;
    fault_arm(1);
    expect_fails(bine_var_set(var, &a, &token), ENOMEM);
    fault_disarm();
    expect_ptr(bine_var_get(var), ==, &d);
    expect_ok(bine_var_set(var, &a, &token));
    bine_context *context = bine_context_copy(); /* shares what the next one has to copy */
    fault_arm(1);
    expect_fails(bine_var_reset(var, &token), ENOMEM);
    fault_disarm();
    expect_ptr(bine_var_get(var), ==, &a);
    expect_ok(bine_var_reset(var, &token)); /* is still good */
    expect_ok(bine_context_free(context));
    for (int i = 0; i < 3; i++) {
        fault_arm(1);
        switch (i) {
        case 0: expect_null(bine_var_new("x", NULL), ENOMEM); break;
        case 1: expect_null(bine_context_new(), ENOMEM); break;
        case 2: expect_null(bine_context_copy(), ENOMEM); break;
        default: break;
        }
        fault_disarm();
    }
}

SUPPORT_MAIN("context_var", a_variable_has_its_default_until_it_is_set,
             tokens_lead_back_in_order_and_out_of_order,
             a_token_is_good_once_for_its_variable, a_token_is_good_in_its_own_context_alone,
             a_child_begins_with_what_its_parent_had_when_it_was_spawned, each_request_logs_its_own_user,
             a_generator_and_its_consumer_share_a_context,
             what_a_freed_variable_was_set_to_is_never_seen_again,
             variables_and_keys_are_limited, changes_stay_in_the_context_that_they_were_made_in,
             contexts_nest_and_are_entered_once_at_a_time, a_context_is_entered_by_one_task_at_a_time,
             a_task_that_ends_inside_a_context_is_named, a_thread_has_a_context_that_its_run_begins_with,
             a_context_may_be_handed_to_another_thread, variables_and_keys_are_made_in_many_threads,
             out_of_memory_changes_nothing)
