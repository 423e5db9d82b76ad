/* SPDX-License-Identifier: MIT
 *
 * The loop as a whole: how a run begins and ends, what other threads may do to it, what is the process's. */
#include "support/support.h"
#include "support/tasks.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

static void *fail_with(void *arg)
{
    return bine_fail((int)(intptr_t)arg);
}

/* ---- A run --------------------------------------------------------------------------------------------- */

START_TEST(run_gives_what_its_function_returned)
{
    bine_result result = {NULL, -1};
    expect_ok(bine_run(return_arg, (void *)5, &result));
    expect_ptr(result.value, ==, (void *)5);
    expect_int(result.error, ==, 0);
    expect_ok(bine_run(fail_with, (void *)EIO, &result));
    expect_ptr(result.value, ==, NULL);
    expect_int(result.error, ==, EIO);
    expect_ok(bine_run(return_arg, NULL, NULL));
}
END_TEST

START_TEST(a_failure_of_a_run_nobody_looks_at_is_reported)
{
    reports_catch();
    expect_ok(bine_run(fail_with, (void *)EIO, NULL));
    expect_uint(reports_count(BINE_REPORT_LOST_ERROR), ==, 1);
}
END_TEST

START_TEST(run_refuses_what_it_does_not_know)
{
    bine_options options = BINE_OPTIONS_INIT;
    expect_fails(bine_run(NULL, NULL, NULL), EINVAL);
    options.reactor = "abacus";
    expect_fails(bine_run_with(&options, return_arg, NULL, NULL), EINVAL);
    options.reactor = "";
    expect_fails(bine_run_with(&options, return_arg, NULL, NULL), EINVAL);
    options = (bine_options)BINE_OPTIONS_INIT;
    options.stack_size = (8u << 20) + 1;
    expect_fails(bine_run_with(&options, return_arg, NULL, NULL), EINVAL);
    options.stack_size = SIZE_MAX;
    expect_fails(bine_run_with(&options, return_arg, NULL, NULL), EINVAL);
    expect_ptr(bine_this_loop(), ==, NULL);
}
END_TEST

START_TEST(options_of_an_older_and_a_newer_caller_are_understood)
{
    struct {
        bine_options options;
        char later[16];
    } newer = {.options = BINE_OPTIONS_INIT, .later = "unknown"};
    expect_ok(bine_run_sized(&newer.options, sizeof newer, return_arg, NULL, NULL));
    newer.options.reactor = "abacus";
    expect_fails(bine_run_sized(&newer.options, sizeof newer, return_arg, NULL, NULL), EINVAL);
    newer.options.reactor = NULL;
    newer.options.grace = INT64_MIN;
    newer.options.seed = 7;
    expect_ok(bine_run_sized(&newer.options, offsetof(bine_options, seed), return_arg, NULL, NULL));
}
END_TEST

START_TEST(each_reactor_can_be_asked_for_by_name)
{
    static const char *const names[] = {"epoll", "poll"};
    for (size_t i = 0; i < 2; i++) {
        bine_options options = BINE_OPTIONS_INIT;
        options.reactor = names[i];
        expect_ok(bine_run_with(&options, return_arg, NULL, NULL));
    }
}
END_TEST

LOOP_TEST(a_run_inside_a_run_is_refused)
{
    expect_fails(bine_run(return_arg, NULL, NULL), EDEADLK);
    expect_fails(bine_run_with(NULL, return_arg, NULL, NULL), EDEADLK);
    expect_ok(bine_yield());
}

static void *stack_sizes(void *arg)
{
    bine_task *task = bine_spawn(return_arg, NULL);
    bine_task_info infos[2];
    expect_uint(bine_tasks(infos, 2), ==, 2);
    size_t least = infos[0].stack_size < infos[1].stack_size ? infos[0].stack_size : infos[1].stack_size;
    expect_uint(least, ==, *(size_t *)arg);
    bine_join(task, NULL);
    return NULL;
}

START_TEST(the_default_stack_is_the_one_of_the_options)
{
    bine_options options = BINE_OPTIONS_INIT;
    size_t expected = 128 << 10;
    options.stack_size = 100000;
    run_options(&options, stack_sizes, &expected);
    expected = 64 << 10;
    run_in_loop(stack_sizes, &expected);
}
END_TEST

