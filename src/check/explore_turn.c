/* SPDX-License-Identifier: MIT
 *
 * A turn of an explored loop: collects what could happen, lets one of it be chosen, makes it happen, until
 * a task stands at the head of the run queue; and what becomes of a loop in which nothing can happen any
 * more.
 *
 * Something outside the program may yet come: another process at the other end of a descriptor, a thread's
 * bine_post().  That is waited for really, for a while; the tool is told, since such a run need not go the
 * same way twice. */
#include "check/explore.h"

#include <stdio.h>
#include <string.h>

#include "runtime/check.h"
#include "runtime/debug.h"

enum { OUTSIDE_SLICE_MS = 10, CLEARED = 3072, MARGIN = 4096 };

/* Where the stack ends that is run on. */
struct here {
    const char *address, *base; /* NULL: not found */
};

/* ---- Making it happen ------------------------------------------------------------------------------ */

/* Those that it passes keep their order. */
static bool to_the_head(struct bine_loop *loop, const struct bine_task *task)
{
    uint32_t at = loop->head;
    while (at != loop->tail && loop->queue[at & loop->mask] != task)
        at++;
    if (at == loop->tail)
        return false;
    struct bine_task *found = loop->queue[at & loop->mask];
    for (; at != loop->head; at--)
        loop->queue[at & loop->mask] = loop->queue[(at - 1) & loop->mask];
    loop->queue[loop->head & loop->mask] = found;
    return true;
}

static void fire(struct bine_loop *loop, struct bine__timer *timer)
{
    if (!bine__timer_armed(timer))
        return;
    if (loop->now < timer->deadline)
        loop->now = timer->deadline;
    bine__timer_disarm(&loop->wheel, timer);
    timer->fire(timer);
    if (loop->watched & BINE__WATCH_TIMERS)
        bine__clock(loop); /* sets those that it has started */
}

static void happen(struct bine_loop *loop, const struct bine__option *option)
{
    switch (option->kind) {
    case BINE__OPTION_RUN:
        break;
    case BINE__OPTION_IO:
        bine__explore_deliver(loop, &option->io);
        break;
    case BINE__OPTION_TIMER:
        fire(loop, option->timer);
        break;
    }
    if (option->second)
        fire(loop, option->second);
}

static void not_slow_any_more(struct bine__explore *explore, const struct bine_task *task)
{
    for (unsigned i = 0; i < explore->slows; i++)
        if (explore->slow[i] == task->id)
            explore->slow[i--] = explore->slow[--explore->slows];
}

/* True: a task stands at the head of the queue, to run now. */
static bool carry_out(struct bine__explore *explore, const struct bine__option *option)
{
    struct bine_loop *loop = explore->loop;
    const uint32_t before = loop->tail;
    const bool fifo = explore->share->fifo;
    /* Others may see what a callback has done before whom it has woken. */
    const bool callback = option->kind == BINE__OPTION_TIMER && bine__explore_is_callback(option->timer);

    bine__explore_chosen(explore, option);
    bine__explore_say_option(explore, option, false);
    happen(loop, option);
    const struct bine_task *task = option->task;
    if (!task && !fifo && !callback && loop->tail == before + 1)
        task = loop->queue[before & loop->mask]; /* it can only have been for this one */
    if (!task || !to_the_head(loop, task))
        return false;
    not_slow_any_more(explore, task);
    bine__explore_name(explore->share->doing, sizeof explore->share->doing, task);
    return true;
}

static void count_step(struct bine__explore *explore)
{
    if (++explore->share->steps > explore->share->max_steps)
        bine__explore_stop(explore, BINE__EXPLORE_STEPS);
}

/* ---- Nothing can happen ---------------------------------------------------------------------------- */

static bool something_outside(const struct bine_loop *loop)
{
    return loop->outstanding || atomic_load_explicit(&loop->references, memory_order_relaxed) > 1;
}

static void wait_outside(struct bine__explore *explore)
{
    struct bine_loop *loop = explore->loop;
    explore->share->outside = true;
    for (uint32_t waited = 0; waited < explore->share->patience_ms; waited += OUTSIDE_SLICE_MS) {
        loop->poller.wait(loop, OUTSIDE_SLICE_MS * BINE_MS);
        if (loop->head != loop->tail || atomic_load_explicit(&loop->posted, memory_order_acquire))
            return;
    }
}

/* Only the loop's own timers are left: its patience with tasks that ignore its end, if there is a bound. */
static bool lose_patience(struct bine_loop *loop)
{
    if (!loop->ending || !bine__timer_armed(&loop->patience))
        return false;
    fire(loop, &loop->patience);
    return true;
}

static _Noreturn void give_up(struct bine__explore *explore)
{
    bine__check_stuck(explore->loop);
    bine__stuck_report(explore->loop);
    bine__explore_stop(explore, BINE__EXPLORE_STUCK);
}

/* True: look again. */
static bool nothing_left(struct bine__explore *explore)
{
    struct bine_loop *loop = explore->loop;
    if (loop->alive == 0 || lose_patience(loop))
        return false;
    if (something_outside(loop)) {
        wait_outside(explore);
        if (loop->head != loop->tail || atomic_load_explicit(&loop->posted, memory_order_acquire))
            return true;
    }
    give_up(explore);
}

