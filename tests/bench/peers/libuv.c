/* SPDX-License-Identifier: MIT
 *
 * libuv's side of the bench: libuv timer | echo PORT.
 *
 * "timer" arms and cancels timers while a million others are pending: 64 are armed, the clock is looked at, and all
 * are cancelled; "timer-at-once": each is cancelled as soon as it is armed.  "echo" has one buffer for all
 * connections and writes at once what the socket takes; only a client that reads too slowly costs a copy.  It serves
 * until it is ended. */
#include <uv.h>

#include "../measure.h"

enum { PENDING = 1000000, OPERATIONS = 1000000, DELAYS = 4096, TOGETHER = 64, BUFFER = 4096, BACKLOG = 4096 };

static void check(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "libuv: %s: %s\n", what, uv_strerror(result));
        exit(1);
    }
}

/* ---- Timers ------------------------------------------------------------------------------------------ */

static void fired(uv_timer_t *timer)
{
    (void)timer;
    abort(); /* nothing may fire while it is measured */
}

static uint64_t draw_delay(uint64_t *random)
{
    return 100000 + next_random(random) % 1000000;
}

static void measure_timer(uv_loop_t *loop)
{
    static uv_timer_t pending[PENDING], timer[TOGETHER];
    static uint64_t delay[DELAYS];
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < DELAYS; i++)
        delay[i] = draw_delay(&random);
    for (int i = 0; i < PENDING; i++) {
        uv_timer_init(loop, &pending[i]);
        uv_timer_start(&pending[i], fired, draw_delay(&random), 0);
    }
    for (int i = 0; i < TOGETHER; i++)
        uv_timer_init(loop, &timer[i]);
    int64_t start = cpu_now();
    for (int i = 0; i < OPERATIONS; i += TOGETHER) {
        for (int k = 0; k < TOGETHER; k++)
            uv_timer_start(&timer[k], fired, delay[(i + k) % DELAYS], 0);
        uv_update_time(loop);
        for (int k = 0; k < TOGETHER; k++)
            uv_timer_stop(&timer[k]);
    }
    figure("timer", (double)(cpu_now() - start) / OPERATIONS, "ns");
    start = cpu_now();
    for (int i = 0; i < OPERATIONS; i++) {
        uv_timer_start(&timer[0], fired, delay[i % DELAYS], 0);
        uv_timer_stop(&timer[0]);
    }
    figure("timer-at-once", (double)(cpu_now() - start) / OPERATIONS, "ns");
}

/* ---- The echo server ----------------------------------------------------------------------------------- */

struct late_write {
    uv_write_t request;
    char data[BUFFER];
};

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void drop(uv_stream_t *stream)
{
    if (!uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, on_closed);
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    static char shared[BUFFER];
    (void)handle, (void)wanted;
    *buffer = uv_buf_init(shared, sizeof shared);
}

static void on_written(uv_write_t *request, int status)
{
    if (status < 0)
        drop(request->handle);
    free(request);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    if (n == 0)
        return;
    if (n < 0) {
        drop(stream);
        return;
    }
    uv_buf_t all = uv_buf_init(buffer->base, (unsigned)n);
    int sent = uv_try_write(stream, &all, 1);
    if (sent == n)
        return;
    if (sent < 0 && sent != UV_EAGAIN) {
        drop(stream);
        return;
    }
    struct late_write *late = malloc(sizeof *late);
    if (!late)
        abort();
    unsigned left = (unsigned)(n - (sent > 0 ? sent : 0));
    memcpy(late->data, all.base + n - left, left);
    uv_buf_t rest = uv_buf_init(late->data, left);
    check(uv_write(&late->request, stream, &rest, 1, on_written), "uv_write");
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *client = malloc(sizeof *client);
    check(status, "listen");
    if (!client)
        abort();
    check(uv_tcp_init(listener->loop, client), "uv_tcp_init");
    check(uv_accept(listener, (uv_stream_t *)client), "uv_accept");
    check(uv_tcp_nodelay(client, 1), "uv_tcp_nodelay");
    check(uv_read_start((uv_stream_t *)client, give_buffer, on_read), "uv_read_start");
}

static void serve_echo(uv_loop_t *loop, long port)
{
    static uv_tcp_t listener;
    struct sockaddr_in address;
    check(uv_ip4_addr("127.0.0.1", (int)port, &address), "address");
    check(uv_tcp_init(loop, &listener), "uv_tcp_init");
    check(uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0), "bind");
    check(uv_listen((uv_stream_t *)&listener, BACKLOG, on_connection), "listen");
    uv_run(loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv)
{
    const char *work = argc > 1 ? argv[1] : "";
    if (!strcmp(work, "timer"))
        measure_timer(uv_default_loop());
    else if (!strcmp(work, "echo"))
        serve_echo(uv_default_loop(), count_argument(argc, argv, 2, 0));
    else
        return fprintf(stderr, "usage: libuv timer | echo PORT\n"), 2;
    return 0;
}
