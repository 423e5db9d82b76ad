/* SPDX-License-Identifier: MIT
 *
 * What could happen next in an explored loop.
 *
 * A choice is most often a task: one that is runnable goes on; one that is parked goes on because what it
 * waits for completes.  That a completion comes early and its task runs late makes no difference to
 * anybody, so the two are one step; the exceptions are these:
 *  - the wait is given up meanwhile, by a cancellation: explore_choose.c notes it (.touched), and the tool
 *    adds the schedule in which the completion came first;
 *  - a deadline of the task's passes meanwhile: offered here, as a choice of its own (.second);
 *  - with --fifo the order in which tasks become runnable is the order in which they run: there a
 *    completion is a step of its own, and the task waits for its turn.
 *
 * Which timers may fire is the model of time, and documented in bine-explore(1).  A task's own timers, in
 * any model, keep their order where it is certain: one that was armed earlier and is not due later goes
 * first.  One armed earlier and due later may go first too, for time may have passed between the two. */
#include "check/explore.h"

#include <stdlib.h>

/* A deadline that would fire for nobody who could notice: its task is parked, deaf to it. */
static bool unnoticed(const struct bine_task *task)
{
    return task && task->state == BINE__PARKED && (task->flags & BINE__TASK_DEAF);
}

static struct bine_task *concerned(const struct bine__timer *timer)
{
    if (bine__explore_is_deadline(timer))
        return ((const struct bine__scope *)(const void *)timer)->task; /* its first member */
    return NULL;
}

static struct bine__option *add(struct bine__explore *explore, enum bine__option_kind kind,
                                struct bine_task *task)
{
    if (explore->options == BINE__OPTIONS) {
        explore->share->truncated = true;
        return NULL;
    }
    struct bine__option *option = &explore->option[explore->options++];
    *option = (struct bine__option){
        .kind = kind, .task = task, .party = task ? task->id : UINT64_MAX - (uint64_t)kind};
    return option;
}

/* ---- Timers ---------------------------------------------------------------------------------------- */

static void take_list(struct bine__armed *armed, struct bine_loop *loop, struct bine__timer *timer)
{
    for (; timer; timer = timer->next) {
        if ((const char *)timer >= (const char *)loop && (const char *)timer < (const char *)(loop + 1))
            continue; /* the loop's own, for its end */
        if (armed->n == BINE__OPTIONS) {
            armed->more = true;
            return;
        }
        armed->timer[armed->n++] = timer;
    }
}

