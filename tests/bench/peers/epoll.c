/* SPDX-License-Identifier: MIT
 *
 * The bare echo server that bine is measured against: epoll PORT [level|edge [LOOPS]].
 *
 * One epoll loop, no allocation, no timer, no state per connection but the descriptor in the event: the
 * least that a correct server can do.  With LOOPS that many threads, each with a loop and a listener of its
 * own and bound to a processor, as the loops of bine/loops.c are.  A message costs one read and one write; a read that
 * fills the buffer is followed by another.  A client that does not read its echo is dropped, which a real
 * server may not do: that would cost it a buffer and a second state.  Serves until it is ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../measure.h"

enum { EVENTS = 1024, BUFFER = 4096, MOST_LOOPS = 64 };

static long port;
static uint32_t events = EPOLLIN;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 || /* handed down to what it accepts */
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4096) < 0)
        fail("listen");
    return fd;
}

static void accept_all(int epoll, int listener)
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
    static _Thread_local char buffer[BUFFER];
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

static void serve(void)
{
    static _Thread_local struct epoll_event ready[EVENTS];
    int listener = listen_on_port(), epoll = epoll_create1(EPOLL_CLOEXEC);
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
                accept_all(epoll, listener);
            } else {
                echo(fd);
            }
        }
    }
}

static void *serve_bound(void *index)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((uintptr_t)index % 2, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
    serve();
    return NULL;
}

int main(int argc, char **argv)
{
    port = count_argument(argc, argv, 1, 0);
    if (argc > 2 && !strcmp(argv[2], "edge"))
        events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    if (argc > 3) {
        long loops = count_argument(argc, argv, 3, 1);
        pthread_t thread;
        for (long i = 1; i < loops && i < MOST_LOOPS; i++)
            if (pthread_create(&thread, NULL, serve_bound, (void *)i) != 0)
                fail("pthread_create");
        serve_bound((void *)0);
    }
    serve();
}
