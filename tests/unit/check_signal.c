/* SPDX-License-Identifier: MIT
 *
 * Signals to wait for: what is told, storms, several who wait, dispositions, fork().
 *
 * The tests raise signals on the loop's own thread, so the handler has run when raise() returns. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "support/fault.h"

static sigset_t set_of(int first, int second)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, first);
    if (second)
        sigaddset(&set, second);
    return set;
}

static void queue_value(int number, int value)
{
    union sigval sigval = {.sival_ptr = NULL};
    sigval.sival_int = value;
    expect_ok(sigqueue(getpid(), number, sigval));
}

/* Nothing comes any more, as far as a look tells. */
static void expect_nothing(bine_signals *signals)
{
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_signal_next(signals, NULL), ETIMEDOUT);
    }
}

/* ThreadSanitizer delays handlers, and keeps one signal of a kind for each thread. */
#ifdef __SANITIZE_THREAD__
enum { KEEPS_ALL = false };
#elif defined __has_feature
enum { KEEPS_ALL = !__has_feature(thread_sanitizer) };
#else
enum { KEEPS_ALL = true };
#endif

static bool all_are_kept(const char *test)
{
    if (!KEEPS_ALL)
        support_skip(test, "ThreadSanitizer keeps one signal of a kind");
    return KEEPS_ALL;
}

static _Atomic int handled;

static void count(int number)
{
    (void)number;
    handled++;
}

/* ---- What is told ------------------------------------------------------------------ */

static void *wait_once(void *arg)
{
    const int *number = arg;
    sigset_t set = set_of(*number, 0);
    bine_signal_info info = {.signal = 0};
    expect_int(bine_signal_wait(&set, &info), ==, *number);
    expect_int(info.signal, ==, *number);
    expect_int(info.pid, ==, getpid());
    expect_int(info.uid, ==, getuid());
    return NULL;
}

LOOP_TEST(a_task_waits_for_a_signal_and_learns_who_sent_it)
{
    int number = SIGUSR1;
    bine_task *task = bine_spawn(wait_once, &number);
    settle();
    expect_ok(kill(getpid(), SIGUSR1));
    expect_ok(bine_join(task, NULL));
}

LOOP_TEST(values_that_were_queued_come_in_order)
{
    if (!all_are_kept("values_that_were_queued_come_in_order"))
        return;
    sigset_t set = set_of(SIGRTMIN, 0);
    bine_signals *signals = bine_signal_open(&set);
    bine_signal_info info;
    for (int i = 0; i < 10; i++)
        queue_value(SIGRTMIN, 100 + i);
    for (int i = 0; i < 10; i++) {
        expect_int(bine_signal_next(signals, &info), ==, SIGRTMIN);
        expect_int(info.value, ==, 100 + i);
        expect_int(info.code, ==, SI_QUEUE);
    }
    expect_nothing(signals);
    expect_ok(bine_signal_close(signals));
}

LOOP_TEST(a_plain_signal_that_comes_again_counts_once)
{
    sigset_t set = set_of(SIGUSR1, SIGUSR2);
    bine_signals *signals = bine_signal_open(&set);
    for (int i = 0; i < 3; i++) {
        raise(SIGUSR1);
        raise(SIGUSR2);
    }
    expect_int(bine_signal_next(signals, NULL), ==, SIGUSR1);
    expect_int(bine_signal_next(signals, NULL), ==, SIGUSR2);
    expect_nothing(signals);
    raise(SIGUSR1);
    expect_int(bine_signal_next(signals, NULL), ==, SIGUSR1);
    expect_ok(bine_signal_close(signals));
}

