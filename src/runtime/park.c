/* SPDX-License-Identifier: MIT
 *
 * The one door: every switch away from a task happens in door(), reached by bine__park(), bine__yield(),
 * bine__exit() and, from the loop's own stack, bine__resume().
 *
 * States and legal transitions.  The running task is loop->current; its state says RUNNABLE.
 *
 *   RUNNABLE --door--> (runs)          it stood at the head of the run queue
 *   (runs)   --yield-> RUNNABLE        to the queue's end
 *   (runs)   --park--> PARKED          somebody knows how to find it
 *   (runs)   --exit--> ENDED
 *   PARKED   --wake--> RUNNABLE        bine__wake(): what it waited for has come
 *   PARKED   --scope-> RUNNABLE        interrupted: a scope of its has fired (never if DEAF)
 *
 * Why no wake-up is lost.  All of this runs on one thread, so nothing happens between a task's linking its
 * waiter and its parking.  A wake-up for the task that runs sets WOKEN, and its next park returns at once.
 * One for a task that a scope has made RUNNABLE but that has not run yet clears `interrupted`: what
 * arrived wins over the cancellation that came with it, and bine__park() returns 0.
 *
 * Who unlinks a waiter, who touches it last.  The waker unlinks it, hands over what there is, then calls
 * bine__wake() and touches it no more.  If bine__park() returns an error nobody has: the task itself unlinks.
 * Since a waiter stays linked until one of the two has happened, each is done exactly once.
 *
 * What a scope says is looked at twice: before parking, since a call may park several times, and after. */
#include "runtime/runtime.h"
#include "runtime/section.h"

/* BINE__SWITCHES_PER_POLL: an epoll_wait() that finds nothing costs about 0.4 µs here, so 128 switches put 3 ns on
 * each; at a microsecond of work a switch, an event waits at most about 0.1 ms for the loop to look.
 * BINE__IO_BUDGET: 64 bytes into a Unix socket or out of one take about 1.2 µs here, on a busy machine, so a task
 * that never has to wait holds the loop for 0.1 ms; the switch that follows 64 such calls is lost among them. */

static struct bine_task *pick_drawn(struct bine_loop *loop)
{
    loop->random ^= loop->random << 13; /* xorshift64 (Marsaglia 2003) */
    loop->random ^= loop->random >> 7;
    loop->random ^= loop->random << 17;
    uint32_t drawn = loop->head + (uint32_t)(loop->random % (loop->tail - loop->head));
    struct bine_task *task = loop->queue[drawn & loop->mask];
    /* Close the gap with the head, so that what is left keeps its place as far as can be. */
    loop->queue[drawn & loop->mask] = loop->queue[loop->head & loop->mask];
    loop->head++;
    return task;
}

void bine__first_run(void)
{
    struct bine_loop *loop = bine__loop;
    struct bine_task *self = loop->current;
    bine__notes_enter(&self->notes);
    bine__check_arrive(self);
    bine__task_main(loop, self);
}

enum { WATCH_LEAVING = BINE__WATCH_CXX | BINE__WATCH_TIMERS };

static __attribute__((noinline)) struct bine__cxa leave_slowly(struct bine_loop *loop)
{
    struct bine__cxa cxa = {NULL, 0};
    bine__clock(loop); /* sets the timers that wait for it */
    if (loop->watched & BINE__WATCH_CXX) {
        cxa = *loop->cxa;
        *loop->cxa = (struct bine__cxa){NULL, 0}; /* right for a task that starts; others put theirs back */
    }
    return cxa;
}

/* What makes the door take its slow way before it switches. */
enum { WATCH_SLOWLY = BINE__WATCH_SEED | WATCH_LEAVING | BINE__WATCH_INVARIANTS };

/* The door, twice: the plain one does not look at what is hardly ever there.  Who leaves does what is to be done for
 * who comes: on the other side it would wait for what the switch has just begun to load (bine_yield with 1000 tasks
 * took 24 ns so, and takes 17).  Returns self, which need not be kept meanwhile: whoever comes back knows. */
