/* SPDX-License-Identifier: MIT
 *
 * BINE_DEBUG=1: nothing can run any more, SIGQUIT, children that ignore their group; and the form of a dump.
 *
 * A run that is stuck would never end: the hook sees the report and cancels what waits. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "support/fault.h"
#include "support/support.h"
#include "support/tasks.h"

static bine_mutex left, right;
static bine_event never;

/* ---- What the hook has seen, and does ------------------------------------------------------------------ */

enum { TOLD_MAX = 256 };

static struct told {
    bine_report_kind kind;
    uint64_t task;
    char name[32];
    char message[512];
} told[TOLD_MAX];
static unsigned told_n;
static bine_task *to_cancel[8]; /* when the run is stuck */
static unsigned to_cancel_n;

static void hook(const bine_report *report)
{
    if (report->kind == BINE_REPORT_HOG)
        return; /* on another thread, and only where everything is slow */
    struct told *each = &told[told_n < TOLD_MAX ? told_n++ : TOLD_MAX - 1];
    each->kind = report->kind;
    each->task = report->task;
    snprintf(each->name, sizeof each->name, "%s", report->name);
    snprintf(each->message, sizeof each->message, "%s", report->message);
    if (report->kind != BINE_REPORT_STUCK || report->task)
        return;
    for (unsigned i = 0; i < to_cancel_n; i++)
        expect_ok(bine_cancel(to_cancel[i]));
    to_cancel_n = 0;
}

static unsigned count(bine_report_kind kind)
{
    unsigned n = 0;
    for (unsigned i = 0; i < told_n; i++)
        n += told[i].kind == kind;
    return n;
}

/* What was said about the task of this name ("": about none); "" if nothing was. */
static const char *said(bine_report_kind kind, const char *name)
{
    for (unsigned i = 0; i < told_n; i++)
        if (told[i].kind == kind && strcmp(told[i].name, name) == 0)
            return told[i].message;
    return "";
}

static void debug_on(void)
{
    setenv("BINE_DEBUG", "1", 1);
    bine_set_report(hook);
}

/* ---- Tools --------------------------------------------------------------------------------------------- */

static bine_task *spawn(const char *name, bine_fn *fn, void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = name;
    return bine_spawn_with(&attr, fn, arg);
}

static void cancel_when_stuck(bine_task *task)
{
    to_cancel[to_cancel_n++] = task;
}

static void *wait_for_ever(void *arg)
{
    expect_fails(bine_event_wait(&never), ECANCELED);
    return arg;
}

/* ---- Stuck --------------------------------------------------------------------------------------------- */

static void *lock_left_then_right(void *arg)
{
    expect_ok(bine_mutex_lock(&left));
    expect_ok(bine_yield());
    expect_fails(bine_mutex_lock(&right), ECANCELED);
    expect_ok(bine_mutex_unlock(&left));
    return arg;
}

static void *lock_right_then_left(void *arg)
{
    expect_ok(bine_mutex_lock(&right));
    expect_ok(bine_yield());
    expect_ok(bine_mutex_lock(&left)); /* the other gives up */
    expect_ok(bine_mutex_unlock(&left));
    expect_ok(bine_mutex_unlock(&right));
    return arg;
}

static void *lock_both_ways(void *arg)
{
    bine_task *one = spawn("one", lock_left_then_right, NULL);
    bine_task *two = spawn("two", lock_right_then_left, NULL);
    cancel_when_stuck(one);
    join(two);
    join(one);
    return arg;
}

START_TEST(two_tasks_that_lock_in_opposite_order_are_a_circle)
{
    debug_on();
    run_in_loop(lock_both_ways, NULL);
    const char *message = said(BINE_REPORT_STUCK, "");
    expect_has(message, "3 tasks wait");
    expect_has(message, "'one' -> mutex -> task");
    expect_has(message, "'two' -> mutex -> task");
    expect_has(said(BINE_REPORT_STUCK, "main"), "join of task");
    expect_has(said(BINE_REPORT_STUCK, "main"), "'two'");
    expect_has(said(BINE_REPORT_STUCK, "two"), "mutex held by task");
    expect_has(said(BINE_REPORT_STUCK, "two"), "'one'");
}
END_TEST