LOOP_TEST(a_childs_end_is_told_with_its_status)
{
    sigset_t set = set_of(SIGCHLD, 0);
    bine_signals *signals = bine_signal_open(&set);
    bine_signal_info info;
    pid_t pid = fork();
    if (pid == 0)
        _exit(5);
    do
        expect_int(bine_signal_next(signals, &info), ==, SIGCHLD);
    while (info.code == CLD_STOPPED || info.code == CLD_CONTINUED); /* by somebody else */
    expect_int(info.pid, ==, pid);
    expect_int(info.status, ==, 5);
    expect_int(info.code, ==, CLD_EXITED);
    expect_int(waitpid(pid, NULL, 0), ==, pid);
    expect_ok(bine_signal_close(signals));
}

/* ---- Storms ------------------------------------------------------------------------ */

LOOP_TEST(a_storm_loses_no_kind_and_overflows_nothing)
{
    if (!all_are_kept("a_storm_loses_no_kind_and_overflows_nothing"))
        return;
    enum { STORM = 5000 /* records: more than a pipe takes */, MOST = 2000 };
    const int patience = support_slow() ? 25 : 5; /* looks in vain: on a busy machine one proves nothing */
    sigset_t set = set_of(SIGRTMIN, SIGUSR1);
    bine_signals *signals;
    int seen[3] = {0, 0, 0};
    sigaddset(&set, SIGUSR2);
    signals = bine_signal_open(&set);
    for (int round = 0; round < 2; round++) { /* and again: nothing is left clogged */
        seen[0] = seen[1] = seen[2] = 0;
        for (int i = 0; i < STORM; i++)
            raise(SIGUSR1);
        queue_value(SIGRTMIN, 1);
        raise(SIGUSR2);
        for (int i = 0; i < STORM; i++)
            queue_value(SIGRTMIN, 2);
        for (int i = 0, vain = 0; i < MOST && vain < patience; i++) {
            int number = 0;
            BINE_TIMEOUT(20 * BINE_MS) {
                number = bine_signal_next(signals, NULL);
            }
            vain = number == -1 ? vain + 1 : 0;
            if (number == -1)
                continue;
            seen[number == SIGUSR1 ? 0 : number == SIGUSR2 ? 1 : 2]++;
        }
        expect_int(seen[0], ==, 1);
        expect_int(seen[1], ==, 1);
        expect_int(seen[2], >=, 1);
        expect_int(seen[2], <, MOST - 10);
    }
    raise(SIGUSR2);
    expect_int(bine_signal_next(signals, NULL), ==, SIGUSR2);
    expect_ok(bine_signal_close(signals));
}

static _Atomic bool storming;
static _Atomic unsigned taken;

/* Gusts: after each it waits until one of its signals has been told, since a tool that runs handlers when it
 * likes (ThreadSanitizer) may do nothing else under a storm without a pause. */
static void *storm(void *process)
{
    enum { GUST = 50 };
    (void)process;
    while (storming) {
        const unsigned before = taken;
        for (int i = 0; i < GUST; i++) {
            kill(getpid(), SIGUSR1);
            sched_yield();
        }
        while (storming && taken == before) {
            sched_yield();
            if (!KEEPS_ALL) { /* it has been seen to lose all of a gust */
                usleep(1000);
                kill(getpid(), SIGUSR1);
            }
        }
    }
    kill(getpid(), SIGUSR2); /* the last word */
    return NULL;
}

LOOP_TEST(a_loop_lives_through_a_storm_from_another_thread)
{
    sigset_t set = set_of(SIGUSR1, SIGUSR2);
    bine_signals *signals = bine_signal_open(&set);
    pthread_t thread;
    int number = 0;
    storming = true;
    expect_ok(pthread_create(&thread, NULL, storm, NULL));
    for (int i = 0; i < 200; i++) {
        expect_int(bine_signal_next(signals, NULL), ==, SIGUSR1);
        taken++;
    }
    storming = false;
    while ((number = bine_signal_next(signals, NULL)) == SIGUSR1)
        ;
    expect_int(number, ==, SIGUSR2);
    pthread_join(thread, NULL);
    expect_ok(bine_signal_close(signals));
}