static inline __attribute__((always_inline)) struct bine_task *pass(struct bine_loop *loop, struct bine_task *self,
                                                                     bool slowly)
{
    struct bine_task *next;
    const uint32_t head = loop->head, waiting = loop->tail - head;
    int32_t left = atomic_load_explicit(&loop->switches_left, memory_order_relaxed) - 1;
    atomic_store_explicit(&loop->switches_left, left, memory_order_relaxed); /* the watchdog's read may be late */
    if (bine__unlikely(left < 0 || waiting == 0 || (bine__explored(loop) && self != &loop->root))) {
        next = &loop->root;
    } else if (slowly && (loop->watched & BINE__WATCH_SEED)) {
        next = pick_drawn(loop);
    } else {
        next = loop->queue[head & loop->mask];
        loop->head = head + 1;
        /* Where there are many, what the next one will touch is asked for meanwhile: the rest of its
         * control block and the end of its stack; of the one after that, where to find these. */
        if (waiting > 2) {
            const struct bine_task *after = loop->queue[(head + 1) & loop->mask];
            const char *sp = bine__context_sp(&after->context);
            __builtin_prefetch(loop->queue[(head + 2) & loop->mask]);
            __builtin_prefetch((const char *)after + 64);
            __builtin_prefetch(sp - 64, 1); /* a new task goes down from here */
            __builtin_prefetch(sp, 1);      /* a parked one goes up */
        }
    }
    if (bine__unlikely(next == self)) {
        loop->unswitched++;
        loop->budget = BINE__IO_BUDGET; /* the others had their turn: there were none */
        return self;
    }

    struct bine__cxa cxa = {NULL, 0};
    int *const error = loop->error;
    self->error = *error;
    if (slowly && (loop->watched & WATCH_LEAVING))
        cxa = leave_slowly(loop);
    if (!BINE__CONTEXT_THREADS) /* there each has one of its own */
        *error = next->error;
    loop->budget = BINE__IO_BUDGET;
    loop->current = next;
    bine__notes_leave(&self->notes, &next->notes, self->state == BINE__ENDED);
    self = bine__list_entry(bine__context_switch(&self->context, &next->context), struct bine_task, context);
    /* Everything below runs when somebody has switched back; registers are as they were, memory is not. */
    bine__notes_enter(&self->notes);
    if (slowly && (loop->watched & BINE__WATCH_CXX)) /* from the loop's first switch to its last */
        *loop->cxa = cxa;
    return self;
}

static __attribute__((noinline)) void pass_slowly(struct bine_loop *loop, struct bine_task *self)
{
    int64_t section = bine__in_section(loop) ? loop->budget : 0;
    if (section)
        bine__section_leave_loop(loop, self);
    if (loop->watched & BINE__WATCH_INVARIANTS)
        bine__invariants_look(self);
    (void)pass(loop, self, true);
    if (section)
        loop->budget = section; /* it is in it still */
}

/* What back() returns: a scope of its has fired, or may have. */
static __attribute__((noinline)) int look_at_scopes(struct bine_task *self)
{
    const bool parked = self->wait != BINE__WAIT_NONE;
    self->wait = BINE__WAIT_NONE;
    if (parked) {
        if (!self->interrupted)
            return 0;
        self->interrupted = false;
        return bine__scope_fail(self);
    }
    if (self == &self->loop->root || (self->flags & BINE__TASK_GIVES_WAY))
        return 0;
    bine__scope_look(self);
    const int error = bine__scope_fail(self);
    return error ? bine__error(error) : 0;
}

/* What the call that self is back in returns: of a park 0, ECANCELED or ETIMEDOUT; of bine_yield() 0, or -1 with errno.
 * One look tells whether it may be anything but 0: a scope that interrupts a task has set `alert` too, and only the
 * task itself takes that back. */
static inline int back(struct bine_task *self)
{
    bine__check_arrive(self);
    if (bine__unlikely(self->alert))
        return look_at_scopes(self);
    self->wait = BINE__WAIT_NONE;
    return 0;
}

static __attribute__((noinline)) int plain_door(struct bine_loop *loop, struct bine_task *self)
{
    return back(pass(loop, self, false));
}

static __attribute__((noinline)) int slow_door(struct bine_loop *loop, struct bine_task *self)
{
    pass_slowly(loop, self);
    return back(self);
}

/* Tells the checkers that self leaves; whether it may do so by the plain door.  The budget is negative inside a
 * section, and seldom otherwise. */
