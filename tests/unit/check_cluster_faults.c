/* SPDX-License-Identifier: MIT
 *
 * Clusters in trouble: loops that cannot be had or end early, posts from everywhere, channels that are closed
 * under those who wait, fork() and signals among several threads.
 *
 * Nothing here depends on how the threads happen to run: what is asserted are sums, and who was told what. */
#define _GNU_SOURCE
#include "support/support.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/fault.h"
#include "sync/shared.h"

enum { LOOPS = 3 };

static _Atomic long runs, began, told, ran, accepted, sent, received;
static bine_chan *chan, *other;

static void open_channels(size_t capacity)
{
    chan = bine_chan_new_shared(sizeof(long), capacity, NULL);
    other = bine_chan_new_shared(sizeof(long), capacity, NULL);
    expect(chan && other);
}

static void free_channels(void)
{
    expect_ok(bine_chan_free(chan));
    expect_ok(bine_chan_free(other));
    support_settle();
}

/* ---- Loops that cannot be had, or end early ---------------------------------------- */

static void *count_run(void *arg)
{
    runs++;
    return arg;
}

/* Whatever call fails while they are opened: all run the function, or none does. */
START_TEST(all_loops_run_or_none)
{
    static const char *const calls[] = {"malloc", "calloc", "mmap", "epoll_create1", "eventfd", "epoll_ctl",
                                        "sigaltstack", "pipe", "fcntl", "pthread_create"};
    for (size_t call = 0; call < sizeof calls / sizeof calls[0]; call++) {
        bool failed = true;
        for (int nth = 1; failed && nth < 60; nth++) {
            runs = 0;
            fault_arm_call(calls[call], nth, 1, 0);
            int result = bine_cluster(LOOPS, count_run, NULL);
            failed = fault_injected() > 0;
            fault_disarm();
            expect_int(runs, ==, result == 0 ? LOOPS : 0);
            if (!failed)
                expect_int(result, ==, 0);
        }
        expect(!failed);
    }
    support_settle();
}
END_TEST

static void *count_post(void *arg)
{
    ran++;
    return arg;
}

/* All but the first are gone at once; it finds out, one after the other. */
static void *end_early(void *arg)
{
    if (bine_loop_index() > 0)
        return arg;
    for (unsigned i = 1; i < bine_cluster_size(); i++) {
        while (bine_post(bine_cluster_loop(i), count_post, NULL) == 0) {
            for (accepted++; ran < accepted;) /* else it never gets to its end */
                expect_ok(bine_sleep(BINE_MS));
        }
        expect_int(errno, ==, ESRCH);
        expect_fails(bine_post(bine_cluster_loop(i), count_post, NULL), ESRCH);
    }
    return NULL;
}

START_TEST(loops_that_have_ended_refuse_posts)
{
    expect_ok(bine_cluster(LOOPS, end_early, NULL));
    expect_int(ran, ==, accepted);
    support_settle();
}
END_TEST

/* Each ends when it likes, with a value that nobody takes, or without one that it waits for. */
static void *part(void *arg)
{
    uint64_t state = bine_loop_index() + *(unsigned *)arg * LOOPS + 1;
    for (uint64_t left = support_random(&state) % 20; left > 0; left--) {
        long value = 1;
        BINE_TIMEOUT((bine_ns)(support_random(&state) % 200) * BINE_US) {
            if (support_random(&state) % 2)
                (void)bine_chan_send(chan, &value);
            else if (bine_chan_recv(chan, &value) == 0)
                expect_int(value, ==, 1);
        }
    }
    return NULL;
}

START_TEST(they_part_in_any_order)
{
    for (unsigned i = 0; i < (support_slow() ? 10U : 100U); i++) {
        open_channels(i % 3);
        expect_ok(bine_cluster(LOOPS, part, &i));
        expect_uint(bine_chan_length(chan), <=, i % 3);
        free_channels();
    }
}
END_TEST

/* ---- Posts from everywhere --------------------------------------------------------- */