/* ---- Several who wait -------------------------------------------------------------- */

LOOP_TEST(all_who_wait_are_told)
{
    enum { WAITERS = 4 };
    bine_task *tasks[WAITERS];
    int numbers[WAITERS] = {SIGUSR1, SIGUSR2, SIGUSR1, SIGUSR1};
    for (int i = 0; i < WAITERS; i++)
        tasks[i] = bine_spawn(wait_once, &numbers[i]);
    settle();
    kill(getpid(), SIGUSR1);
    for (int i = 0; i < WAITERS; i++)
        if (numbers[i] == SIGUSR1)
            expect_ok(bine_join(tasks[i], NULL));
    kill(getpid(), SIGUSR2);
    expect_ok(bine_join(tasks[1], NULL));
}

static void *take_one(void *signals)
{
    return bine_signal_next(signals, NULL) > 0 ? NULL : bine_fail(errno);
}

LOOP_TEST(tasks_that_share_one_take_turns)
{
    if (!all_are_kept("tasks_that_share_one_take_turns"))
        return;
    enum { TASKS = 6 };
    sigset_t set = set_of(SIGRTMIN, 0);
    bine_signals *signals = bine_signal_open(&set);
    bine_task *tasks[TASKS];
    bine_result result;
    for (int i = 0; i < TASKS; i++)
        tasks[i] = bine_spawn(take_one, signals);
    settle();
    expect_fails(bine_signal_close(signals), EBUSY);
    for (int i = 0; i < TASKS; i++)
        queue_value(SIGRTMIN, i);
    for (int i = 0; i < TASKS; i++) {
        expect_ok(bine_join(tasks[i], &result));
        expect_int(result.error, ==, 0);
    }
    expect_nothing(signals);
    expect_ok(bine_signal_close(signals));
}

enum { LOOPS = 3 };
static _Atomic int ready, told;

static void *wait_in_loop(void *arg)
{
    sigset_t set = set_of(SIGUSR1, SIGTERM);
    bine_signals *signals = bine_signal_open(&set);
    (void)arg;
    ready++;
    for (int i = 0; i < 2; i++)
        if (bine_signal_next(signals, NULL) > 0)
            told++;
    bine_signal_close(signals);
    return NULL;
}

static void *run_loop(void *arg)
{
    bine_run(wait_in_loop, NULL, NULL);
    return arg;
}

START_TEST(several_loops_are_told)
{
    pthread_t threads[LOOPS];
    for (int i = 0; i < LOOPS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_loop, NULL), 0);
    while (ready < LOOPS)
        sched_yield();
    kill(getpid(), SIGUSR1);
    while (told < LOOPS)
        sched_yield();
    kill(getpid(), SIGTERM);
    for (int i = 0; i < LOOPS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(told, 2 * LOOPS);
}
END_TEST

/* ---- Dispositions ------------------------------------------------------------------ */

LOOP_TEST(who_had_it_before_gets_it_back)
{
    sigset_t set = set_of(SIGUSR1, 0);
    struct sigaction now;
    signal(SIGUSR1, count);
    bine_signals *first = bine_signal_open(&set), *second = bine_signal_open(&set);
    raise(SIGUSR1);
    expect_int(handled, ==, 0);
    expect_ok(bine_signal_close(first));
    raise(SIGUSR1);
    expect_int(handled, ==, 0);
    expect_ok(bine_signal_close(second));
    raise(SIGUSR1);
    expect_int(handled, ==, 1);
    first = bine_signal_open(&set);
    signal(SIGUSR1, SIG_IGN); /* somebody takes it meanwhile */
    expect_ok(bine_signal_close(first));
    expect_ok(sigaction(SIGUSR1, NULL, &now));
    expect(now.sa_handler == SIG_IGN);
}

static void *raise_both(void *arg)
{
    raise(SIGUSR2);
    raise(SIGUSR1);
    return arg;
}

