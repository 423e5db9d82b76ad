/* SPDX-License-Identifier: MIT
 *
 * Random traffic from a seed: tasks spawn, join, stop, detach and cancel each other, open scopes and shields,
 * sleep, park and wake, start timers, talk over sockets and pipes, and are posted to from other threads.
 *
 * What must hold at all times is checked as it goes: a join gives what the task was to return, bytes arrive
 * once and in order, a cancelled timer does not fire, calls fail only for a reason that holds.  At the end of
 * each run: what was accepted ran, what was not claimed was dropped once, nobody is left, nothing is open,
 * mapped or allocated.
 *
 *   SEED      of the first run; each run prints its own if it fails
 *   SECONDS   how long (default 5) */
#define _GNU_SOURCE
#include "support/support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "support/sockets.h"

enum {
    STEPS = 4000,   /* in a run, all tasks together */
    SLOW_STEPS = 400,
    ACTORS = 150,   /* alive at once */
    CHANNELS = 6,   /* pairs of descriptors */
    POSTERS = 2,
    POSTS_AHEAD = 4,
    TURNS_TO_END = 1000
};

static struct {
    uint64_t random;
    long steps, steps_wanted;
    unsigned actors;
    int posters;
    bool closing;

    unsigned unclaimed, dropped; /* results */
    unsigned timers_fired, timers_due;
    atomic_uint accepted, posted;

    bine_task *parked[ACTORS]; /* who waits in bine_park() */
    unsigned parked_count;
    struct channel {
        int fd[2];
        uint8_t sent, received; /* the next byte's value */
        bool writing, reading;
    } channel[CHANNELS];
} world;

static uint64_t draw(uint64_t n)
{
    return support_random(&world.random) % n;
}

static bine_ns some_time(void)
{
    return (bine_ns)draw(draw(10) == 0 ? (uint64_t)BINE_MS : 50 * (uint64_t)BINE_US);
}

/* A yielding call has failed: its scopes must say why.  What fails for another reason is a bug. */
static void must_be_cancelled(void)
{
    int error = errno;
    if (error != ECANCELED && error != ETIMEDOUT)
        support_record(__FILE__, __LINE__, "a call failed with %s", strerror(error));
    else
        expect(bine_cancelled() != 0);
}

static void step(int depth);

/* Real addresses: an integer could be that of a slot of bine_fail()'s. */
static char tokens[1 << 20];

static void *token_of(uint64_t number)
{
    return &tokens[number * 2654435761u % sizeof tokens];
}

static void drop(void *value)
{
    expect_ptr(value, !=, NULL);
    world.dropped++;
}

/* Does some steps, and returns what its number says. */
static void *act(void *arg)
{
    uint64_t number = (uintptr_t)arg;
    uint64_t n = draw(6);
    for (uint64_t i = 0; i < n; i++)
        step(0);
    world.actors--;
    return number % 17 == 0 ? bine_fail((int)(number % 100) + 1) : token_of(number);
}

static void check_result(uint64_t number, bine_result result)
{
    expect_ptr(result.value, ==, number % 17 == 0 ? NULL : token_of(number));
    expect_int(result.error, ==, number % 17 == 0 ? (int)(number % 100) + 1 : 0);
}

static void spawn_some(void)
{
    bine_task *task[4];
    uint64_t number[4];
    int n = 0;
    for (uint64_t wanted = 1 + draw(4); wanted > 0 && world.actors < ACTORS; wanted--) {
        bine_attr attr = BINE_ATTR_INIT;
        attr.stack_size = draw(5) == 0 ? 32 << 10 : 0;
        attr.drop_result = drop;
        attr.name = "actor";
        number[n] = draw(1 << 20);
        attr.detached = draw(5) == 0;
        world.actors++;
        task[n] = bine_spawn_with(&attr, act, (void *)(uintptr_t)number[n]);
        if (!expect(task[n] != NULL)) {
            world.actors--;
            return;
        }
        if (attr.detached)
            world.unclaimed += number[n] % 17 != 0;
        else
            n++;
    }
    for (int i = 0; i < n; i++) {
        bine_result result = {NULL, 0};
        switch (draw(6)) {
        case 0:
            expect_ok(bine_detach(task[i]));
            world.unclaimed += number[i] % 17 != 0;
            break;
        case 1:
            expect_ok(bine_stop(task[i], &result));
            check_result(number[i], result);
            break;
        case 2:
            expect_ok(bine_cancel(task[i]));
            /* fall through */
        default:
            if (bine_join(task[i], &result) != 0) {
                must_be_cancelled();
                expect_ok(bine_stop(task[i], &result));
            }
            check_result(number[i], result);
        }
    }
}

