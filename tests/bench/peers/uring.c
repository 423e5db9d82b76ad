/* SPDX-License-Identifier: MIT
 *
 * The bare io_uring echo server that bine is measured against: uring PORT [poll|shot|send|multi].
 *
 * One thread, one ring, no allocation per message; connections are taken by a multishot accept.  Each message
 * costs, in style
 *
 *   poll    an event of a multishot poll, recv(2), send(2)
 *   shot    a receive that is submitted anew for each message, send(2)
 *   send    the same, and a submission for the send as well
 *   multi   a completion of a multishot receive into provided buffers, a submission for the send
 *
 * As epoll.c it drops a client that does not read its echo.  Serves until it is ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../measure.h"

enum { ENTRIES = 4096, COMPLETIONS = 16384, BUFFER = 4096, CONNECTIONS = 1 << 15, BUFFERS = 4096, GROUP = 1 };
enum work { ACCEPT, POLL, RECEIVE, SEND, CANCEL };
enum style { STYLE_POLL, STYLE_SHOT, STYLE_SEND, STYLE_MULTI, STYLES };

static struct io_uring ring;
static struct io_uring_buf_ring *provided;
static char (*buffers)[BUFFER]; /* by descriptor, or by provided buffer */
static enum style style;

static void fail(const char *what, int error)
{
    fprintf(stderr, "uring: %s: %s\n", what, strerror(error));
    exit(1);
}

static int listen_on(long port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 || /* handed down to what it accepts */
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4096) < 0)
        fail("listen", errno);
    return fd;
}

/* What the completion is told by: the work, the buffer, the descriptor. */
static uint64_t mark(enum work work, unsigned buffer, int fd)
{
    return (uint64_t)work << 56 | (uint64_t)buffer << 32 | (uint32_t)fd;
}

static struct io_uring_sqe *entry(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    if (!sqe) {
        io_uring_submit(&ring);
        sqe = io_uring_get_sqe(&ring);
    }
    return sqe;
}

static void await_message(int fd)
{
    struct io_uring_sqe *sqe = entry();
    if (style == STYLE_POLL) {
        io_uring_prep_poll_multishot(sqe, fd, POLLIN);
        io_uring_sqe_set_data64(sqe, mark(POLL, 0, fd));
        return;
    }
    if (style == STYLE_MULTI) {
        io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = GROUP;
    } else {
        io_uring_prep_recv(sqe, fd, buffers[fd], BUFFER, 0);
        sqe->ioprio |= IORING_RECVSEND_POLL_FIRST; /* there is nothing yet: faster than to try */
    }
    io_uring_sqe_set_data64(sqe, mark(RECEIVE, 0, fd));
}

static void give_back(unsigned buffer)
{
    io_uring_buf_ring_add(provided, buffers[buffer], BUFFER, (unsigned short)buffer,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(provided, 1);
}

static void drop(int fd)
{
    if (style == STYLE_POLL) { /* it would keep the file open */
        struct io_uring_sqe *sqe = entry();
        io_uring_prep_cancel64(sqe, mark(POLL, 0, fd), 0);
        io_uring_sqe_set_data64(sqe, mark(CANCEL, 0, fd));
        io_uring_submit(&ring);
    }
    close(fd);
}

static void on_event(int fd)
{
    static char buffer[BUFFER];
    ssize_t n;
    do {
        n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0 || send(fd, buffer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) != n) {
            drop(fd);
            return;
        }
    } while (n == (ssize_t)sizeof buffer);
}

static void on_message(int fd, int n, unsigned flags)
{
    unsigned buffer = style == STYLE_MULTI ? flags >> IORING_CQE_BUFFER_SHIFT : (unsigned)fd;
    if (n == -ENOBUFS) {
        await_message(fd);
    } else if (n <= 0) {
        drop(fd);
    } else if (style == STYLE_SHOT) {
        if (send(fd, buffers[buffer], (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) != n)
            drop(fd);
        else
            await_message(fd);
    } else {
        struct io_uring_sqe *sqe = entry();
        io_uring_prep_send(sqe, fd, buffers[buffer], (size_t)n, MSG_NOSIGNAL);
        io_uring_sqe_set_data64(sqe, mark(SEND, buffer, fd));
        if (style == STYLE_MULTI && !(flags & IORING_CQE_F_MORE))
            await_message(fd);
    }
}

static void complete(const struct io_uring_cqe *cqe)
{
    int fd = (int)(uint32_t)cqe->user_data;
    unsigned buffer = (cqe->user_data >> 32) & 0xffffff;
    switch ((enum work)(cqe->user_data >> 56)) {
    case ACCEPT:
        if (cqe->res < 0 || cqe->res >= CONNECTIONS)
            fail("accept", cqe->res < 0 ? -cqe->res : EMFILE);
        await_message(cqe->res);
        break;
    case POLL:
        if (cqe->res > 0)
            on_event(fd);
        break;
    case RECEIVE:
        on_message(fd, cqe->res, cqe->flags);
        break;
    case SEND:
        if (style == STYLE_MULTI)
            give_back(buffer);
        else
            await_message(fd);
        break;
    case CANCEL:
        break;
    }
}

static void provide_buffers(void)
{
    struct io_uring_buf_reg reg = {.ring_entries = BUFFERS, .bgid = GROUP};
    int error;
    provided = aligned_alloc(4096, BUFFERS * sizeof(struct io_uring_buf));
    if (!provided)
        fail("aligned_alloc", errno);
    io_uring_buf_ring_init(provided);
    reg.ring_addr = (uintptr_t)provided;
    error = io_uring_register_buf_ring(&ring, &reg, 0);
    if (error)
        fail("io_uring_register_buf_ring", -error);
    for (unsigned i = 0; i < BUFFERS; i++)
        give_back(i);
}

int main(int argc, char **argv)
{
    static const char *const styles[STYLES] = {"poll", "shot", "send", "multi"};
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
        .cq_entries = COMPLETIONS};
    int listener = listen_on(count_argument(argc, argv, 1, 0)), error;
    for (enum style i = 0; i < STYLES; i++)
        if (argc > 2 && !strcmp(argv[2], styles[i]))
            style = i;
    if ((error = io_uring_queue_init_params(ENTRIES, &ring, &params)) < 0)
        fail("io_uring_queue_init", -error);
    io_uring_register_ring_fd(&ring);
    buffers = aligned_alloc(4096, (size_t)CONNECTIONS * BUFFER);
    if (!buffers)
        fail("aligned_alloc", errno);
    if (style == STYLE_MULTI)
        provide_buffers();
    struct io_uring_sqe *sqe = entry();
    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
    io_uring_sqe_set_data64(sqe, mark(ACCEPT, 0, listener));
    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;
        error = io_uring_submit_and_wait(&ring, 1);
        if (error < 0 && error != -EINTR)
            fail("io_uring_submit_and_wait", -error);
        io_uring_for_each_cqe(&ring, head, cqe) {
            complete(cqe);
            count++;
        }
        io_uring_cq_advance(&ring, count);
    }
}