static void nothing(void *arg)
{
    (void)arg;
}

START_TEST(outside_a_loop_each_call_says_so)
{
    bine_statistics statistics;
    bine_scope scope;
    bine_timer timer;
    bine_task *task = (bine_task *)(void *)&timer; /* never looked at */
    memset(&timer, 0, sizeof timer);
    expect_ptr(bine_self(), ==, NULL);
    expect_ptr(bine_this_loop(), ==, NULL);
    expect_null(bine_spawn(return_arg, NULL), EPERM);
    expect_null(bine_spawn_copy(return_arg, "x", 1), EPERM);
    expect_null(bine_spawn_with(NULL, return_arg, NULL), EPERM);
    expect_fails(bine_join(task, NULL), EPERM);
    expect_fails(bine_stop(task, NULL), EPERM);
    expect_fails(bine_detach(task), EPERM);
    expect_fails(bine_cancel(task), EPERM);
    expect_fails(bine_wake(task), EPERM);
    expect_fails(bine_task_set_name(task, "x"), EPERM);
    expect_fails(bine_yield(), EPERM);
    expect_fails(bine_sleep(0), EPERM);
    expect_fails(bine_sleep_until(0), EPERM);
    expect_fails(bine_park(), EPERM);
    expect_fails(bine_call_soon(nothing, NULL), EPERM);
    bine_timer_init(&timer, nothing, NULL);
    errno = 0;
    bine_timer_start(&timer, 0);
    expect_int(errno, ==, EPERM);
    expect_fails(bine_timer_cancel(&timer), EPERM);
    expect_uint(bine_tasks(NULL, 0), ==, 0);
    expect_fails(bine_stats(&statistics), EPERM);
    expect_fails(bine_dump(2), EPERM);
    expect_fails(bine_post(NULL, return_arg, NULL), EINVAL);
    expect_ptr(bine_loop_ref(NULL), ==, NULL);
    bine_loop_unref(NULL);
    expect_int(bine_cancelled(), ==, 0);
    expect_int(bine_deadline(), ==, BINE_FOREVER);
    errno = 0;
    bine_scope_open(&scope, BINE_SECOND);
    expect_int(errno, ==, EPERM);
    expect_fails(bine_scope_close(&scope), EPERM);
    bine_ns now = bine_now();
    expect_int(now, >, 0);
    expect_int(bine_now(), >=, now);
}
END_TEST

static void *spawn_and_yield(void *arg)
{
    bine_task *task[10];
    for (int i = 0; i < 10; i++)
        expect((task[i] = bine_spawn(return_arg, (void *)(intptr_t)i)) != NULL);
    for (int i = 0; i < 10; i++) {
        bine_result result = {NULL, -1};
        expect_ok(bine_join(task[i], &result));
        expect_ptr(result.value, ==, (void *)(intptr_t)i);
    }
    return arg;
}

START_TEST(runs_follow_each_other_and_leave_nothing)
{
    int n = support_slow() ? 50 : 300;
    long blocks = 0;
    for (int i = 0; i < n; i++) {
        run_in_loop(spawn_and_yield, NULL);
        if (i == 2)
            blocks = fixture_blocks();
    }
    expect_int(fixture_blocks(), ==, blocks);
}
END_TEST

static void *run_some(void *arg)
{
    for (int i = 0; i < 20; i++) {
        bine_result result;
        expect_ok(bine_run(spawn_and_yield, arg, &result));
        expect_ptr(result.value, ==, arg);
    }
    return NULL;
}

START_TEST(loops_run_on_several_threads_at_once)
{
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, run_some, (void *)(intptr_t)i), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
}
END_TEST

/* ---- The end of a run ---------------------------------------------------------------------------------- */

static unsigned ended, dropped;

static void *end_when_cancelled(void *arg)
{
    (void)arg;
    expect_fails(bine_sleep(BINE_FOREVER), ECANCELED);
    ended++;
    return (void *)1;
}