LOOP_TEST(what_came_meanwhile_is_kept_for_the_next_wait)
{
    sigset_t both = set_of(SIGUSR1, SIGUSR2), first = set_of(SIGUSR1, 0), second = set_of(SIGUSR2, 0);
    bine_detach(bine_spawn(raise_both, NULL));
    expect_int(bine_signal_wait(&both, NULL), ==, SIGUSR2);
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_signal_wait(&second, NULL), ETIMEDOUT);
    }
    expect_int(bine_signal_wait(&first, NULL), ==, SIGUSR1);
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_signal_wait(&both, NULL), ETIMEDOUT);
    }
}

LOOP_TEST(one_that_has_come_wins_over_a_cancellation)
{
    int number = SIGUSR1;
    bine_task *task = bine_spawn(wait_once, &number);
    settle();
    bine_cancel(task);
    raise(SIGUSR1);
    expect_ok(bine_join(task, NULL));
}

LOOP_TEST(a_wait_that_is_cancelled_gives_it_back)
{
    int number = SIGUSR1;
    bine_result result;
    signal(SIGUSR1, count);
    bine_task *task = bine_spawn(wait_once, &number);
    settle();
    raise(SIGUSR1);
    expect_ok(bine_join(task, &result));
    sigset_t set = set_of(SIGUSR1, 0);
    bine_scope scope;
    bine_scope_open(&scope, BINE_MS);
    expect_fails(bine_signal_wait(&set, NULL), ETIMEDOUT);
    bine_scope_cancel(&scope);
    expect_fails(bine_signal_wait(&set, NULL), ECANCELED);
    bine_scope_close(&scope);
    raise(SIGUSR1);
    expect_int(handled, ==, 1);
}

/* ---- fork() ------------------------------------------------------------------------ */

LOOP_TEST(a_forked_child_has_its_old_dispositions_and_tells_us_nothing)
{
    sigset_t set = set_of(SIGUSR1, SIGUSR2);
    int status = -1;
    signal(SIGUSR2, count);
    bine_signals *signals = bine_signal_open(&set);
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGUSR2);
        if (handled != 1)
            _exit(3);
        raise(SIGUSR1); /* by default: the end */
        _exit(4);
    }
    expect_int(waitpid(pid, &status, 0), ==, pid);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    expect_nothing(signals);
    raise(SIGUSR1);
    expect_int(bine_signal_next(signals, NULL), ==, SIGUSR1);
    expect_int(handled, ==, 0);
    expect_ok(bine_signal_close(signals));
}

static struct sigaction ours;

/* A handler of the program's, which calls whom it found. */
static void pass_on(int number, siginfo_t *from, void *context)
{
    ours.sa_sigaction(number, from, context);
}

/* In the child.  How many descriptors of its own it finds something in. */
static int count_spoilt(void)
{
    enum { PIPES = 32 /* more than descriptors that the fork has closed */ };
    char byte;
    int end[PIPES], ends[2], spoilt = 0;

    for (int i = 0; i < PIPES; i++) {
        if (pipe2(ends, O_NONBLOCK) != 0)
            return PIPES;
        end[i] = ends[0];
    }
    raise(SIGUSR1);
    for (int i = 0; i < PIPES; i++)
        spoilt += read(end[i], &byte, 1) == 1;
    return spoilt;
}

LOOP_TEST(a_forked_child_whose_handler_calls_ours_keeps_its_descriptors)
{
    struct sigaction passing = {.sa_flags = SA_SIGINFO};
    sigset_t set = set_of(SIGUSR1, 0);
    static bine_signals *signals; /* where Valgrind finds it in the child, too */
    int status = -1;

    signals = bine_signal_open(&set);
    passing.sa_sigaction = pass_on;
    expect_ok(sigaction(SIGUSR1, &passing, &ours));
    pid_t pid = fork();
    if (pid == 0)
        _exit(count_spoilt());
    expect_int(waitpid(pid, &status, 0), ==, pid);
    expect_int(status, ==, 0);
    raise(SIGUSR1);
    expect_int(bine_signal_next(signals, NULL), ==, SIGUSR1);
    expect_ok(bine_signal_close(signals));
    signal(SIGUSR1, SIG_DFL);
}

