/* SPDX-License-Identifier: MIT
 *
 * Queues of pointers: put, get, and waiting until all that was put is dealt with.
 *
 * Invariants.  Who waits to get finds the queue empty, who waits to put finds it full: so at most one of the
 * two lines has anybody in it.  An item that is put while somebody waits to get goes to him and never into
 * the queue; a place that a get makes goes to the first that waits to put, with his item, so it is filled
 * before anybody else can run.  What waits to be put is not in the queue and is not counted: a put that fails
 * leaves it the caller's. */
#include "sync/items.h"

#include <stdlib.h>

#include "sync/line.h"

enum { MAGIC = 0x71756575 };

struct bine_queue {
    uint32_t magic;
    bool shut;
    size_t capacity; /* 0: no bound */
    size_t undone;   /* put, and not yet dealt with */
    struct bine__items items;
    struct bine__line getters, putters, joiners;
    bine_drop_fn *drop;
};

struct turn { /* of one that waits to put or to get */
    struct bine__turn turn;
    void *item;
    int64_t priority;
};

static bool is_queue(const bine_queue *queue)
{
    return bine__likely(queue && queue->magic == MAGIC);
}

static bool ours(const bine_queue *queue)
{
    return bine__line_ours(&queue->getters) && bine__line_ours(&queue->putters) &&
           bine__line_ours(&queue->joiners);
}

static bool is_full(const bine_queue *queue)
{
    return queue->capacity && queue->items.length >= queue->capacity;
}

bine_queue *bine_queue_new(bine_queue_order order, size_t capacity, bine_drop_fn *drop)
{
    if (order != BINE_QUEUE_FIFO && order != BINE_QUEUE_LIFO && order != BINE_QUEUE_PRIORITY) {
        errno = EINVAL;
        return NULL;
    }
    bine_queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;
    queue->magic = MAGIC;
    queue->capacity = capacity;
    queue->items.order = order;
    queue->drop = drop;
    return queue;
}

/* An item is dealt with, or never will be. */
static void settle(bine_queue *queue)
{
    if (--queue->undone == 0)
        bine__line_serve_all(&queue->joiners);
}

static void drop_all(bine_queue *queue)
{
    size_t dropped = queue->items.length;
    while (queue->items.length) {
        void *item = bine__items_pop(&queue->items);
        if (queue->drop)
            queue->drop(item);
    }
    while (dropped-- > 0 && queue->undone)
        settle(queue);
}

int bine_queue_free(bine_queue *queue)
{
    if (!is_queue(queue))
        return bine__error(EINVAL);
    if (!bine__line_empty(&queue->getters) || !bine__line_empty(&queue->putters) ||
        !bine__line_empty(&queue->joiners))
        return bine__error(EBUSY);
    queue->shut = true;
    drop_all(queue);
    queue->magic = 0;
    bine__items_free(&queue->items);
    free(queue);
    return 0;
}

/* EAGAIN: it is full. */
static int put_now(bine_queue *queue, void *item, int64_t priority)
{
    if (queue->shut)
        return EPIPE;
    struct bine__turn *getter = bine__line_take(&queue->getters);
    if (getter) {
        bine__list_entry(getter, struct turn, turn)->item = item;
        bine__line_wake(getter);
    } else if (is_full(queue)) {
        return EAGAIN;
    } else if (!bine__items_push(&queue->items, item, priority)) {
        return ENOMEM;
    } else {
        bine__check_put(queue);
    }
    queue->undone++;
    return 0;
}

/* EAGAIN: it is empty. */
static int get_now(bine_queue *queue, void **item)
{
    if (!queue->items.length)
        return queue->shut ? EPIPE : EAGAIN;
    *item = bine__items_pop(&queue->items);
    bine__check_found(queue, true);
    struct bine__turn *putter = bine__line_take(&queue->putters);
    if (putter) {
        struct turn *turn = bine__list_entry(putter, struct turn, turn);
        const bool kept = bine__items_push(&queue->items, turn->item, turn->priority);
        bine__assert(kept);
        queue->undone++;
        bine__line_wake(putter);
    }
    return 0;
}

static int wait(struct bine_task *self, bine_queue *queue, struct bine__line *line, struct turn *turn)
{
    int error = bine__line_wait(line, &turn->turn, self, BINE__WAIT_QUEUE, queue);
    return error ? error : turn->turn.error;
}

int bine_queue_put_priority(bine_queue *queue, void *item, int64_t priority)
{
    if (!is_queue(queue))
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if (!ours(queue))
        return bine__error(EPERM);
    int error = put_now(queue, item, priority);
    if (error == EAGAIN) {
        struct turn turn = {.item = item, .priority = priority};
        error = wait(self, queue, &queue->putters, &turn);
    }
    return bine__outcome(error);
}

int bine_queue_put(bine_queue *queue, void *item)
{
    return bine_queue_put_priority(queue, item, 0);
}

int bine_queue_put_try(bine_queue *queue, void *item)
{
    if (!is_queue(queue))
        return bine__error(EINVAL);
    if (!ours(queue))
        return bine__error(EPERM);
    return bine__outcome(put_now(queue, item, 0));
}

int bine_queue_get(bine_queue *queue, void **item)
{
    if (!is_queue(queue) || !item)
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if (!ours(queue))
        return bine__error(EPERM);
    int error = get_now(queue, item);
    if (error == EAGAIN) {
        struct turn turn = {.item = NULL};
        error = wait(self, queue, &queue->getters, &turn);
        if (!error)
            *item = turn.item;
    }
    return bine__outcome(error);
}

int bine_queue_get_try(bine_queue *queue, void **item)
{
    if (!is_queue(queue) || !item)
        return bine__error(EINVAL);
    if (!ours(queue))
        return bine__error(EPERM);
    return bine__outcome(get_now(queue, item));
}

int bine_queue_task_done(bine_queue *queue)
{
    /* What is still in it cannot have been dealt with. */
    if (!is_queue(queue) || queue->undone <= queue->items.length)
        return bine__error(EINVAL);
    if (!ours(queue))
        return bine__error(EPERM);
    settle(queue);
    return 0;
}

int bine_queue_join(bine_queue *queue)
{
    if (!is_queue(queue))
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if (!queue->undone)
        return 0;
    struct bine__turn turn;
    return bine__outcome(bine__line_wait(&queue->joiners, &turn, self, BINE__WAIT_QUEUE, queue));
}

int bine_queue_shutdown(bine_queue *queue, bool now)
{
    if (!is_queue(queue))
        return bine__error(EINVAL);
    if (!ours(queue))
        return bine__error(EPERM);
    queue->shut = true;
    bine__line_dismiss(&queue->putters, EPIPE);
    bine__line_dismiss(&queue->getters, EPIPE);
    if (now)
        drop_all(queue);
    return 0;
}

size_t bine_queue_length(const bine_queue *queue)
{
    return is_queue(queue) ? queue->items.length : 0;
}
