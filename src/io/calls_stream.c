/* SPDX-License-Identifier: MIT
 *
 * read, write and their kin: the calls that take any descriptor.
 *
 * On sockets they are recv and send with MSG_DONTWAIT, so O_NONBLOCK stays as its owner left it.  A write
 * goes on until all is written, as a blocking write(2) does; a read ends with the first bytes. */
#define _GNU_SOURCE
#include "io/transfer.h"

#include <limits.h>
#include <unistd.h>

#include <bine/io.h>

/* ---- Attempts ---------------------------------------------------------------------- */

static ssize_t try_socket(struct bine__transfer *transfer)
{
    struct iovec window[BINE__WINDOW];
    struct msghdr message = {0};
    int count;
    const struct iovec *iov = bine__window(transfer, window, &count);
    bool in = transfer->direction == BINE__IN;

    if (transfer->total == 0 && in)
        return read(transfer->fd, NULL, 0); /* returns at once; recv(2) would wait for data to be there */
    if (bine__likely(count == 1))
        return in ? recv(transfer->fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT)
                  : send(transfer->fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    message.msg_iov = (struct iovec *)(uintptr_t)iov;
    message.msg_iovlen = (size_t)count;
    return in ? recvmsg(transfer->fd, &message, MSG_DONTWAIT)
              : sendmsg(transfer->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t try_by_kind(struct bine__transfer *transfer)
{
    switch ((enum bine__kind)transfer->slot->kind) {
    case BINE__KIND_POLLABLE:
        return bine__attempt_pollable(transfer);
    case BINE__KIND_FILE:
        return bine__attempt_file(transfer);
    default:
        return try_socket(transfer);
    }
}

ssize_t bine__attempt_any(struct bine__transfer *transfer)
{
    ssize_t moved = try_by_kind(transfer);

    if (bine__unlikely(moved == -1 && errno == ENOTSOCK)) { /* the number means another file by now: again */
        bine__fd_forget(transfer->slot);
        errno = EINTR;
    }
    return moved;
}

/* The common case, made short: one buffer, a socket. */
static inline ssize_t try_one(struct bine__transfer *transfer)
{
    char *at = (char *)transfer->iov->iov_base + transfer->done;

    transfer->asked = transfer->total - transfer->done;
    if (transfer->direction == BINE__IN)
        __builtin_prefetch(at, 1);
    return transfer->direction == BINE__IN
               ? recv(transfer->fd, at, transfer->asked, MSG_DONTWAIT)
               : send(transfer->fd, at, transfer->asked, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A position in a file makes sense for what has one: the kernel says ESPIPE to the rest. */
static ssize_t try_at(struct bine__transfer *transfer)
{
    struct iovec window[BINE__WINDOW];
    int count;
    const struct iovec *iov;
    off_t offset = transfer->offset + (off_t)transfer->done;

    if (transfer->slot->kind == BINE__KIND_FILE)
        return bine__attempt_file(transfer);
    iov = bine__window(transfer, window, &count);
    return transfer->direction == BINE__IN ? preadv(transfer->fd, iov, count, offset)
                                           : pwritev(transfer->fd, iov, count, offset);
}

/* ---- Calls ------------------------------------------------------------------------- */

static ssize_t move(int fd, const struct iovec *iov, int count, size_t total, enum bine__direction direction,
                    enum bine__extent extent)
{
    struct bine__transfer transfer = {
        .attempt = bine__attempt_any,
        .fd = fd,
        .direction = (uint8_t)direction,
        .extent = (uint8_t)extent,
        .iov = iov,
        .count = count,
        .total = total,
        .offset = -1,
    };
    ssize_t moved = bine__transfer(&transfer);

    if (extent == BINE__FULL && moved >= 0)
        errno = transfer.error; /* of a short count: the reason */
    return moved;
}

static ssize_t move_one(int fd, const void *buf, size_t n, enum bine__direction direction,
                        enum bine__extent extent)
{
    struct iovec iov = {(void *)(uintptr_t)buf, n};

    if (n > SSIZE_MAX) {
        errno = bine__begin() ? EINVAL : errno;
        return -1;
    }
    if (extent != BINE__FULL && n > BINE__TRANSFER_MAX)
        iov.iov_len = BINE__TRANSFER_MAX;
    return move(fd, &iov, 1, iov.iov_len, direction, extent);
}

/* The call has begun, and what follows begins too: it is charged once. */
static inline void begin_again(void)
{
    bine__charge(bine__loop, -1);
}

static ssize_t move_vector(int fd, const struct iovec *iov, int count, enum bine__direction direction,
                           enum bine__extent extent)
{
    ssize_t total;

    if (!bine__begin_on(fd))
        return -1;
    if (count < 0 || count > IOV_MAX)
        return bine__error(EINVAL);
    total = bine__vector_length(iov, (size_t)count);
    if (total < 0)
        return -1;
    begin_again();
    return move(fd, iov, count, (size_t)total, direction, extent);
}

/* Known to be a socket, and a size without surprises. */
static inline bool plain(int fd, size_t n)
{
    const struct bine_loop *loop = bine__loop;
    const struct bine__fd *slot = loop ? bine__fd_find(loop->io, fd) : NULL;

    return slot && slot->kind >= BINE__KIND_TCP && slot->kind <= BINE__KIND_DATAGRAM &&
           n - 1 < BINE__TRANSFER_MAX;
}

/* ENOTSOCK, when the number means another file by now. */
static inline __attribute__((always_inline)) ssize_t move_plainly(int fd, const void *buf, size_t n,
                                                                  enum bine__direction direction,
                                                                  enum bine__extent extent)
{
    struct iovec iov = {(void *)(uintptr_t)buf, n};
    struct bine__transfer transfer = {.fd = fd,
                                      .direction = (uint8_t)direction,
                                      .extent = (uint8_t)extent,
                                      .iov = &iov,
                                      .count = 1,
                                      .total = n};

    return bine__transfer_by(&transfer, try_one);
}

/* Most writes to a socket find room for all: one try, and nothing set up for waiting.  How much of it
 * went, 0: the general way must be gone; -1: an error, which the kernel reports once and not to a second
 * try. */
static inline __attribute__((always_inline)) ssize_t send_at_once(int fd, const void *buf, size_t n)
{
    const struct bine_task *self;

    if (!(self = bine__begin_on(fd)))
        return -1;
    if (bine__unlikely(!plain(fd, n)) || bine__explored(self->loop)) /* the descriptor as it is now */
        return 0;
    bine__check_io(fd, true, BINE__IO_BEGIN, 0);
    ssize_t moved = send(fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    bine__check_io(fd, true, moved == (ssize_t)n ? BINE__IO_END : BINE__IO_PIECE,
                   moved > 0 ? (size_t)moved : 0);
    bine__charge(self->loop, (int)(moved / BINE__CHARGE_BYTES));
    if (bine__unlikely(moved < 0) && (errno == EAGAIN || errno == EINTR || errno == ENOTSOCK))
        return 0;
    return moved;
}

static ssize_t read_once(int fd, void *buf, size_t n)
{
    if (bine__likely(plain(fd, n))) {
        ssize_t moved = move_plainly(fd, buf, n, BINE__IN, BINE__ONCE);
        if (bine__likely(moved >= 0 || errno != ENOTSOCK))
            return moved;
    }
    return move_one(fd, buf, n, BINE__IN, BINE__ONCE);
}

ssize_t bine__write(int fd, const void *buf, size_t n)
{
    if (bine__likely(plain(fd, n))) {
        ssize_t moved = move_plainly(fd, buf, n, BINE__OUT, BINE__STREAM);
        if (bine__likely(moved >= 0 || errno != ENOTSOCK))
            return moved;
    }
    return move_one(fd, buf, n, BINE__OUT, BINE__STREAM);
}

static ssize_t write_full(int fd, const void *buf, size_t n)
{
    ssize_t sent = send_at_once(fd, buf, n);
    if (bine__likely(sent == (ssize_t)n && n > 0)) {
        errno = 0;
        return sent;
    }
    if (sent < 0)
        return -1;
    begin_again();
    ssize_t rest = move_one(fd, (const char *)buf + sent, n - (size_t)sent, BINE__OUT, BINE__FULL);
    return rest < 0 && sent > 0 ? sent : sent + rest;
}

/* bine-race(1) hears which memory of the program's it was. */
static inline ssize_t told(const void *buf, ssize_t moved, enum bine__direction direction)
{
    bine__check_moved(buf, moved, direction == BINE__OUT);
    (void)buf, (void)direction;
    return moved;
}

static inline ssize_t told_vector(const struct iovec *iov, ssize_t moved, enum bine__direction direction)
{
    if (BINE__CHECKED && moved > 0) /* else there may be no array, or a bad one */
        (void)told(iov->iov_base, (size_t)moved < iov->iov_len ? moved : (ssize_t)iov->iov_len, direction);
    return moved;
}

ssize_t bine_read(int fd, void *buf, size_t n)
{
    return told(buf, read_once(fd, buf, n), BINE__IN);
}

ssize_t bine_write(int fd, const void *buf, size_t n)
{
    return told(buf, bine__write(fd, buf, n), BINE__OUT);
}

ssize_t bine_readv(int fd, const struct iovec *iov, int iovcnt)
{
    return told_vector(iov, move_vector(fd, iov, iovcnt, BINE__IN, BINE__ONCE), BINE__IN);
}

ssize_t bine_writev(int fd, const struct iovec *iov, int iovcnt)
{
    return told_vector(iov, move_vector(fd, iov, iovcnt, BINE__OUT, BINE__STREAM), BINE__OUT);
}

ssize_t bine_read_full(int fd, void *buf, size_t n)
{
    return told(buf, move_one(fd, buf, n, BINE__IN, BINE__FULL), BINE__IN);
}

ssize_t bine_write_full(int fd, const void *buf, size_t n)
{
    return told(buf, write_full(fd, buf, n), BINE__OUT);
}

static ssize_t move_at(int fd, const void *buf, size_t n, off_t offset, enum bine__direction direction)
{
    struct iovec iov = {(void *)(uintptr_t)buf, n < BINE__TRANSFER_MAX ? n : BINE__TRANSFER_MAX};
    struct bine__transfer transfer = {
        .attempt = try_at,
        .fd = fd,
        .direction = (uint8_t)direction,
        .extent = direction == BINE__IN ? BINE__ONCE : BINE__STREAM,
        .iov = &iov,
        .count = 1,
        .total = iov.iov_len,
        .offset = offset,
    };

    if (offset < 0 || n > SSIZE_MAX) {
        errno = bine__begin() ? EINVAL : errno;
        return -1;
    }
    return told(buf, bine__transfer(&transfer), direction);
}

ssize_t bine_pread(int fd, void *buf, size_t n, off_t offset)
{
    return move_at(fd, buf, n, offset, BINE__IN);
}

ssize_t bine_pwrite(int fd, const void *buf, size_t n, off_t offset)
{
    return move_at(fd, buf, n, offset, BINE__OUT);
}
