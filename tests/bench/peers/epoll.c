/* SPDX-License-Identifier: MIT
 *
 * The bare echo server that bine is measured against: epoll PORT [level|edge].
 *
 * One thread, one epoll loop, no allocation, no timer, no state per connection but the descriptor in the
 * event: the least that a correct server can do.  A message costs one read and one write; a read that
 * fills the buffer is followed by another.  A client that does not read its echo is dropped, which a real
 * server may not do: that would cost it a buffer and a second state.  Serves until it is ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../measure.h"

enum { EVENTS = 1024, BUFFER = 4096 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(long port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 || /* handed down to what it accepts */
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4096) < 0)
        fail("listen");
    return fd;
}

static void accept_all(int epoll, int listener, uint32_t events)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN)
                return;
            fail("accept4");
        }
        struct epoll_event event = {.events = events, .data.fd = fd};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
            fail("epoll_ctl");
    }
}

static void echo(int fd)
{
    static char buffer[BUFFER];
    ssize_t n;
    do {
        n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0 || write(fd, buffer, (size_t)n) != n) {
            close(fd);
            return;
        }
    } while (n == (ssize_t)sizeof buffer);
}

int main(int argc, char **argv)
{
    static struct epoll_event ready[EVENTS];
    uint32_t events = argc > 2 && !strcmp(argv[2], "edge") ? EPOLLIN | EPOLLRDHUP | EPOLLET : EPOLLIN;
    int listener = listen_on(count_argument(argc, argv, 1, 0)), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0)
        fail("epoll");
    for (;;) {
        int n = epoll_wait(epoll, ready, EVENTS, -1);
        if (n < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) {
                accept_all(epoll, listener, events);
            } else {
                echo(fd);
            }
        }
    }
}
