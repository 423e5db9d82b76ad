/* SPDX-License-Identifier: MIT
 *
 * recv, send and their kin.
 *
 * The caller's MSG_DONTWAIT is obeyed: EAGAIN, and no wait.  MSG_WAITALL becomes a loop, since the kernel
 * would not wait under the MSG_DONTWAIT that is added to every try. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <bine/io.h>

/* ---- Receiving --------------------------------------------------------------------- */

struct named { /* recvfrom, sendto */
    struct bine__transfer transfer;
    struct sockaddr *name;
    socklen_t *length;
    const struct sockaddr *to;
    socklen_t to_length;
};

struct messaged { /* recvmsg, sendmsg */
    struct bine__transfer transfer;
    struct msghdr *message;       /* of recvmsg: gets the results */
    const struct msghdr *request; /* of sendmsg */
    size_t name_room, control_room;
};

/* A descriptor that arrives is not meant for the programs that this one starts: asked for in the same
 * breath, since another thread may start one at any time. */
#ifdef MSG_CMSG_CLOEXEC
enum { CLOEXEC = MSG_CMSG_CLOEXEC };
#else
enum { CLOEXEC = 0 };
#endif

/* The flags of one try.  The caller's own MSG_DONTWAIT leaves MSG_WAITALL as harmless as the kernel does. */
static int try_flags(const struct bine__transfer *transfer)
{
    const int always = transfer->direction == BINE__OUT ? MSG_DONTWAIT | MSG_NOSIGNAL : MSG_DONTWAIT;

    return (transfer->flags & ~MSG_WAITALL) | always;
}

/* MSG_PEEK with MSG_WAITALL: what is there is not enough, and more can still come. */
static bool peeked_too_little(const struct bine__transfer *transfer, ssize_t n)
{
    struct pollfd pollfd = {.fd = transfer->fd, .events = (short)BINE__RDHUP};
    const int both = MSG_PEEK | MSG_WAITALL;

    if ((transfer->flags & (both | MSG_DONTWAIT)) != both || n <= 0 || (size_t)n >= transfer->total ||
        transfer->slot->kind == BINE__KIND_DATAGRAM)
        return false;
    return poll(&pollfd, 1, 0) == 0;
}

static ssize_t received(const struct bine__transfer *transfer, ssize_t n)
{
    if (!peeked_too_little(transfer, n))
        return n;
    return bine__error(EAGAIN);
}

static ssize_t try_recvfrom(struct bine__transfer *transfer)
{
    struct named *named = (struct named *)transfer;
    bool first = transfer->done == 0;
    ssize_t n;

    transfer->asked = transfer->total - transfer->done;
    n = recvfrom(transfer->fd, (char *)transfer->iov->iov_base + transfer->done, transfer->asked,
                 try_flags(transfer), first ? named->name : NULL, first ? named->length : NULL);
    return received(transfer, n);
}

static ssize_t try_recvmsg(struct bine__transfer *transfer)
{
    struct messaged *messaged = (struct messaged *)transfer;
    struct msghdr message = *messaged->message;
    struct iovec window[BINE__WINDOW];
    int count;
    ssize_t n;

    message.msg_iov = (struct iovec *)(uintptr_t)bine__window(transfer, window, &count);
    message.msg_iovlen = (size_t)count;
    message.msg_namelen = (socklen_t)messaged->name_room;
    message.msg_controllen = messaged->control_room;
    n = recvmsg(transfer->fd, &message, try_flags(transfer) | CLOEXEC);
    if (n < 0)
        return n;
    messaged->message->msg_namelen = message.msg_namelen;
    messaged->message->msg_controllen = message.msg_controllen;
    messaged->message->msg_flags = message.msg_flags & ~(CLOEXEC & ~transfer->flags); /* as was asked for */
    if (message.msg_controllen > 0 || (message.msg_flags & MSG_CTRUNC))
        transfer->extent = BINE__ONCE; /* the next try would overwrite what came with these bytes */
    return received(transfer, n);
}

/* How far a call with these flags goes on after a first success. */
static enum bine__extent receive_extent(int flags)
{
    const int whole = flags & (MSG_WAITALL | MSG_DONTWAIT | MSG_PEEK | MSG_OOB | MSG_ERRQUEUE);

