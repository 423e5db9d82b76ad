/* SPDX-License-Identifier: MIT
 *
 * Random traffic from a seed over locks, conditions, semaphores, events, barriers, latches, queues and channels, under
 * deadlines and cancellations that come at any moment.
 *
 * What must hold at all times is checked as it goes: who writes is alone, who reads has no writer beside him, a
 * semaphore lets so many in and no more, a condition returns holding its mutex, calls fail only for a reason that
 * holds.  At the end of each run nobody waits for anything, every object is at rest and can be destroyed, every permit
 * is back, and every value and item that was accepted arrived once.
 *
 *   SEED      of the first run; each run prints its own if it fails
 *   SECONDS   how long (default 5) */
#include "support/support.h"

enum {
    TASKS = 24,
    STEPS = 60, /* of each task */
    PERMITS = 3,
    PARTIES = 3,
    CHANNELS = 4,
    CASES = 12, /* in a select: more than it keeps on its stack */
    VALUES = TASKS * STEPS
};

static struct {
    uint64_t random;
    bine_mutex mutex;
    bine_rwlock rwlock;
    bine_cond cond;
    bine_sem sem;
    bine_event event;
    bine_barrier barrier;
    bine_latch latch;
    bine_queue *queue;
    bine_chan *chans[CHANNELS];

    bine_task *tasks[TASKS];
    bool cancelled[TASKS], ended[TASKS];
    int holders, readers, writers, inside, goods, pending;
    unsigned char sent[VALUES], received[VALUES], put[VALUES], got[VALUES];
    int met, last, alive;
} world;

static uint64_t draw(uint64_t n)
{
    return support_random(&world.random) % n;
}

static void pause_a_while(void)
{
    uint64_t way = draw(4);
    if (way == 0)
        bine_sleep((bine_ns)draw(3) * BINE_MS);
    else if (way == 1)
        bine_yield();
}

/* A call may fail like this because of the task's scopes, and for no other reason. */
static bool failed_for_a_reason(int task)
{
    return expect(errno == ETIMEDOUT || (errno == ECANCELED && world.cancelled[task]));
}

/* ---- What a task does ---------------------------------------------------------------------------------- */

static void use_mutex(int task)
{
    if (draw(3) == 0 ? bine_mutex_lock_try(&world.mutex) != 0 : bine_mutex_lock(&world.mutex) != 0) {
        if (errno != EBUSY)
            failed_for_a_reason(task);
        return;
    }
    expect_int(world.holders++, ==, 0);
    pause_a_while();
    expect_int(--world.holders, ==, 0);
    expect_ok(bine_mutex_unlock(&world.mutex));
}

static void use_rwlock(int task)
{
    bool writes = draw(3) == 0;
    if ((writes ? bine_rwlock_write(&world.rwlock) : bine_rwlock_read(&world.rwlock)) != 0) {
        failed_for_a_reason(task);
        return;
    }
    *(writes ? &world.writers : &world.readers) += 1;
    expect(world.writers == 0 || (world.writers == 1 && world.readers == 0));
    pause_a_while();
    expect(world.writers == 0 || (world.writers == 1 && world.readers == 0));
    *(writes ? &world.writers : &world.readers) -= 1;
    expect_ok(bine_rwlock_unlock(&world.rwlock));
}

/* Goods are made and taken under the mutex; who finds none waits. */
static void use_cond(int task)
{
    bool makes = draw(2);
    if (bine_mutex_lock(&world.mutex) != 0) {
        failed_for_a_reason(task);
        return;
    }
    expect_int(world.holders++, ==, 0);
    if (makes) {
        world.goods++;
        expect_ok(draw(4) ? bine_cond_signal(&world.cond) : bine_cond_broadcast(&world.cond));
    }
    while (!makes && world.goods == 0) {
        world.holders--;
        int result = bine_cond_wait(&world.cond, &world.mutex);
        int error = errno;
        expect_int(world.holders++, ==, 0); /* also when it failed */
        errno = error;
        if (result != 0) {
            failed_for_a_reason(task);
            makes = true; /* takes nothing */
        }
    }
    if (!makes)
        world.goods--;
    world.holders--;
    expect_ok(bine_mutex_unlock(&world.mutex));
}

static void use_sem(int task)
{
    if (bine_sem_wait(&world.sem) != 0) {
        failed_for_a_reason(task);
        return;
    }
    expect_int(++world.inside, <=, PERMITS);
    pause_a_while();
    world.inside--;
    expect_ok(bine_sem_post(&world.sem));
}

static void use_event(int task)
{
    switch (draw(3)) {
    case 0:
        expect_ok(bine_event_set(&world.event));
        break;
    case 1:
        expect_ok(bine_event_clear(&world.event));
        break;
    default:
        if (bine_event_wait(&world.event) != 0)
            failed_for_a_reason(task);
    }
}

static void use_barrier(int task)
{
    int result = bine_barrier_wait(&world.barrier);
    if (result < 0) {
        failed_for_a_reason(task);
        return;
    }
    world.met++;
    world.last += result;
}

static void use_latch(int task)
{
    switch (draw(3)) {
    case 0:
        expect_ok(bine_latch_add(&world.latch, 1));
        world.pending++;
        break;
    case 1:
        if (world.pending > 0) {
            world.pending--;
            expect_ok(bine_latch_done(&world.latch));
        }
        break;
    default:
        if (bine_latch_wait(&world.latch) != 0)
            failed_for_a_reason(task);
    }
}

