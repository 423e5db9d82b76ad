/* SPDX-License-Identifier: MIT
 *
 * Looking inside: reports and their hook, statistics, dumps, and the checks of BINE_DEBUG=1. */
#define _GNU_SOURCE
#include "support/support.h"
#include "support/tasks.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "runtime/runtime.h"
#include "support/fault.h"
#include "support/sockets.h"

static void *fail_with_eio(void *arg)
{
    (void)arg;
    return bine_fail(EIO);
}

static void *sleep_long(void *arg)
{
    (void)arg;
    return bine_sleep(BINE_MINUTE) == 0 ? NULL : bine_fail(errno);
}

/* ---- Reports ------------------------------------------------------------------------------------------- */

static void hook(const bine_report *report)
{
    (void)report;
}

START_TEST(set_report_returns_the_former_hook)
{
    expect(bine_set_report(hook) == NULL);
    expect(bine_set_report(NULL) == hook);
    expect(bine_set_report(NULL) == NULL);
}
END_TEST

static void *fail_detached(void *arg)
{
    (void)arg;
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = "careless";
    attr.detached = true;
    bine_spawn_with(&attr, fail_with_eio, NULL);
    bine_yield();
    return NULL;
}

static void report_one(void *arg)
{
    (void)arg;
    bine_run(fail_detached, NULL, NULL);
}

START_TEST(by_default_reports_are_lines_on_standard_error)
{
    char text[1024];
    int status = run_child(report_one, NULL, text, sizeof text);
    expect_int(status, ==, 0);
    expect(strncmp(text, "bine: ", 6) == 0);
    expect_has(text, "'careless'");
    expect_has(text, "check_debug.c:");
    expect_has(text, "Input/output error");
    expect_ptr(strchr(text, '\n'), ==, text + strlen(text) - 1);
}
END_TEST

enum { LONG = 3000 };

static void report_long(void *arg)
{
    char message[LONG + 1];
    memset(message, 'x', LONG);
    strcpy(message + LONG - 3, "end");
    if (*(bool *)arg)
        fault_arm_call("malloc", 1, 1, ENOMEM);
    bine__report(BINE_REPORT_MISUSE, NULL, EIO, "%s", message);
    fault_disarm();
}

START_TEST(a_long_message_is_told_whole_or_seen_to_be_cut)
{
    char text[2 * LONG];
    bool scarce = false;
    expect_int(run_child(report_long, &scarce, text, sizeof text), ==, 0);
    expect_uint(strlen(text), >, LONG);
    expect_has(text, "xend: Input/output error");
    scarce = true;
    expect_int(run_child(report_long, &scarce, text, sizeof text), ==, 0);
    expect_uint(strlen(text), <, LONG);
    expect_has(text, "x...: Input/output error");
}
END_TEST

/* ---- Statistics and dumps ------------------------------------------------------------------------------ */

VIRTUAL_TEST(statistics_count_what_happened)
{
    bine_statistics before, now;
    expect_fails(bine_stats((bine_statistics *)NULL), EINVAL);
    expect_ok(bine_stats(&before));
    expect_uint(before.alive, ==, 1);
    bine_task *sleeper = bine_spawn(sleep_long, NULL), *quick = bine_spawn(return_arg, NULL);
    bine_yield();
    expect_ok(bine_stats(&now));
    expect_uint(now.spawned, ==, before.spawned + 2);
    expect_uint(now.alive, ==, 2); /* the quick one has ended */
    expect_uint(now.timers, ==, before.timers + 1);
    expect_uint(now.switches, >, before.switches);
    expect_uint(now.stacks_mapped, >=, now.stacks_free);
    join(quick);
    bine_cancel(sleeper);
    join(sleeper);
    bine_sleep(BINE_MS);
    expect_ok(bine_stats(&now));
    expect_uint(now.alive, ==, 1);
    expect_uint(now.timers, ==, before.timers);
    expect_uint(now.turns, >, before.turns);
    /* A caller of an older layout gets no more than it has room for. */
    struct {
        uint64_t switches, guard;
    } small = {0, 77};
    expect_ok(bine_stats_sized((bine_statistics *)(void *)&small, sizeof small.switches));
    expect_uint(small.switches, >, 0);
    expect_uint(small.guard, ==, 77);
}

static void *read_one(void *arg)
{
    char byte;
    (void)bine_read(*(int *)arg, &byte, 1);
    return NULL;
}