static void in_scope(int depth)
{
    bine_scope scope;
    bine_ns now = bine_now(), timeout = draw(8) == 0 ? -1 : draw(4) == 0 ? BINE_FOREVER : some_time();
    bool shield = draw(6) == 0;
    if (shield)
        bine_scope_open_shield(&scope);
    else
        bine_scope_open(&scope, timeout);
    if (shield)
        expect_int(bine_cancelled(), ==, 0);
    else if (timeout >= 0 && timeout != BINE_FOREVER)
        expect_int(bine_deadline(), <=, now + timeout + BINE_MINUTE);
    for (uint64_t n = draw(4); n > 0; n--) {
        step(depth + 1);
        if (draw(8) == 0)
            bine_scope_extend(&scope, some_time());
        if (draw(12) == 0)
            bine_scope_cancel(&scope);
    }
    bool fired = bine_scope_fired(&scope);
    expect_int(bine_scope_close(&scope), ==, fired);
}

static void park(void)
{
    if (world.closing)
        return;
    unsigned mine = world.parked_count++;
    bine_task *self = bine_self();
    world.parked[mine] = self;
    int result = 0;
    BINE_TIMEOUT(BINE_MS)
        result = bine_park();
    if (result != 0)
        expect(errno == ETIMEDOUT || errno == ECANCELED);
    for (unsigned i = 0; i < world.parked_count; i++) /* it may have been moved */
        if (world.parked[i] == self) {
            world.parked[i] = world.parked[--world.parked_count];
            break;
        }
}

static void wake(void)
{
    if (world.parked_count > 0)
        expect_ok(bine_wake(world.parked[draw(world.parked_count)]));
}

static void fire(void *arg)
{
    *(bool *)arg = true;
    world.timers_fired++;
}

static void use_timer(void)
{
    bool fired = false;
    bine_timer timer;
    bine_timer_init(&timer, fire, &fired);
    bine_timer_start(&timer, some_time());
    if (draw(2))
        bine_timer_start(&timer, some_time());
    if (bine_sleep(some_time()) != 0)
        must_be_cancelled();
    int pending = bine_timer_cancel(&timer);
    expect_int(pending, ==, !fired);
    world.timers_due += pending == 0;
    bool before = fired;
    if (bine_yield() != 0)
        must_be_cancelled();
    expect_int(fired, ==, before);
}

static void talk(void)
{
    struct channel *c = &world.channel[draw(CHANNELS)];
    uint8_t bytes[300];
    size_t n = 1 + draw(sizeof bytes);
    if (draw(2) && !c->writing) {
        c->writing = true;
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(c->sent + i);
        ssize_t wrote = 0;
        BINE_TIMEOUT(some_time())
            wrote = bine_write_full(c->fd[1], bytes, n);
        if (wrote < (ssize_t)n)
            expect(errno == ETIMEDOUT || errno == ECANCELED);
        if (wrote > 0)
            c->sent = (uint8_t)(c->sent + wrote);
        c->writing = false;
    } else if (!c->reading) {
        c->reading = true;
        ssize_t got = 0;
        BINE_TIMEOUT(some_time())
            got = draw(2) ? bine_read(c->fd[0], bytes, n) : bine_read_full(c->fd[0], bytes, n);
        if (got < 0)
            expect(errno == ETIMEDOUT || errno == ECANCELED);
        for (ssize_t i = 0; i < got; i++)
            if (!expect(bytes[i] == (uint8_t)(c->received + i)))
                break;
        if (got > 0)
            c->received = (uint8_t)(c->received + got);
        c->reading = false;
    } else {
        struct pollfd fds[2] = {{c->fd[0], POLLIN, 0}, {c->fd[1], POLLOUT, 0}};
        int ready = 0;
        BINE_TIMEOUT(some_time())
            ready = draw(2) ? bine_poll(fds, 2, (int)draw(3)) : bine_poll_fd(c->fd[0], POLLIN);
        if (ready < 0)
            expect(errno == ETIMEDOUT || errno == ECANCELED);
    }
}

/* A descriptor closed under those who wait for it. */
static void *read_closed(void *arg)
{
    char byte;
    ssize_t n = bine_read(*(int *)arg, &byte, 1);
    expect_int(n, ==, -1);
    expect(errno == EBADF || errno == ECANCELED || errno == ETIMEDOUT);
    return NULL;
}