static void *clean_up_slowly(void *arg)
{
    (void)arg;
    expect_fails(bine_park(), ECANCELED);
    BINE_SHIELD {
        expect_ok(bine_sleep(10 * BINE_SECOND));
        bine_task *late = bine_spawn(end_when_cancelled, NULL); /* in an ending loop: starts cancelled */
        if (expect(late != NULL))
            expect_ok(bine_join(late, NULL));
    }
    ended++;
    return (void *)1;
}

static void count_drop(void *value)
{
    expect_ptr(value, ==, (void *)1);
    dropped++;
}

static void *leave_some_behind(void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.drop_result = count_drop;
    bine_spawn_with(&attr, end_when_cancelled, NULL);
    bine_spawn_with(&attr, clean_up_slowly, NULL);
    bine_yield();
    bine_spawn_with(&attr, end_when_cancelled, NULL); /* never started when the end comes */
    attr.detached = true;
    bine_spawn_with(&attr, end_when_cancelled, NULL);
    return arg;
}

START_TEST(a_grace_without_end_waits_for_all)
{
    bine_options options = BINE_OPTIONS_INIT;
    options.virtual_clock = true;
    options.grace = BINE_FOREVER;
    reports_catch();
    fixture_allow_left_tasks();
    expect_ok(bine_run_with(&options, leave_some_behind, NULL, NULL));
    expect_uint(ended, ==, 5);
}
END_TEST

START_TEST(tasks_left_behind_are_cancelled_and_awaited)
{
    reports_catch();
    fixture_allow_left_tasks();
    expect_ptr(run_virtual(leave_some_behind, (void *)9), ==, (void *)9);
    expect_uint(ended, ==, 5);
    expect_uint(dropped, ==, 4);
}
END_TEST

static void *ignore_everything(void *arg)
{
    (void)arg;
    for (;;)
        BINE_SHIELD
            bine_sleep(BINE_SECOND);
    return NULL;
}

static void say_dropped(void *value)
{
    (void)value;
    fprintf(stderr, "dropped\n");
}

/* With two who have ended and whom nobody has joined. */
static void *leave_a_stubborn_one(void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = "stubborn";
    bine_spawn_with(&attr, ignore_everything, NULL);
    attr.drop_result = say_dropped;
    bine_spawn_with(&attr, return_arg, &attr);
    bine_spawn(fail_with, (void *)EXDEV);
    bine_yield();
    return arg;
}

static void run_with_grace(void *arg)
{
    (void)arg;
    bine_options options = BINE_OPTIONS_INIT;
    options.virtual_clock = true;
    options.grace = 5 * BINE_SECOND;
    errno = 0;
    int result = bine_run_with(&options, leave_a_stubborn_one, NULL, NULL);
    fprintf(stderr, "run %d %s\n", result, errno == EBUSY ? "EBUSY" : "other");
    result = bine_run(return_arg, NULL, NULL); /* and another run works */
    fprintf(stderr, "again %d\n", result);
}

START_TEST(a_run_whose_grace_passes_is_ebusy_and_names_the_task)
{
    char text[4096];
    int status = run_child(run_with_grace, NULL, text, sizeof text);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    expect_has(text, "stubborn");
    expect_has(text, "run -1 EBUSY");
    expect_has(text, "dropped\n");
    expect_has(text, strerror(EXDEV));
    expect_has(text, "again 0");
}
END_TEST

static void *end_in_scope(void *arg)
{
    bine_scope *scope = arg;
    bine_scope_open(scope, BINE_SECOND);
    return NULL;
}

static void *spawn_one_that_ends_in_a_scope(void *arg)
{
    (void)arg;
    static bine_scope scope;
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = "forgetful";
    bine_join(bine_spawn_with(&attr, end_in_scope, &scope), NULL);
    return NULL;
}

static void run_forgetful(void *arg)
{
    (void)arg;
    bine_run(spawn_one_that_ends_in_a_scope, NULL, NULL);
}

START_TEST(a_task_that_ends_inside_an_open_scope_is_a_named_abort)
{
    char text[4096];
    int status = run_child(run_forgetful, NULL, text, sizeof text);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    expect_has(text, "bine: ");
    expect_has(text, "forgetful");
    expect_has(text, "scope");
    expect_has(text, "check_loop.c:");
}
END_TEST

