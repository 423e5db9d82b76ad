/* SPDX-License-Identifier: MIT
 *
 * libev's side of the bench: libev timer | echo PORT.
 *
 * "timer" arms and cancels timers while a million others are pending: 64 are armed, the clock is looked at, and all
 * are cancelled; "timer-at-once": each is cancelled as soon as it is armed.  "echo" is epoll.c's server with the
 * library's watchers in place of bare events: it too drops a client that does not read its echo, and serves until it
 * is ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../measure.h"

enum { PENDING = 1000000, OPERATIONS = 4000000, DELAYS = 4096, TOGETHER = 64, BUFFER = 4096, BACKLOG = 4096 };

/* ---- Timers ------------------------------------------------------------------------------------------ */

static void fired(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    abort(); /* nothing may fire while it is measured */
}

static void measure_timer(struct ev_loop *loop)
{
    static ev_timer pending[PENDING], timer[TOGETHER];
    static double delay[DELAYS];
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < DELAYS; i++)
        delay[i] = 100.0 + (double)(next_random(&random) % 1000000) / 1000.0;
    for (int i = 0; i < PENDING; i++) {
        ev_timer_init(&pending[i], fired, 100.0 + (double)(next_random(&random) % 1000000) / 1000.0, 0.0);
        ev_timer_start(loop, &pending[i]);
    }
    int64_t start = cpu_now();
    for (int i = 0; i < OPERATIONS; i += TOGETHER) {
        for (int k = 0; k < TOGETHER; k++) {
            ev_timer_init(&timer[k], fired, delay[(i + k) % DELAYS], 0.0);
            ev_timer_start(loop, &timer[k]);
        }
        ev_now_update(loop);
        for (int k = 0; k < TOGETHER; k++)
            ev_timer_stop(loop, &timer[k]);
    }
    figure("timer", (double)(cpu_now() - start) / OPERATIONS, "ns");
    start = cpu_now();
    for (int i = 0; i < OPERATIONS; i++) {
        ev_timer_init(&timer[0], fired, delay[i % DELAYS], 0.0);
        ev_timer_start(loop, &timer[0]);
        ev_timer_stop(loop, &timer[0]);
    }
    figure("timer-at-once", (double)(cpu_now() - start) / OPERATIONS, "ns");
}

/* ---- The echo server ----------------------------------------------------------------------------------- */

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void on_message(struct ev_loop *loop, ev_io *watcher, int events)
{
    static char buffer[BUFFER];
    (void)events;
    ssize_t n = read(watcher->fd, buffer, sizeof buffer);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || write(watcher->fd, buffer, (size_t)n) != n) {
        ev_io_stop(loop, watcher);
        close(watcher->fd);
        free(watcher);
    }
}

static void on_connection(struct ev_loop *loop, ev_io *listener, int events)
{
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    (void)events;
    if (fd < 0 && errno == EAGAIN)
        return;
    ev_io *watcher = malloc(sizeof *watcher);
    if (fd < 0 || !watcher)
        fail("accept4");
    ev_io_init(watcher, on_message, fd, EV_READ);
    ev_io_start(loop, watcher);
}

static void serve_echo(struct ev_loop *loop, long port)
{
    static ev_io listener;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 || /* handed down to what it accepts */
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0)
        fail("listen");
    ev_io_init(&listener, on_connection, fd, EV_READ);
    ev_io_start(loop, &listener);
    ev_run(loop, 0);
}

int main(int argc, char **argv)
{
    const char *work = argc > 1 ? argv[1] : "";
    struct ev_loop *loop = ev_default_loop(0);
    if (!loop)
        fail("ev_default_loop");
    if (!strcmp(work, "timer"))
        measure_timer(loop);
    else if (!strcmp(work, "echo"))
        serve_echo(loop, count_argument(argc, argv, 2, 0));
    else
        return fprintf(stderr, "usage: libev timer | echo PORT\n"), 2;
    return 0;
}
