/* SPDX-License-Identifier: MIT
 *
 * Connected descriptors for the tests of I/O: see sockets.h. */
#define _GNU_SOURCE
#include "support/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <unistd.h>

#include "support/support.h"

const char *pair_name(enum pair_kind kind)
{
    static const char *const names[] = {"unix", "tcp", "pipe"};
    return names[kind];
}

int listener_make(struct sockaddr_in *address, int backlog)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof *address;
    expect_ok(bind(fd, (struct sockaddr *)address, n));
    expect_ok(listen(fd, backlog));
    expect_ok(getsockname(fd, (struct sockaddr *)address, &n));
    return fd;
}

void pair_make(enum pair_kind kind, int fd[2])
{
    fd[0] = fd[1] = -1;
    if (kind == PAIR_UNIX) {
        expect_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
    } else if (kind == PAIR_PIPE) {
        expect_ok(pipe(fd));
    } else {
        struct sockaddr_in address;
        int listener = listener_make(&address, 1);
        fd[1] = socket(AF_INET, SOCK_STREAM, 0);
        expect_ok(connect(fd[1], (struct sockaddr *)&address, sizeof address));
        fd[0] = accept(listener, NULL, NULL);
        expect_int(fd[0], >=, 0);
        close(listener);
        /* Fixed sizes: buffers that the kernel tunes by itself make room long after a call has found none. */
        const int size = 128 << 10;
        for (int i = 0; i < 2; i++) {
            expect_ok(setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
            expect_ok(setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
        }
    }
}

void pair_close(int fd[2])
{
    for (int i = 0; i < 2; i++) {
        if (fd[i] >= 0)
            expect_ok(bine_close(fd[i]));
        fd[i] = -1;
    }
}

/* Runs the loop without blocking on a descriptor whose flags stay as they are. */
static bool ready(int fd, short events)
{
    struct pollfd one = {fd, events, 0};
    return poll(&one, 1, 0) == 1 && (one.revents & events);
}

/* TCP goes on after the call: what is on its way is acknowledged and makes room.  qemu-user hands out the
 * first four bytes alone. */
static bool in_flight(int fd)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 &&
           n >= offsetof(struct tcp_info, tcpi_unacked) + sizeof info.tcpi_unacked && info.tcpi_unacked > 0;
}

size_t fill(int fd)
{
    static const char zeros[4096];
    size_t total = 0;
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    for (;;) {
        ssize_t n = write(fd, zeros, sizeof zeros);
        if (n > 0)
            total += (size_t)n;
        else if (in_flight(fd))
            sched_yield();
        else if (!ready(fd, POLLOUT))
            break;
    }
    fcntl(fd, F_SETFL, flags);
    return total;
}

size_t drain(int fd)
{
    char buf[4096];
    size_t total = 0;
    while (ready(fd, POLLIN)) {
        ssize_t n = read(fd, buf, sizeof buf);
        if (n <= 0)
            break;
        total += (size_t)n;
    }
    return total;
}
