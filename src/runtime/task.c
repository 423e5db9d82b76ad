/* SPDX-License-Identifier: MIT
 *
 * Tasks: from spawn to the release of the handle.
 *
 * The control block sits at the top of the task's stack, so that an idle task touches one page; the
 * argument of bine_spawn_copy() lies right below it.  A task that has ended keeps its stack until its handle
 * is released (joined, stopped, or detached): the result is in the control block.  One that nobody joins is
 * released from another stack, never from its own: at the next spawn, the next such end, or the next turn.
 *
 * The run queue has room for every task that is alive before the task exists, so making a task runnable
 * cannot fail. */
#include <stdlib.h>
#include <string.h>

#include "runtime/section.h"

enum {
    FAILURES = 4096,        /* errno values that bine_fail() can name: 1..4095, as the kernel's own bound */
    FIRST_QUEUE = 64,       /* slots */
    ID_BLOCK = 1 << 16,     /* ids that a loop draws from the process's counter at once */
    STACK_ALIGNMENT = 16
};

const char *const bine__wait_names[BINE__WAIT_COUNT] = {
    [BINE__WAIT_PARK] = "park",       [BINE__WAIT_SLEEP] = "sleep",     [BINE__WAIT_JOIN] = "join",
    [BINE__WAIT_READ] = "read",       [BINE__WAIT_WRITE] = "write",     [BINE__WAIT_POLL] = "poll",
    [BINE__WAIT_OFFLOAD] = "offload", [BINE__WAIT_GROUP] = "group",     [BINE__WAIT_FUTURE] = "future",
    [BINE__WAIT_MUTEX] = "mutex",     [BINE__WAIT_RWLOCK] = "rwlock",   [BINE__WAIT_COND] = "cond",
    [BINE__WAIT_SEM] = "semaphore",   [BINE__WAIT_EVENT] = "event",     [BINE__WAIT_BARRIER] = "barrier",
    [BINE__WAIT_LATCH] = "latch",     [BINE__WAIT_ONCE] = "once",       [BINE__WAIT_QUEUE] = "queue",
    [BINE__WAIT_SEND] = "send",       [BINE__WAIT_RECEIVE] = "receive", [BINE__WAIT_SELECT] = "select",
};

static const char failures[FAILURES];

static _Atomic uint64_t last_id;

/* ---- Create ------------------------------------------------------------------------------------- */

static int grow_queue(struct bine_loop *loop)
{
    uint32_t room = loop->queue ? (loop->mask + 1) * 2 : FIRST_QUEUE, used = loop->tail - loop->head;
    if (room == 0)
        return bine__error(ENOMEM);
    struct bine_task **queue = malloc(room * sizeof *queue);
    if (!queue)
        return -1;
    for (uint32_t i = 0; i < used; i++)
        queue[i] = loop->queue[(loop->head + i) & loop->mask];
    for (uint32_t i = used; i < room; i++)
        queue[i] = NULL; /* the door prefetches what stands here */
    free(loop->queue);
    loop->queue = queue;
    loop->mask = room - 1;
    loop->head = 0;
    loop->tail = used;
    return 0;
}

static uint64_t draw_id(struct bine_loop *loop)
{
    if (bine__unlikely(loop->next_id == loop->last_id)) {
        loop->next_id = atomic_fetch_add_explicit(&last_id, ID_BLOCK, memory_order_relaxed); /* uniqueness alone */
        loop->last_id = loop->next_id + ID_BLOCK;
    }
    return ++loop->next_id;
}

/* The control block at the top of the stack, cache lines to itself. */
static struct bine_task *place(struct bine__stack stack)
{
    size_t size = (sizeof(struct bine_task) + BINE__CACHE_LINE - 1) & ~(size_t)(BINE__CACHE_LINE - 1);
    return (struct bine_task *)(void *)(bine__stack_top(stack) - size);
}

struct bine_task *bine__task_of(struct bine__stack stack)
{
    return place(stack);
}

static void init(struct bine_task *task, struct bine_loop *loop, bine_fn *fn, void *arg, const char *site)
{
    task->state = BINE__RUNNABLE;
    task->wait = BINE__WAIT_NONE;
    task->flags = 0;
    task->interrupted = false;
    task->cause = NULL;
    task->failing = 0;
    task->error = 0;
    task->alert = 0;
    task->deadline = BINE_FOREVER;
    task->magic = BINE__TASK_MAGIC;
    task->loop = loop;
    task->joiner = NULL;
    task->fn = fn;
    task->arg = arg;
    task->drop = NULL;
    task->id = draw_id(loop);
    task->parent = loop->current->id;
    task->site = site;
    task->scope = NULL;
    task->held = 0;
}