static void *run_it_all_virtually(void *arg)
{
    bine_task *task = spawn("lonely", wait_for_ever, NULL);
    cancel_when_stuck(task);
    expect_ok(bine_sleep(BINE_MINUTE)); /* with a timer it is not stuck yet */
    expect_uint(count(BINE_REPORT_STUCK), ==, 0);
    join(task);
    return arg;
}

START_TEST(the_virtual_clock_does_not_hide_it)
{
    debug_on();
    run_virtual(run_it_all_virtually, NULL);
    expect_uint(count(BINE_REPORT_STUCK), ==, 2); /* for all, and for main; the other has been cancelled */
    expect_has(said(BINE_REPORT_STUCK, ""), "2 tasks wait");
    expect(!strstr(said(BINE_REPORT_STUCK, ""), "circle"));
    expect_has(said(BINE_REPORT_STUCK, "main"), "'lonely'");
}
END_TEST

static void *lock_left(void *arg)
{
    expect_fails(bine_mutex_lock(&left), ECANCELED);
    return arg;
}

static void *wait_for_children_with_a_lock(void *arg)
{
    expect_ok(bine_mutex_lock(&left));
    BINE_GROUP(group, BINE_GROUP_ALL) {
        bine_group_spawn(&group, wait_for_ever, NULL);
        bine_task *child = bine_group_spawn(&group, lock_left, NULL);
        bine_task_set_name(child, "child");
        cancel_when_stuck(child);
        cancel_when_stuck(bine_self());
    }
    expect_ok(bine_mutex_unlock(&left));
    return arg;
}

static void *spawn_holder(void *arg)
{
    bine_task *task = spawn("holder", wait_for_children_with_a_lock, NULL);
    bine_result result;
    expect_ok(bine_join(task, &result));
    return arg;
}

START_TEST(a_group_waits_for_each_of_its_children)
{
    debug_on();
    run_in_loop(spawn_holder, NULL);
    const char *message = said(BINE_REPORT_STUCK, "");
    expect_has(message, "4 tasks wait");
    expect_has(message, "'holder' -> group -> task");
    expect_has(message, "'child' -> mutex -> task");
}
END_TEST

static void *wait_for_read_locks(void *arg)
{
    bine_rwlock *lock = arg;
    expect_ok(bine_rwlock_write(lock));
    bine_future *future = bine_future_new(NULL);
    expect_fails(bine_future_await(future, NULL), ECANCELED);
    bine_future_set(future, NULL);
    bine_future_unref(future);
    expect_ok(bine_rwlock_unlock(lock));
    return NULL;
}

static void *read_lock(void *arg)
{
    expect_ok(bine_rwlock_read(arg));
    expect_ok(bine_rwlock_unlock(arg));
    return NULL;
}

static bine_once_flag once = BINE_ONCE_INIT;

static void run_once(void *event)
{
    expect_ok(bine_event_wait(event));
}

static void *call_once(void *event)
{
    expect_ok(bine_once(&once, run_once, event));
    return NULL;
}

static void *end_event(void *arg)
{
    expect_fails(bine_event_wait(&never), ECANCELED);
    expect_ok(bine_event_set(arg));
    return NULL;
}

static void *wait_for_many_things(void *arg)
{
    static bine_rwlock lock;
    static bine_event event;
    bine_task *writer = spawn("writer", wait_for_read_locks, &lock);
    bine_task *reader = spawn("reader", read_lock, &lock);
    bine_task *runner = spawn("runner", call_once, &event), *second = spawn("second", call_once, &event);
    bine_task *ender = spawn("ender", end_event, &event);
    bine_result result;
    bine_future *future = bine_task_future(reader);
    cancel_when_stuck(writer);
    cancel_when_stuck(ender);
    expect_ok(bine_future_await(future, &result));
    bine_future_unref(future);
    join(writer);
    join(runner);
    join(second);
    join(ender);
    return arg;
}