LOOP_TEST(dump_shows_every_task_and_what_it_waits_for)
{
    static char text[65536];
    char expected[64];
    FILE *file = tmpfile();
    int fd[2];
    bine_attr attr = BINE_ATTR_INIT;
    pair_make(PAIR_UNIX, fd);
    attr.name = "reader";
    bine_task *reader = bine_spawn_with(&attr, read_one, &fd[0]);
    attr.name = "sleeper";
    bine_task *sleeper = bine_spawn_with(&attr, sleep_long, NULL);
    bine_yield();
    attr.name = "newcomer";
    bine_task *fresh = bine_spawn_with(&attr, return_arg, NULL);
    expect_ok(bine_dump(fileno(file)));
    rewind(file);
    size_t n = fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    fclose(file);
    expect_has(text, "'reader' parked in read");
    snprintf(expected, sizeof expected, "descriptor %d", fd[0]);
    expect_has(text, expected);
    expect_has(text, "'sleeper' parked in sleep");
    expect_has(text, "'newcomer' runnable");
    expect_has(text, "'main' running");
    expect_has(text, "check_debug.c:");
    expect_has(text, "dump_shows_every_task_and_what_it_waits_for"); /* who called, though nothing exports it */
    expect_fails(bine_dump(-1), EBADF);
    bine_write(fd[1], "x", 1);
    bine_cancel(sleeper);
    join(reader);
    join(sleeper);
    join(fresh);
    expect_ok(bine_yield()); /* nobody was disturbed by being looked at */
    pair_close(fd);
}

/* ---- BINE_DEBUG ---------------------------------------------------------------------------------------- */

static void debug_on(void)
{
    setenv("BINE_DEBUG", "1", 1);
    reports_catch();
}

/* On a busy machine others may be told of as well: a task that is not let run holds the loop, too. */
static const struct caught *report_of(const char *name)
{
    const struct caught *report;
    for (unsigned i = 0; (report = reports_nth(BINE_REPORT_HOG, i)) != NULL; i++)
        if (strcmp(report->name, name) == 0)
            break;
    return report;
}

static void *hog(void *arg)
{
    (void)arg;
    while (!report_of("hungry")) /* it is told while it still does */
        ;
    return NULL;
}

static void *spawn_hog(void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = "hungry";
    join(bine_spawn_with(&attr, hog, arg));
    bool quiet = false;
    for (int i = 0; i < 20 && !quiet; i++) { /* waiting is not hogging */
        unsigned before = reports_count(BINE_REPORT_HOG);
        expect_ok(bine_sleep(300 * BINE_MS));
        quiet = reports_count(BINE_REPORT_HOG) == before;
    }
    expect(quiet);
    return NULL;
}

START_TEST(a_task_that_holds_the_loop_is_named_while_it_does)
{
    debug_on();
    run_in_loop(spawn_hog, NULL);
    const struct caught *report = report_of("hungry");
    if (expect(report != NULL)) {
        expect_has(report->site, "check_debug.c:");
        expect_has(report->message, "check_debug"); /* the backtrace names the program it was taken in ... */
        expect(!strstr(report->message, "on_urgent")); /* and begins there */
    }
}
END_TEST

static void *go_on_calling(void *arg)
{
    (void)arg;
    BINE_TIMEOUT(-1)
        for (int i = 0; i < 3500; i++)
            (void)bine_sleep(1);
    return NULL;
}

static void *spawn_ignorant(void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = "ignorant";
    join(bine_spawn_with(&attr, go_on_calling, arg));
    return NULL;
}

START_TEST(a_task_that_ignores_its_scope_is_named_after_a_thousand_calls)
{
    debug_on();
    run_virtual(spawn_ignorant, NULL);
    expect_uint(reports_count(BINE_REPORT_IGNORED), ==, 1);
    const struct caught *report = reports_find(BINE_REPORT_IGNORED, "1000");
    if (expect(report != NULL)) {
        expect_str(report->name, "ignorant");
        expect_int(report->error, ==, ETIMEDOUT);
    }
    setenv("BINE_DEBUG", "0", 1);
    reports_clear();
    run_virtual(spawn_ignorant, NULL);
    expect_uint(reports_count(BINE_REPORT_IGNORED), ==, 0);
}
END_TEST

static void *use_stale_handles(void *arg)
{
    (void)arg;
    for (int i = 0; i < 50; i++)
        join(bine_spawn(return_arg, NULL));
    bine_task *task = bine_spawn(return_arg, NULL);
    join(task);
    bine_task *other = bine_spawn(return_arg, NULL);
    expect_ptr(other, !=, task); /* quarantined */
    expect_fails(bine_join(task, NULL), EINVAL);
    expect_fails(bine_cancel(task), EINVAL);
    expect_fails(bine_wake(task), EINVAL);
    expect_fails(bine_detach(task), EINVAL);
    join(other);
    return NULL;
}

START_TEST(stale_handles_are_told)
{
    debug_on();
    run_virtual(use_stale_handles, NULL);
    expect_uint(reports_count(BINE_REPORT_MISUSE), >=, 4);
}
END_TEST

static void *leave_out_of_order(void *arg)
{
    (void)arg;
    static bine_scope inner;
    BINE_TIMEOUT(BINE_SECOND)
        bine_scope_open(&inner, BINE_SECOND); /* still open where its outer block ends */
    expect_int(reports_count(BINE_REPORT_MISUSE), ==, 1);
    _exit(support_failures() ? 1 : 0); /* the outer one can never be closed now, its storage is gone */
}