enum { POSTERS = 8, POSTS = 1000 };
static bine_loop *_Atomic loops[LOOPS];
static bine_event done[LOOPS];
static _Atomic long arrived[LOOPS];

static long posts(void)
{
    return support_slow() ? POSTS / 10 : POSTS;
}

static void *arrive(void *arg)
{
    unsigned i = bine_loop_index();
    expect_ptr(bine_this_loop(), ==, loops[i]);
    if (++arrived[i] == POSTERS * posts())
        bine_event_set(&done[i]);
    return arg;
}

static void *post_to_all(void *arg)
{
    for (long i = 0; i < posts(); i++)
        for (unsigned j = 0; j < LOOPS; j++)
            while (bine_post(loops[(i + j) % LOOPS], arrive, NULL) != 0)
                if (!expect(errno == ENOMEM))
                    return NULL;
    return arg;
}

static void *be_posted_to(void *arg)
{
    unsigned i = bine_loop_index();
    bine_event_init(&done[i]);
    loops[i] = bine_this_loop();
    began++;
    return bine_event_wait(&done[i]) == 0 ? arg : bine_fail(errno);
}

static void *run_cluster_thread(void *arg)
{
    expect_ok(bine_cluster(LOOPS, be_posted_to, NULL));
    return arg;
}

START_TEST(many_threads_post_to_many_loops)
{
    pthread_t cluster, posters[POSTERS];
    ck_assert_int_eq(pthread_create(&cluster, NULL, run_cluster_thread, NULL), 0);
    while (began < LOOPS)
        sched_yield();
    for (int i = 0; i < POSTERS; i++)
        ck_assert_int_eq(pthread_create(&posters[i], NULL, post_to_all, NULL), 0);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(posters[i], NULL);
    pthread_join(cluster, NULL);
    for (int i = 0; i < LOOPS; i++)
        expect_int(arrived[i], ==, POSTERS * posts());
    support_settle();
}
END_TEST

/* ---- Closed, freed and cancelled under those who wait ------------------------------ */

enum { WAITERS = 21 };

static void *wait_for_it(void *arg)
{
    long value = 1, in = 0;
    bine_case cases[] = {bine_case_recv(chan, &in), bine_case_send(other, &value)};
    switch ((uintptr_t)arg % 3) {
    case 0:
        expect_fails(bine_chan_recv(chan, &in), EPIPE);
        break;
    case 1:
        expect_fails(bine_chan_send(other, &value), EPIPE);
        break;
    default:
        expect_int(cases[bine_chan_select(cases, 2)].error, ==, EPIPE);
    }
    told++;
    return NULL;
}

static long standing(bine_chan *in)
{
    struct bine__shared *shared = bine__shared_of(in);
    long count = 0;
    pthread_mutex_lock(&shared->lock);
    for (struct bine__list *node = shared->senders.next; node != &shared->senders; node = node->next)
        count++;
    for (struct bine__list *node = shared->receivers.next; node != &shared->receivers; node = node->next)
        count++;
    pthread_mutex_unlock(&shared->lock);
    return count;
}

static void *wait_or_close(void *arg)
{
    (void)arg;
    if (bine_loop_index() > 0) {
        BINE_GROUP (group, BINE_GROUP_ALL)
            for (uintptr_t i = 0; i < WAITERS; i++)
                bine_group_spawn(&group, wait_for_it, (void *)i); /* NOLINT: a number */
        return NULL;
    }
    while (standing(chan) + standing(other) < (LOOPS - 1) * (WAITERS + WAITERS / 3))
        expect_ok(bine_sleep(BINE_MS));
    expect_fails(bine_chan_free(chan), EBUSY);
    expect_fails(bine_chan_free(other), EBUSY);
    expect_ok(bine_chan_close(chan));
    expect_ok(bine_chan_close(other));
    return NULL;
}

START_TEST(closing_tells_the_waiters_of_all_loops)
{
    open_channels(0);
    expect_ok(bine_cluster(LOOPS, wait_or_close, NULL));
    expect_int(told, ==, (LOOPS - 1) * WAITERS);
    free_channels();
}
END_TEST