/* Inlined, so that the plain bine_spawn() pays for neither attributes nor a copy. */
static inline __attribute__((always_inline)) struct bine_task *spawn(struct bine_loop *loop, const bine_attr *attr,
                                                                     bine_fn *fn, void *arg, const void *copy,
                                                                     size_t size, const char *site)
{
    int class = loop->default_class;
    if (attr && attr->stack_size)
        class = bine__stack_class_of(attr->stack_size);
    if (!fn || class < 0 || (attr && attr->style != BINE_IMPLICIT && attr->style != BINE_EXPLICIT)) {
        errno = EINVAL;
        return NULL;
    }
    if (bine__unlikely(!loop->queue || loop->alive > loop->mask) && grow_queue(loop) != 0)
        return NULL;
    struct bine__stack stack;
    bine__task_reap(loop); /* no stack is warmer */
    if (bine__stack_take(&loop->stacks, class, &stack) != 0)
        return NULL;
    if (size > bine__stack_size(stack) / 4) {
        bine__stack_release(&loop->stacks, stack);
        errno = EINVAL;
        return NULL;
    }

    struct bine_task *task = place(stack);
    const struct bine__stack_class *c = &loop->stacks.classes[class];
    if (bine__likely(c->count > 0)) { /* where the next spawn will write: in a wave, no longer in the nearest cache */
        const char *next = (const char *)place(c->free[c->count - 1]);
        __builtin_prefetch(next, 1);
        __builtin_prefetch(next + 64, 1);
        __builtin_prefetch(next + 128, 1);
    }
    char *top = (char *)task;
    bine__notes_made(&task->notes, stack.base, (size_t)(top - stack.base));
    if (copy) {
        top -= (size + STACK_ALIGNMENT - 1) & ~(size_t)(STACK_ALIGNMENT - 1);
        arg = memcpy(top, copy, size);
    }
    task->stack = stack;
    init(task, loop, fn, arg, site);
    if (attr) {
        task->drop = attr->drop_result;
        task->flags |= (uint16_t)((attr->detached ? BINE__TASK_DETACHED : 0) |
                                 (attr->style == BINE_EXPLICIT ? BINE__TASK_EXPLICIT : 0));
        if (attr->name)
            bine_task_set_name(task, attr->name);
    }
    if (bine__context_open(&task->context, stack.base, top, bine__first_run) != 0) {
        task->magic = 0;
        bine__notes_gone(&task->notes);
        bine__stack_release(&loop->stacks, stack);
        return NULL;
    }
    if (bine__unlikely(loop->current->flags & BINE__TASK_VALUES))
        bine__values_inherit(task, loop->current);
    loop->alive++;
    loop->spawned++;
    bine__check_spawn(task);
    bine__make_runnable(loop, task);
    if (bine__unlikely(loop->ending))
        bine_cancel(task); /* what is left at the end of a run is cancelled; so is what comes after */
    return task;
}

struct bine_task *bine__spawn(struct bine_loop *loop, const bine_attr *attr, bine_fn *fn, void *arg,
                              const void *copy, size_t size, const char *site)
{
    return spawn(loop, attr, fn, arg, copy, size, site);
}

/* The loop to spawn into; NULL with errno EPERM. */
static struct bine_loop *here(void)
{
    if (!bine__loop)
        errno = EPERM;
    return bine__loop;
}

bine_task *bine_spawn_at(bine_fn *fn, void *arg, const char *site)
{
    struct bine_loop *loop = here();
    return loop ? spawn(loop, NULL, fn, arg, NULL, 0, site) : NULL;
}

bine_task *bine_spawn_copy_at(bine_fn *fn, const void *arg, size_t size, const char *site)
{
    struct bine_loop *loop = here();
    if (!loop)
        return NULL;
    if (!arg) {
        errno = EINVAL;
        return NULL;
    }
    return bine__spawn(loop, NULL, fn, NULL, arg, size, site);
}

bine_task *bine_spawn_with_at(const bine_attr *given, size_t size, bine_fn *fn, void *arg, const char *site)
{
    struct bine_loop *loop = here();
    if (!loop)
        return NULL;
    bine_attr attr = BINE_ATTR_INIT;
    if (given)
        memcpy(&attr, given, size < sizeof attr ? size : sizeof attr);
    return bine__spawn(loop, &attr, fn, arg, NULL, 0, site);
}

/* ---- End ---------------------------------------------------------------------------------------- */

void *bine_fail(int error)
{
    if (error < 1 || error >= FAILURES)
        error = EINVAL;
    return (void *)(uintptr_t)&failures[error];
}

bine_result bine__result_of(void *value)
{
    uintptr_t offset = (uintptr_t)value - (uintptr_t)failures;
    return offset < FAILURES ? (bine_result){NULL, (int)offset} : (bine_result){value, 0};
}

void bine__task_settle(struct bine_task *task)
{
    bool expected = task->result.error == ECANCELED && (task->flags & BINE__TASK_CANCELLED);
    if (task->result.error && !expected)
        bine__report(BINE_REPORT_LOST_ERROR, task, task->result.error, "failed and nobody looked");
    void *value = task->result.value;
    task->result.value = NULL;
    if (value && task->drop)
        task->drop(value);
}

