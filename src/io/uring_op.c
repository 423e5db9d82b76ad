/* SPDX-License-Identifier: MIT
 *
 * Whole operations by io_uring: an entry for each, marked with the operation's address.
 *
 * The kernel carries out at once, within the turn's one system call, what finds its pages and directory
 * entries in memory, and hands the rest to workers of its own.  The operation, and what it points to, are
 * lent to the kernel until the entry's completion has been reaped; only reap() calls
 * bine__uring_complete(), lose_ring() for entries that the kernel has never seen, and bine__uring_abandon()
 * for those of which it will never tell. */
#define _GNU_SOURCE
#include "io/uring.h"

#include <errno.h>
#include <fcntl.h>

static void fill(struct io_uring_sqe *sqe, const struct bine__op *op)
{
    switch (op->verb) {
    case BINE__OP_READ:
        io_uring_prep_readv(sqe, op->fd, op->iov, op->count, (uint64_t)op->offset);
        break;
    case BINE__OP_WRITE:
        io_uring_prep_writev(sqe, op->fd, op->iov, op->count, (uint64_t)op->offset);
        break;
    case BINE__OP_FSYNC:
        io_uring_prep_fsync(sqe, op->fd, 0);
        break;
    case BINE__OP_OPEN:
        io_uring_prep_openat(sqe, AT_FDCWD, op->path, (int)op->flags, op->mode);
        break;
    case BINE__OP_STAT:
        io_uring_prep_statx(sqe, op->fd, op->path, (int)op->flags, op->length, op->status);
        break;
    case BINE__OP_SPLICE:
        io_uring_prep_splice(sqe, op->from, op->offset, op->fd, op->to_offset, op->length, op->flags);
        break;
    }
}

int bine__uring_submit(struct bine__io *io, struct bine__op *op)
{
    struct bine__uring *uring = io->backend;
    struct io_uring_sqe *sqe = bine__uring_entry(uring);

    if (bine__unlikely(!sqe)) {
        errno = EAGAIN;
        return -1;
    }
    fill(sqe, op);
    io_uring_sqe_set_data(sqe, op);
    sqe->flags |= op->aside ? IOSQE_ASYNC : 0;
    bine__list_append(&uring->operations, &op->link);
    return 0;
}

/* Without an entry for it the operation runs to its own end. */
void bine__uring_cancel(struct bine__io *io, struct bine__op *op)
{
    struct io_uring_sqe *sqe = bine__uring_entry(io->backend);

    if (!sqe)
        return;
    io_uring_prep_cancel(sqe, op, 0);
    io_uring_sqe_set_data64(sqe, BINE__URING_IGNORED);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void bine__uring_complete(struct bine__io *io, struct bine__op *op, int result)
{
    bine__list_remove(&op->link);
    op->result = result;
    op->done = true;
    io->woken++;
    bine__wake(op->task);
}

/* Of a ring in the kernel's memory, or with more completions than its queue holds.  Done twice it is what it would be,
 * done once.  An open is not: but the descriptor that it may have made is lost in any case, and the file is there. */
static bool repeatable(const struct bine__op *op)
{
    switch (op->verb) {
    case BINE__OP_READ:
        return op->offset != -1;
    case BINE__OP_WRITE:
        return op->offset != -1 && !(fcntl(op->fd, F_GETFL) & O_APPEND);
    case BINE__OP_OPEN:
        return !(op->flags & O_EXCL);
    case BINE__OP_FSYNC:
    case BINE__OP_STAT:
        return true;
    case BINE__OP_SPLICE:
        break;
    }
    return false;
}

void bine__uring_abandon(struct bine__io *io)
{
    struct bine__uring *uring = io->backend;

    while (!bine__list_empty(&uring->operations)) {
        struct bine__op *op = bine__list_entry(uring->operations.next, struct bine__op, link);
        bine__uring_complete(io, op, repeatable(op) ? -EAGAIN : -EIO);
    }
}
