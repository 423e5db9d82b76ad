/* SPDX-License-Identifier: MIT
 *
 * Standing in line for a descriptor: what every call does between "would block" and the next try.
 *
 * A waiter gets a ticket when it first queues and keeps it: whoever tried in vain goes back to the place
 * that it had, so the order in which tasks came is the order in which they are served.  Most often that is
 * the head.
 *
 * Who touches what last: a waker unlinks the node, sets .woken, and calls bine__wake(), in this order.  A
 * park that ends for another reason finds the node still linked and unlinks it itself. */
#include "io/io.h"

#include <errno.h>

void bine__waiter_init(struct bine__waiter *waiter, struct bine_task *task, int fd, struct bine__fd *slot,
                       enum bine__direction direction)
{
    bine__list_init(&waiter->node);
    waiter->task = task;
    waiter->slot = slot;
    waiter->fd = fd;
    waiter->generation = slot->generation;
    waiter->direction = (uint8_t)direction;
    waiter->queued = waiter->woken = false;
}

static void stand_in_line(struct bine__io *io, struct bine__waiter *waiter)
{
    struct bine__list *line = &waiter->slot->line[waiter->direction];
    struct bine__list *place = line;

    if (!waiter->queued) {
        waiter->ticket = ++io->ticket;
        if (bine__explored(io->loop))
            waiter->ticket = bine__explore_ticket(waiter->fd, waiter->direction, waiter->ticket);
        waiter->queued = true;
    } else { /* behind those with earlier tickets; the difference is signed, so the counter may wrap */
        for (place = line->next; place != line; place = place->next) {
            uint32_t other = bine__list_entry(place, struct bine__waiter, node)->ticket;
            if ((int32_t)(other - waiter->ticket) > 0)
                break;
        }
    }
    bine__list_insert_before(place, &waiter->node);
    waiter->woken = false;
    waiter->slot->parked = (uint16_t)io->sweep;
}

/* The kernel says that this cannot be polled, though a try would have blocked: a device without poll, or
 * another file than the slot was made for.  All that is left is to let others run and to try again. */
static int wait_blindly(struct bine__waiter *waiter)
{
    bine__fd_forget(waiter->slot);
    return bine__yield(waiter->task->loop, waiter->task);
}

/* The frames through which a task goes back when its call returns from here, but for the first line, which
 * the door fetches for all who switch. */
enum { FRAME_LINES = 5 };

/* Those of the task after the next: its turn is a whole request away.  (1000 connections that echo: the door
 * took 1.6 % of the CPU time, and 0.5 with this; in the door itself it would make bine_yield with 1000 tasks
 * dearer by two fifths.)  Inlined always: see bine__fd_fetch_slot(). */
static inline __attribute__((always_inline)) void fetch_frames(const struct bine_loop *loop)
{
    if (loop->tail - loop->head <= 1)
        return;
    const struct bine_task *after = loop->queue[(loop->head + 1) & loop->mask];
    const char *frames = bine__context_sp(&after->context);
    for (int i = 1; i <= FRAME_LINES; i++)
        __builtin_prefetch(frames + i * BINE__CACHE_LINE, 1);
}

/* In line already. */
static int park(struct bine__waiter *waiter)
{
    struct bine_task *self = waiter->task;
    struct bine_loop *loop = self->loop;
    struct bine__io *io = loop->io;
    int error;

    io->waiters++;
    loop->outstanding++;
    fetch_frames(loop);
    error = bine__park(loop, self, waiter->direction == BINE__IN ? BINE__WAIT_READ : BINE__WAIT_WRITE,
                       waiter->fd);
    loop->outstanding--;
    io->waiters--;
    bine__list_remove(&waiter->node); /* no effect if a waker has done so */
    return waiter->generation != waiter->slot->generation ? EBADF : error;
}

int bine__waiter_park_unwatched(struct bine__waiter *waiter)
{
    if (waiter->generation != waiter->slot->generation)
        return EBADF;
    stand_in_line(waiter->task->loop->io, waiter);
    return park(waiter);
}

int bine__waiter_park(struct bine__waiter *waiter)
{
    struct bine__io *io = waiter->task->loop->io;
    int error;

    if (waiter->generation != waiter->slot->generation)
        return EBADF;
    stand_in_line(io, waiter);
    if (io->reactor->watch(io, waiter->fd, waiter->slot) != 0) {
        error = errno;
        bine__list_remove(&waiter->node);
        return error == EPERM ? wait_blindly(waiter) : error;
    }
    return park(waiter);
}

void bine__waiter_leave(struct bine__waiter *waiter)
{
    struct bine__fd *slot = waiter->slot;
    struct bine__list *line = &slot->line[waiter->direction];
    struct bine__waiter *next;

    if (waiter->queued && bine__explored(waiter->task->loop))
        bine__explore_ticket_back(waiter->fd, waiter->direction);
    if (!waiter->woken || bine__list_empty(line) || waiter->generation != slot->generation)
        return;
    if (waiter->direction == BINE__IN && (slot->flags & BINE__FD_DRAINED))
        return;
    next = bine__list_entry(line->next, struct bine__waiter, node);
    bine__list_remove(&next->node);
    next->woken = true;
    bine__wake(next->task);
}

int bine__fd_wait(int fd, enum bine__direction direction)
{
    struct bine_task *self = bine__begin_on(fd);
    struct bine__fd *slot = self ? bine__fd_get(self->loop->io, fd) : NULL;
    struct bine__waiter waiter;
    int error;

    if (!slot)
        return -1;
    bine__waiter_init(&waiter, self, fd, slot, direction);
    error = bine__waiter_park(&waiter);
    bine__waiter_leave(&waiter);
    if (error) {
        errno = error;
        return -1;
    }
    return 0;
}

void bine__look_wake(struct bine__look *look)
{
    if (look->woken)
        return;
    look->woken = true;
    bine__wake(look->task);
}