static void close_under(void)
{
    int fd[2];
    bine_task *task[3];
    pair_make((enum pair_kind)draw(PAIR_KINDS), fd);
    for (int i = 0; i < 3; i++)
        task[i] = bine_spawn(read_closed, &fd[0]);
    BINE_SHIELD { /* they look at our variable */
        for (uint64_t n = 1 + draw(3); n > 0; n--)
            bine_yield();
        if (draw(2))
            bine_cancel(task[draw(3)]);
        expect_ok(bine_close(fd[0]));
        fd[0] = -1;
        for (int i = 0; i < 3; i++)
            expect_ok(bine_join(task[i], NULL));
    }
    pair_close(fd);
}

static void step(int depth)
{
    if (++world.steps > world.steps_wanted)
        return;
    switch (draw(12)) {
    case 0:
    case 1:
        if (bine_yield() != 0)
            must_be_cancelled();
        break;
    case 2:
        if (bine_sleep(some_time()) != 0)
            must_be_cancelled();
        break;
    case 3:
    case 4:
        spawn_some();
        break;
    case 5:
    case 6:
        if (depth < 5)
            in_scope(depth);
        break;
    case 7:
        park();
        break;
    case 8:
        wake();
        break;
    case 9:
        use_timer();
        break;
    case 10:
        talk();
        break;
    default:
        if (draw(4) == 0)
            close_under();
        else
            talk();
    }
}

/* ---- Other threads ------------------------------------------------------------------------------------- */

static atomic_bool stop_posting;

static void *run_post(void *arg)
{
    (void)arg;
    if (atomic_fetch_add(&world.posted, 1) % 3 == 0 && bine_yield() != 0)
        must_be_cancelled();
    return NULL;
}

static void *post_away(void *arg)
{
    bine_loop *loop = arg;
    while (!atomic_load(&stop_posting)) {
        if (bine_post(loop, run_post, NULL) == 0)
            atomic_fetch_add(&world.accepted, 1);
        else
            expect_int(errno, ==, ESRCH);
        do
            sched_yield();
        while (!atomic_load(&stop_posting) &&
               atomic_load(&world.accepted) > atomic_load(&world.posted) + POSTS_AHEAD);
    }
    bine_loop_unref(loop);
    return NULL;
}

/* ---- Runs ---------------------------------------------------------------------------------------------- */

static void *direct(void *arg)
{
    pthread_t thread[POSTERS];
    (void)arg;
    for (int i = 0; i < CHANNELS; i++)
        pair_make((enum pair_kind)(i % PAIR_KINDS), world.channel[i].fd);
    atomic_store(&stop_posting, false);
    for (int i = 0; i < world.posters; i++)
        expect_int(pthread_create(&thread[i], NULL, post_away, bine_loop_ref(bine_this_loop())), ==, 0);
    while (world.steps < world.steps_wanted)
        step(0);
    world.closing = true;
    while (world.actors > 0) { /* the detached ones, and whoever they wait for */
        wake();
        expect_ok(bine_sleep(100 * BINE_US));
    }
    atomic_store(&stop_posting, true);
    for (int i = 0; i < world.posters; i++)
        pthread_join(thread[i], NULL);
    while (atomic_load(&world.posted) < atomic_load(&world.accepted))
        expect_ok(bine_yield());
    for (int i = 0; i < TURNS_TO_END && bine_tasks(NULL, 0) > 1; i++) /* a post that has yielded */
        expect_ok(bine_yield());
    for (int i = 0; i < CHANNELS; i++)
        pair_close(world.channel[i].fd);
    expect_uint(bine_tasks(NULL, 0), ==, 1);
    return NULL;
}

static void hook(const bine_report *report)
{
    if (report->kind != BINE_REPORT_LOST_ERROR) /* detached failures are part of the game */
        support_record(__FILE__, __LINE__, "reported: %s", report->message);
}

static void run_once(uint64_t seed)
{
    bine_options options = BINE_OPTIONS_INIT;
    memset(&world, 0, sizeof world);
    world.steps_wanted = support_slow() ? SLOW_STEPS : STEPS;
    world.random = seed * 0x9e3779b97f4a7c15u + 1;
    options.virtual_clock = draw(3) == 0;
    world.posters = options.virtual_clock ? 0 : POSTERS; /* virtual time stands still while posts come */
    options.seed = draw(2) ? draw(1 << 30) + 1 : 0;
    expect_ok(bine_run_with(&options, direct, NULL, NULL));
    expect_uint(atomic_load(&world.posted), ==, atomic_load(&world.accepted));
    expect_uint(world.dropped, ==, world.unclaimed);
    expect_uint(world.timers_fired, ==, world.timers_due);
}

int main(void)
{
    bine_set_report(hook);
    return support_stress(run_once);
}