/* ---- Misuse and faults ------------------------------------------------------------- */

static bine_event called_back = BINE_EVENT_INIT;

static void call_back(void *signals)
{
    sigset_t set = set_of(SIGUSR1, 0);
    expect_fails(bine_signal_wait(&set, NULL), EDEADLK);
    expect_fails(bine_signal_next(signals, NULL), EDEADLK);
    bine_event_set(&called_back);
}

static void *strange(void *signals)
{
    sigset_t set = set_of(SIGUSR1, 0);
    expect_fails(bine_signal_wait(&set, NULL), EPERM);
    expect_null(bine_signal_open(&set), EPERM);
    expect_fails(bine_signal_next(signals, NULL), EPERM);
    expect_fails(bine_signal_close(signals), EPERM);
    return NULL;
}

LOOP_TEST(misuse_is_an_error)
{
    static const int never[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    sigset_t none, set;
    pthread_t thread;
    sigemptyset(&none);
    expect_fails(bine_signal_wait(&none, NULL), EINVAL);
    expect_fails(bine_signal_wait(NULL, NULL), EINVAL);
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        set = set_of(never[i], SIGUSR1);
        expect_fails(bine_signal_wait(&set, NULL), EINVAL);
        expect_null(bine_signal_open(&set), EINVAL);
    }
    expect_fails(bine_signal_next(NULL, NULL), EINVAL);
    expect_fails(bine_signal_close(NULL), EINVAL);
    set = set_of(SIGUSR1, 0);
    bine_signals *signals = bine_signal_open(&set);
    expect_ok(pthread_create(&thread, NULL, strange, signals));
    pthread_join(thread, NULL);
    expect_ok(bine_call_soon(call_back, signals));
    expect_ok(bine_event_wait(&called_back));
    expect_ok(bine_signal_close(signals));
}

LOOP_TEST(what_it_lacks_is_an_error)
{
    sigset_t set = set_of(SIGUSR1, 0);
    bine_yield();
    fault_arm_call("calloc", 1, 1, ENOMEM);
    expect_null(bine_signal_open(&set), ENOMEM);
    fault_arm_call("calloc", 1, 1, ENOMEM);
    expect_fails(bine_signal_wait(&set, NULL), ENOMEM);
    fault_arm_call("pipe", 1, 1, EMFILE);
    expect_null(bine_signal_open(&set), EMFILE);
    fault_disarm();
}

/* The common pipe stays. */
static void warm(void)
{
    sigset_t set = set_of(SIGUSR1, 0);
    bine_signals *signals = bine_signal_open(&set);
    bine_signal_close(signals);
}

static __attribute__((constructor)) void set_up(void)
{
    support_warm = warm;
}

SUPPORT_MAIN("signal", a_task_waits_for_a_signal_and_learns_who_sent_it, values_that_were_queued_come_in_order,
             a_plain_signal_that_comes_again_counts_once, a_childs_end_is_told_with_its_status,
             a_storm_loses_no_kind_and_overflows_nothing, a_loop_lives_through_a_storm_from_another_thread,
             all_who_wait_are_told, tasks_that_share_one_take_turns, several_loops_are_told,
             who_had_it_before_gets_it_back, what_came_meanwhile_is_kept_for_the_next_wait,
             one_that_has_come_wins_over_a_cancellation, a_wait_that_is_cancelled_gives_it_back,
             a_forked_child_has_its_old_dispositions_and_tells_us_nothing,
             a_forked_child_whose_handler_calls_ours_keeps_its_descriptors, misuse_is_an_error,
             what_it_lacks_is_an_error)
