/* SPDX-License-Identifier: MIT
 *
 * That the tests would notice: the fixture sees what is left behind, expectations are recorded from wherever
 * they fail, the injector fails the call that it was asked to. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "support/fault.h"

/* Asserts that exactly so many expectations have failed, and that they said so, then forgets them. */
static void noticed(unsigned n, const char *words)
{
    ck_assert_uint_eq(support_failures(), n);
    ck_assert_ptr_nonnull(strstr(support_recorded(), words));
    support_forget();
}

START_TEST(the_fixture_notices_a_descriptor)
{
    int fd = open("/dev/null", O_RDONLY);
    ck_assert_ptr_nonnull(fixture_leak());
    ck_assert_ptr_nonnull(strstr(fixture_leak(), "/dev/null"));
    close(fd);
    ck_assert_ptr_null(fixture_leak());
    int lost = dup(0);
    fixture_mark();
    close(lost);
    ck_assert_ptr_nonnull(fixture_leak()); /* one that is missing, too */
    fixture_mark();
}
END_TEST

START_TEST(the_fixture_notices_a_mapping)
{
    void *map = mmap(NULL, 10000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_nonnull(fixture_leak());
    ck_assert_ptr_nonnull(strstr(fixture_leak(), "mapped"));
    munmap(map, 10000);
    ck_assert_ptr_null(fixture_leak());
}
END_TEST

START_TEST(the_fixture_counts_heap_blocks)
{
    long before = fixture_blocks();
    char *volatile block = malloc(10), *volatile copy = strdup("text"); /* or a compiler leaves them out */
    block = realloc(block, 20);
    ck_assert_int_eq(fixture_blocks(), before + 2);
    free(block);
    free(copy);
    free(NULL);
    ck_assert_int_eq(fixture_blocks(), before);
}
END_TEST

static void *park(void *arg)
{
    bine_park();
    return arg;
}

static void *leave_one(void *arg)
{
    bine_spawn(park, NULL);
    return arg;
}

static void *leave_one_unjoined(void *arg)
{
    bine_task *task = bine_spawn(park, NULL);
    bine_wake(task);
    bine_yield();
    bine_yield();
    return arg;
}

START_TEST(the_fixture_notices_a_task)
{
    run_recorded(NULL, leave_one, NULL);
    noticed(1, "the run ends with 1 tasks beside the first");
    run_recorded(NULL, leave_one_unjoined, NULL);
    noticed(1, "the run ends with 1 tasks beside the first");
    fixture_allow_left_tasks();
    run_recorded(NULL, leave_one, NULL);
    ck_assert_uint_eq(support_failures(), 0);
}
END_TEST

static void *fail_with(void *arg)
{
    return bine_fail(*(int *)arg);
}

START_TEST(a_failing_first_task_is_noticed)
{
    int error = EXDEV;
    run_recorded(NULL, fail_with, &error);
    noticed(1, strerror(EXDEV));
    bine_options options = BINE_OPTIONS_INIT;
    options.reactor = "abacus";
    run_recorded(&options, fail_with, &error);
    noticed(1, strerror(EINVAL));
}
END_TEST

static void *expect_wrong(void *arg)
{
    expect_int(1, ==, 2);
    expect_int(1, ==, 1);
    return arg;
}

START_TEST(expectations_are_recorded_with_both_values)
{
    errno = EXDEV;
    expect_int(-5, ==, 7);
    ck_assert_int_eq(errno, EXDEV);
    noticed(1, "-5 against 7");
    expect_uint(UINT64_MAX, <, 3);
    noticed(1, "18446744073709551615 against 3");
    expect_str("left", "right");
    noticed(1, "\"left\" against \"right\"");
    expect_str("left", NULL);
    expect_has("left", "right");
    expect(errno == 0);
    noticed(3, "check_support.c:");
    expect_fails((errno = EIO, -1), EPERM);
    noticed(1, "Operation not permitted");
    expect_fails(0, EPERM);
    expect_null("x", EPERM);
    expect_ok((errno = EIO, -1));
    noticed(3, "Input/output error");
    expect_fails((errno = EPERM, -1), EPERM);
    expect_null((errno = EPERM, (char *)NULL), EPERM);
    expect_ok(0);
    ck_assert_uint_eq(support_failures(), 0);
    run_recorded(NULL, expect_wrong, NULL);
    noticed(1, "1 against 2");
    pthread_t thread;
    pthread_create(&thread, NULL, expect_wrong, NULL);
    pthread_join(thread, NULL);
    noticed(1, "1 against 2");
}
END_TEST

START_TEST(the_injector_fails_the_call_it_was_asked_to)
{
    char *volatile block[3];
    fault_arm_call("malloc", 2, 1, 0);
    for (int i = 0; i < 3; i++) /* and no ck_assert() in between, which allocates */
        block[i] = malloc(8);
    fault_disarm();
    ck_assert(block[0] && !block[1] && block[2]);
    ck_assert_int_eq(fault_injected(), 1);
    ck_assert_int_eq(fault_calls(), 3);
    ck_assert_str_eq(fault_last(), "malloc");
    free(block[0]);
    free(block[2]);
    fault_arm(2);
    int a = open("/dev/null", O_RDONLY), b = open("/dev/null", O_RDONLY), c = open("/dev/null", O_RDONLY);
    fault_disarm();
    ck_assert(a >= 0 && b == -1 && c >= 0);
    close(a);
    close(c);
    fault_arm_call("fsync", 1, 2, EDQUOT);
    ck_assert(fsync(0) == -1 && errno == EDQUOT);
    ck_assert(fsync(0) == -1 && errno == EDQUOT);
    ck_assert(fsync(0) == 0 || errno != EDQUOT);
    fault_disarm();
    ck_assert(fsync(0) == 0 || errno != EDQUOT);
}
END_TEST

START_TEST(the_injector_draws_the_same_from_the_same_seed)
{
    uint64_t drawn[3] = {0, 0, 0};
    for (int round = 0; round < 3; round++) {
        fault_arm_seeded(round < 2 ? 5 : 6, 4);
        for (int i = 0; i < 64; i++) {
            void *volatile block = malloc(1);
            drawn[round] |= (uint64_t)!block << i;
            free(block);
        }
        fault_disarm();
    }
    ck_assert_uint_eq(drawn[0], drawn[1]);
    ck_assert_uint_ne(drawn[0], drawn[2]);
    ck_assert_uint_ne(drawn[0], 0);
    ck_assert_uint_ne(~drawn[0], 0);
}
END_TEST

START_TEST(the_injector_lets_pipes_be)
{
    int fd[2];
    char byte = 0;
    ck_assert_int_eq(pipe(fd), 0);
    fault_arm_run(1, 1000);
    ssize_t n = write(fd[1], "x", 1);
    ssize_t m = read(fd[0], &byte, 1);
    fault_disarm();
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(m, 1);
    close(fd[0]);
    close(fd[1]);
}
END_TEST

static void *lose_an_error(void *arg)
{
    int error = EIO;
    (void)arg;
    bine_join(bine_spawn(fail_with, &error), NULL);
    return NULL;
}

START_TEST(reports_are_caught)
{
    reports_catch();
    run_in_loop(lose_an_error, NULL);
    ck_assert_uint_eq(reports_count(BINE_REPORT_LOST_ERROR), 1);
    ck_assert_uint_eq(reports_count(BINE_REPORT_HOG), 0);
    ck_assert_ptr_nonnull(reports_find(BINE_REPORT_LOST_ERROR, "nobody looked"));
    ck_assert_ptr_null(reports_find(BINE_REPORT_LOST_ERROR, "no such words"));
    reports_clear();
    ck_assert_uint_eq(reports_count(BINE_REPORT_LOST_ERROR), 0);
}
END_TEST

static void die(void *arg)
{
    fprintf(stderr, "dying of %d\n", *(int *)arg);
    signal(*(int *)arg, SIG_DFL);
    raise(*(int *)arg);
}

START_TEST(a_childs_end_and_last_words_are_known)
{
    char text[64];
    int number = SIGKILL;
    int status = run_child(die, &number, text, sizeof text);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ck_assert_str_eq(text, "dying of 9\n");
}
END_TEST

SUPPORT_MAIN("support", the_fixture_notices_a_descriptor, the_fixture_notices_a_mapping,
             the_fixture_counts_heap_blocks, the_fixture_notices_a_task, a_failing_first_task_is_noticed,
             expectations_are_recorded_with_both_values, the_injector_fails_the_call_it_was_asked_to,
             the_injector_draws_the_same_from_the_same_seed, the_injector_lets_pipes_be, reports_are_caught,
             a_childs_end_and_last_words_are_known)