static void use_queue(int task, int value)
{
    void *item;
    switch (draw(4)) {
    case 0:
        if (bine_queue_put_priority(world.queue, (void *)(intptr_t)value, (int64_t)draw(3)) == 0)
            world.put[value]++;
        else
            failed_for_a_reason(task);
        break;
    case 1:
        if (bine_queue_join(world.queue) != 0)
            failed_for_a_reason(task);
        break;
    default:
        if (bine_queue_get(world.queue, &item) == 0) {
            world.got[(intptr_t)item]++;
            pause_a_while();
            expect_ok(bine_queue_task_done(world.queue));
        } else {
            failed_for_a_reason(task);
        }
    }
}

static void note_received(int value)
{
    if (expect(value >= 0 && value < VALUES))
        world.received[value]++;
}

static void use_channel(int task, int value)
{
    bine_chan *chan = world.chans[draw(CHANNELS)];
    int other = -1;
    if (draw(2)) {
        if (bine_chan_send(chan, &value) == 0)
            world.sent[value]++;
        else
            failed_for_a_reason(task);
    } else if (bine_chan_recv(chan, &other) == 0) {
        note_received(other);
    } else {
        failed_for_a_reason(task);
    }
}

static void use_select(int task, int value)
{
    bine_case cases[CASES];
    int others[CASES], chosen;
    size_t n = draw(CASES + 1);
    for (size_t i = 0; i < n; i++) {
        bine_chan *chan = draw(8) ? world.chans[draw(CHANNELS)] : NULL;
        others[i] = -1;
        cases[i] = draw(2) ? bine_case_send(chan, &value) : bine_case_recv(chan, &others[i]);
    }
    chosen = draw(4) ? bine_chan_select(cases, n) : bine_chan_select_try(cases, n);
    if (chosen < 0) {
        if (errno != EAGAIN)
            failed_for_a_reason(task);
        return;
    }
    expect_int(cases[chosen].error, ==, 0);
    if (cases[chosen].sends)
        world.sent[value]++;
    else
        note_received(others[chosen]);
    for (int i = 0; i < (int)n; i++)
        expect(i == chosen || others[i] == -1);
}

static void *take_part(void *arg)
{
    int task = (int)(intptr_t)arg;
    for (int step = 0; step < STEPS; step++) {
        int value = task * STEPS + step;
        BINE_TIMEOUT((bine_ns)(1 + draw(5)) * BINE_MS)
        {
            switch (draw(11)) {
            case 0:
                use_mutex(task);
                break;
            case 1:
                use_rwlock(task);
                break;
            case 2:
            case 3:
                use_cond(task);
                break;
            case 4:
                use_sem(task);
                break;
            case 5:
                use_event(task);
                break;
            case 6:
                use_barrier(task);
                break;
            case 7:
                use_latch(task);
                break;
            case 8:
                use_queue(task, value);
                break;
            case 9:
                use_channel(task, value);
                break;
            default:
                use_select(task, value);
            }
        }
        if (draw(6) == 0) { /* cancels somebody, perhaps itself, who goes on failing to its end */
            int other = (int)draw(TASKS);
            if (draw(8) == 0 && !world.ended[other]) {
                world.cancelled[other] = true;
                bine_cancel(world.tasks[other]);
            }
        }
    }
    world.ended[task] = true;
    return NULL;
}

/* ---- A run --------------------------------------------------------------------------------------------- */

static void *direct(void *arg)
{
    int value;
    void *item;
    expect_ok(bine_sem_init(&world.sem, PERMITS));
    expect_ok(bine_barrier_init(&world.barrier, PARTIES));
    world.queue = bine_queue_new((bine_queue_order)draw(3), draw(4), NULL);
    for (int i = 0; i < CHANNELS; i++)
        world.chans[i] = bine_chan_new(sizeof(int), i % 2 ? draw(4) : 0, NULL);
    for (intptr_t i = 0; i < TASKS; i++)
        world.tasks[i] = bine_spawn(take_part, (void *)i);
    for (int i = 0; i < TASKS; i++) {
        bine_result result;
        expect_ok(bine_join(world.tasks[i], &result));
    }
    for (int i = 0; i < CHANNELS; i++) {
        while (bine_chan_recv_try(world.chans[i], &value) == 0)
            note_received(value);
        expect_ok(bine_chan_free(world.chans[i]));
    }
    while (bine_queue_get_try(world.queue, &item) == 0) {
        world.got[(intptr_t)item]++;
        expect_ok(bine_queue_task_done(world.queue));
    }
    expect_ok(bine_queue_join(world.queue));
    expect_ok(bine_queue_free(world.queue));
    expect(memcmp(world.sent, world.received, sizeof world.sent) == 0);
    expect(memcmp(world.put, world.got, sizeof world.put) == 0);
    for (int i = 0; i < PERMITS; i++)
        expect_ok(bine_sem_wait_try(&world.sem));
    expect_fails(bine_sem_wait_try(&world.sem), EAGAIN);
    expect_int(world.met, ==, world.last * PARTIES);
    expect_ok(bine_mutex_destroy(&world.mutex));
    expect_ok(bine_rwlock_destroy(&world.rwlock));
    expect_ok(bine_cond_destroy(&world.cond));
    expect_ok(bine_sem_destroy(&world.sem));
    expect_ok(bine_event_destroy(&world.event));
    expect_ok(bine_barrier_destroy(&world.barrier));
    expect_ok(bine_latch_destroy(&world.latch));
    return arg;
}

static void run_once(uint64_t seed)
{
    bine_options options = BINE_OPTIONS_INIT;
    memset(&world, 0, sizeof world);
    world.random = seed * 0x9e3779b97f4a7c15u + 1;
    options.virtual_clock = true;
    options.seed = draw(2) ? draw(1 << 30) + 1 : 0;
    expect_ok(bine_run_with(&options, direct, NULL, NULL));
}

int main(void)
{
    return support_stress(run_once);
}