/* Tasks that wait are stopped while values arrive from another loop: each value is received, or still there. */
static void *receive_one(void *arg)
{
    long value = 0;
    if (bine_chan_recv(chan, &value) == 0)
        received += value;
    return arg;
}

static void *stop_or_send(void *arg)
{
    const long rounds = support_slow() ? 200 : 3000;
    if (bine_loop_index() > 0) {
        for (long i = 0; i < rounds; i++) {
            long value = 1;
            if (bine_chan_send(chan, &value) != 0)
                return bine_fail(errno);
            sent++;
        }
        told++;
        return NULL;
    }
    while (told < LOOPS - 1 || received < sent || bine_chan_length(chan)) {
        bine_task *task = bine_spawn(receive_one, arg);
        bine_yield();
        expect_ok(bine_stop(task, NULL));
    }
    return NULL;
}

START_TEST(no_value_is_lost_when_receivers_are_stopped)
{
    for (size_t capacity = 0; capacity < 2; capacity++) {
        sent = received = told = 0;
        open_channels(capacity);
        expect_ok(bine_cluster(LOOPS, stop_or_send, NULL));
        expect_int(received, ==, sent);
        free_channels();
    }
}
END_TEST

/* One fails while the others wait for each other, and for what never comes. */
static void *fail_among_waiters(void *arg)
{
    long value = 0;
    (void)arg;
    if (bine_loop_index() == 1) {
        while (began < LOOPS - 1)
            expect_ok(bine_sleep(BINE_MS));
        return bine_fail(EXDEV);
    }
    began++;
    expect_fails(bine_chan_recv(chan, &value), ECANCELED);
    told++;
    return bine_fail(ECANCELED);
}

START_TEST(a_failure_ends_the_waits_of_all_loops)
{
    open_channels(0);
    expect_fails(bine_cluster(LOOPS, fail_among_waiters, NULL), EXDEV);
    expect_int(told, ==, LOOPS - 1);
    free_channels();
}
END_TEST

/* What cancels the others is there already when one fails. */
static void *fail_without_memory(void *arg)
{
    long value = 0;
    if (bine_loop_index() != 1) {
        began++;
        expect_fails(bine_chan_recv(chan, &value), ECANCELED);
        told++;
        return arg;
    }
    while (began < LOOPS - 1)
        expect_ok(bine_sleep(BINE_MS));
    fault_arm_call("malloc", 1, 1000, ENOMEM);
    return bine_fail(EXDEV);
}

START_TEST(a_failure_is_told_without_memory)
{
    open_channels(0);
    expect_fails(bine_cluster(LOOPS, fail_without_memory, NULL), EXDEV);
    expect_int(fault_injected(), <, 100); /* it does not ask for memory until there is some */
    fault_disarm();
    expect_int(told, ==, LOOPS - 1);
    free_channels();
}
END_TEST

/* ---- fork() and signals ------------------------------------------------------------ */

static void *talk(void *arg)
{
    const long rounds = support_slow() ? 100 : 1000;
    bine_chan *out = bine_loop_index() == 0 ? chan : other, *in = bine_loop_index() == 0 ? other : chan;
    for (long i = 0, value = 0; i < rounds && bine_loop_index() < 2; i++) {
        if (bine_loop_index() == 0)
            expect_ok(bine_chan_send(out, &i));
        expect_ok(bine_chan_recv(in, &value));
        expect_int(value, ==, i);
        if (bine_loop_index() == 1)
            expect_ok(bine_chan_send(out, &value));
    }
    ran++;
    return arg;
}

static void *child_of_cluster(void *arg)
{
    runs += bine_post(bine_this_loop(), count_post, NULL) == 0;
    return arg;
}

/* How a child says that all is well, so that no leak checker looks at it: what threads had that are not there any
 * more, nobody has. */
static void end_well(void)
{
    kill(getpid(), SIGKILL);
}

