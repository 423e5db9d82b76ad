/* SPDX-License-Identifier: MIT
 *
 * accept and connect: the two calls that have no flag for "do not block", so they set O_NONBLOCK on the
 * descriptor that they are given. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <bine/io.h>
#include <bine/task.h>

/* A descriptor that is no socket must not get O_NONBLOCK before the kernel has refused it. */
static int prepare(int fd, struct bine__fd *slot)
{
    if (bine__fd_detect(fd, slot) != 0)
        return -1;
    if (slot->kind == BINE__KIND_FILE || slot->kind == BINE__KIND_POLLABLE) {
        bine__fd_forget(slot); /* perhaps the number meant something else before */
        if (bine__fd_detect(fd, slot) != 0)
            return -1;
        if (slot->kind == BINE__KIND_FILE || slot->kind == BINE__KIND_POLLABLE)
            return bine__error(ENOTSOCK);
    }
    return bine__set_nonblock(fd, slot);
}

/* ---- accept ------------------------------------------------------------------------ */

struct accepting {
    struct bine__transfer transfer; /* of "one connection": a total of 1 */
    struct sockaddr *name;
    socklen_t *length;
    bool close_on_exec;
    int fd;
};

/* At once, where that can be said: another thread may fork between two calls. */
static int accept_with(int fd, struct sockaddr *name, socklen_t *length, bool close_on_exec)
{
#ifdef SOCK_CLOEXEC
    return close_on_exec ? accept4(fd, name, length, SOCK_CLOEXEC) : accept(fd, name, length);
#else
    int accepted = accept(fd, name, length);

    if (accepted != -1 && close_on_exec)
        (void)fcntl(accepted, F_SETFD, FD_CLOEXEC);
    return accepted;
#endif
}

static ssize_t try_accept(struct bine__transfer *transfer)
{
    struct accepting *accepting = (struct accepting *)transfer;

    transfer->asked = 1;
    if (prepare(transfer->fd, transfer->slot) != 0)
        return -1;
    accepting->fd = accept_with(transfer->fd, accepting->name, accepting->length, accepting->close_on_exec);
    return accepting->fd == -1 ? -1 : 1;
}

static int accept_one(int fd, struct sockaddr *name, socklen_t *length, bool close_on_exec)
{
    struct accepting accepting = {
        .transfer = {.attempt = try_accept, .fd = fd, .direction = BINE__IN, .extent = BINE__ONCE,
                     .total = 1},
        .name = name,
        .length = length,
        .close_on_exec = close_on_exec,
    };

    if (bine__transfer(&accepting.transfer) != 1)
        return -1;
    accepting.fd = bine__explore_number(accepting.fd);
    bine__fd_fresh(accepting.fd, (enum bine__kind)accepting.transfer.slot->kind);
    return accepting.fd;
}

int bine_accept(int fd, struct sockaddr *name, socklen_t *length)
{
    return accept_one(fd, name, length, false);
}

int bine__accept(int fd)
{
    return accept_one(fd, NULL, NULL, true);
}

/* ---- connect ----------------------------------------------------------------------- */

/* How long to wait before a Unix socket whose listener's queue is full is tried again: nothing tells. */
#define FIRST_PAUSE BINE_MS
#define LAST_PAUSE (64 * BINE_MS)

static bool writable(int fd)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLOUT};

    return poll(&pollfd, 1, 0) != 0;
}

/* The connection is under way.  An errno value.  How it ended a second connect(2) tells, and not SO_ERROR,
 * for until then Linux does not regard the socket as connected: a further connect would not fail with
 * EISCONN. */
static int await_connection(struct bine_task *self, int fd, struct bine__fd *slot,
                            const struct sockaddr *name, socklen_t length)
{
    struct bine__waiter waiter;
    int error;

    bine__waiter_init(&waiter, self, fd, slot, BINE__OUT);
    do
        error = bine__waiter_park(&waiter);
    while (!error && !writable(fd));
    bine__waiter_leave(&waiter);
    if (error)
        return error;
    return connect(fd, name, length) == 0 || errno == EISCONN ? 0 : errno;
}

static int try_connect(struct bine_task *self, int fd, struct bine__fd *slot, const struct sockaddr *name,
                       socklen_t length)
{
    bool made = connect(fd, name, length) == 0;
    if (bine__explored(self->loop) && (made || errno == EINPROGRESS))
        bine__explore_connecting(fd, name, length);
    if (made)
        return 0;
    /* EALREADY: an earlier call was cancelled, and the socket has gone on connecting. */
    return errno == EINPROGRESS || errno == EALREADY ? await_connection(self, fd, slot, name, length) : errno;
}

int bine_connect(int fd, const struct sockaddr *name, socklen_t length)
{
    struct bine_task *self = bine__begin_on(fd);
    struct bine__fd *slot = self ? bine__fd_get(self->loop->io, fd) : NULL;
    uint32_t generation;
    int error;

    if (!slot || prepare(fd, slot) != 0)
        return -1;
    generation = slot->generation;
    if ((error = bine__explore_io(self, -1, 0)) != 0)
        return bine__error(error);
    if (slot->generation != generation)
        return bine__error(EBADF);
    for (bine_ns pause = FIRST_PAUSE;; pause = pause < LAST_PAUSE ? 2 * pause : pause) {
        error = try_connect(self, fd, slot, name, length);
        if (error != EAGAIN && error != EINTR)
            break;
        if (bine_sleep(pause) != 0)
            return -1;
        if (slot->generation != generation) {
            error = EBADF;
            break;
        }
    }
    if (!error)
        return 0;
    return bine__error(error);
}
