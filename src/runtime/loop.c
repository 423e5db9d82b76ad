/* SPDX-License-Identifier: MIT
 *
 * Loops: from bine_run() to its end, and the turn that a loop makes whenever no task can run, or too many
 * have run since the last: posts, notes from other loops, callbacks, events, timers, in this order.
 *
 * All of a turn happens on the loop's own stack, the one bine_run() was called on, which `root` stands for.
 *
 * The end.  When the first task has ended, all others are cancelled and awaited; then, under the lock that
 * bine_post() takes, the loop is marked ended, unless a post came in between: that one runs first.
 *
 * The virtual clock.  Time stands still while anything can run, and jumps to the next timer when nothing can,
 * nothing is offloaded, and a millisecond of real polling brought nothing for those parked on descriptors. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include <bine/check.h>

#include "runtime/runtime.h"

#define POLL_BEFORE_JUMP BINE_MS
#define DECAY_PERIOD BINE_SECOND
#define LEAST_WAIT (50 * BINE_US) /* the kernel's own timer slack: waking up for each of many timers costs more */
#define NAG_PERIOD BINE_SECOND

enum { FIRST_TASK_STACK = 8 << 20, DEFAULT_STACK = 64 << 10 };

_Thread_local struct bine_loop *bine__loop;
BINE__CARRIED(bine__loop);

struct bine__cxa *__cxa_get_globals(void) __attribute__((weak));

bine_task *bine_self(void)
{
    struct bine_loop *loop = bine__loop;
    return loop && loop->current != &loop->root ? loop->current : NULL;
}

bine_loop *bine_this_loop(void)
{
    return bine__loop;
}

/* ---- A turn ------------------------------------------------------------------------------------- */

static void tell_time(struct bine_loop *loop, bine_ns now)
{
    loop->now = now;
    if (loop->wheel.armed)
        bine__wheel_advance(&loop->wheel, now);
}

static bool runnable(const struct bine_loop *loop)
{
    return loop->head != loop->tail || loop->soon || atomic_load_explicit(&loop->posted, memory_order_relaxed) ||
           atomic_load_explicit(&loop->box, memory_order_relaxed);
}

/* Partners of what is sequentially consistent here: bine_post(), bine__remote_send(). */
static void poll(struct bine_loop *loop, bine_ns timeout)
{
    if (timeout > 0 && bine__unlikely(loop->spin.heard) && bine__spin(loop, &timeout))
        return;
    bool waits = timeout > 0;
    loop->polls++;
    if (waits) {
        atomic_store(&loop->asleep, true);
        if (atomic_load(&loop->posted) || atomic_load(&loop->box))
            timeout = 0;
        bine__debug_idle(loop, true);
    }
    loop->poller.wait(loop, timeout);
    atomic_store_explicit(&loop->asleep, false, memory_order_relaxed); /* too late is only a needless interrupt */
    if (waits)
        bine__debug_idle(loop, false);
}

/* Memory of a past burst is given back once a second, also when nothing else happens any more. */
static bine_ns decay(struct bine_loop *loop, bine_ns timeout)
{
    if (loop->now - loop->stacks.decayed >= DECAY_PERIOD) {
        loop->stacks.decayed = loop->now;
        loop->stacks.decaying = bine__stacks_decay(&loop->stacks);
    }
    return loop->stacks.decaying && timeout > DECAY_PERIOD ? DECAY_PERIOD : timeout;
}

static void wait_really(struct bine_loop *loop)
{
    bine_ns timeout = 0;
    if (!runnable(loop)) {
        bine_ns next = loop->wheel.armed ? bine__wheel_next(&loop->wheel) : BINE_FOREVER;
        timeout = BINE_FOREVER;
        if (next != BINE_FOREVER) {
            bine_ns now = bine__clock(loop);
            timeout = next <= now ? 0 : next - now < LEAST_WAIT ? LEAST_WAIT : next - now;
        }
        timeout = decay(loop, timeout);
    }
    if (timeout > 0 || loop->outstanding > loop->remotes)
        poll(loop, timeout);
    if (loop->wheel.armed || timeout > 0)
        tell_time(loop, bine__clock(loop));
}

static void wait_virtually(struct bine_loop *loop)
{
    bine_ns next = loop->wheel.armed ? bine__wheel_next(&loop->wheel) : BINE_FOREVER;
    if (runnable(loop)) {
        if (loop->outstanding)
            poll(loop, 0);
        if (next <= loop->now)
            tell_time(loop, loop->now);
        return;
    }
    if (loop->offloading || next == BINE_FOREVER)
        poll(loop, BINE_FOREVER);
    else if (loop->outstanding)
        poll(loop, POLL_BEFORE_JUMP);
    if (!runnable(loop) && !loop->offloading && next != BINE_FOREVER)
        tell_time(loop, next > loop->now ? next : loop->now);
}