static inline __attribute__((always_inline)) bool leaves_plainly(const struct bine_loop *loop, struct bine_task *self)
{
    bine__check_leave(self);
    if (bine__explored(loop))
        bine__explore_leave(self);
    return bine__likely(!(loop->watched & WATCH_SLOWLY) && loop->budget >= 0);
}

/* Leaves self, whose state its caller has set, for the next; returns when self is picked again.  What it returns is its
 * caller's own result, so that callers end in a jump; but not where somebody may be told of this switch, who looks for
 * the call on the stack. */
static inline __attribute__((always_inline)) int door(struct bine_loop *loop, struct bine_task *self)
{
    if (leaves_plainly(loop, self))
        return plain_door(loop, self);
    int result = slow_door(loop, self);
    __asm__ volatile(""); /* no jump */
    return result;
}

int bine__park(struct bine_loop *loop, struct bine_task *self, unsigned wait, intptr_t object)
{
    if (bine__unlikely(self->flags & BINE__TASK_WOKEN)) {
        self->flags &= (uint16_t)~BINE__TASK_WOKEN;
        return 0;
    }
    bool deaf = wait & BINE__PARK_DEAF;
    if (bine__unlikely(self->failing && !deaf))
        return bine__scope_fail(self);
    bine__assert(loop->current == self && self != &loop->root);

    self->wait = (uint8_t)wait;
    self->flags = (uint16_t)((self->flags & ~BINE__TASK_DEAF) | (deaf ? BINE__TASK_DEAF : 0));
    self->object = object;
    self->since = loop->now;
    self->state = BINE__PARKED;
    return door(loop, self);
}

void bine__wake(struct bine_task *task)
{
    bine__check_wake(task);
    if (bine__likely(task->state == BINE__PARKED))
        bine__make_runnable(task->loop, task);
    else if (task->interrupted)
        task->interrupted = false;
    else if (task == task->loop->current)
        task->flags |= BINE__TASK_WOKEN;
}

void bine__give_way(struct bine_loop *loop, struct bine_task *self)
{
    self->flags |= BINE__TASK_GIVES_WAY;
    loop->queue[loop->tail++ & loop->mask] = self;
    (void)door(loop, self);
    self->flags &= (uint16_t)~BINE__TASK_GIVES_WAY;
}

int bine__yield(struct bine_loop *loop, struct bine_task *self)
{
    bine__give_way(loop, self);
    bine__scope_look(self);
    return bine__scope_fail(self);
}

static __attribute__((noinline, cold)) int refuse_to_yield(void)
{
    (void)bine__current(); /* sets errno */
    return -1;
}

int bine_yield(void)
{
    struct bine_loop *loop = bine__loop;
    if (bine__unlikely(!loop || loop->current == &loop->root))
        return refuse_to_yield();
    struct bine_task *self = loop->current;
    bine__check_call(self);
    if (bine__explored(loop))
        bine__explore_call(self);
    loop->queue[loop->tail++ & loop->mask] = self;
    return door(loop, self);
}

/* From a task's beginning to here each function ends in a call that the compiler makes a jump: a task that
 * starts and ends between two switches of another leaves the processor's return stack as it found it, and
 * the other's returns are predicted.  Declared noreturn, they would be calls. */
void bine__exit(struct bine_loop *loop, struct bine_task *self)
{
    self->state = BINE__ENDED;
    if (leaves_plainly(loop, self))
        (void)plain_door(loop, self);
    else
        pass_slowly(loop, self);
}

void bine__resume(struct bine_loop *loop)
{
    loop->switches += BINE__SWITCHES_PER_POLL - (uint64_t)loop->switches_left;
    atomic_store_explicit(&loop->switches_left, BINE__SWITCHES_PER_POLL, memory_order_relaxed);
    if (loop->head != loop->tail)
        (void)door(loop, &loop->root);
}

uint64_t bine__switches(const struct bine_loop *loop)
{
    return loop->switches + BINE__SWITCHES_PER_POLL - (uint64_t)loop->switches_left - loop->unswitched;
}

void bine__turn_soon(struct bine_loop *loop)
{
    loop->switches -= (uint64_t)loop->switches_left; /* they were not made */
    atomic_store_explicit(&loop->switches_left, 0, memory_order_relaxed);
}