/* ---- The turn -------------------------------------------------------------------------------------- */

static void complete_quietly(struct bine__explore *explore, uint32_t quiet)
{
    for (unsigned i = 0; i < explore->options && i < BINE__QUIET_BITS; i++)
        if (quiet >> i & 1) {
            bine__explore_say_option(explore, &explore->option[i], true);
            happen(explore->loop, &explore->option[i]);
        }
}

void bine__explore_turn(struct bine_loop *loop)
{
    struct bine__explore *explore = &bine__explorer;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wframe-address"
    explore->base = __builtin_frame_address(1); /* who called keeps its frame pointer, and so on */
#pragma GCC diagnostic pop
    for (;;) {
        uint32_t quiet;
        if (atomic_load_explicit(&loop->posted, memory_order_acquire)) /* pairs with bine_post() */
            bine__posts_run(loop);
        if (loop->soon) { /* before any task, as ever */
            bine__explore_say(explore, "%4u %.6f s    the loop: runs callbacks\n", explore->share->steps,
                              (double)loop->now / 1e9);
            bine__callbacks_run(loop);
            if (loop->watched & BINE__WATCH_TIMERS)
                bine__clock(loop); /* sets those that they have started */
        }
        bine__explore_settle(explore);
        bine__explore_collect(explore);
        if (explore->options == 0) {
            if (loop->soon || nothing_left(explore))
                continue;
            return;
        }
        count_step(explore);
        bine__explore_be_fair(explore);
        const struct bine__option option =
            explore->option[bine__explore_choose(explore, explore->options, &quiet)];
        complete_quietly(explore, quiet);
        if (carry_out(explore, &option))
            return;
    }
}

/* ---- Called by tasks ------------------------------------------------------------------------------- */

static void is_it_here(struct bine__stack stack, void *arg)
{
    struct here *here = arg;
    if (here->address >= stack.base && here->address < stack.base + bine__stack_span(stack))
        here->base = stack.base;
}

/* Of the task, or of the generator whose body it stands in; NULL: the thread's own. */
static const char *base_of_this_stack(struct bine_task *self)
{
    struct here here = {__builtin_frame_address(0), NULL};
    if (here.address >= self->stack.base && here.address < (const char *)self)
        return self->stack.base;
    bine__stacks_each(&self->loop->stacks, is_it_here, &here);
    return here.base;
}

/* What calls that have returned left on the stack is in words of later frames that nobody sets, and would
 * make states differ.  To be called by a function that has nothing on its stack: what is above is not
 * cleared. */
static __attribute__((noinline)) void clear_below(void)
{
    char room[CLEARED];
    memset(room, 0, sizeof room);
    __asm__ volatile("" : : "r"(room) : "memory");
}

static __attribute__((noinline)) bool to_be_cleared(struct bine_task *self)
{
    if (!bine__explorer.share->merge || self == &self->loop->root)
        return false;
    const char *here = __builtin_frame_address(0), *base = base_of_this_stack(self);
    return base && here - base > MARGIN + CLEARED;
}

/* Frames that this call will have, and leave standing, begin clear. */
void bine__explore_call(struct bine_task *self)
{
    if (to_be_cleared(self))
        clear_below();
}

void bine__explore_cross(void)
{
    struct bine_loop *loop = bine__loop;
    if (loop && bine__explored(loop) && to_be_cleared(loop->current))
        clear_below();
}

void bine__explore_leave(struct bine_task *self)
{
    struct bine__explore *explore = &bine__explorer;
    uint64_t unused;
    if (self == &self->loop->root)
        return;
    if (self->state == BINE__ENDED)
        bine__explore_say(explore, "%*sends\n", BINE__EXPLORE_INDENT, "");
    else if (self->state == BINE__PARKED)
        bine__explore_say(explore, "%*swaits (%s): ", BINE__EXPLORE_INDENT, "", bine__wait_names[self->wait]);
    else
        bine__explore_say(explore, "%*syields: ", BINE__EXPLORE_INDENT, "");
    if (self->state != BINE__ENDED)
        bine__explore_placed(explore, self, bine__explore_place(explore, bine__explore_telling(explore)));
    if (self->state == BINE__ENDED && self->loop->alive == 0) /* the last of them */
        (void)bine__explore_look_outside(explore, &unused);
    explore->share->doing[0] = '\0';
    if (to_be_cleared(self))
        clear_below();
}

int bine__explore_io(struct bine_task *self, int fd, short events)
{
    struct bine__explore *explore = &bine__explorer;
    int error = errno;
    if (!bine__explored(self->loop))
        return 0;
    bine__explore_settle(explore);
    if (explore->share->eager_io || (fd >= 0 && !bine__explore_fd_ready(fd, events)))
        return 0;
    if (explore->slows < BINE__PARTIES)
        explore->slow[explore->slows++] = self->id;
    int failed = bine__yield(self->loop, self);
    errno = error;
    return failed;
}