/* ---- Other threads ------------------------------------------------------------------------------------- */

enum { POSTERS = 4, POSTS = 2000 };

static struct {
    bine_loop *loop;
    bine_task *main;
    atomic_uint accepted, refused;
    unsigned ran; /* by tasks of the loop alone */
    unsigned wanted;
} posting;

static void *count_post(void *arg)
{
    expect_ptr(bine_this_loop(), ==, posting.loop);
    expect_ptr(bine_self(), !=, NULL);
    expect_ptr(arg, ==, &posting);
    bine_yield();
    if (++posting.ran == posting.wanted && posting.main)
        bine_wake(posting.main);
    return NULL;
}

static void *post_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < POSTS; i++) {
        expect_ok(bine_post(posting.loop, count_post, &posting));
        atomic_fetch_add(&posting.accepted, 1);
    }
    return NULL;
}

static void *await_posts(void *arg)
{
    pthread_t thread[POSTERS];
    (void)arg;
    posting.loop = bine_this_loop();
    posting.main = bine_self();
    posting.wanted = POSTERS * POSTS;
    for (int i = 0; i < POSTERS; i++)
        expect_int(pthread_create(&thread[i], NULL, post_many, NULL), ==, 0);
    while (posting.ran < posting.wanted)
        expect_ok(bine_park());
    for (int i = 0; i < POSTERS; i++)
        pthread_join(thread[i], NULL);
    bine_yield();
    bine_yield();
    posting.main = NULL;
    return NULL;
}

START_TEST(posts_of_many_threads_all_run)
{
    run_in_loop(await_posts, NULL);
    expect_uint(posting.ran, ==, POSTERS * POSTS);
    memset(&posting, 0, sizeof posting);
    run_virtual(await_posts, NULL);
    expect_uint(posting.ran, ==, POSTERS * POSTS);
}
END_TEST

static void *ran(void *arg)
{
    posting.ran++;
    atomic_store((atomic_bool *)arg, true);
    return NULL;
}

/* One post after the other, each when the last has run: a flood would be a reason of its own not to end. */
static void *post_until_refused(void *arg)
{
    atomic_bool done;
    (void)arg;
    for (;;) {
        atomic_store(&done, false);
        errno = 0;
        if (bine_post(posting.loop, ran, &done) != 0)
            break;
        atomic_fetch_add(&posting.accepted, 1);
        while (!atomic_load(&done))
            sched_yield();
    }
    expect_int(errno, ==, ESRCH);
    atomic_fetch_add(&posting.refused, 1);
    bine_loop_unref(posting.loop);
    return NULL;
}

static pthread_t refused_thread[POSTERS];

static void *end_among_posts(void *arg)
{
    posting.loop = bine_this_loop();
    for (int i = 0; i < POSTERS; i++) {
        expect_ptr(bine_loop_ref(posting.loop), ==, posting.loop);
        expect_int(pthread_create(&refused_thread[i], NULL, post_until_refused, NULL), ==, 0);
    }
    while (posting.ran < 500)
        bine_yield();
    return arg;
}

START_TEST(an_accepted_post_runs_though_the_loop_is_ending)
{
    fixture_allow_left_tasks();
    expect_ok(bine_run(end_among_posts, NULL, NULL));
    for (int i = 0; i < POSTERS; i++)
        pthread_join(refused_thread[i], NULL);
    expect_uint(atomic_load(&posting.refused), ==, POSTERS);
    expect_uint(posting.ran, ==, atomic_load(&posting.accepted));
}
END_TEST

static bine_loop *kept;

static void *keep_loop(void *arg)
{
    kept = bine_loop_ref(bine_this_loop());
    expect_fails(bine_post(kept, NULL, NULL), EINVAL);
    return arg;
}