    return whole == MSG_WAITALL ? BINE__STREAM : BINE__ONCE;
}

ssize_t bine_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *name, socklen_t *length)
{
    struct iovec iov = {buf, n < BINE__TRANSFER_MAX ? n : BINE__TRANSFER_MAX};
    struct named named = {
        .transfer = {.attempt = try_recvfrom, .fd = fd, .flags = flags, .direction = BINE__IN,
                     .extent = (uint8_t)receive_extent(flags), .iov = &iov, .count = 1, .total = iov.iov_len},
        .name = name,
        .length = length,
    };

    return bine__transfer_told(&named.transfer);
}

ssize_t bine_recv(int fd, void *buf, size_t n, int flags)
{
    return bine_recvfrom(fd, buf, n, flags, NULL, NULL);
}

/* The bytes of a message's array; -1 with errno. */
static ssize_t message_length(int fd, const struct msghdr *message)
{
    if (!bine__begin_on(fd))
        return -1;
    if (!message || message->msg_iovlen > IOV_MAX) {
        errno = message ? EMSGSIZE : EFAULT;
        return -1;
    }
    return bine__vector_length(message->msg_iov, message->msg_iovlen);
}

ssize_t bine_recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t total = message_length(fd, message);

    if (total < 0)
        return -1;
    struct messaged messaged = {
        .transfer = {.attempt = try_recvmsg, .fd = fd, .flags = flags, .direction = BINE__IN,
                     .extent = (uint8_t)receive_extent(flags), .iov = message->msg_iov,
                     .count = (int)message->msg_iovlen, .total = (size_t)total},
        .message = message,
        .name_room = message->msg_namelen,
        .control_room = message->msg_controllen,
    };
    return bine__transfer_told(&messaged.transfer);
}

/* ---- Sending ----------------------------------------------------------------------- */

static ssize_t try_sendto(struct bine__transfer *transfer)
{
    struct named *named = (struct named *)transfer;

    transfer->asked = transfer->total - transfer->done;
    return sendto(transfer->fd, (char *)transfer->iov->iov_base + transfer->done, transfer->asked,
                  try_flags(transfer), named->to, named->to_length);
}

static ssize_t try_sendmsg(struct bine__transfer *transfer)
{
    struct messaged *messaged = (struct messaged *)transfer;
    struct msghdr message = *messaged->request;
    struct iovec window[BINE__WINDOW];
    int count;

    message.msg_iov = (struct iovec *)(uintptr_t)bine__window(transfer, window, &count);
    message.msg_iovlen = (size_t)count;
    if (transfer->done > 0) { /* control data has gone out with the first bytes */
        message.msg_control = NULL;
        message.msg_controllen = 0;
    }
    return sendmsg(transfer->fd, &message, try_flags(transfer));
}

static enum bine__extent send_extent(int flags)
{
    return flags & MSG_DONTWAIT ? BINE__ONCE : BINE__STREAM;
}

ssize_t bine_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t length)
{
    struct iovec iov = {(void *)(uintptr_t)buf, n < BINE__TRANSFER_MAX ? n : BINE__TRANSFER_MAX};
    struct named named = {
        .transfer = {.attempt = try_sendto, .fd = fd, .flags = flags, .direction = BINE__OUT,
                     .extent = (uint8_t)send_extent(flags), .iov = &iov, .count = 1, .total = iov.iov_len},
        .to = to,
        .to_length = length,
    };

    return bine__transfer_told(&named.transfer);
}

ssize_t bine_send(int fd, const void *buf, size_t n, int flags)
{
    return bine_sendto(fd, buf, n, flags, NULL, 0);
}

ssize_t bine_sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t total = message_length(fd, message);

    if (total < 0)
        return -1;
    struct messaged messaged = {
        .transfer = {.attempt = try_sendmsg, .fd = fd, .flags = flags, .direction = BINE__OUT,
                     .extent = (uint8_t)send_extent(flags), .iov = message->msg_iov,
                     .count = (int)message->msg_iovlen, .total = (size_t)total},
        .request = message,
    };
    return bine__transfer_told(&messaged.transfer);
}