/* No task can be made runnable any more: not by a task, a timer, a descriptor, a thread; unless one posts
 * without having a reference. */
static bool stuck(const struct bine_loop *loop)
{
    return !runnable(loop) && !loop->wheel.armed && !loop->outstanding &&
           atomic_load_explicit(&loop->references, memory_order_acquire) == 1; /* pairs with bine_loop_unref() */
}

static void turn(struct bine_loop *loop)
{
    loop->turns++;
    if (bine__explored(loop)) {
        bine__explore_turn(loop);
        return;
    }
    if (bine__unlikely(atomic_load_explicit(&loop->posted, memory_order_acquire))) /* pairs with bine_post() */
        bine__posts_run(loop);
    if (bine__unlikely(atomic_load_explicit(&loop->box, memory_order_relaxed) != NULL))
        bine__remote_open(loop);
    if (bine__unlikely(loop->soon != NULL))
        bine__callbacks_run(loop);
    if (loop->watched & BINE__WATCH_TIMERS)
        bine__clock(loop); /* sets those that callbacks have started */
    if (bine__unlikely(loop->debugging != NULL))
        bine__debug_turn(loop, stuck(loop));
    if (BINE__CHECKED && stuck(loop))
        bine__check_stuck(loop);
    if (loop->virtual_clock)
        wait_virtually(loop);
    else
        wait_really(loop);
}

/* ---- Beginning and end -------------------------------------------------------------------------- */

bine_loop *bine_loop_ref(bine_loop *loop)
{
    if (loop)
        atomic_fetch_add_explicit(&loop->references, 1, memory_order_relaxed); /* the caller holds one already */
    return loop;
}

void bine_loop_unref(bine_loop *loop)
{
    /* Release: what this holder did comes before the free; acquire: the last one sees it all. */
    if (loop && atomic_fetch_sub_explicit(&loop->references, 1, memory_order_acq_rel) == 1) {
        pthread_mutex_destroy(&loop->lock);
        free(loop);
    }
}

static struct bine_loop *open_loop(const bine_options *options)
{
    int class = bine__stack_class_of(options->stack_size ? options->stack_size : DEFAULT_STACK);
    if (class < 0) {
        errno = EINVAL;
        return NULL;
    }
    struct bine_loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    const char *debug = getenv("BINE_DEBUG");
    loop->debug = debug && *debug && strcmp(debug, "0") != 0;
    loop->current = &loop->root;
    loop->root.loop = loop;
    loop->root.state = BINE__RUNNABLE;
    loop->switches_left = BINE__SWITCHES_PER_POLL;
    loop->error = &errno;
    loop->virtual_clock = options->virtual_clock;
    loop->now = loop->virtual_clock ? 0 : bine__clock(NULL);
    loop->stacks.decayed = loop->now;
    loop->random = options->seed;
    loop->watched = (options->seed ? BINE__WATCH_SEED : 0U) | (bine__invariants_any() ? BINE__WATCH_INVARIANTS : 0U);
    if (!BINE__CONTEXT_THREADS && __cxa_get_globals) {
        loop->cxa = __cxa_get_globals();
        loop->watched |= BINE__WATCH_CXX;
    }
    bine__explore_open(loop);
    loop->grace = options->grace;
    loop->default_class = class;
    loop->soon_last = &loop->soon;
    loop->posts_last = &loop->posts;
    atomic_init(&loop->references, 1);
    bine__wheel_init(&loop->wheel, loop->now);
    bine__notes_thread(&loop->root.notes);
    if (pthread_mutex_init(&loop->lock, NULL) != 0)
        goto fail;
    if (bine__process_enter(loop) != 0)
        goto fail_lock;
    bine__loop = loop;
    bine__gate = &loop->budget;
    if (bine__poller_open(loop, bine__explored(loop) ? "poll" : options->reactor) != 0)
        goto fail_process;
    bine__debug_open(loop);
    bine__values_open(loop);
    return loop;

fail_process:
    bine__loop = NULL;
    bine__gate = NULL;
    bine__process_leave(loop);
fail_lock:
    pthread_mutex_destroy(&loop->lock);
fail:
    bine__explore_close(loop);
    free(loop);
    return NULL;
}

/* abandoned: tasks are still alive, so what they stand on is left to them. */
static void close_loop(struct bine_loop *loop, bool abandoned)
{
    int error = errno;
    bine__debug_close(loop);
    if (loop->root.flags & BINE__TASK_VALUES)
        bine__values_drop(&loop->root);
    bine__check_released(&loop->root);
    bine__callbacks_free(loop);
    bine__wheel_clear(&loop->wheel);
    loop->poller.close(loop);
    bine__explore_close(loop);
    if (!abandoned) {
        bine__stacks_free(&loop->stacks);
        free(loop->queue);
    }
    loop->queue = NULL;
    bine__process_leave(loop);
    bine__loop = NULL;
    bine__gate = NULL;
    bine_loop_unref(loop);
    errno = error;
}