START_TEST(each_task_says_what_it_waits_for_and_whose_doing_that_is)
{
    debug_on();
    run_in_loop(wait_for_many_things, NULL);
    expect_has(said(BINE_REPORT_STUCK, ""), "6 tasks wait");
    expect_has(said(BINE_REPORT_STUCK, "main"), "future of task");
    expect_has(said(BINE_REPORT_STUCK, "main"), "'reader'");
    expect_has(said(BINE_REPORT_STUCK, "reader"), "rwlock held by task");
    expect_has(said(BINE_REPORT_STUCK, "reader"), "'writer'");
    expect_has(said(BINE_REPORT_STUCK, "runner"), "event");
    expect_has(said(BINE_REPORT_STUCK, "second"), "once of task");
    expect_has(said(BINE_REPORT_STUCK, "second"), "'runner'");
    expect_str(said(BINE_REPORT_STUCK, "ender"), ""); /* the hook has cancelled it */
}
END_TEST

static void *be_released(void *arg)
{
    expect_ok(bine_event_wait(&never));
    return arg;
}

static void *post_release(void *arg)
{
    expect_ok(bine_event_set(&never));
    return arg;
}

static void *post_later(void *loop)
{
    expect_ok(bine_post(loop, post_release, NULL));
    bine_loop_unref(loop);
    return NULL;
}

static void *wait_for_a_thread(void *arg)
{
    pthread_t thread;
    bine_loop *loop = bine_loop_ref(bine_this_loop());
    bine_task *task = bine_spawn(be_released, NULL);
    expect_ok(bine_yield()); /* it waits */
    expect_int(pthread_create(&thread, NULL, post_later, loop), ==, 0);
    join(task);
    pthread_join(thread, NULL);
    return arg;
}

START_TEST(a_thread_with_a_reference_may_still_post)
{
    debug_on();
    run_in_loop(wait_for_a_thread, NULL);
    expect_uint(count(BINE_REPORT_STUCK), ==, 0);
}
END_TEST

static void *wait_for_a_descriptor(void *arg)
{
    int fd[2];
    char byte;
    expect_ok(bine_pipe(fd));
    bine_task *task = bine_spawn(wait_for_ever, NULL);
    BINE_TIMEOUT(50 * BINE_MS)
        expect_fails(bine_read(fd[0], &byte, 1), ETIMEDOUT);
    bine_cancel(task);
    join(task);
    bine_close(fd[0]);
    bine_close(fd[1]);
    return arg;
}

START_TEST(who_waits_for_a_timer_or_a_descriptor_is_not_stuck)
{
    debug_on();
    run_in_loop(wait_for_a_descriptor, NULL);
    expect_uint(count(BINE_REPORT_STUCK), ==, 0);
}
END_TEST

static void *crowd(void *arg)
{
    enum { MANY = 150 };
    static bine_task *tasks[MANY];
    for (int i = 0; i < MANY; i++)
        tasks[i] = bine_spawn(be_released, NULL);
    cancel_when_stuck(bine_self());
    expect_fails(bine_join(tasks[0], NULL), ECANCELED);
    expect_ok(bine_event_set(&never));
    BINE_SHIELD {
        for (int i = 0; i < MANY; i++)
            join(tasks[i]);
    }
    return arg;
}

static void *join_crowd(void *arg)
{
    join(spawn("crowd", crowd, NULL));
    return arg;
}

START_TEST(a_crowd_is_told_in_part)
{
    debug_on();
    run_in_loop(join_crowd, NULL);
    expect_has(said(BINE_REPORT_STUCK, ""), "152 tasks wait");
    expect_uint(count(BINE_REPORT_STUCK), <=, 102);
    expect_has(told[told_n - 1].message, "52 more");
}
END_TEST

START_TEST(without_debugging_nothing_is_said)
{
    setenv("BINE_DEBUG", "0", 1);
    bine_set_report(hook);
    run_in_loop(wait_for_a_thread, NULL);
    expect_uint(told_n, ==, 0);
}
END_TEST

/* ---- Dumps --------------------------------------------------------------------------------------------- */

static void *grow_leaf(void *arg)
{
    bine_task *leaf = spawn("leaf", wait_for_ever, NULL);
    expect_ok(bine_event_wait(arg));
    expect_ok(bine_cancel(leaf));
    join(leaf);
    return NULL;
}

static void read_dump(FILE *file, char *text, size_t size)
{
    rewind(file);
    expect_ok(ftruncate(fileno(file), 0));
    expect_ok(bine_dump(fileno(file)));
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
}

