/* SPDX-License-Identifier: MIT
 *
 * What bine-explore(1) needs to know of descriptors: which of those that tasks wait for are ready now,
 * each direction for itself, and to tell their tasks one by one.  In the checked library alone.
 *
 * poll(2) is asked, without waiting; an explored loop's reactor is "poll", which keeps nothing between two
 * waits, so the two do not get into each other's way. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>

enum { WATCHED = 256 };

struct watched {
    struct pollfd fds[WATCHED];
    struct bine__fd *slot[WATCHED];
    unsigned n;
};

static void take_chunk(struct watched *watched, const struct bine__io *io, uint32_t chunk)
{
    struct bine__fd *slots = io->chunks[chunk];
    for (unsigned i = 0; i < BINE__CHUNK_SLOTS && watched->n < WATCHED; i++) {
        if (!bine__fd_waited_for(&slots[i]))
            continue;
        watched->slot[watched->n] = &slots[i];
        watched->fds[watched->n++] = (struct pollfd){.fd = (int)((chunk << BINE__CHUNK_SHIFT) | i),
                                                     .events = bine__fd_interest(&slots[i])};
    }
}

/* A looker's task, if nobody stands in the line. */
static struct bine_task *first_in(const struct bine__fd *slot, enum bine__direction direction,
                                  unsigned events)
{
    const struct bine__list *line = &slot->line[direction];
    if (!bine__list_empty(line))
        return bine__list_entry(line->next, const struct bine__waiter, node)->task;
    for (const struct bine__list *node = slot->lookers.next; node != &slot->lookers; node = node->next) {
        const struct bine__looker *looker = bine__list_entry(node, const struct bine__looker, node);
        if (events & ((unsigned)looker->events | BINE__BROKEN))
            return looker->look->task;
    }
    return NULL;
}

static unsigned count(const struct bine__list *list)
{
    unsigned n = 0;
    for (const struct bine__list *node = list->next; node != list; node = node->next)
        n++;
    return n;
}

/* What is broken concerns all who wait; the rest the first in its line, and every looker that asked for
 * it. */
static bool concerns(const struct bine__fd *slot, enum bine__direction direction, unsigned events,
                     struct bine__explore_ready *ready)
{
    const bool broken = events & (BINE__BROKEN | POLLNVAL);
    const unsigned all = count(&slot->line[BINE__IN]) + count(&slot->line[BINE__OUT]) + count(&slot->lookers);

    ready->events = events;
    ready->task = first_in(slot, direction, events);
    if (broken && !ready->task)
        ready->task = first_in(slot, direction == BINE__IN ? BINE__OUT : BINE__IN, events);
    bool found = ready->task != NULL;
    if (broken ? all > 1 : !bine__list_empty(&slot->lookers) && all > 1)
        ready->task = NULL; /* several: none of them runs in consequence, before it is chosen */
    return found;
}

unsigned bine__explore_ready(struct bine_loop *loop, struct bine__explore_ready *out, unsigned room)
{
    struct watched watched = {.n = 0};
    const struct bine__io *io = loop->io;
    unsigned n = 0;

    for (uint32_t chunk = 0; chunk < io->chunk_count; chunk++)
        if (io->chunks[chunk])
            take_chunk(&watched, io, chunk);
    while (poll(watched.fds, watched.n, 0) == -1 && errno == EINTR)
        ;
    for (unsigned i = 0; i < watched.n; i++) {
        const struct bine__fd *slot = watched.slot[i];
        const unsigned events = (unsigned short)watched.fds[i].revents;
        const bool broken = events & (BINE__BROKEN | POLLNVAL);
        struct bine__explore_ready ready = {.fd = watched.fds[i].fd, .generation = slot->generation};
        if ((events & ~(unsigned)POLLOUT) && n < room &&
            concerns(slot, BINE__IN, broken ? events : events & ~(unsigned)POLLOUT, &ready))
            out[n++] = ready;
        if ((events & POLLOUT) && !broken && n < room && concerns(slot, BINE__OUT, POLLOUT, &ready))
            out[n++] = ready;
    }
    return n;
}

void bine__explore_deliver(struct bine_loop *loop, const struct bine__explore_ready *ready)
{
    struct bine__io *io = loop->io;
    struct bine__fd *slot = bine__fd_find(io, ready->fd);
    if (!slot)
        return;
    if (ready->events & POLLNVAL)
        bine__fd_retire(io, ready->fd, slot);
    else
        bine__fd_ready(io, ready->fd, ready->generation, ready->events);
}

bool bine__explore_fds_used(const struct bine_loop *loop)
{
    return loop->io->chunks_made > 0;
}

void bine__explore_io_apart(const struct bine_loop *loop, void (*leave_out)(const void *, size_t))
{
    const struct bine__io *io = loop->io;
    bine__poll_apart(io, leave_out);
    for (uint32_t chunk = 0; chunk < io->chunk_count; chunk++)
        for (unsigned i = 0; io->chunks[chunk] && i < BINE__CHUNK_SLOTS; i++)
            if (io->chunks[chunk][i].index)
                leave_out(&io->chunks[chunk][i].index, sizeof io->chunks[chunk][i].index);
    leave_out(&io->ticket, sizeof io->ticket);
    leave_out(&io->woken, sizeof io->woken);
    leave_out(&io->swept, sizeof io->swept);
}

bool bine__explore_fd_ready(int fd, short events)
{
    struct pollfd pollfd = {.fd = fd, .events = events};
    return poll(&pollfd, 1, 0) > 0;
}