static void cancel_one(struct bine__stack stack, void *arg)
{
    (void)arg;
    struct bine_task *task = bine__task_of(stack);
    if (task->magic == BINE__TASK_MAGIC && task->state != BINE__ENDED) {
        bine__check_left_behind(task);
        bine_cancel(task);
    }
}

static void name_one(struct bine__stack stack, void *arg)
{
    (void)arg;
    struct bine_task *task = bine__task_of(stack);
    if (task->magic == BINE__TASK_MAGIC && task->state != BINE__ENDED)
        bine__report(BINE_REPORT_LEFT_BEHIND, task, 0,
                     "was cancelled at the end of the run and goes on (waits for: %s)",
                     task->wait ? bine__wait_names[task->wait] : "its turn");
}

/* What was never joined. */
static void settle_one(struct bine__stack stack, void *arg)
{
    (void)arg;
    struct bine_task *task = bine__task_of(stack);
    if (task->magic == BINE__TASK_MAGIC && task->state == BINE__ENDED) {
        bine__task_settle(task);
        bine__task_release(task);
    }
}

static void nag(struct bine__timer *timer)
{
    struct bine_loop *loop = bine__list_entry(timer, struct bine_loop, nag);
    bine__stacks_each(&loop->stacks, name_one, NULL);
    /* In virtual time nothing bounds how soon the next comes: double instead of flooding. */
    bine_ns period = loop->virtual_clock ? loop->now - loop->ending_since : NAG_PERIOD;
    bine__timer_arm(&loop->wheel, timer, bine__deadline_in(period));
}

/* The turn that it makes is all that is needed. */
static void lose_patience(struct bine__timer *timer)
{
    (void)timer;
}

static void begin_end(struct bine_loop *loop)
{
    loop->ending = true;
    loop->ending_since = bine__clock(loop);
    bine__stacks_each(&loop->stacks, cancel_one, NULL);
    loop->nag.fire = nag;
    loop->patience.fire = lose_patience;
    if (loop->grace)
        bine__timer_arm(&loop->wheel, &loop->patience, bine__deadline_in(loop->grace > 0 ? loop->grace : 0));
    bine__timer_arm(&loop->wheel, &loop->nag, bine__deadline_in(NAG_PERIOD));
}

static bool out_of_patience(struct bine_loop *loop)
{
    return loop->grace && bine__clock(loop) - loop->ending_since >= loop->grace;
}

/* True: marked ended, no post will come any more. */
static bool shut(struct bine_loop *loop, bool whatever_came)
{
    pthread_mutex_lock(&loop->lock);
    if (!loop->posts || whatever_came)
        loop->ended = true;
    pthread_mutex_unlock(&loop->lock);
    return loop->ended;
}

/* Runs until all tasks have ended.  0, or EBUSY. */
static int drive(struct bine_loop *loop, struct bine_task *first, bine_result *result)
{
    for (;;) {
        bine__resume(loop);
        bine__task_reap(loop);
        if (first && first->state == BINE__ENDED) {
            if (result)
                *result = first->result;
            else
                bine__task_settle(first);
            bine__task_release(first);
            first = NULL;
            begin_end(loop);
        }
        if (loop->ending) {
            if (loop->alive == 0) {
                bine__stacks_each(&loop->stacks, settle_one, NULL);
                if (loop->alive == 0 && !loop->soon && shut(loop, false))
                    return 0;
            } else if (out_of_patience(loop)) {
                bine__stacks_each(&loop->stacks, settle_one, NULL);
                shut(loop, true);
                return EBUSY;
            }
        }
        turn(loop);
    }
}

int bine_run_sized(const bine_options *given, size_t size, bine_fn *fn, void *arg, bine_result *result)
{
    if (bine__loop)
        return bine__error(EDEADLK);
    if (!fn)
        return bine__error(EINVAL);
    bine_options options = BINE_OPTIONS_INIT;
    if (given)
        memcpy(&options, given, size < sizeof options ? size : sizeof options);
    struct bine_loop *loop = open_loop(&options);
    if (!loop)
        return -1;
    const bine_attr attr = {.name = "main", .stack_size = FIRST_TASK_STACK};
    struct bine_task *first = bine__spawn(loop, &attr, fn, arg, NULL, 0, "bine_run");
    if (first)
        first->flags |= BINE__TASK_FIRST;
    int error = first ? drive(loop, first, result) : errno;
    close_loop(loop, error == EBUSY);
    return error ? bine__error(error) : 0;
}

int bine_run(bine_fn *fn, void *arg, bine_result *result)
{
    return bine_run_sized(NULL, 0, fn, arg, result);
}