static void *dump_tree(void *arg)
{
    static char text[65536];
    static bine_event end;
    FILE *file = tmpfile();
    bine_task *branch = spawn("branch", grow_leaf, &end);
    expect_ok(bine_yield());
    expect_ok(bine_yield());
    read_dump(file, text, sizeof text);
    expect(strstr(text, "\ntask ") && strstr(text, "\ntask ") < strstr(text, "'main' running"));
    const char *below = strstr(text, "\n  task ");
    if (expect(below != NULL)) {
        expect_has(below, "'branch' parked in event");
        const char *leaf = strstr(below, "\n    task ");
        if (expect(leaf != NULL))
            expect_has(leaf, "'leaf' parked in event");
    }
    fault_arm_call("calloc", 1, 1, 0);
    read_dump(file, text, sizeof text);
    fault_disarm();
    expect_has(text, "\ntask ");
    expect_has(text, "'leaf' parked in event");
    expect(!strstr(text, "\n  task ")); /* a list */
    fclose(file);
    expect_ok(bine_event_set(&end));
    join(branch);
    return arg;
}

START_TEST(a_dump_is_a_tree_where_there_is_memory_for_it)
{
    run_in_loop(dump_tree, NULL);
}
END_TEST

/* ---- SIGQUIT ------------------------------------------------------------------------------------------- */

/* Reads until the text has been seen, however long that takes. */
static void read_until(int fd, char *text, size_t size, const char *piece)
{
    size_t length = strlen(text);
    while (!strstr(text, piece) && length + 1 < size) {
        ssize_t n = bine_read(fd, text + length, size - 1 - length);
        if (!expect(n > 0))
            return;
        length += (size_t)n;
        text[length] = '\0';
    }
}

static char dumped[65536];

static void *quit_and_read(void *arg)
{
    int fd[2], saved = dup(STDERR_FILENO);
    expect_ok(bine_pipe(fd));
    expect_int(dup2(fd[1], STDERR_FILENO), ==, STDERR_FILENO);
    bine_task *task = spawn("sleeper", wait_for_ever, NULL);
    expect_ok(bine_mutex_lock(&left));
    bine_task *locker = spawn("locker", lock_left, NULL);
    expect_ok(bine_yield());
    for (int i = 0; i < 2; i++) { /* it goes on, and does it again */
        dumped[0] = '\0';
        expect_ok(kill(getpid(), SIGQUIT));
        read_until(fd[0], dumped, sizeof dumped, "'sleeper' parked in event");
        read_until(fd[0], dumped, sizeof dumped, "'locker' parked in mutex held by task");
        read_until(fd[0], dumped, sizeof dumped, "'main' parked in read");
    }
    expect_ok(bine_cancel(task));
    expect_ok(bine_cancel(locker));
    join(task);
    join(locker);
    expect_ok(bine_mutex_unlock(&left));
    dup2(saved, STDERR_FILENO);
    close(saved);
    bine_close(fd[0]);
    bine_close(fd[1]);
    return arg;
}

static bool quit_is(void (*handler)(int))
{
    struct sigaction now;
    return sigaction(SIGQUIT, NULL, &now) == 0 && now.sa_handler == handler;
}

START_TEST(sigquit_dumps_every_task_and_the_run_goes_on)
{
    debug_on();
    signal(SIGQUIT, SIG_DFL);
    run_in_loop(quit_and_read, NULL);
    expect(quit_is(SIG_DFL));
}
END_TEST

static void *quit(void *arg)
{
    kill(getpid(), SIGQUIT);
    return arg;
}

static void run_quit(void *debug)
{
    setenv("BINE_DEBUG", debug, 1);
    signal(SIGQUIT, SIG_DFL);
    bine_run(quit, NULL, NULL);
}