static bool ended_well(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* The third forks while the others talk; the child is outside, and may have a cluster of its own. */
static void *fork_while_they_talk(void *arg)
{
    const unsigned own_loops = support_instrumented() ? 1 : 2; /* ThreadSanitizer allows a child no threads */
    bine_loop *second = bine_cluster_loop(1);
    int status = -1;
    if (bine_loop_index() < 2)
        return talk(arg);
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(60);
            bool outside = bine_cluster_size() == 0 && !bine_this_loop() &&
                           bine_post(second, count_post, NULL) == -1 && errno == ESRCH;
            runs = ran = 0;
            bool own = bine_cluster(own_loops, child_of_cluster, NULL) == 0 && runs == own_loops &&
                       ran == own_loops;
            if (outside && own)
                end_well();
            _exit(outside ? 1 : 2);
        }
        expect_int(child, >, 0);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        expect(ended_well(status));
        bine_yield();
    }
    return NULL;
}

START_TEST(a_loop_of_a_cluster_forks)
{
    open_channels(0);
    expect_ok(bine_cluster(LOOPS, fork_while_they_talk, NULL));
    free_channels();
}
END_TEST

static _Atomic bool over;

static _Atomic int asked, answered;

/* Waits for it, but not for one that has to wait for us. */
static void ask_for_a_fork(void)
{
    const int mine = ++asked;
    for (int i = 0; i < 20 && answered < mine; i++)
        nanosleep(&(struct timespec){.tv_nsec = BINE_MS}, NULL);
}

static void *use_a_descriptor(void *arg)
{
    int fd[2];
    expect_ok(bine_pipe(fd));
    BINE_TIMEOUT(BINE_US)
        expect_fails(bine_read(fd[0], &(char){0}, 1), ETIMEDOUT);
    expect_ok(bine_close(fd[0]));
    expect_ok(bine_close(fd[1]));
    return arg;
}

static void *open_and_close_loops(void *arg)
{
    fault_before_free = ask_for_a_fork;
    for (int i = 0; i < 3; i++)
        expect_ok(bine_run(use_a_descriptor, arg, NULL));
    over = true;
    return arg;
}

/* A child in which the loop of another thread is half open or half closed. */
START_TEST(a_thread_forks_while_another_opens_and_closes_loops)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, open_and_close_loops, NULL), 0);
    while (!over) {
        const int now = asked;
        int status = -1;
        if (answered == now) {
            sched_yield();
            continue;
        }
        pid_t child = fork();
        if (child == 0)
            end_well();
        expect_int(waitpid(child, &status, 0), ==, child);
        expect(ended_well(status));
        answered = now;
    }
    pthread_join(thread, NULL);
    expect_int(answered, >, 0);
    support_settle();
}
END_TEST

static void nothing(int number)
{
    (void)number;
}

static void *storm(void *arg)
{
    while (!over) {
        kill(getpid(), SIGUSR1);
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL); /* time to do anything else at all */
    }
    return arg;
}

START_TEST(signals_interrupt_nothing_that_matters)
{
    struct sigaction action = {.sa_handler = nothing}, before; /* no SA_RESTART */
    pthread_t thread;
    sigset_t all, mask;
    open_channels(1);
    expect_ok(sigaction(SIGUSR1, &action, &before));
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask); /* the storm is for the others */
    ck_assert_int_eq(pthread_create(&thread, NULL, storm, NULL), 0);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    expect_ok(bine_cluster(LOOPS, talk, NULL));
    expect_int(ran, ==, LOOPS);
    over = true;
    pthread_join(thread, NULL);
    expect_ok(sigaction(SIGUSR1, &before, NULL));
    free_channels();
}
END_TEST

SUPPORT_MAIN("cluster faults", all_loops_run_or_none, loops_that_have_ended_refuse_posts, they_part_in_any_order,
             many_threads_post_to_many_loops, closing_tells_the_waiters_of_all_loops,
             no_value_is_lost_when_receivers_are_stopped, a_failure_ends_the_waits_of_all_loops,
             a_failure_is_told_without_memory, a_loop_of_a_cluster_forks,
             a_thread_forks_while_another_opens_and_closes_loops, signals_interrupt_nothing_that_matters)
