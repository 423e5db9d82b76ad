/* SPDX-License-Identifier: MIT
 *
 * A gate that functions on other threads wait at until the test opens it, so that "still running" is a fact and
 * not a matter of time; and counts of what ran. */
#ifndef TESTS_GATE_H
#define TESTS_GATE_H

#include <semaphore.h>
#include <stdatomic.h>

#include "support/tasks.h"

static sem_t gate, begun;
static _Atomic int running, most, runs, drops;

static inline void set_up(void)
{
    running = most = runs = drops = 0;
    sem_init(&gate, 0, 0);
    sem_init(&begun, 0, 0);
}

/* On the other thread. */
static inline void wait_at_gate(void)
{
    int now = ++running;

    runs++;
    for (int before = most; now > before && !atomic_compare_exchange_weak(&most, &before, now);)
        ;
    sem_post(&begun);
    while (sem_wait(&gate) != 0)
        ;
    running--;
}

/* Until a thread has got as far as the gate. */
static inline void await_begun(void)
{
    while (sem_wait(&begun) != 0)
        ;
}

/* For so many. */
static inline void open_gate(int n)
{
    for (int i = 0; i < n; i++)
        sem_post(&gate);
}

/* A job whose task was cancelled: nobody waits for it any more, it runs to its end, and there is dropped. */
static inline void expect_abandoned(bine_task *task)
{
    expect_int(join(task).error, ==, ECANCELED);
    expect_int(running, ==, 1);
    expect_int(drops, ==, 0);
    open_gate(1);
    while (drops == 0)
        expect_ok(bine_sleep(BINE_MS));
    expect_int(drops, ==, 1);
    expect_int(running, ==, 0);
    expect_int(runs, ==, 1);
}

#endif
