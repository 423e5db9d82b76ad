/* SPDX-License-Identifier: MIT
 *
 * When a loop looks into its box before it sleeps: the decision with made-up times, and loops that do and do not.
 *
 * Whether a try pays on the machine that runs this is the machine's affair, and nothing of it is asserted. */
#define _GNU_SOURCE
#include "support/support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "runtime/runtime.h"

/* ---- The decision ------------------------------------------------------------------ */

static bine_ns now;

/* The loop is about to wait, so long after the last time. */
static bine_ns due_after(struct bine__spin *spin, bine_ns period)
{
    now += period;
    return bine__spin_due(spin, now);
}

START_TEST(what_comes_seldom_is_not_waited_for)
{
    struct bine__spin spin = {.heard = false};
    now = BINE_SECOND;
    expect_int(due_after(&spin, 0), ==, 0); /* the first time */
    for (int i = 0; i < 100; i++)
        expect_int(due_after(&spin, BINE_MS), ==, 0);
    expect_uint(spin.tried, ==, 0);
}
END_TEST

START_TEST(an_answer_that_comes_at_once_is_waited_for_each_time)
{
    struct bine__spin spin = {.heard = false};
    now = BINE_SECOND;
    (void)due_after(&spin, 0);
    expect_int(due_after(&spin, 20 * BINE_US), ==, BINE__SPIN_FIRST);
    bine__spin_learn(&spin, BINE_US, true);
    for (int i = 0; i < 100; i++) {
        bine_ns limit = due_after(&spin, 2 * BINE_US);
        expect_int(limit, ==, BINE__SPIN_LEAST);
        bine__spin_learn(&spin, BINE_US / 2, true);
    }
    expect_uint(spin.paid, ==, 101);
    bine__spin_learn(&spin, 8 * BINE_US, true);
    expect_int(due_after(&spin, 10 * BINE_US), ==, 32 * BINE_US); /* it takes longer now */
}
END_TEST

START_TEST(tries_in_vain_become_rare)
{
    struct bine__spin spin = {.heard = false};
    uint64_t tried;
    now = BINE_SECOND;
    (void)due_after(&spin, 0);
    for (int i = 0; i < 100000; i++) {
        bine_ns limit = due_after(&spin, 60 * BINE_US);
        if (limit) {
            expect_int(limit, ==, BINE__SPIN_FIRST);
            bine__spin_learn(&spin, limit, false);
        }
    }
    tried = spin.tried;
    expect_uint(tried, >, 9);
    expect_uint(tried, <=, 10 + 100000 / BINE__SPIN_REST);
    while (!due_after(&spin, 60 * BINE_US))
        ;
    for (int i = 0; i < 20; i++) { /* the next that pays is followed by another */
        bine__spin_learn(&spin, BINE_US, true);
        expect_int(due_after(&spin, 3 * BINE_US), >, 0);
    }
    expect_uint(spin.misses, ==, 0);
}
END_TEST

START_TEST(answers_that_come_late_are_put_up_with_for_a_while)
{
    struct bine__spin spin = {.heard = false};
    int tries = 0;
    now = BINE_SECOND;
    (void)due_after(&spin, 0);
    while (due_after(&spin, 40 * BINE_US)) {
        bine__spin_learn(&spin, 39 * BINE_US, true);
        tries++;
    }
    expect_int(tries, ==, BINE__SPIN_PATIENCE + 1);
    for (int i = 0; i < 10000; i++)
        if (due_after(&spin, 40 * BINE_US))
            bine__spin_learn(&spin, 39 * BINE_US, true);
    expect_uint(spin.tried, <=, BINE__SPIN_PATIENCE + 20 + 10000 / BINE__SPIN_REST);
}
END_TEST

/* ---- Loops ------------------------------------------------------------------------- */

static bine_chan *there, *here, *over;
static _Atomic uint64_t tried;
static _Atomic int both;

static void open_both(void)
{
    there = bine_chan_new_shared(sizeof(int), 0, NULL);
    here = bine_chan_new_shared(sizeof(int), 0, NULL);
    expect(there && here);
}

static void close_both(void)
{
    expect_ok(bine_chan_free(there));
    expect_ok(bine_chan_free(here));
    support_settle();
}

/* Back and forth, with descriptors in between if told so. */
static void *ping(void *arg)
{
    const int rounds = support_slow() ? 500 : 5000;
    bine_chan *out = bine_loop_index() == 0 ? there : here, *in = bine_loop_index() == 0 ? here : there;
    int value = 0, ends[2] = {-1, -1};
    char byte = 'x';

    if (*(bool *)arg)
        expect_ok(pipe(ends));
    for (int i = 0; i < rounds; i++) {
        if (bine_loop_index() == 0) {
            value = i;
            expect_ok(bine_chan_send(out, &value));
        }
        expect_ok(bine_chan_recv(in, &value));
        expect_int(value, ==, i);
        if (ends[0] != -1) {
            expect_int(bine_write(ends[1], &byte, 1), ==, 1);
            expect_int(bine_read(ends[0], &byte, 1), ==, 1);
        }
        if (bine_loop_index() == 1)
            expect_ok(bine_chan_send(out, &value));
    }
    tried += bine__loop->spin.tried;
    for (int i = 0; i < 2; i++)
        if (ends[i] != -1)
            bine_close(ends[i]);
    return NULL;
}

