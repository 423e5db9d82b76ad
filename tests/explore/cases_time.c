/* SPDX-License-Identifier: MIT
 *
 * Small programs for bine-explore(1), by name: cases <name> [<number>...].
 * Here: time, completions, and generators.  Each says beside it what exploration finds;
 * check.sh holds it to that. */
#define _GNU_SOURCE
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *sleeper(void *name)
{
    bine_sleep(*(char *)name * BINE_MS);
    note(*(char *)name);
    return NULL;
}

/* n sleepers of different length: (2n)! / 2^n in any order; n! where time is in order */
void *run_sleepers(void *unused)
{
    spawn_all(sleeper);
    return unused;
}

/* One task, and a draw: as many as are ready. */
void *run_select(void *unused)
{
    bine_chan *one = bine_chan_new(sizeof(int), 1, NULL), *other = bine_chan_new(sizeof(int), 1, NULL);
    int value = 1;
    bine_chan_send(one, &value);
    bine_chan_send(other, &value);
    bine_case cases[2] = {bine_case_recv(one, &value), bine_case_recv(other, &value)};
    assert(bine_chan_select(cases, 2) == 0);
    return unused;
}

/* The sleep ends, the deadline passes, or both: three.  The sleep cannot outlast a deadline set before it. */
void *run_deadline(void *unused)
{
    bine_scope scope;
    bine_scope_open(&scope, 10 * BINE_MS);
    int slept = bine_sleep(number[0] * BINE_MS), late = bine_yield();
    bine_scope_close(&scope);
    note(slept == 0 && late == 0 ? 'n' : slept == 0 ? 'b' : 'd');
    printf("%s\n", order);
    if (number[1])
        assert(order[0] != "nbd"[number[1] - 1]);
    return unused;
}

static void *late_sleeper(void *unused)
{
    bine_sleep(5 * BINE_MS);
    note('s');
    return unused;
}

/* Longer than all that is to be awaited: passes first where any timer may. */
void *run_watchdog(void *unused)
{
    bine_task *task = bine_spawn(late_sleeper, NULL);
    bine_scope scope;
    bine_scope_open(&scope, BINE_MINUTE);
    int error = bine_join(task, NULL);
    bine_scope_close(&scope);
    assert(error == 0);
    return unused;
}

static void *cancelled(void *unused)
{
    if (bine_sleep(BINE_MS) == 0)
        note('s');
    return unused;
}

/* The sleep is over when it is cancelled, or is over after that: before its task has run.  Two schedules
 * of five. */
void *run_too_late(void *unused)
{
    bine_task *task = bine_spawn(cancelled, NULL);
    bine_yield();
    bool before = order[0] == 's';
    bine_cancel(task);
    bine_join(task, NULL);
    assert(before || order[0] != 's');
    return unused;
}

/* Callbacks run before any task; a timer may fire before or after. */
static void on_callback(void *name)
{
    note(*(char *)name);
}
void *run_callbacks(void *unused)
{
    bine_timer timer;
    bine_call_soon(on_callback, "c");
    bine_timer_init(&timer, on_callback, "t");
    bine_timer_start(&timer, BINE_MS);
    bine_yield();
    note('y');
    assert(order[0] == 'c');
    bine_timer_cancel(&timer);
    return unused;
}

static bine_event woken = BINE_EVENT_INIT;
static bine_timer alarm_clock;
static bool rung;

static void on_alarm(void *unused)
{
    (void)unused;
    rung = true;
    bine_event_set(&woken);
}
static void *waits(void *unused)
{
    bine_event_wait(&woken);
    rung = false;
    return unused;
}
static void *looks(void *unused)
{
    assert(!rung);
    return unused;
}
/* What a callback has done is seen before whom it has woken has run. */
void *run_alarm(void *unused)
{
    bine_task *one = bine_spawn(waits, NULL);
    bine_yield();
    bine_timer_init(&alarm_clock, on_alarm, NULL);
    bine_timer_start(&alarm_clock, BINE_MS);
    bine_task *other = bine_spawn(looks, NULL);
    bine_join(one, NULL);
    bine_join(other, NULL);
    return unused;
}

static void *count_up(bine_gen *gen, void *arg)
{
    for (long i = 1; i <= number[1]; i++) {
        bine_yield();
        shared++;
        bine_gen_yield(gen, (void *)i, NULL);
    }
    return arg;
}
static void *counter(void *unused)
{
    long sum = 0;
    bine_gen *gen = bine_gen_new(count_up, NULL);
    BINE_FOR_EACH(v, gen)
        sum += (long)v;
    bine_gen_free(gen);
    assert(sum == number[1] * (number[1] + 1) / 2);
    return unused;
}
/* As many as of tasks that add, since each of them stands in its generator whenever it yields. */
void *run_generators(void *unused)
{
    spawn_all(counter);
    return unused;
}