START_TEST(without_debugging_sigquit_does_what_it_always_did)
{
    char text[256];
    int status = run_child(run_quit, "0", text, sizeof text);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
    status = run_child(run_quit, "1", text, sizeof text);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

static volatile sig_atomic_t own_quits;

static void on_own_quit(int number)
{
    (void)number;
    own_quits++;
}

START_TEST(a_program_that_handles_or_ignores_sigquit_keeps_that)
{
    debug_on();
    signal(SIGQUIT, on_own_quit);
    run_in_loop(quit, NULL);
    expect_int(own_quits, ==, 1);
    expect(quit_is(on_own_quit));
    signal(SIGQUIT, SIG_IGN);
    run_in_loop(quit, NULL);
    expect(quit_is(SIG_IGN));
}
END_TEST

static void *fork_and_quit(void *arg)
{
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        kill(getpid(), SIGQUIT); /* at its default again */
        _exit(0);
    }
    int status = 0;
    expect_int(waitpid(pid, &status, 0), ==, pid);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
    return arg;
}

START_TEST(a_child_after_fork_is_ended_by_sigquit)
{
    debug_on();
    signal(SIGQUIT, SIG_DFL);
    run_in_loop(fork_and_quit, NULL);
}
END_TEST

/* ---- Two loops ----------------------------------------------------------------------------------------- */

static atomic_uint hogs;

static void count_hogs(const bine_report *report)
{
    hogs += report->kind == BINE_REPORT_HOG;
}

static void *end_at_once(void *arg)
{
    return arg;
}

static void *run_briefly(void *arg)
{
    expect_ok(bine_run(end_at_once, arg, NULL));
    return NULL;
}

static void *hog_after_another_loop(void *arg)
{
    pthread_t thread;
    expect_int(pthread_create(&thread, NULL, run_briefly, NULL), ==, 0);
    pthread_join(thread, NULL);
    hogs = 0;
    while (hogs == 0) /* it is told while it does */
        ;
    return arg;
}

START_TEST(the_end_of_a_debugged_loop_leaves_the_others_watched)
{
    setenv("BINE_DEBUG", "1", 1);
    signal(SIGURG, SIG_IGN);
    bine_set_report(count_hogs);
    run_in_loop(hog_after_another_loop, NULL);
    struct sigaction now;
    expect_ok(sigaction(SIGURG, NULL, &now));
    expect(now.sa_handler == SIG_IGN);
}
END_TEST

/* ---- Groups -------------------------------------------------------------------------------------------- */

static void *ignore_cancellation(void *arg)
{
    BINE_SHIELD
        expect_ok(bine_sleep(*(bine_ns *)arg));
    return NULL;
}

static void *cancel_stubborn(void *duration)
{
    BINE_GROUP(group, BINE_GROUP_ALL) {
        bine_task_set_name(bine_group_spawn(&group, ignore_cancellation, duration), "stubborn");
        bine_task_set_name(bine_group_spawn(&group, wait_for_ever, NULL), "obedient");
        bine_yield();
        bine_group_cancel(&group);
    }
    return NULL;
}

START_TEST(a_child_that_ignores_its_group_for_a_second_is_named)
{
    static bine_ns brief = 900 * BINE_MS, lasting = 1100 * BINE_MS;
    debug_on();
    run_virtual(cancel_stubborn, &brief);
    expect_uint(told_n, ==, 0);
    run_virtual(cancel_stubborn, &lasting);
    expect_uint(count(BINE_REPORT_LEFT_BEHIND), ==, 1);
    expect_has(said(BINE_REPORT_LEFT_BEHIND, "stubborn"), "sleep");
    told_n = 0;
    setenv("BINE_DEBUG", "0", 1);
    run_virtual(cancel_stubborn, &lasting);
    expect_uint(told_n, ==, 0);
}
END_TEST

SUPPORT_MAIN("debug_stuck", two_tasks_that_lock_in_opposite_order_are_a_circle,
             the_virtual_clock_does_not_hide_it,
             a_group_waits_for_each_of_its_children, each_task_says_what_it_waits_for_and_whose_doing_that_is,
             a_thread_with_a_reference_may_still_post, who_waits_for_a_timer_or_a_descriptor_is_not_stuck,
             a_crowd_is_told_in_part, without_debugging_nothing_is_said,
             a_dump_is_a_tree_where_there_is_memory_for_it,
             sigquit_dumps_every_task_and_the_run_goes_on, without_debugging_sigquit_does_what_it_always_did,
             a_program_that_handles_or_ignores_sigquit_keeps_that, a_child_after_fork_is_ended_by_sigquit,
             the_end_of_a_debugged_loop_leaves_the_others_watched,
             a_child_that_ignores_its_group_for_a_second_is_named)