START_TEST(values_go_back_and_forth)
{
    bool descriptors = false;
    open_both();
    expect_ok(bine_cluster(2, ping, &descriptors));
    descriptors = true;
    expect_ok(bine_cluster(2, ping, &descriptors));
    close_both();
}
END_TEST

/* A task that waits for a descriptor gets its turn while two loops talk without a pause. */
static _Atomic bool read_it;

static void *read_one(void *arg)
{
    char byte;
    expect_int(bine_read(*(int *)arg, &byte, 1), ==, 1);
    read_it = true;
    return NULL;
}

static void *talk_until_read(void *arg)
{
    int value = 0, ends[2];
    (void)arg;
    if (bine_loop_index() == 1) {
        while (bine_chan_recv(there, &value) == 0)
            expect_ok(bine_chan_send(here, &value));
        return NULL;
    }
    expect_ok(pipe(ends));
    bine_task *reader = bine_spawn(read_one, &ends[0]);
    for (int i = 0; i < 100; i++) {
        expect_ok(bine_chan_send(there, &i));
        expect_ok(bine_chan_recv(here, &value));
    }
    expect_int(write(ends[1], "x", 1), ==, 1);
    while (!read_it) { /* no end of it otherwise */
        expect_ok(bine_chan_send(there, &value));
        expect_ok(bine_chan_recv(here, &value));
    }
    expect_ok(bine_join(reader, NULL));
    expect_ok(bine_chan_close(there));
    bine_close(ends[0]);
    bine_close(ends[1]);
    return NULL;
}

START_TEST(descriptors_are_seen_while_loops_talk)
{
    open_both();
    expect_ok(bine_cluster(2, talk_until_read, NULL));
    close_both();
}
END_TEST

static void *mind_its_own_business(void *arg)
{
    for (int i = 0; i < 20; i++)
        expect_ok(bine_sleep(100 * BINE_US));
    expect(!bine__loop->spin.heard);
    expect_uint(bine__loop->spin.tried, ==, 0);
    expect_int(bine__loop->spin.since, ==, 0); /* not even the clock was read */
    return arg;
}

START_TEST(a_loop_that_nobody_sends_to_never_spins)
{
    run_in_loop(mind_its_own_business, NULL);
}
END_TEST

/* As if the loop had just been woken, until it looks: it may be kept from the processor in between. */
static bine_ns left_after_a_look(struct bine_loop *loop, bine_ns timeout)
{
    enum { TRIES = 10000 };
    bine_ns left = timeout;
    for (int i = 0; i < TRIES && !loop->spin.tried; i++) {
        loop->spin = (struct bine__spin){.heard = true, .processors = 2, .since = bine__clock(NULL)};
        expect(!bine__spin(loop, &left));
    }
    expect_uint(loop->spin.tried, ==, 1);
    loop->spin = (struct bine__spin){.heard = false};
    return left;
}

LOOP_TEST(a_timer_that_is_due_soon_is_not_kept_waiting)
{
    if (bine__notes_wants_stacks()) {
        support_skip("a_timer_that_is_due_soon_is_not_kept_waiting", "nobody spins under Valgrind");
        return;
    }
    expect_int(left_after_a_look(bine__loop, 1), ==, 0);
    expect_int(left_after_a_look(bine__loop, BINE_SECOND), <, BINE_SECOND);
    expect_int(left_after_a_look(bine__loop, BINE_FOREVER), ==, BINE_FOREVER);
}

START_TEST(nobody_spins_on_one_processor)
{
#ifdef __linux__
    bool descriptors = false;
    cpu_set_t before, one;
    expect_ok(sched_getaffinity(0, sizeof before, &before));
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
        if (CPU_ISSET(i, &before))
            CPU_SET(i, &one);
    expect_ok(sched_setaffinity(0, sizeof one, &one));
    open_both();
    expect_ok(bine_cluster(2, ping, &descriptors));
    expect_ok(sched_setaffinity(0, sizeof before, &before));
    expect_uint(tried, ==, 0);
    close_both();
#endif
}
END_TEST

/* The first two talk; the others are there. */
static void *ping_or_wait(void *arg)
{
    int value;
    if (bine_loop_index() > 1) {
        expect_fails(bine_chan_recv(over, &value), EPIPE);
        return NULL;
    }
    ping(arg);
    if (++both == 2)
        expect_ok(bine_chan_close(over));
    return NULL;
}

START_TEST(nobody_spins_where_there_are_more_loops_than_processors)
{
    bool descriptors = false;
    unsigned cores = bine__cores();
    open_both();
    over = bine_chan_new_shared(sizeof(int), 0, NULL);
    expect_ok(bine_cluster(cores < 2 ? 3 : cores + 1, ping_or_wait, &descriptors));
    expect_uint(tried, ==, 0);
    expect_ok(bine_chan_free(over));
    close_both();
}
END_TEST

SUPPORT_MAIN("spin", what_comes_seldom_is_not_waited_for, an_answer_that_comes_at_once_is_waited_for_each_time,
             tries_in_vain_become_rare, answers_that_come_late_are_put_up_with_for_a_while, values_go_back_and_forth,
             descriptors_are_seen_while_loops_talk, a_timer_that_is_due_soon_is_not_kept_waiting,
             a_loop_that_nobody_sends_to_never_spins,
             nobody_spins_on_one_processor, nobody_spins_where_there_are_more_loops_than_processors)
