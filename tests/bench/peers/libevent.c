/* SPDX-License-Identifier: MIT
 *
 * libevent's side of the bench: libevent timer | echo PORT.
 *
 * "timer" arms and cancels timers while a million others are pending: 64 are armed, the clock is looked at, and all
 * are cancelled; "timer-at-once": each is cancelled as soon as it is armed.  "echo" is the usual server over
 * bufferevents: what comes in is moved from the one side's buffer to the other's.  It serves until it is ended. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "../measure.h"

enum { PENDING = 1000000, OPERATIONS = 1000000, DELAYS = 4096, TOGETHER = 64, BACKLOG = 4096 };

static void fail(const char *what)
{
    fprintf(stderr, "libevent: %s failed\n", what);
    exit(1);
}

/* ---- Timers ------------------------------------------------------------------------------------------ */

static void fired(evutil_socket_t fd, short events, void *arg)
{
    (void)fd, (void)events, (void)arg;
    abort(); /* nothing may fire while it is measured */
}

static struct timeval draw_delay(uint64_t *random)
{
    uint64_t ms = next_random(random) % 1000000;
    return (struct timeval){.tv_sec = (time_t)(100 + ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

static void measure_timer(struct event_base *base)
{
    static struct event pending[PENDING], timer[TOGETHER];
    static struct timeval delay[DELAYS];
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < DELAYS; i++)
        delay[i] = draw_delay(&random);
    for (int i = 0; i < PENDING; i++) {
        struct timeval after = draw_delay(&random);
        evtimer_assign(&pending[i], base, fired, NULL);
        evtimer_add(&pending[i], &after);
    }
    for (int i = 0; i < TOGETHER; i++)
        evtimer_assign(&timer[i], base, fired, NULL);
    int64_t start = cpu_now();
    for (int i = 0; i < OPERATIONS; i += TOGETHER) {
        for (int k = 0; k < TOGETHER; k++)
            evtimer_add(&timer[k], &delay[(i + k) % DELAYS]);
        event_base_update_cache_time(base);
        for (int k = 0; k < TOGETHER; k++)
            evtimer_del(&timer[k]);
    }
    figure("timer", (double)(cpu_now() - start) / OPERATIONS, "ns");
    start = cpu_now();
    for (int i = 0; i < OPERATIONS; i++) {
        evtimer_add(&timer[0], &delay[i % DELAYS]);
        evtimer_del(&timer[0]);
    }
    figure("timer-at-once", (double)(cpu_now() - start) / OPERATIONS, "ns");
}

/* Timers are armed from within the loop, as a program does: outside of it each looks at the clock anew. */
static void in_loop(evutil_socket_t fd, short events, void *base)
{
    (void)fd, (void)events;
    measure_timer(base);
    event_base_loopbreak(base);
}

/* ---- The echo server ----------------------------------------------------------------------------------- */

static void on_read(struct bufferevent *connection, void *arg)
{
    (void)arg;
    if (bufferevent_write_buffer(connection, bufferevent_get_input(connection)) < 0)
        fail("bufferevent_write_buffer");
}

static void on_end(struct bufferevent *connection, short events, void *arg)
{
    (void)arg;
    if (events & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        bufferevent_free(connection);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int length,
                          void *base)
{
    (void)listener, (void)address, (void)length;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct bufferevent *connection = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!connection)
        fail("bufferevent_socket_new");
    bufferevent_setcb(connection, on_read, NULL, on_end, NULL);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

static void serve_echo(struct event_base *base, long port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (!evconnlistener_new_bind(base, on_connection, base, LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_FREE, BACKLOG,
                                 (struct sockaddr *)&address, sizeof address))
        fail("evconnlistener_new_bind");
    event_base_dispatch(base);
}

int main(int argc, char **argv)
{
    const char *work = argc > 1 ? argv[1] : "";
    struct event_base *base = event_base_new();
    static const struct timeval now = {0, 0};
    if (!base)
        fail("event_base_new");
    if (!strcmp(work, "timer")) {
        event_base_once(base, -1, EV_TIMEOUT, in_loop, base, &now);
        event_base_dispatch(base);
    } else if (!strcmp(work, "echo")) {
        serve_echo(base, count_argument(argc, argv, 2, 0));
    } else {
        return fprintf(stderr, "usage: libevent timer | echo PORT\n"), 2;
    }
    return 0;
}
