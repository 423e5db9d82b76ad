/* SPDX-License-Identifier: MIT
 *
 * One transfer: try, wait, try again.  The whole read and write family goes through here; what differs
 * between its members is the attempt, one system call that does not block.
 *
 * A short read on a TCP stream has emptied the socket's queue, so the next try is left out and the task
 * parks at once: that saves one system call per request.  It is right because the descriptor is
 * edge-triggered from before, or is registered at that park, which reports what is there by then.  It is
 * not right
 *  - off TCP: a datagram, a message with descriptors, a terminal's line ends a read early;
 *  - with a layer like kernel TLS on the connection: a record does (io.h: that is BINE__KIND_STREAM);
 *  - once FIN, an error or urgent data has been reported: that report came before the read, and
 *    none will follow it.  Hence BINE__FD_UNUSUAL, which is never taken back. */
#ifndef BINE_IO_TRANSFER_H
#define BINE_IO_TRANSFER_H

#include <errno.h>

#include "io/io.h"

/* A transfer that leaves the stream as it was, or concerns another queue. */
enum { BINE__ASIDE = MSG_PEEK | MSG_OOB | MSG_ERRQUEUE | MSG_TRUNC };

/* Urgent data and errors are there or not: recv(2) never waits for them. */
static inline bool bine__transfer_may_wait(const struct bine__transfer *transfer)
{
    const int at_once = MSG_DONTWAIT | (transfer->direction == BINE__IN ? MSG_OOB | MSG_ERRQUEUE : 0);

    return !(transfer->flags & at_once);
}

static inline bool bine__transfer_useless(const struct bine__transfer *transfer)
{
    return transfer->direction == BINE__IN && (transfer->slot->flags & BINE__FD_DRAINED) &&
           transfer->total > 0 && bine__transfer_may_wait(transfer);
}

static inline void bine__transfer_note(struct bine__transfer *transfer, size_t moved)
{
    struct bine__fd *slot = transfer->slot;

    if (transfer->direction != BINE__IN || slot->kind != BINE__KIND_TCP)
        return;
    if (transfer->flags & MSG_OOB)
        slot->flags |= BINE__FD_UNUSUAL;
    if (moved > 0 && moved < transfer->asked && !(transfer->flags & BINE__ASIDE) &&
        !(slot->flags & BINE__FD_UNUSUAL))
        slot->flags |= BINE__FD_DRAINED;
}

static inline bool bine__transfer_complete(const struct bine__transfer *transfer, ssize_t moved)
{
    if (moved == 0 || transfer->done >= transfer->total)
        return true;
    switch ((enum bine__extent)transfer->extent) {
    case BINE__ONCE:
        return !transfer->more;
    case BINE__STREAM:
        return transfer->slot->kind == BINE__KIND_DATAGRAM;
    case BINE__FULL:
        break;
    }
    return false;
}

/* Between two pieces others may run, scopes are observed, and the descriptor may be closed. */
static inline int bine__transfer_between_pieces(const struct bine__transfer *transfer, uint32_t generation)
{
    if (!bine__begin())
        return errno;
    return transfer->slot->generation == generation ? 0 : EBADF;
}

/* bine-explore(1) wants to know what is written, and not to take a read for somebody else's. */
static inline ssize_t bine__transfer_watched(struct bine__transfer *transfer, bine__attempt *attempt)
{
    const bool in = transfer->direction == BINE__IN, socket = transfer->slot->kind != BINE__KIND_POLLABLE;
    if (in)
        bine__explore_read_begins(transfer->fd, socket);
    ssize_t moved = attempt(transfer);
    if (in)
        bine__explore_read_ends(socket);
    if (moved > 0 && in && !(transfer->flags & MSG_PEEK))
        bine__explore_took(transfer->fd);
    if (moved > 0 && !in)
        bine__explore_wrote(transfer->fd, transfer->iov, transfer->done, (size_t)moved);
    return moved;
}

/* Returns 0 or the errno value that ended it. */
static inline __attribute__((always_inline)) int bine__transfer_run(struct bine__transfer *transfer,
                                                                   bine__attempt *attempt,
                                                                   struct bine__waiter *waiter)
{
    const uint32_t generation = transfer->slot->generation;
    int error;

    for (;;) {
        bool useless = bine__transfer_useless(transfer);
        ssize_t moved = -1;
        /* Known, but for the first time and after a surprise. */
        if (bine__unlikely(transfer->slot->kind == BINE__KIND_UNKNOWN) &&
            bine__fd_detect(transfer->fd, transfer->slot) != 0)
            return errno;
        if (!useless)
            moved = bine__explored(transfer->self->loop) ? bine__transfer_watched(transfer, attempt)
                                                         : attempt(transfer);
        if (moved >= 0) {
            bine__transfer_note(transfer, (size_t)moved);
            bine__charge(transfer->self->loop, (int)(moved / BINE__CHARGE_BYTES));
            transfer->done += (size_t)moved;
            if (bine__transfer_complete(transfer, moved))
                return 0;
            bine__check_io(transfer->fd, transfer->direction == BINE__OUT, BINE__IO_PIECE, transfer->done);
            error = bine__transfer_between_pieces(transfer, generation);
            if (error)
                return error;
        } else if (useless || (errno == EAGAIN && bine__transfer_may_wait(transfer))) {
            if (!waiter->task) {
                bine__waiter_init(waiter, transfer->self, transfer->fd, transfer->slot, transfer->direction);
                waiter->generation = generation; /* an attempt may yield, too */
            }
            error = bine__waiter_park(waiter);
            if (error)
                return error;
        } else if (errno != EINTR) {
            return errno;
        } else if (bine__unlikely(transfer->slot->generation != generation)) {
            return EBADF;
        }
    }
}

/* What could be done at once may come late under bine-explore(1); the descriptor may be closed meanwhile. */
static inline int bine__transfer_explored(const struct bine__transfer *transfer)
{
    const uint32_t generation = transfer->slot->generation;
    int error = bine__explore_io(transfer->self, transfer->fd, transfer->direction == BINE__IN ? POLLIN : POLLOUT);

    return error || transfer->slot->generation == generation ? error : EBADF;
}

/* For a caller that names its attempt, so that the compiler makes one function of it all. */
static inline __attribute__((always_inline)) ssize_t bine__transfer_by(struct bine__transfer *transfer,
                                                                       bine__attempt *attempt)
{
    struct bine__waiter waiter;

    transfer->done = 0;
    transfer->more = false;
    transfer->self = bine__begin_on(transfer->fd);
    transfer->slot = transfer->self ? bine__fd_get(transfer->self->loop->io, transfer->fd) : NULL;
    if (bine__unlikely(!transfer->slot)) {
        transfer->error = errno;
        return -1;
    }
    waiter.task = NULL; /* set up when it is needed */
    bine__check_io(transfer->fd, transfer->direction == BINE__OUT, BINE__IO_BEGIN, 0);
    transfer->error = 0;
    if (bine__explored(transfer->self->loop))
        transfer->error = bine__transfer_explored(transfer);
    if (bine__likely(!transfer->error))
        transfer->error = bine__transfer_run(transfer, attempt, &waiter);
    if (waiter.task)
        bine__waiter_leave(&waiter);
    bine__check_io(transfer->fd, transfer->direction == BINE__OUT, BINE__IO_END, transfer->done);
    if (transfer->error)
        errno = transfer->error;
    return transfer->error && transfer->done == 0 ? -1 : (ssize_t)transfer->done;
}

#endif
