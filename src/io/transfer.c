/* SPDX-License-Identifier: MIT
 *
 * One transfer: try, wait, try again.  The whole read and write family goes through bine__transfer(); what
 * differs between its members is the attempt, one system call that does not block.
 *
 * A short read on a TCP stream has emptied the socket's queue, so the next try is left out and the task
 * parks at once: that saves one system call per request.  It is right because the descriptor is edge-triggered
 * from before, or is registered at that park, which reports what is there by then.  It is not right
 *  - off TCP: a datagram, a message with descriptors, a terminal's line ends a read early;
 *  - with a layer like kernel TLS on the connection: a record does (io.h: that is KIND_STREAM);
 *  - once FIN, an error or urgent data has been reported: that report came before the read, and
 *    none will follow it.  Hence BINE__FD_UNUSUAL, which is never taken back. */
#include "io/io.h"

#include <errno.h>
#include <limits.h>


/* A transfer that leaves the stream as it was, or concerns another queue. */
enum { ASIDE = MSG_PEEK | MSG_OOB | MSG_ERRQUEUE | MSG_TRUNC };

/* Urgent data and errors are there or not: recv(2) never waits for them. */
static bool may_wait(const struct bine__transfer *transfer)
{
    const int at_once = transfer->direction == BINE__IN ? MSG_DONTWAIT | MSG_OOB | MSG_ERRQUEUE : MSG_DONTWAIT;

    return !(transfer->flags & at_once);
}

static bool useless(const struct bine__transfer *transfer)
{
    return transfer->direction == BINE__IN && (transfer->slot->flags & BINE__FD_DRAINED) && transfer->total > 0 &&
           may_wait(transfer);
}

static void note_success(struct bine__transfer *transfer, size_t moved)
{
    struct bine__fd *slot = transfer->slot;

    if (transfer->direction != BINE__IN || slot->kind != BINE__KIND_TCP)
        return;
    if (transfer->flags & MSG_OOB)
        slot->flags |= BINE__FD_UNUSUAL;
    if (moved > 0 && moved < transfer->asked && !(transfer->flags & ASIDE) &&
        !(slot->flags & BINE__FD_UNUSUAL))
        slot->flags |= BINE__FD_DRAINED;
}

static bool complete(const struct bine__transfer *transfer, ssize_t moved)
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
static int between_pieces(const struct bine__transfer *transfer, uint32_t generation)
{
    if (!bine__begin())
        return errno;
    return transfer->slot->generation == generation ? 0 : EBADF;
}

/* Returns 0 or the errno value that ended it. */
static int run(struct bine__transfer *transfer, struct bine__waiter *waiter)
{
    const uint32_t generation = transfer->slot->generation;
    int error;

    for (;;) {
        ssize_t moved = -1;
        if (bine__fd_detect(transfer->fd, transfer->slot) != 0) /* known, but for the first time or after a surprise */
            return errno;
        errno = EAGAIN;
        if (!useless(transfer))
            moved = transfer->attempt(transfer);
        if (moved >= 0) {
            note_success(transfer, (size_t)moved);
            bine__charge(transfer->self->loop, 1 + (int)(moved / BINE__CHARGE_BYTES));
            transfer->done += (size_t)moved;
            if (complete(transfer, moved))
                return 0;
            error = between_pieces(transfer, generation);
            if (error)
                return error;
        } else if (errno == EAGAIN && may_wait(transfer)) {
            if (!waiter->task)
                bine__waiter_init(waiter, transfer->self, transfer->fd, transfer->slot, transfer->direction);
            error = bine__waiter_park(waiter);
            if (error)
                return error;
        } else if (errno != EINTR) {
            return errno;
        }
    }
}

ssize_t bine__transfer(struct bine__transfer *transfer)
{
    struct bine__waiter waiter;

    transfer->done = 0;
    transfer->more = false;
    transfer->self = bine__begin();
    transfer->slot = transfer->self ? bine__fd_get(transfer->self->loop->io, transfer->fd) : NULL;
    if (bine__unlikely(!transfer->slot)) {
        transfer->error = errno;
        return -1;
    }
    waiter.task = NULL; /* set up when it is needed */
    transfer->error = run(transfer, &waiter);
    if (waiter.task)
        bine__waiter_leave(&waiter);
    if (transfer->error)
        errno = transfer->error;
    return transfer->error && transfer->done == 0 ? -1 : (ssize_t)transfer->done;
}

const struct iovec *bine__window(struct bine__transfer *transfer, struct iovec window[BINE__WINDOW], int *count)
{
    const struct iovec *iov = transfer->iov;
    size_t skip = transfer->done;
    int left = transfer->count, n = 0;

    *count = left;
    transfer->asked = transfer->total;
    if (skip == 0)
        return iov;
    transfer->asked = 0;
    for (; left > 0 && n < BINE__WINDOW; iov++, left--) {
        if (skip >= iov->iov_len) {
            skip -= iov->iov_len;
            continue;
        }
        window[n].iov_base = (char *)iov->iov_base + skip;
        window[n].iov_len = iov->iov_len - skip;
        transfer->asked += window[n++].iov_len;
        skip = 0;
    }
    *count = n;
    return window;
}

ssize_t bine__vector_length(const struct iovec *iov, size_t count)
{
    size_t total = 0;

    if (count > 0 && !iov) {
        errno = EFAULT;
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (iov[i].iov_len > SSIZE_MAX || total > SSIZE_MAX - iov[i].iov_len) {
            errno = EINVAL;
            return -1;
        }
        total += iov[i].iov_len;
    }
    return (ssize_t)(total < BINE__TRANSFER_MAX ? total : BINE__TRANSFER_MAX);
}