static int by_deadline(const void *a, const void *b)
{
    const struct bine__timer *left = *(struct bine__timer *const *)a,
                             *right = *(struct bine__timer *const *)b;
    if (left->deadline != right->deadline)
        return left->deadline < right->deadline ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

static void take_timers(struct bine__armed *armed, struct bine_loop *loop)
{
    struct bine__wheel *wheel = &loop->wheel;
    armed->n = 0;
    armed->more = false;
    if (!wheel->armed)
        return;
    take_list(armed, loop, wheel->due);
    for (unsigned level = 0; level < BINE__WHEEL_LEVELS; level++)
        for (uint64_t left = wheel->occupied[level]; left; left &= left - 1)
            for (unsigned lane = 0; lane < BINE__WHEEL_LANES; lane++)
                take_list(armed, loop, wheel->slot[level][__builtin_ctzll(left)].lane[lane]);
    qsort(armed->timer, armed->n, sizeof armed->timer[0], by_deadline);
}

uint64_t bine__explore_owner(const struct bine__timer *timer)
{
    const struct bine_task *task = concerned(timer);
    return task ? task->id : timer->owner;
}

/* Another of its owner's is sure to be first.  They are sorted by deadline. */
static bool comes_later(const struct bine__armed *armed, unsigned i)
{
    for (unsigned j = 0; j < i; j++)
        if (armed->timer[j]->order < armed->timer[i]->order &&
            bine__explore_owner(armed->timer[j]) == bine__explore_owner(armed->timer[i]))
            return true;
    return false;
}

static bool may_fire(const struct bine__explore *explore, const struct bine__armed *armed, unsigned i,
                     bool idle)
{
    switch ((enum bine__explore_timers)explore->share->timers) {
    case BINE__TIMERS_ANY:
        return !comes_later(armed, i);
    case BINE__TIMERS_LIMITS:
        if (!bine__explore_is_sleep(armed->timer[i]))
            return i == 0 && idle;
        for (unsigned j = 0; j < i; j++)
            if (!bine__explore_is_sleep(armed->timer[j]))
                return false;
        return true;
    case BINE__TIMERS_ORDERED:
        break;
    }
    return i == 0 && idle;
}

/* Who runs in consequence: the sleeper, or whose deadline it is.  NULL: a callback, or it is seen
 * afterwards. */
static struct bine_task *runs_on(const struct bine__timer *timer)
{
    return bine__explore_is_sleep(timer) ? bine__explore_sleeper(timer) : concerned(timer);
}

static void offer_timers(struct bine__explore *explore, const struct bine__armed *armed, bool idle)
{
    for (unsigned i = 0; i < armed->n; i++) {
        struct bine__timer *timer = armed->timer[i];
        bool deadline = bine__explore_is_deadline(timer);
        if ((deadline && unnoticed(concerned(timer))) || !may_fire(explore, armed, i, idle))
            continue;
        struct bine_task *task = explore->share->fifo ? NULL : runs_on(timer);
        struct bine__option *option = add(explore, BINE__OPTION_TIMER, task);
        if (!option)
            return;
        option->timer = timer;
        option->success = !deadline && task && task->state == BINE__PARKED;
        if (!task)
            option->party = UINT64_C(1) << 63 | timer->owner;
    }
}

/* What is waited for comes, and the deadline passes before its task runs. */
static void offer_both(struct bine__explore *explore)
{
    unsigned single = explore->options;
    for (unsigned i = 0; i < single; i++) {
        if (!explore->option[i].success)
            continue;
        for (unsigned j = 0; j < single; j++) {
            const struct bine__option *other = &explore->option[j];
            if (other->kind != BINE__OPTION_TIMER || other->task != explore->option[i].task ||
                !bine__explore_is_deadline(other->timer))
                continue;
            struct bine__option *option = add(explore, explore->option[i].kind, explore->option[i].task);
            if (!option)
                return;
            *option = explore->option[i];
            option->second = explore->option[j].timer;
            option->success = false;
        }
    }
}

/* ---- All ------------------------------------------------------------------------------------------- */

static bool slow(const struct bine__explore *explore, const struct bine_task *task)
{
    for (unsigned i = 0; i < explore->slows; i++)
        if (explore->slow[i] == task->id)
            return true;
    return false;
}

/* Whether time can pass: nobody is about to compute. */
static bool offer_runnable(struct bine__explore *explore, struct bine_loop *loop)
{
    bool idle = true;
    for (uint32_t i = loop->head; i != loop->tail; i++) {
        struct bine_task *task = loop->queue[i & loop->mask];
        if (!slow(explore, task))
            idle = false;
        if (i == loop->head || !explore->share->fifo)
            add(explore, BINE__OPTION_RUN, task);
    }
    return idle;
}

static void offer_io(struct bine__explore *explore, struct bine_loop *loop)
{
    struct bine__explore_ready ready[BINE__OPTIONS];
    unsigned n = loop->outstanding ? bine__explore_ready(loop, ready, BINE__OPTIONS) : 0;
    for (unsigned i = 0; i < n; i++) {
        struct bine__option *option =
            add(explore, BINE__OPTION_IO, explore->share->fifo ? NULL : ready[i].task);
        if (!option)
            return;
        option->io = ready[i];
        option->success = option->task && option->task->state == BINE__PARKED;
        if (!option->task)
            option->party = UINT64_C(1) << 62 | (uint64_t)ready[i].fd;
    }
}

void bine__explore_collect(struct bine__explore *explore)
{
    struct bine_loop *loop = explore->loop;
    explore->options = 0;
    bool idle = offer_runnable(explore, loop);
    offer_io(explore, loop);
    take_timers(&explore->armed, loop);
    if (explore->armed.more)
        explore->share->truncated = true;
    offer_timers(explore, &explore->armed, idle);
    if (!explore->share->fifo)
        offer_both(explore);
}