static void run_out_of_order(void *arg)
{
    reports_catch();
    bine_run(leave_out_of_order, arg, NULL);
}

START_TEST(a_scope_block_left_out_of_order_is_reported)
{
    char text[1024];
    expect_int(run_child(run_out_of_order, NULL, text, sizeof text), ==, 0);
}
END_TEST

static void *run_everything(void *arg)
{
    int fd[2];
    pair_make(PAIR_TCP, fd);
    for (int i = 0; i < 600; i++) { /* more than the quarantine holds */
        bine_task *task = bine_spawn(read_one, &fd[0]);
        bine_write(fd[1], "x", 1);
        join(task);
    }
    pair_close(fd);
    return arg;
}

START_TEST(debugging_changes_nothing_but_what_is_told)
{
    debug_on();
    bool quiet = false;
    for (int i = 0; i < 20 && !quiet; i++) {
        unsigned before = reports_count(BINE_REPORT_HOG);
        run_in_loop(run_everything, NULL);
        quiet = reports_count(BINE_REPORT_HOG) == before;
    }
    expect(quiet);
    expect_uint(reports_count(BINE_REPORT_MISUSE), ==, 0);
}
END_TEST

static void *run_debugged(void *arg)
{
    expect_ok(bine_run(run_everything, arg, NULL));
    return NULL;
}

START_TEST(two_loops_may_be_debugged_at_once)
{
    debug_on();
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, run_debugged, NULL), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
}
END_TEST

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

/* ---- Stacks by the place that spawned them ------------------------------------------------------------- */

enum { PAGE = 4096, STACK = 256 << 10, DEPTH = 100 << 10 /* bytes */, EACH = 200 /* tasks */ };

static void *go_deep(void *arg)
{
    volatile char frame[DEPTH];
    for (int i = DEPTH - 1; i >= 0; i -= PAGE)
        frame[i] = 1;
    return (void)arg, frame[0] == 2 ? (void *)1 : NULL;
}

/* What a dump says of a place; false if it has no word of it. */
static bool find_site(const char *text, const char *site, unsigned long long *tasks, size_t *used, size_t *size)
{
    char begin[64];
    int n = snprintf(begin, sizeof begin, "site %s: ", site);
    const char *at = strstr(text, begin);
    return at && sscanf(at + n, "%llu tasks ended, deepest stack %zu of %zu bytes", tasks, used, size) == 3;
}

static void *spawn_at_two_places(void *arg)
{
    static char text[65536];
    bine_attr attr = BINE_ATTR_INIT;
    FILE *file = tmpfile();
    unsigned long long tasks = 0;
    size_t used = 0, size = 0;
    attr.stack_size = STACK;
    /* In turn, so that they would get each other's stacks. */
    for (int i = 0; i < EACH; i++) {
        join(bine_spawn_with_at(&attr, sizeof attr, go_deep, NULL, "deep.c:1"));
        join(bine_spawn_with_at(&attr, sizeof attr, return_arg, NULL, "shallow.c:2"));
    }
    bine_task *running = bine_spawn_with_at(&attr, sizeof attr, return_arg, NULL, "later.c:3");
    expect_ok(bine_dump(fileno(file)));
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    if (expect(find_site(text, "deep.c:1", &tasks, &used, &size))) {
        expect_uint(tasks, ==, EACH);
        expect_uint(used, >=, DEPTH);
        expect_uint(used, <, size);
        expect_uint(size, ==, STACK);
    }
    if (expect(find_site(text, "shallow.c:2", &tasks, &used, &size))) {
        expect_uint(tasks, ==, EACH);
        expect_uint(used, >, 0);
        expect_uint(used, <, DEPTH); /* and what others had touched is not held against it */
    }
    expect(!find_site(text, "later.c:3", &tasks, &used, &size)); /* it has not ended */
    join(running);
    join(bine_spawn_at(return_arg, NULL, NULL)); /* by whom is not said */
    return arg;
}

START_TEST(the_deepest_stack_is_kept_for_each_place_that_spawns)
{
    if (support_emulated()) {
        support_skip("the_deepest_stack_is_kept_for_each_place_that_spawns", "pages of stacks are looked at too slowly");
        return;
    }
    debug_on();
    run_in_loop(spawn_at_two_places, NULL);
}
END_TEST

SUPPORT_MAIN("debug", set_report_returns_the_former_hook, by_default_reports_are_lines_on_standard_error,
             a_long_message_is_told_whole_or_seen_to_be_cut,
             statistics_count_what_happened, dump_shows_every_task_and_what_it_waits_for,
             a_task_that_holds_the_loop_is_named_while_it_does,
             a_task_that_ignores_its_scope_is_named_after_a_thousand_calls, stale_handles_are_told,
             a_scope_block_left_out_of_order_is_reported, debugging_changes_nothing_but_what_is_told,
             two_loops_may_be_debugged_at_once,
             the_end_of_a_debugged_loop_leaves_the_others_watched, the_deepest_stack_is_kept_for_each_place_that_spawns)