START_TEST(a_post_to_a_loop_that_has_ended_is_esrch)
{
    long blocks = 0;
    for (int i = 0; i < 4; i++) {
        run_in_loop(keep_loop, NULL);
        expect_fails(bine_post(kept, return_arg, NULL), ESRCH);
        bine_loop_ref(kept);
        bine_loop_unref(kept);
        expect_fails(bine_post(kept, return_arg, NULL), ESRCH);
        bine_loop_unref(kept);
        if (i == 1)
            blocks = fixture_blocks();
    }
    expect_int(fixture_blocks(), ==, blocks);
}
END_TEST

static void *post_to_oneself(void *arg)
{
    posting.loop = bine_this_loop();
    for (int i = 0; i < 10; i++)
        expect_ok(bine_post(posting.loop, count_post, &posting));
    expect_uint(posting.ran, ==, 0);
    while (posting.ran < 10)
        bine_yield();
    return arg;
}

START_TEST(a_loop_may_post_to_itself)
{
    run_in_loop(post_to_oneself, NULL);
}
END_TEST

/* ---- What the process shares --------------------------------------------------------------------------- */

static void *fork_inside(void *arg)
{
    bine_task *task = bine_spawn(return_arg, NULL);
    bine_loop *loop = bine_this_loop();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        bool refused = bine_yield() == -1 && errno == EPERM && bine_sleep(0) == -1 && errno == EPERM &&
                       bine_spawn(return_arg, NULL) == NULL && errno == EPERM && bine_self() == NULL &&
                       bine_this_loop() == NULL && bine_join(task, NULL) == -1 && errno == EPERM &&
                       bine_tasks(NULL, 0) == 0 && bine_post(loop, return_arg, NULL) == -1;
        bine_result result = {NULL, -1};
        bool own = bine_run(spawn_and_yield, (void *)3, &result) == 0 && result.value == (void *)3;
        _exit(refused && own ? 0 : refused ? 1 : own ? 2 : 3);
    }
    expect_int(pid, >, 0);
    expect_ok(bine_sleep(BINE_MS));
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    expect_int(status, ==, 0);
    expect_ok(bine_sleep(BINE_MS));
    expect_ok(bine_join(task, NULL));
    return arg;
}

START_TEST(a_forked_child_is_outside_and_may_run_a_loop_of_its_own)
{
    run_in_loop(fork_inside, NULL);
}
END_TEST

static void handle(int signal)
{
    (void)signal;
}

static void *see_sigpipe(void *arg)
{
    struct sigaction action;
    expect_ok(sigaction(SIGPIPE, NULL, &action));
    *(void (**)(int))arg = action.sa_handler;
    return NULL;
}

START_TEST(sigpipe_is_ignored_during_a_run_where_it_was_default)
{
    void (*during)(int) = NULL;
    struct sigaction after;
    signal(SIGPIPE, SIG_DFL);
    run_in_loop(see_sigpipe, &during);
    expect(during == SIG_IGN);
    sigaction(SIGPIPE, NULL, &after);
    expect(after.sa_handler == SIG_DFL);
    signal(SIGPIPE, handle);
    run_in_loop(see_sigpipe, &during);
    expect(during == handle);
    sigaction(SIGPIPE, NULL, &after);
    expect(after.sa_handler == handle);
}
END_TEST

SUPPORT_MAIN("loop", run_gives_what_its_function_returned, a_failure_of_a_run_nobody_looks_at_is_reported,
             run_refuses_what_it_does_not_know, options_of_an_older_and_a_newer_caller_are_understood,
             each_reactor_can_be_asked_for_by_name, a_run_inside_a_run_is_refused,
             the_default_stack_is_the_one_of_the_options, outside_a_loop_each_call_says_so,
             runs_follow_each_other_and_leave_nothing, loops_run_on_several_threads_at_once,
             tasks_left_behind_are_cancelled_and_awaited, a_grace_without_end_waits_for_all,
             a_run_whose_grace_passes_is_ebusy_and_names_the_task,
             a_task_that_ends_inside_an_open_scope_is_a_named_abort, posts_of_many_threads_all_run,
             an_accepted_post_runs_though_the_loop_is_ending, a_post_to_a_loop_that_has_ended_is_esrch,
             a_loop_may_post_to_itself, a_forked_child_is_outside_and_may_run_a_loop_of_its_own,
             sigpipe_is_ignored_during_a_run_where_it_was_default)