/* What a task has for itself goes before anybody learns that it has ended. */
static __attribute__((noinline)) void drop_own(struct bine_task *self)
{
    if (self->flags & BINE__TASK_LOCALS)
        bine__locals_end(self);
    if (self->flags & BINE__TASK_VALUES)
        bine__values_drop(self);
}

void bine__task_main(struct bine_loop *loop, struct bine_task *self)
{
    self->flags |= BINE__TASK_STARTED;
    void *value = bine__likely(!(self->flags & BINE__TASK_EXPLICIT)) ? self->fn(self->arg) : bine__run_explicit(self);
    if (bine__unlikely(bine__loop != loop))
        bine__fatal(self, "returned in a child after fork(): end the child with _exit() or exec");
    if (bine__unlikely(self->flags & (BINE__TASK_VALUES | BINE__TASK_LOCALS)))
        drop_own(self);
    if (bine__unlikely(self->scope != NULL))
        bine__fatal(self, "ended inside an open scope or group");
    if (bine__unlikely(self->held))
        bine__fatal(self, "ended holding %u locks", self->held);
    self->result = bine__result_of(value);
    if (self->flags & (BINE__TASK_DETACHED | BINE__TASK_OWNED)) {
        if (self->flags & BINE__TASK_OWNED)
            self->owner->ended(self->owner, self);
        else
            bine__task_settle(self);
        bine__task_reap(loop);
        loop->unreaped = self;
        self->magic = 0; /* the handle is gone */
    } else if (self->joiner) {
        bine__wake(self->joiner);
    }
    loop->alive--;
    bine__check_end(self);
    bine__exit(loop, self);
}

void bine__task_release(struct bine_task *task)
{
    struct bine__stacks *stacks = &task->loop->stacks;
    struct bine__stack stack = task->stack;
    bine__notes_gone(&task->notes);
    bine__check_released(task);
    bine__context_close(&task->context);
    task->magic = 0;
    if (bine__unlikely(task->loop->debugging != NULL))
        bine__debug_quarantine(task);
    else
        bine__stack_release(stacks, stack);
}

void bine__task_reap_now(struct bine_loop *loop)
{
    struct bine_task *task = loop->unreaped;
    loop->unreaped = NULL;
    bine__task_release(task);
}

/* ---- Handles ------------------------------------------------------------------------------------ */

bool bine__task_valid(const struct bine_task *task)
{
    if (bine__likely(task && task->magic == BINE__TASK_MAGIC && task->loop == bine__loop))
        return true;
    if (!bine__loop)
        errno = EPERM;
    else if (!task)
        errno = EINVAL;
    else if (task->magic != BINE__TASK_MAGIC) {
        bine__report(BINE_REPORT_MISUSE, NULL, EINVAL, "a handle was used after it was released");
        errno = EINVAL;
    } else
        errno = EPERM; /* another loop's */
    return false;
}

/* May the running task wait for this one's end? */
static inline int joinable(const struct bine_task *task, const struct bine_task *self)
{
    if (!bine__task_valid(task))
        return -1;
    if (task == self)
        return bine__error(EDEADLK);
    if (task->joiner || (task->flags & BINE__TASK_TAKEN))
        return bine__error(EINVAL);
    return 0;
}

static inline __attribute__((always_inline)) int join(struct bine_task *self, struct bine_task *task, unsigned wait,
                                                      bine_result *result)
{
    if (task->state != BINE__ENDED) {
        task->joiner = self;
        bine__check_lock_wait(task, task);
        int error = bine__park(self->loop, self, wait, (intptr_t)task);
        task->joiner = NULL;
        if (error)
            return bine__error(error);
    }
    bine__check_joined(self, task);
    if (result)
        *result = task->result;
    else
        bine__task_settle(task);
    bine__task_release(task);
    return 0;
}

int bine_join(bine_task *task, bine_result *result)
{
    struct bine_task *self = bine__begin();
    if (!self || joinable(task, self) != 0)
        return -1;
    return join(self, task, BINE__WAIT_JOIN, result);
}

int bine_stop(bine_task *task, bine_result *result)
{
    struct bine_task *self = bine__current();
    if (!self || joinable(task, self) != 0)
        return bine__refuse(errno);
    bine__say_may_yield(self);
    bine_cancel(task);
    return join(self, task, BINE__WAIT_JOIN | BINE__PARK_DEAF, result);
}

int bine_detach(bine_task *task)
{
    if (!bine__task_valid(task))
        return -1;
    if (task->joiner || (task->flags & BINE__TASK_TAKEN))
        return bine__error(EINVAL);
    if (task->state == BINE__ENDED) {
        bine__task_settle(task);
        bine__task_release(task);
    } else {
        task->flags |= BINE__TASK_DETACHED;
    }
    return 0;
}

int bine_task_set_name(bine_task *task, const char *name)
{
    if (!bine__task_valid(task))
        return -1;
    size_t length = name ? strnlen(name, BINE__NAME_SIZE - 1) : 0;
    if (length)
        memcpy(task->name_, name, length);
    task->name_[length] = '\0';
    task->flags |= BINE__TASK_NAMED;
    return 0;
}
